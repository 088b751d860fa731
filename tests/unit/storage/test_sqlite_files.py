"""Files and messages together: what is referred to stays, what is not goes, whatever comes in between."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.storage.kinds import ALICE, BOB, CAROL, NAMES, Asked, Person, Turns
from twocans.protocol.messages import FileRef, Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Batch, Conflict, Known, NoSuchFile, Unstored
from twocans.storage.contents import Contents
from twocans.storage.files import FRESH_MS, Carried, Unkept
from twocans.storage.sqlite import Durability, SqliteStorage
from twocans.storage.sqlite.check import check
from twocans.storage.sqlite.files import MAX_PARTS, SqliteFiles
from twocans.storage.sqlite.schema import DATABASE_FILE

DAY = 86_400_000


def ref(content: bytes) -> FileRef:
    return FileRef(hashlib.sha256(content).hexdigest(), len(content))


REPORT, OTHER = b"a report", b"another file"


class Kept(Asked):
    """A storage on disk that has files."""

    def __init__(self, storage: SqliteStorage, turns: Turns, errors: list[Exception]) -> None:
        super().__init__(storage, turns)
        assert storage.files is not None
        self.sqlite = storage
        self.files: SqliteFiles = storage.files
        self.errors = errors

    def offset(self, user: UserKey, content: bytes) -> int | Unkept:
        def question(answer: Callable[[int | Unkept], None]) -> None:
            self.files.offset(user, ref(content), answer)

        return self.ask(question)

    def come(self, user: UserKey, content: bytes) -> None:
        """All bytes come, and nothing else happens."""
        with self.files.contents.open_part(self.files.incoming(user, ref(content))) as part:
            part.write(content)

    def bring(self, user: UserKey, content: bytes) -> bool:
        self.come(user, content)
        return self.keep(user, content)

    def keep(self, user: UserKey, content: bytes) -> bool:
        """All bytes have come and been looked at."""

        def question(answer: Callable[[bool], None]) -> None:
            self.files.keep(self.files.incoming(user, ref(content)), answer)

        return self.ask(question)

    def send(
        self, sender: UserKey, recipient: UserKey, content: bytes, cid: str, *, at: int = 9 * DAY
    ) -> Message | Unstored:
        id_ = self.storage.new_ids(1)
        message = Message(id_, at, NAMES[sender], NAMES[recipient], "report.pdf", cid, ref(content))
        outcomes: list[Message | Unstored] = []

        def on_stored(_: Batch, unstored: Mapping[int, Unstored]) -> None:
            outcomes.append(unstored.get(0, message))

        batch = Batch(Person(sender), [Person(recipient)], [message], text_bytes=10, files=True)
        self.storage.append(batch, on_stored)
        self.turns.run_until(lambda: bool(outcomes))
        return outcomes[0]

    def carried(self, user: UserKey, id_: int) -> Carried | Unkept:
        def question(answer: Callable[[Carried | Unkept], None]) -> None:
            self.files.carried(user, id_, answer)

        return self.ask(question)

    def clear(self, before_ms: int) -> int:
        def question(answer: Callable[[int], None]) -> None:
            self.sqlite.clear_slice(before_ms, on_cleared=answer)

        return self.ask(question)

    def sweep(self) -> int:
        return self.ask(self.files.sweep)

    def settle(self) -> None:
        """Wait for what the writer has still to do."""
        self.clear(0)


@contextmanager
def opened(folder: Path, *, max_bytes: int = 10**6) -> Iterator[Kept]:
    turns = Turns()
    errors: list[Exception] = []
    storage = SqliteStorage(
        folder,
        durability=Durability.PROCESS,
        post=turns.post,
        at_end_of_turn=turns.post,
        on_error=errors.append,
        contents=Contents(folder / "files", max_bytes=max_bytes, durable=False, block_bytes=1),
    )
    try:
        yield Kept(storage, turns, errors)
    finally:
        storage.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with opened(tmp_path) as storage:
        yield storage
        assert storage.errors == []


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "files").glob("??/*")}


@contextmanager
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(folder / DATABASE_FILE, isolation_level=None)) as connection:
        yield connection


def stored(outcome: Message | Unstored) -> Message:
    assert isinstance(outcome, Message), outcome
    return outcome


def test_message_has_its_file_wherever_it_is_read(kept: Kept) -> None:
    kept.bring(ALICE, REPORT)
    message = stored(kept.send(ALICE, BOB, REPORT, "c1"))
    assert message.file == ref(REPORT)
    assert list(kept.inbox(BOB).messages) == [message]
    assert list(kept.conversation(BOB, ALICE).messages) == [message]
    assert list(kept.search(BOB, "report").messages) == [message]
    assert kept.chats(BOB)[0].last == message


def test_sender_must_have_the_file(kept: Kept, tmp_path: Path) -> None:
    assert isinstance(kept.send(ALICE, BOB, REPORT, "c1"), NoSuchFile)
    kept.bring(BOB, REPORT)
    assert isinstance(kept.send(ALICE, BOB, REPORT, "c1"), NoSuchFile)
    stored(kept.send(BOB, ALICE, REPORT, "c2"))
    stored(kept.send(ALICE, CAROL, REPORT, "c1"))
    assert check(tmp_path).problems == ()


def test_refused_message_is_nowhere(kept: Kept, tmp_path: Path) -> None:
    kept.send(ALICE, BOB, REPORT, "c1")
    assert list(kept.inbox(BOB).messages) == []
    with database(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM message").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM file").fetchone() == (0,)


def test_message_again_is_known_with_the_same_file_only(kept: Kept) -> None:
    kept.bring(ALICE, REPORT)
    kept.bring(ALICE, OTHER)
    first = stored(kept.send(ALICE, BOB, REPORT, "c1"))
    assert kept.send(ALICE, BOB, REPORT, "c1") == Known(first.id, first.at)
    assert isinstance(kept.send(ALICE, BOB, OTHER, "c1"), Conflict)
    assert isinstance(kept.append(ALICE, BOB, "report.pdf", "c1"), Conflict)
    plain = kept.append(ALICE, BOB, "report.pdf", "c2")
    assert isinstance(plain, Message)
    assert isinstance(kept.send(ALICE, BOB, REPORT, "c2"), Conflict)


def test_file_of_a_message_is_for_its_two_sides(kept: Kept) -> None:
    kept.bring(ALICE, REPORT)
    id_ = stored(kept.send(ALICE, BOB, REPORT, "c1")).id
    assert kept.carried(ALICE, id_) == kept.carried(BOB, id_) == Carried(ref(REPORT), "report.pdf")
    assert kept.carried(CAROL, id_) is Unkept.NONE
    assert kept.carried(BOB, id_ + 1) is Unkept.NONE


def test_file_goes_with_the_last_message_that_has_it(kept: Kept, tmp_path: Path) -> None:
    kept.bring(ALICE, REPORT)
    kept.bring(BOB, OTHER)
    old = stored(kept.send(ALICE, BOB, REPORT, "c1", at=DAY))
    stored(kept.send(ALICE, BOB, REPORT, "c2", at=5 * DAY))
    stored(kept.send(BOB, ALICE, OTHER, "c3", at=DAY))
    age_uploads(kept, tmp_path)
    kept.sweep()
    assert kept.clear(2 * DAY) == 2
    assert kept.carried(BOB, old.id) is Unkept.NONE
    kept.settle()
    assert files(tmp_path) == {ref(REPORT).hash}
    assert kept.clear(6 * DAY) == 1
    kept.settle()
    assert files(tmp_path) == set()
    assert kept.files.totals == (0, 0)
    assert kept.send(ALICE, BOB, REPORT, "c1", at=DAY) == Known(old.id, DAY)
    assert check(tmp_path).problems == ()


def test_what_is_brought_and_not_sent_goes_after_a_day(kept: Kept, tmp_path: Path) -> None:
    for content in (REPORT, OTHER):
        kept.bring(ALICE, content)
    stored(kept.send(ALICE, BOB, REPORT, "c1"))
    assert kept.sweep() == 0
    age_uploads(kept, tmp_path)
    assert kept.sweep() == 1
    assert files(tmp_path) == {ref(REPORT).hash}
    assert isinstance(kept.send(ALICE, BOB, OTHER, "c2"), NoSuchFile)


def test_whoever_asks_has_another_day_to_send_it(kept: Kept, tmp_path: Path) -> None:
    kept.bring(ALICE, REPORT)
    age_uploads(kept, tmp_path)
    assert kept.offset(ALICE, REPORT) == len(REPORT)
    assert kept.sweep() == 0
    stored(kept.send(ALICE, BOB, REPORT, "c1"))


def test_file_that_another_has_brought_too_stays_for_them(kept: Kept, tmp_path: Path) -> None:
    kept.bring(ALICE, REPORT)
    age_uploads(kept, tmp_path)
    kept.bring(BOB, REPORT)
    assert kept.sweep() == 0
    assert kept.offset(BOB, REPORT) == len(REPORT)
    assert kept.offset(ALICE, REPORT) == 0


def test_what_is_coming_and_gets_no_further_goes_after_a_day(kept: Kept, tmp_path: Path) -> None:
    for content in (REPORT, OTHER):
        with kept.files.contents.open_part(kept.files.incoming(ALICE, ref(content))) as part:
            part.write(content[:3])
    stale = kept.files.incoming(ALICE, ref(REPORT)).name
    os.utime(tmp_path / "files" / "incoming" / stale, (1000, 1000))
    assert kept.sweep() == 1
    assert (kept.offset(ALICE, REPORT), kept.offset(ALICE, OTHER)) == (0, 3)


@pytest.mark.parametrize("left", ["before the file is kept", "after it is removed"])
def test_crash_in_between_leaves_nothing_behind(tmp_path: Path, left: str) -> None:
    with opened(tmp_path) as kept:
        kept.bring(ALICE, REPORT)
        stored(kept.send(ALICE, BOB, REPORT, "c1"))
        kept.bring(ALICE, OTHER)
    with database(tmp_path) as connection:
        if left == "before the file is kept":
            connection.execute("DELETE FROM upload")
        else:
            connection.execute("DELETE FROM file")
            connection.execute("DELETE FROM upload WHERE hash = ?", (ref(REPORT).hash,))
    with opened(tmp_path) as kept:
        wanted = REPORT if left == "before the file is kept" else OTHER
        assert files(tmp_path) == {ref(wanted).hash}
        assert kept.files.totals == (1, len(wanted))


def test_file_that_is_lost_can_be_brought_again(kept: Kept, tmp_path: Path) -> None:
    kept.bring(ALICE, REPORT)
    id_ = stored(kept.send(ALICE, BOB, REPORT, "c1")).id
    kept.files.contents.remove(ref(REPORT).hash)
    assert check(tmp_path).problems == (f"Missing: the file {ref(REPORT).hash}",)
    assert kept.offset(ALICE, REPORT) == 0
    kept.bring(ALICE, REPORT)
    assert kept.carried(BOB, id_) == Carried(ref(REPORT), "report.pdf")
    assert check(tmp_path, thorough=True).problems == ()


def test_file_that_is_damaged_is_found_by_reading_it(kept: Kept, tmp_path: Path) -> None:
    kept.bring(ALICE, REPORT)
    stored(kept.send(ALICE, BOB, REPORT, "c1"))
    path = kept.files.contents.path(ref(REPORT).hash)
    path.write_bytes(b"A report")
    assert check(tmp_path).problems == ()
    assert check(tmp_path, thorough=True).problems == (f"Damaged: the file {ref(REPORT).hash}",)
    path.write_bytes(b"short")
    assert check(tmp_path).problems == (f"Damaged: the file {ref(REPORT).hash}",)


def test_file_that_cannot_be_moved_is_not_kept(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk fails")

    kept.come(ALICE, REPORT)
    monkeypatch.setattr(Path, "replace", fail)
    assert not kept.keep(ALICE, REPORT)
    monkeypatch.undo()
    assert [str(error) for error in kept.errors] == ["the disk fails"]
    kept.errors.clear()
    assert isinstance(kept.send(ALICE, BOB, REPORT, "c1"), NoSuchFile)
    assert kept.offset(ALICE, REPORT) == len(REPORT) - 1


def test_secret_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        secret = kept.files.secret
    with opened(tmp_path) as kept:
        assert kept.files.secret == secret
    assert len(secret) == 32


@pytest.mark.parametrize(
    ("max_bytes", "fill", "answer"),
    [
        (100, lambda kept: [kept.bring(BOB, b"b" * 50), kept.bring(CAROL, b"c" * 43)], Unkept.FULL),
        (100, lambda kept: kept.bring(ALICE, b"a" * 43), Unkept.SHARE_FULL),
        (15, lambda _: None, Unkept.SHARE_FULL),
        (100, lambda kept: kept.bring(ALICE, b"a" * 42), 0),
    ],
)
def test_room_is_looked_for_before_a_file_is_brought(
    tmp_path: Path, max_bytes: int, fill: Callable[[Kept], object], answer: int | Unkept
) -> None:
    with opened(tmp_path, max_bytes=max_bytes) as kept:
        fill(kept)
        assert kept.offset(ALICE, REPORT) == answer


def test_same_file_in_many_messages_counts_once(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=4 * len(REPORT)) as kept:
        kept.bring(ALICE, REPORT)
        for number in range(10):
            stored(kept.send(ALICE, BOB, REPORT, f"c{number}"))
        assert kept.offset(ALICE, OTHER[: len(REPORT)]) == 0


def test_so_many_parts_of_one_person(kept: Kept) -> None:
    for number in range(MAX_PARTS):
        content = bytes([number]) * 10
        with kept.files.contents.open_part(kept.files.incoming(ALICE, ref(content))) as part:
            part.write(content[:3])
    assert kept.offset(ALICE, REPORT) is Unkept.TOO_MANY
    assert kept.offset(ALICE, bytes(10)) == 3
    assert kept.offset(BOB, REPORT) == 0


def age_uploads(kept: Kept, folder: Path) -> None:
    """Let a day pass over all that has been brought."""
    with database(folder) as connection:
        connection.execute("UPDATE upload SET at = at - ?", (FRESH_MS + 1,))


def test_upload_is_asked_for_without_a_look_at_each_file_message(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        kept.bring(ALICE, REPORT)
        stored(kept.send(ALICE, BOB, REPORT, "c1"))
        kept.offset(ALICE, OTHER)
        # Whatever is in the table now, it is not gone through again at once.
        with database(tmp_path) as connection:
            connection.execute("UPDATE file SET size = 10000000")
        kept.settle()
        assert kept.offset(ALICE, OTHER) == 0


def test_files_that_are_brought_count_at_once_and_once(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=200) as kept:
        assert kept.offset(ALICE, REPORT) == 0
        kept.bring(ALICE, b"a" * 43)
        kept.bring(ALICE, b"a" * 43)
        left = 100 - 43 - len(REPORT)
        assert kept.offset(ALICE, b"b" * (left + 1)) is Unkept.SHARE_FULL
        assert kept.offset(ALICE, b"b" * left) == 0
