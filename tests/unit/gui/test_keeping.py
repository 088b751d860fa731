"""What the client keeps on disk for a login: the outbox, for one client at a time."""

from __future__ import annotations

import stat
from pathlib import Path

from twocans.client import Address, MemoryOutbox, Outgoing
from twocans.gui.keeping import ALONE, Keeping

HERE = Address("localhost")


def kept(folder: Path, server: Address = HERE, user: str = "alice") -> Keeping:
    return Keeping(folder / "outbox.db", server, user, MemoryOutbox())


def test_what_waits_is_there_after_a_restart(tmp_path: Path) -> None:
    first = kept(tmp_path)
    assert first.problem == ""
    first.outbox.add(Outgoing("a", "bob", "hello"))
    first.close()
    second = kept(tmp_path)
    assert second.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    second.close()


def test_another_server_or_user_gets_nothing(tmp_path: Path) -> None:
    first = kept(tmp_path)
    first.outbox.add(Outgoing("a", "bob", "hello"))
    for server, user in ((HERE, "carol"), (Address("localhost", 5051), "alice"), (Address("other"), "alice")):
        other = kept(tmp_path, server, user)
        assert other.outbox.pending() == ()
        other.close()
    first.close()


def test_a_second_client_under_the_same_name_stands_alone_until_the_first_has_ended(tmp_path: Path) -> None:
    first = kept(tmp_path)
    first.outbox.add(Outgoing("a", "bob", "hello"))
    second = kept(tmp_path)
    assert (first.problem, second.problem) == ("", ALONE)
    assert second.outbox.pending() == ()
    assert (first.is_alone, second.is_alone) == (False, True)
    assert first.drafts is not None
    assert second.drafts is None
    first.close()
    second.close()
    third = kept(tmp_path)
    assert not third.is_alone
    assert third.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    third.close()


def test_everything_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    keeping = kept(tmp_path / "new")
    keeping.close()
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


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
    assert keeping.problem.endswith("What waits to be sent and what you draft are kept only until you quit.")
    assert not keeping.is_alone
    keeping.close()


def test_what_waited_in_memory_moves_to_the_disk_as_soon_as_that_can_be_used(tmp_path: Path) -> None:
    memory = MemoryOutbox()
    memory.add(Outgoing("a", "bob", "hello"))
    Keeping(tmp_path / "outbox.db", HERE, "alice", memory).close()
    assert memory.pending() == ()
    later = kept(tmp_path)
    assert later.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    later.close()
