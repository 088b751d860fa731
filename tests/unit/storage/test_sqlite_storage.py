"""The storage on disk: what outlives a restart, what a full disk and a damaged page do, and what follows the commit."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.contract.storage.kinds import (
    ALICE,
    BOB,
    CAROL,
    NAMES,
    Asked,
    Turns,
    batch_of,
    draft,
    ids,
    known,
    open_sqlite,
    said,
)
from tests.support.raw import eventually
from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Batch, Conflict, Failed, Unstored
from twocans.storage.disk_space import Room
from twocans.storage.sqlite import SqliteStorage, StorageError, checkpoint
from twocans.storage.sqlite.rows import MOST_ROWS
from twocans.storage.sqlite.schema import connect

DATABASE = "messages.db"
MOST_MESSAGES = 100_000


def _at_least(found: Sequence[object], number: int) -> bool:
    return len(found) >= number


def texts(messages: object) -> list[str]:
    """What messages say."""
    assert isinstance(messages, list | tuple)
    return [message.text for message in messages]


def limit_pages(storage: SqliteStorage, turns: Turns, *, more: int | None) -> None:
    """Let the database grow by so many pages at most, as on a disk that is nearly full; None for any number."""
    done: list[bool] = []

    def limit(database: sqlite3.Connection) -> None:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {2**30 if more is None else pages + more}")
        turns.post(lambda: done.append(True))

    storage._writer.run(limit)
    turns.run_until(lambda: bool(done))


def fill(asked: Asked, *, text: str = "x" * 3000) -> list[Message]:
    """Store messages until the disk is full; those that were stored."""
    stored: list[Message] = []
    for number in range(10_000):
        outcome = asked.append(ALICE, BOB, text, f"fill-{number}")
        if isinstance(outcome, Failed):
            assert outcome.full
            return stored
        stored.append(said(outcome))
    raise AssertionError("the disk does not get full")


def test_restart_changes_nothing(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        first = asked.append(ALICE, BOB, "one", "c1")
        asked.append(BOB, ALICE, "two", "c1")
        asked.append(ALICE, BOB, "three", "c3")
        last = asked.append(CAROL, CAROL, "note", "c4")
        assert isinstance(first, Message)
        assert isinstance(last, Message)
        storage.mark_read(BOB, ALICE, first.id)
        storage.mark_delivered(BOB, delivered=first.id, handed=first.id + 1)
        before = (storage.log, asked.inbox(BOB), asked.chats(BOB), asked.search(BOB, "t"), asked.inbox(CAROL))
    with open_sqlite(tmp_path, turns) as storage:
        accounts = {account.key: account for account in storage.accounts()}
        asked = Asked(storage, turns)
        assert before == (
            storage.log,
            asked.inbox(BOB),
            asked.chats(BOB),
            asked.search(BOB, "t"),
            asked.inbox(CAROL),
        )
        assert [chat.unread for chat in asked.chats(BOB)] == [1]
        assert {key: account.name for key, account in accounts.items()} == NAMES
        bob = accounts[BOB]
        assert (bob.delivered, bob.handed) == (first.id, first.id + 1)
        assert dict(bob.read) == {ALICE: first.id}
        assert dict(bob.inbound) == {ALICE: first.id + 2}
        assert [accounts[key].last for key in (ALICE, BOB, CAROL)] == [3, 3, last.id]
        again = asked.append(ALICE, BOB, "one", "c1")
        assert again == known(first)
        assert isinstance(asked.append(ALICE, BOB, "other", "c1"), Conflict)
        new = asked.append(ALICE, BOB, "four", "c5")
        assert isinstance(new, Message)
        assert new.id > last.id


def test_nobody_hears_of_a_message_before_it_is_in_the_log(tmp_path: Path) -> None:
    """What another process can see is what survives this one."""
    turns = Turns()
    seen: list[bool] = []
    with open_sqlite(tmp_path, turns) as storage, closing(sqlite3.connect(tmp_path / DATABASE)) as other:
        Asked(storage, turns)

        def on_stored(batch: Batch, unstored: Mapping[int, Unstored]) -> None:
            assert not unstored
            for one in batch.messages:
                found = other.execute("SELECT cid FROM message WHERE id = ?", (one.id,)).fetchall()
                seen.append(found == [(one.cid,)])

        for number in range(200):
            storage.append(batch_of(storage, [draft(ALICE, BOB, "hello", f"c{number}")]), on_stored)
            if number % 7 == 0:
                turns.run_until(partial(_at_least, seen, number // 2))
        turns.run_until(lambda: len(seen) == 200)
    assert all(seen)


def test_full_disk_refuses_and_forgets_nothing_that_nobody_waits_for(tmp_path: Path) -> None:
    turns, errors = Turns(), list[Exception]()
    dora = UserKey("dora")
    with open_sqlite(tmp_path, turns, errors=errors) as storage:
        asked = Asked(storage, turns)
        first = asked.append(ALICE, BOB, "hello", "first")
        assert isinstance(first, Message)
        limit_pages(storage, turns, more=3)
        stored = fill(asked)
        # What was there before is answered as before.
        assert asked.append(ALICE, BOB, "y" * 3000, "again") == Failed(full=True)
        storage.mark_read(BOB, ALICE, first.id)
        storage.mark_delivered(BOB, delivered=first.id, handed=first.id)
        storage.add_account(dora, "Dora")
        assert asked.append(ALICE, BOB, "y" * 3000, "again") == Failed(full=True)
        assert errors
        limit_pages(storage, turns, more=None)
        late = asked.append(ALICE, BOB, "y" * 3000, "again")
        assert isinstance(late, Message)
        assert asked.append(ALICE, BOB, "y" * 3000, "again") == known(late)
        expected = [first, *stored, late]
        assert asked.inbox(BOB).messages == expected
    with open_sqlite(tmp_path, turns) as storage:
        accounts = {account.key: account for account in storage.accounts()}
        assert accounts[BOB].delivered == first.id
        assert dict(accounts[BOB].read) == {ALICE: first.id}
        assert accounts[dora].name == "Dora"
        assert Asked(storage, turns).inbox(BOB).messages == expected


def test_search_on_a_full_disk_is_answered_from_what_is_in_the_index(tmp_path: Path) -> None:
    turns, errors = Turns(), list[Exception]()
    with open_sqlite(tmp_path, turns, errors=errors) as storage:
        asked = Asked(storage, turns)
        asked.append(ALICE, BOB, "needle", "first")
        assert texts(asked.search(BOB, "needle").messages) == ["needle"]
        limit_pages(storage, turns, more=2)
        fill(asked, text=" ".join(f"{number:x}" for number in range(700)))
        assert texts(asked.search(BOB, "needle").messages) == ["needle"]
        limit_pages(storage, turns, more=None)
        asked.append(ALICE, BOB, "needle again", "last")
        assert texts(asked.search(BOB, "needle").messages) == ["needle again", "needle"]


def test_every_message_is_found_after_a_restart_that_follows_repeated_cids(tmp_path: Path) -> None:
    """Repeated messages use up ids that the next start gives out again."""
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        for _ in range(5):
            asked.append(ALICE, BOB, "hello", "same")
        asked.search(ALICE, "hello")
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        for number in range(5):
            asked.append(ALICE, BOB, "world", f"c{number}")
        assert len(asked.search(BOB, "world").messages) == 5


@pytest.mark.parametrize("cid", ["x\0", "x\0y", "\0", "X", "x ", "\u0301x", "🙂", "'", '"', "\\"])
def test_what_counts_as_stored_is_in_the_log_whatever_the_cid(tmp_path: Path, cid: str) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        stored = [
            outcome
            for outcome in [asked.append(ALICE, BOB, "one", "x"), asked.append(ALICE, BOB, "two", cid)]
            if isinstance(outcome, Message)
        ]
        assert texts(asked.inbox(BOB).messages) == [message.text for message in stored]


def test_messages_of_more_than_one_batch_keep_their_order(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        drafts = [draft(ALICE, BOB, f"{number}", f"c{number % 900}-{number}") for number in range(3000)]
        outcomes = asked.append_all(drafts)
        numbers = [outcome.id for outcome in outcomes if isinstance(outcome, Message)]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == 3000
        assert ids(asked.inbox(BOB)) == numbers


def test_same_cid_twice_in_one_batch_is_stored_once(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        one, again, other = asked.append_all(
            [
                draft(ALICE, BOB, "hello", "same"),
                draft(ALICE, BOB, "hello", "same"),
                draft(ALICE, BOB, "bye", "same"),
            ]
        )
        assert isinstance(one, Message)
        assert again == known(one)
        assert isinstance(other, Conflict)
        assert asked.inbox(BOB).messages == [one]


def test_page_that_is_damaged_is_never_passed_over_in_silence(tmp_path: Path) -> None:
    """Either the storage does not open, or it says that it cannot read, or everything is there."""
    turns = Turns()
    whole = tmp_path / "whole"
    whole.mkdir()
    with open_sqlite(whole, turns) as storage:
        asked = Asked(storage, turns)
        asked.append_all([draft(ALICE, BOB, f"message {n}", f"c{n}") for n in range(400)])
        expected = asked.inbox(BOB).messages
    content = (whole / DATABASE).read_bytes()
    refused, told, unharmed = 0, 0, 0
    for start in range(0, len(content), 4096):
        noise = random.Random(start).randbytes(4096)  # noqa: S311
        damaged = tmp_path / "damaged"
        damaged.mkdir()
        (damaged / DATABASE).write_bytes(content[:start] + noise + content[start + 4096 :])
        errors: list[Exception] = []
        try:
            with open_sqlite(damaged, turns, errors=errors) as storage:
                page = Asked(storage, turns).inbox(BOB)
        except StorageError:
            refused += 1
        else:
            assert page.failed or page.messages == expected
            told, unharmed = told + page.failed, unharmed + (not page.failed)
        shutil.rmtree(damaged)
    assert refused
    assert told
    assert unharmed


def test_write_ahead_log_starts_anew_while_somebody_writes_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "WAL_BYTES", 32 * 1024)
    monkeypatch.setattr(checkpoint, "WAL_MOST_BYTES", 128 * 1024)
    monkeypatch.setattr(checkpoint, "CHECK_EVERY", 1)
    turns = Turns()
    done: list[Batch] = []
    size, shrunk = 0, 0

    def on_stored(batch: Batch, unstored: Mapping[int, Unstored]) -> None:
        assert not unstored
        done.append(batch)

    with open_sqlite(tmp_path, turns) as storage:
        Asked(storage, turns)
        for number in range(MOST_MESSAGES):
            storage.append(batch_of(storage, [draft(ALICE, BOB, "x" * 500, f"c{number}")]), on_stored)
            # There is always something left to write.
            while len(done) < number - 200:
                turns.run_until(partial(_at_least, done, len(done) + 1))
            before, size = size, (tmp_path / f"{DATABASE}-wal").stat().st_size
            shrunk += size < before
            if shrunk == 3:
                break
        turns.run_until(lambda: len(done) == number + 1)
    assert shrunk == 3


def test_checkpoints_begin_once_the_database_can_be_opened_and_the_failure_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "RETRY_S", 0.0)
    monkeypatch.setattr(checkpoint, "WAL_BYTES", 0)
    monkeypatch.setattr(checkpoint, "WAL_MOST_BYTES", 0)
    monkeypatch.setattr(checkpoint, "CHECK_EVERY", 1)
    failures: list[Exception] = [OSError(24, "no descriptors"), sqlite3.OperationalError("busy")]

    def fail_at_first(path: Path) -> sqlite3.Connection:
        if failures:
            raise failures.pop(0)
        return connect(path)

    monkeypatch.setattr(checkpoint, "connect", fail_at_first)
    turns, errors = Turns(), list[Exception]()
    with open_sqlite(tmp_path, turns, errors=errors) as storage:
        asked = Asked(storage, turns)
        said(asked.append(ALICE, BOB, "x" * 5000, "c1"))
        turns.run_until(lambda: bool(errors))
        log = tmp_path / f"{DATABASE}-wal"
        eventually(lambda: log.stat().st_size == 0)
    assert [str(error) for error in errors] == ["[Errno 24] no descriptors"]


def test_ids_of_messages_that_a_power_cut_took_are_not_given_again(tmp_path: Path) -> None:
    """The files as they were on the disk some commits ago stand for what a power cut leaves of them."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    turns = Turns()
    with open_sqlite(before, turns) as storage:
        asked = Asked(storage, turns)
        kept = [said(asked.append(ALICE, BOB, "kept", f"kept {number}")) for number in range(5)]
        shutil.copytree(before, after)
        lost = [said(asked.append(ALICE, BOB, "lost", f"lost {number}")) for number in range(5)]
    with open_sqlite(after, turns) as storage:
        asked = Asked(storage, turns)
        new = said(asked.append(ALICE, BOB, "new", "new"))
        assert all(message.id < new.id for message in (*kept, *lost))
        assert asked.append(ALICE, BOB, "kept", "kept 0") == known(kept[0])


def test_clean_end_leaves_no_gap(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        first = said(Asked(storage, turns).append(ALICE, BOB, "one", "1"))
    with open_sqlite(tmp_path, turns) as storage:
        second = said(Asked(storage, turns).append(ALICE, BOB, "two", "2"))
    assert second.id == first.id + 1


def test_batch_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    turns, errors = Turns(), list[Exception]()
    with open_sqlite(tmp_path, turns, errors=errors) as storage:
        asked = Asked(storage, turns)

        def on_writer(statement: str) -> None:
            def run(database: sqlite3.Connection) -> None:
                database.execute(statement)

            storage._writer.run(run)
            # It is answered after what the writer was given before.
            asked.chats(ALICE)

        drafts = [draft(ALICE, BOB, f"text {number}", f"c{number}") for number in range(2 * MOST_ROWS)]
        on_writer(
            f"CREATE TEMP TRIGGER broken BEFORE INSERT ON message WHEN new.text = '{drafts[-1].text}'"
            " BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        assert asked.append_all(drafts) == [Failed(full=False)] * len(drafts)
        assert asked.inbox(BOB).messages == []
        on_writer("DROP TRIGGER broken")
        assert asked.append_all(drafts[:1]) == asked.inbox(BOB).messages
        assert [chat.unread for chat in asked.chats(BOB)] == [1]


def test_disk_that_does_not_keep_up_refuses_what_would_wait_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twocans.storage.sqlite.storage.MAX_WAITING", 10)
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        answers: list[Mapping[int, Unstored]] = []
        for number in range(15):  # in one turn, so that none of them is written yet
            batch = batch_of(storage, [draft(ALICE, BOB, "text", f"{number}")])
            storage.append(batch, lambda _, unstored: answers.append(unstored))
        turns.run_until(lambda: len(answers) == 15)
        assert answers == [{0: Failed(full=False)}] * 5 + [{}] * 10
        assert isinstance(asked.append(ALICE, BOB, "text", "14"), Message)


def test_disk_that_stalls_refuses_long_texts_that_would_take_memory_without_bound_until_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twocans.storage.sqlite.storage.MAX_WAITING_BYTES", 10_000)
    turns = Turns()
    stalls, goes_on = threading.Event(), threading.Event()

    def stall(_database: sqlite3.Connection) -> None:
        stalls.set()
        goes_on.wait()

    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        answers: list[Mapping[int, Unstored]] = []

        def append(number: int, text: str) -> None:
            storage.append(
                batch_of(storage, [draft(ALICE, BOB, text, f"{number}")]),
                lambda _, unstored: answers.append(unstored),
            )

        storage._writer.run(stall)
        try:
            stalls.wait()
            append(0, "\N{SLIGHTLY SMILING FACE}" * 1000)  # four bytes each
            storage._hand_over()
            for number in range(1, 5):
                append(number, "\N{SLIGHTLY SMILING FACE}" * 1000)
            append(5, "short")
            assert answers == [{0: Failed(full=False)}] * 3
            storage._hand_over()
            append(6, "short")
            assert answers == [{0: Failed(full=False)}] * 4
        finally:
            goes_on.set()
        turns.run_until(lambda: len(answers) == 7)
        # What was refused is no longer on its way, either.
        taken = 5 * 4000 + 2 * len("short")
        eventually(lambda: storage.room.processed == taken)
        assert answers[4:] == [{}] * 3
        assert isinstance(asked.append(ALICE, BOB, "x" * 9000, "8"), Message)
        assert isinstance(asked.append(ALICE, BOB, "x" * 9000, "9"), Message)


def test_thread_that_writes_survives_what_nobody_foresaw(tmp_path: Path) -> None:
    turns = Turns()
    problems: list[Exception] = []

    def fail(_database: sqlite3.Connection) -> None:
        raise ValueError("unforeseen")

    with open_sqlite(tmp_path, turns, errors=problems) as storage:
        storage._writer.run(fail)
        assert isinstance(Asked(storage, turns).append(ALICE, BOB, "text", "1"), Message)
        turns.run_until(lambda: bool(problems))
    assert [str(problem) for problem in problems] == ["unforeseen"]


def test_room_that_the_disk_has_again_is_seen_without_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all messages are refused for lack of room, none leads to a commit."""
    left = [0]
    monkeypatch.setattr("twocans.storage.sqlite.storage.room_left", lambda _: Room(left[0], 0))
    with open_sqlite(tmp_path, Turns()) as storage:
        assert storage.room.beyond_reserve == 0
        left[0] = 10**9
        eventually(lambda: storage.room.beyond_reserve > 0)
        left[0] = 0
        eventually(lambda: storage.room.beyond_reserve == 0)
