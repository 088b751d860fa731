"""What the client keeps on disk for a login: the outbox and the session's token."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from twocans.client import Address, MemoryOutbox, Outgoing, Resume
from twocans.gui.keeping import Keeping, outbox_path

HERE = Address("localhost")
SECRET, FRESH = "5ec3e7", "f4e54"


def kept(folder: Path, server: Address = HERE, user: str = "alice") -> Keeping:
    return Keeping(folder / "outbox.db", server, user, MemoryOutbox())


def test_what_waits_and_the_token_are_there_after_a_restart(tmp_path: Path) -> None:
    first = kept(tmp_path)
    assert first.problem == ""
    first.outbox.add(Outgoing("a", "bob", "hello"))
    first.remember(SECRET)
    first.close()
    second = kept(tmp_path)
    assert second.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    assert second.resume() == Resume(token=SECRET)
    second.close()


def test_another_server_or_user_gets_neither(tmp_path: Path) -> None:
    first = kept(tmp_path)
    first.outbox.add(Outgoing("a", "bob", "hello"))
    first.remember(SECRET)
    for server, user in ((HERE, "carol"), (Address("localhost", 5051), "alice"), (Address("other"), "alice")):
        other = kept(tmp_path, server, user)
        assert other.outbox.pending() == ()
        assert other.resume() == Resume()
        other.close()
    first.close()


def test_a_second_client_under_the_same_name_stands_alone_until_the_first_has_ended(tmp_path: Path) -> None:
    first = kept(tmp_path)
    first.outbox.add(Outgoing("a", "bob", "hello"))
    first.remember(SECRET)
    second = kept(tmp_path)
    assert second.problem == ""
    assert second.outbox.pending() == ()
    assert second.resume() == Resume()
    second.remember("other")
    first.close()
    second.close()
    third = kept(tmp_path)
    assert third.resume() == Resume(token=SECRET)
    third.close()


def test_the_token_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    keeping = kept(tmp_path / "new")
    keeping.remember(SECRET)
    keeping.close()
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"server":"x","user":"y","token":"z"}'])
def test_a_damaged_session_is_no_session(tmp_path: Path, content: bytes) -> None:
    keeping = kept(tmp_path)
    keeping.remember(SECRET)
    (session,) = (tmp_path / "sessions").glob("*.json")
    session.write_bytes(content)
    assert keeping.resume() == Resume()
    keeping.remember(FRESH)
    assert keeping.resume() == Resume(token=FRESH)
    keeping.close()


def test_a_file_that_cannot_be_used_is_told_and_memory_serves(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"no database at all" * 100)
    keeping = kept(tmp_path)
    assert "outbox.db cannot be used" in keeping.problem
    keeping.outbox.add(Outgoing("a", "bob", "hello"))
    assert keeping.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    keeping.close()


def test_a_folder_that_cannot_be_made_is_told_and_memory_serves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keeping = kept(tmp_path / "file" / "folder")
    assert keeping.problem.endswith("What waits to be sent is kept only until you quit.")
    keeping.remember(SECRET)
    assert keeping.resume() == Resume()
    keeping.close()


def test_what_waited_in_memory_moves_to_the_disk_as_soon_as_that_can_be_used(tmp_path: Path) -> None:
    memory = MemoryOutbox()
    memory.add(Outgoing("a", "bob", "hello"))
    Keeping(tmp_path / "outbox.db", HERE, "alice", memory).close()
    assert memory.pending() == ()
    later = kept(tmp_path)
    assert later.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    later.close()


def test_the_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOCANS_DATA_DIR", str(tmp_path))
    assert outbox_path() == tmp_path / "outbox.db"
    monkeypatch.delenv("TWOCANS_DATA_DIR")
    assert outbox_path().parent != tmp_path
