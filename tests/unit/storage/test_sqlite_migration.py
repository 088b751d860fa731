"""Databases of earlier versions: brought up to date once, with all that was in them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.contract.storage.kinds import ALICE, BOB, CAROL, NAMES, Asked, Turns, ids, open_sqlite, said
from tests.support.keeping import database_of_version, fill_as_version_1
from twocans.protocol.messages import Message
from twocans.storage.base import Conflict, Known
from twocans.storage.sqlite import archive, index, writer
from twocans.storage.sqlite.backup import back_up
from twocans.storage.sqlite.check import check
from twocans.storage.sqlite.file_backup import Copied, copy_files
from twocans.storage.sqlite.schema import DATABASE_FILE, MIGRATIONS, open_to_read

DAY = 86_400_000


def fill_as_version_3(connection: sqlite3.Connection) -> None:
    """Conversations as version 3 kept them: with a cid for each message, the server's own for plain clients."""
    connection.execute(
        "INSERT INTO account(id, key, name, delivered, handed)"
        " VALUES (1, 'alice', 'Alice', 0, 0), (2, 'bob', 'bob', 1, 3), (3, 'carol', 'CAROL', 0, 0)"
    )
    connection.executemany(
        "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)",
        [
            (1, DAY, 1, 2, "c1", None),  # its time is over
            (2, 9 * DAY, 1, 2, "c2", "the old word"),
            (3, 9 * DAY, 3, 2, "0123456789abcdef-1", "from a plain client"),
            (4, 9 * DAY, 2, 1, "c1", "an answer"),
            (6, 9 * DAY, 1, 1, "c3", "a note with a word"),
        ],
    )
    connection.execute(
        "INSERT INTO chat(user, peer, last, inbound, read) VALUES"
        " (1, 2, 4, 4, 0), (2, 1, 4, 2, 1), (3, 2, 3, 0, 0), (2, 3, 3, 3, 3), (1, 1, 6, 6, 0)"
    )
    connection.execute(
        "INSERT INTO message_text(rowid, text, who) SELECT id, text, 'u' || sender || ' u' || recipient"
        " FROM message WHERE id <= 3 AND text IS NOT NULL"
    )
    connection.execute("UPDATE log SET indexed = 3, cleared = 1, reserved = 9")


@pytest.mark.parametrize("indexed", ["at the start", "later"])
def test_storage_of_version_3_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indexed: str
) -> None:
    monkeypatch.setattr(writer, "IDLE_S", 1000.0)
    if indexed == "at the start":
        monkeypatch.setattr(index, "START_TAIL", 0)
    turns = Turns()
    with database_of_version(tmp_path, 3) as connection:
        fill_as_version_3(connection)
    with open_sqlite(tmp_path, turns) as storage:
        accounts = {account.key: account for account in storage.accounts()}
        assert {key: account.last for key, account in accounts.items()} == {ALICE: 6, BOB: 4, CAROL: 3}
        assert accounts[BOB].inbound == {ALICE: 2, CAROL: 3}
        assert accounts[BOB].read == {ALICE: 1, CAROL: 3}
        assert (accounts[BOB].delivered, accounts[BOB].handed) == (1, 3)
        asked = Asked(storage, turns)
        assert storage.log == "first"
        assert storage.identities.generations() == {}
        assert check(tmp_path).problems == ()
        assert ids(asked.conversation(ALICE, BOB)) == [2, 4]
        assert ids(asked.search(ALICE, "word")) == [6, 2]
        assert ids(asked.inbox(BOB)) == [2, 3, 4]
        chats = [(chat.peer, chat.last.id, chat.unread) for chat in asked.chats(BOB)]
        assert chats == [("Alice", 4, 1), ("CAROL", 3, 0)]
        # Sent again, whether or not the text is still there; and what is new, also by plain clients.
        assert asked.append(ALICE, BOB, "the old word", "c2") == Known(2, 9 * DAY)
        assert asked.append(ALICE, BOB, "gone", "c1") == Known(1, DAY)
        assert asked.append(CAROL, BOB, "other", "0123456789abcdef-1") == Conflict()
        assert said(asked.append(CAROL, BOB, "new", "")).id > 9
    report = check(tmp_path)
    assert (report.problems, report.messages) == ((), 6)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_backup_of_an_older_version_stays_of_that_version(tmp_path: Path, version: int) -> None:
    copy = tmp_path / "copy.db"
    with database_of_version(tmp_path, version) as connection:
        connection.execute("INSERT INTO account(id, key, name) VALUES (1, 'alice', 'Alice')")
        schema = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    before = (tmp_path / DATABASE_FILE).read_bytes()
    back_up(tmp_path, copy, replace=False)
    assert copy_files(tmp_path, copy) == Copied(0, 0, 0)
    assert (tmp_path / DATABASE_FILE).read_bytes() == before
    with contextlib.closing(sqlite3.connect(copy)) as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (version,)
        assert backup.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall() == schema
        assert backup.execute("SELECT name FROM account").fetchall() == [("Alice",)]


def test_storage_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    turns = Turns()
    fill_as_version_1(tmp_path, at=DAY)
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        assert storage.log == "first"
        assert asked.conversation(ALICE, BOB).messages == [
            Message(1, DAY, NAMES[ALICE], NAMES[BOB], "hello", "c1")
        ]
        assert asked.append(ALICE, BOB, "hello", "c1") == Known(1, DAY)
        numbers: list[int] = []
        storage.clear_slice(5 * DAY, on_cleared=numbers.append)
        turns.run_until(lambda: bool(numbers))
        assert ids(asked.conversation(ALICE, BOB)) == []
    assert check(tmp_path).problems == ()
    with contextlib.closing(open_to_read(tmp_path / DATABASE_FILE)) as connection:
        person = archive.find(connection, ALICE)
        assert person is not None
        assert [(peer, list(rest)) for peer, rest in archive.conversations(connection, person)] == [
            ("bob", [])
        ]


def test_storage_of_version_5_gets_a_secret_of_its_own_and_can_have_files(tmp_path: Path) -> None:
    secrets = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        with database_of_version(folder, 3) as connection:
            fill_as_version_3(connection)
            for statements in MIGRATIONS[3:5]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute("PRAGMA user_version = 5")
        turns = Turns()
        with open_sqlite(folder, turns) as storage:
            assert ids(Asked(storage, turns).inbox(BOB)) == [2, 3, 4]
        with contextlib.closing(open_to_read(folder / DATABASE_FILE)) as connection:
            (secret,) = connection.execute("SELECT secret FROM log").fetchone()
            assert connection.execute("SELECT count(*) FROM file").fetchone() == (0,)
        assert len(secret) == 32
        secrets.append(secret)
        assert check(folder).problems == ()
    assert secrets[0] != secrets[1]
