"""The outbox on disk: what is in it survives the end of the program, however it comes."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

from tests.support.disk import without_privileges
from tests.support.process import environment
from twocans.client import (
    Address,
    Client,
    FileRef,
    MessageNotSent,
    OutboxUnusable,
    Outgoing,
    Position,
    SqliteOutbox,
    TransferState,
)
from twocans.client.transfers.records import Record

HOME = Address("localhost", 5050)
AWAY = Address("192.168.1.20", 5050)


def test_messages_are_there_again_in_order_after_the_program_has_ended(tmp_path: Path) -> None:
    first = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    messages = [Outgoing(f"c{number}", "bob", f"text {number}\n🦆") for number in range(20)]
    for message in messages:
        first.add(message)
    first.remove("c3")
    # The first one is not closed: a killed program closes nothing either.
    second = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    assert second.pending() == (*messages[:3], *messages[4:])
    assert len(second) == 19
    assert second.get("c4") == messages[4]
    assert second.get("c3") is None
    first.close()
    second.close()


def test_every_user_and_server_has_its_own(tmp_path: Path) -> None:
    boxes = [
        SqliteOutbox(tmp_path / "o.db", server, user) for server in (HOME, AWAY) for user in ("alice", "bob")
    ]
    for number, box in enumerate(boxes):
        box.add(Outgoing("same cid", "carol", str(number)))
    assert [[one.text for one in box.pending()] for box in boxes] == [["0"], ["1"], ["2"], ["3"]]
    boxes[0].remove("same cid")
    again = SqliteOutbox(tmp_path / "o.db", HOME, "bob")
    assert len(again) == 1
    for box in (*boxes, again):
        box.close()


def test_message_is_on_disk_once_add_has_returned(tmp_path: Path) -> None:
    program = (
        "import sys, os, signal; from pathlib import Path\n"
        "from twocans.client import Address, Outgoing, SqliteOutbox\n"
        "box = SqliteOutbox(Path(sys.argv[1]), Address('localhost', 5050), 'alice')\n"
        "for number in range(100): box.add(Outgoing(str(number), 'bob', 'text'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "o.db")], env=environment(), check=False, timeout=60
    )
    assert killed.returncode == -9
    box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    assert [one.cid for one in box.pending()] == [str(number) for number in range(100)]
    box.close()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    box = SqliteOutbox(tmp_path / "new" / "o.db", HOME, "alice")
    box.add(Outgoing("c", "bob", "secret"))
    for file in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    box.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_damaged_file_is_told_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "o.db"
    file.write_bytes(content)
    with pytest.raises(OutboxUnusable, match=r"o\.db cannot be used"):
        SqliteOutbox(file, HOME, "alice")
    assert file.read_bytes() == content


def test_file_of_a_newer_version_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "o.db"
    newer = sqlite3.connect(file)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = file.read_bytes()
    with pytest.raises(OutboxUnusable, match="newer version"):
        SqliteOutbox(file, HOME, "alice")
    assert file.read_bytes() == before


def test_folder_without_rights_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    program = (
        "from pathlib import Path; from twocans.client import Address, OutboxUnusable, SqliteOutbox\n"
        "import sys\n"
        "try: SqliteOutbox(Path(sys.argv[1]), Address('localhost', 5050), 'alice')\n"
        "except OutboxUnusable as error: print(error)\n"
    )
    told = subprocess.run(
        [*without_privileges(), sys.executable, "-c", program, str(tmp_path / "o.db")],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.stdout == f"{tmp_path / 'o.db'} cannot be used: Permission denied.\n"


def test_message_that_cannot_be_written_is_not_sent_and_says_so(tmp_path: Path) -> None:
    box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    client = Client(HOME, "alice", outbox=box)
    client.enqueue("bob", "this one is written")
    # A trigger stands for the disk that refuses to take more.
    with sqlite3.connect(tmp_path / "o.db") as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON outgoing BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    other.close()
    with pytest.raises(MessageNotSent, match=r"not sent\. .*o\.db cannot be used: disk is full"):
        client.enqueue("bob", "and this one is not")
    assert [one.text for one in client.pending] == ["this one is written"]
    box.close()


def test_outbox_of_the_first_version_keeps_its_messages_and_takes_files(tmp_path: Path) -> None:
    older = sqlite3.connect(tmp_path / "o.db", isolation_level=None)
    older.execute(
        "CREATE TABLE outgoing(place INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT NOT NULL, user TEXT NOT NULL, "
        "cid TEXT NOT NULL, recipient TEXT NOT NULL, text TEXT NOT NULL, UNIQUE(server, user, cid)) STRICT"
    )
    older.execute(
        "INSERT INTO outgoing(server, user, cid, recipient, text) VALUES (?, 'alice', 'c1', 'bob', 'hi')",
        (str(HOME),),
    )
    older.execute("PRAGMA user_version = 1")
    older.close()
    file = FileRef("0" * 64, 5)
    for _ in range(2):
        box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
        if box.get("c2") is None:
            box.add(Outgoing("c2", "bob", "a.txt", file))
        assert box.pending() == (Outgoing("c1", "bob", "hi"), Outgoing("c2", "bob", "a.txt", file))
        box.close()


def test_transfers_are_kept_for_each_user_and_one_that_is_damaged_is_left_out(tmp_path: Path) -> None:
    box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    other = SqliteOutbox(tmp_path / "o.db", HOME, "bob")
    records = [Record(f"t{n}", outgoing=True, peer="carol", name="a", path="/a") for n in range(3)]
    for record in records:
        box.transfers.put(record)
    done = structs.replace(records[0], state=TransferState.DONE, done=5, message_id=7)
    box.transfers.put(done)
    box.transfers.remove("t1")
    assert other.transfers.load() == ()
    assert box.transfers.load() == (done, records[2])
    with sqlite3.connect(tmp_path / "o.db") as database:
        database.execute("UPDATE transfers SET record = ? WHERE id = 't0'", (b'{"id": \xff}',))
    database.close()
    assert box.transfers.load() == (records[2],)
    box.close()
    other.close()
    with pytest.raises(OutboxUnusable):
        box.transfers.put(done)
    assert box.transfers.load() == ()


def test_position_is_kept_for_each_user_and_server(tmp_path: Path) -> None:
    box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    assert box.position == Position()
    box.save_position(Position(7, "log-1"))
    box.save_position(Position(9, "log-1"))
    again = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    other = SqliteOutbox(tmp_path / "o.db", AWAY, "alice")
    assert (box.position, again.position, other.position) == (Position(9, "log-1"),) * 2 + (Position(),)
    for one in (box, again, other):
        one.close()


def test_transaction_writes_message_and_position_together(tmp_path: Path) -> None:
    box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    with box.transaction():
        box.add(Outgoing("c1", "bob", "reply"))
        box.save_position(Position(7, "log-1"))
        # What another connection sees is what a killed program leaves.
        meanwhile = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
        assert (meanwhile.pending(), meanwhile.position) == ((), Position())
    after = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    assert (after.pending(), after.position) == ((Outgoing("c1", "bob", "reply"),), Position(7, "log-1"))
    for one in (box, meanwhile, after):
        one.close()


def test_transaction_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    box.add(Outgoing("c0", "bob", "before"))

    def fail() -> None:
        with box.transaction():
            box.add(Outgoing("c1", "bob", "reply"))
            box.save_position(Position(7, "log-1"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    again = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    for one in (box, again):
        assert (one.pending(), one.position) == ((Outgoing("c0", "bob", "before"),), Position())
    box.add(Outgoing("c2", "bob", "after"))
    for one in (box, again):
        one.close()


def test_outbox_of_the_third_version_takes_a_position(tmp_path: Path) -> None:
    SqliteOutbox(tmp_path / "o.db", HOME, "alice").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "o.db")) as older:
        older.execute("DROP TABLE positions")
        older.execute("PRAGMA user_version = 3")
    box = SqliteOutbox(tmp_path / "o.db", HOME, "alice")
    box.save_position(Position(7, "log-1"))
    box.close()
