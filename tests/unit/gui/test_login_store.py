"""What the client keeps on disk for a login: the outbox, for one client at a time."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from twocans.client import Address, MemoryOutbox, Outgoing, sqlite_outbox
from twocans.gui.backend.login_store import ALONE, LoginStore

HERE = Address("localhost")


def kept(folder: Path, server: Address = HERE, user: str = "alice") -> LoginStore:
    return LoginStore(folder / "outbox.db", server, user, MemoryOutbox())


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
    (tmp_path / "outbox.db").mkdir()
    keeping = kept(tmp_path)
    assert "outbox.db cannot be used" in keeping.problem
    keeping.outbox.add(Outgoing("a", "bob", "hello"))
    assert keeping.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    keeping.close()


def _break_a_page(content: bytes) -> bytes:
    """The root page of a table, whose messages are not asked for at the start of another user."""
    size = int.from_bytes(content[16:18])
    return content[: 2 * size] + bytes(size) + content[3 * size :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b"SQLite", b"Squids"),
        lambda content: bytes(len(content)),
        _break_a_page,
    ],
    ids=["text", "zeros", "page"],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    first = kept(tmp_path)
    first.outbox.add(Outgoing("a", "bob", "hello"))
    first.close()
    file = tmp_path / "outbox.db"
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    file.with_name("outbox.db-wal").write_bytes(b"of the old one")
    keeping = kept(tmp_path, user="carol")
    (aside,) = tmp_path.glob("outbox.damaged-*.db")
    assert aside.read_bytes() == damaged
    assert str(aside) in keeping.problem
    keeping.outbox.add(Outgoing("b", "bob", "hello again"))
    keeping.close()
    again = kept(tmp_path, user="carol")
    assert (again.problem, again.outbox.pending()) == ("", (Outgoing("b", "bob", "hello again"),))
    again.close()


def test_a_damaged_file_that_cannot_be_renamed_leaves_it_to_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outbox.db").write_bytes(bytes(4096))

    def refuse(*_: object, **__: object) -> Path:
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(sqlite_outbox, "set_aside", refuse)
    keeping = kept(tmp_path)
    assert keeping.problem.startswith(f"{tmp_path / 'outbox.db'} is damaged and cannot be renamed")
    assert keeping.problem.endswith("kept only until you quit.")
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
    LoginStore(tmp_path / "outbox.db", HERE, "alice", memory).close()
    assert memory.pending() == ()
    later = kept(tmp_path)
    assert later.outbox.pending() == (Outgoing("a", "bob", "hello"),)
    later.close()
