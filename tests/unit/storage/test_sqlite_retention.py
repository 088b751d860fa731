"""Messages whose time is over: gone from everywhere, their cids used for good, the rest as it was."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.storage.kinds import ALICE, BOB, CAROL, NAMES, Asked, Turns, draft, ids, index_some, said
from twocans.protocol.names import UserKey
from twocans.storage.base import Conflict, Known
from twocans.storage.sqlite import Durability, SqliteStorage, archive, retention
from twocans.storage.sqlite.check import check
from twocans.storage.sqlite.retention import SLICE_MESSAGES
from twocans.storage.sqlite.schema import DATABASE_FILE, open_to_read

DAY = 86_400_000
FOLKS = (ALICE, BOB, CAROL)


class Kept(Asked):
    """A storage on disk that can forget."""

    def __init__(self, storage: SqliteStorage, turns: Turns, errors: list[Exception]) -> None:
        super().__init__(storage, turns)
        self.sqlite = storage
        self.errors = errors

    def clear_slice(self, before_ms: int) -> int:
        numbers: list[int] = []
        self.sqlite.clear_slice(before_ms, on_cleared=numbers.append)
        self.turns.run_until(lambda: bool(numbers))
        return numbers[0]

    def clear(self, before_ms: int) -> int:
        """All of them, slice by slice; how many."""
        total = 0
        while number := self.clear_slice(before_ms):
            assert number <= SLICE_MESSAGES
            total += number
        return total

    def index(self) -> None:
        """Put everything into the index."""
        index_some(self.sqlite, self.turns, lambda missing: missing)


@contextmanager
def opened(folder: Path) -> Iterator[Kept]:
    turns = Turns()
    errors: list[Exception] = []
    storage = SqliteStorage(
        folder,
        durability=Durability.PROCESS,
        post=turns.post,
        at_end_of_turn=turns.post,
        on_error=errors.append,
    )
    kept = Kept(storage, turns, errors)
    try:
        yield kept
    finally:
        storage.close()


@contextmanager
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(folder / DATABASE_FILE, isolation_level=None)) as connection:
        yield connection


def exported(folder: Path, user: UserKey) -> dict[str, list[int]]:
    with contextlib.closing(open_to_read(folder / DATABASE_FILE)) as connection:
        person = archive.find(connection, user)
        assert person is not None
        return {
            peer: [message.id for message in messages]
            for peer, messages in archive.conversations(connection, person)
        }


def test_old_message_is_gone_from_everywhere_and_a_newer_one_is_not(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        kept.append(ALICE, BOB, "the old word", "c1", at=1 * DAY)
        kept.append(BOB, ALICE, "the new word", "c2", at=9 * DAY)
        kept.append(ALICE, CAROL, "old too", "c3", at=1 * DAY)
        kept.index()
        assert kept.clear(5 * DAY) == 2
        assert ids(kept.conversation(ALICE, BOB)) == [2]
        assert ids(kept.inbox(BOB)) == [2]
        assert ids(kept.inbox(CAROL)) == []
        assert ids(kept.search(ALICE, "word")) == [2]
        assert ids(kept.search(ALICE, "old")) == []
        assert [(chat.peer, chat.last.id) for chat in kept.chats(ALICE)] == [("bob", 2)]
        assert kept.chats(CAROL) == []
        assert exported(tmp_path, ALICE) == {"bob": [2], "CAROL": []}
    with opened(tmp_path) as kept:
        assert ids(kept.conversation(ALICE, BOB)) == [2]
        following = said(kept.append(ALICE, BOB, "next", "c4", at=9 * DAY)).id
        assert ids(kept.conversation(ALICE, BOB)) == [2, following]


def test_cid_of_a_message_that_is_gone_stays_used(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        kept.append(ALICE, BOB, "hello", "c1", at=DAY)
        kept.append(BOB, ALICE, "newer", "c1", at=9 * DAY)
        kept.clear(5 * DAY)
        again = kept.append(ALICE, BOB, "hello", "c1", at=10 * DAY)
        assert again == Known(1, DAY)
        assert isinstance(kept.append(ALICE, CAROL, "hello", "c1", at=10 * DAY), Conflict)
        assert ids(kept.inbox(BOB)) == [2]


def test_unread_are_counted_without_those_that_are_gone(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        for number in range(4):
            kept.append(BOB, ALICE, "hi", f"c{number}", at=(number + 1) * DAY)
        kept.clear(3 * DAY)
        (chat,) = kept.chats(ALICE)
        assert (chat.last.id, chat.unread) == (4, 2)


def test_chat_shows_the_newest_that_is_left_when_its_last_went(tmp_path: Path) -> None:
    """The clock of the server was wrong for a while, so the last message is not the newest by its time."""
    with opened(tmp_path) as kept:
        kept.append(ALICE, BOB, "stays", "c1", at=9 * DAY)
        kept.append(ALICE, CAROL, "stays", "c2", at=9 * DAY)
        kept.append(BOB, ALICE, "goes", "c3", at=1 * DAY)
        kept.clear(5 * DAY)
        assert [(chat.peer, chat.last.id) for chat in kept.chats(ALICE)] == [("CAROL", 2), ("bob", 1)]
        assert exported(tmp_path, ALICE) == {"bob": [1], "CAROL": [2]}


@pytest.mark.parametrize("indexed", [True, False])
def test_wrong_clock_keeps_nothing_for_ever_and_takes_nothing_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    """Some were sent while the clock was years ahead, and some while it was at its beginning."""
    monkeypatch.setattr(retention, "LOOK_IDS", 3)
    with opened(tmp_path) as kept:
        days = [9000, *[1] * 5, 9000, 9000, 9000, 9000, 9000, 1, 20, 0, 20, 2]
        kept.append_all([draft(ALICE, BOB, "hi", f"c{n}", at=day * DAY) for n, day in enumerate(days)])
        if indexed:
            kept.index()
        assert kept.clear(5 * DAY) == 8
        left = [id_ for id_, day in enumerate(days, start=1) if day >= 5]
        assert ids(kept.inbox(BOB)) == ids(kept.conversation(ALICE, BOB)) == left
        assert kept.clear(30 * DAY) == 2
        assert kept.clear(10_000 * DAY) == 6
        assert ids(kept.inbox(BOB)) == []
        kept.append(ALICE, BOB, "hi", "next", at=10 * DAY)
        assert kept.clear(30 * DAY) == 1
    assert_in_order(tmp_path)


def test_round_looks_through_gaps_between_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LOOK_IDS", 10)
    with opened(tmp_path) as kept:
        kept.append(ALICE, BOB, "hi", "c1", at=9 * DAY)
        kept.storage.new_ids(95)
        kept.append(ALICE, BOB, "hi", "c2", at=DAY)
        assert kept.clear(5 * DAY) == 1
        assert ids(kept.inbox(BOB)) == [1]


def test_slice_looks_only_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers come between two slices, so that they need not wait until the whole log has been looked through."""
    monkeypatch.setattr(retention, "LOOK_IDS", 10)
    with opened(tmp_path) as kept:
        kept.append_all([draft(ALICE, BOB, "hi", f"c{n}", at=9 * DAY) for n in range(25)])
    with database(tmp_path) as connection:
        slices = [retention.clear_slice(connection, after=after, before_ms=DAY) for after in (0, 10, 20)]
    assert [(done.cleared, done.upto) for done in slices] == [(0, 10), (0, 20), (0, None)]


def test_message_of_exactly_the_limit_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        kept.append(ALICE, BOB, "hi", "c1", at=5 * DAY)
        assert kept.clear(5 * DAY) == 0
        assert kept.clear(5 * DAY + 1) == 1


def test_slice_takes_only_so_many(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        kept.append_all([draft(ALICE, BOB, "x", f"c{n}", at=DAY) for n in range(SLICE_MESSAGES + 50)])
        assert kept.clear_slice(5 * DAY) == SLICE_MESSAGES
        assert len(ids(kept.inbox(BOB))) == 50
        assert kept.clear_slice(5 * DAY) == 50


def test_messages_that_are_not_in_the_search_index_yet_go_too(tmp_path: Path) -> None:
    with opened(tmp_path) as kept:
        kept.append_all([draft(ALICE, BOB, f"word{n}", f"c{n}", at=DAY) for n in range(20)])
        # The first that goes is in the index, the others are not.
        index_some(kept.sqlite, kept.turns, lambda _: 1)
        assert kept.clear_slice(5 * DAY) == 20
        assert ids(kept.search(BOB, "word1")) == []
        kept.index()
        assert ids(kept.search(BOB, "word1")) == []
    assert_in_order(tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_everything_agrees_after_any_mixture_of_sending_and_clearing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same choices in every run
    log: dict[int, tuple[UserKey, UserKey, str, int]] = {}
    vocabulary = [
        "Apfel",
        "ärger",
        "cant't",
        "naïve",
        "שלום",
        "日本語",
        "👩‍💻",
        "x_y",
        "ß",
        "1.5",
        "İstanbul",
    ]
    for _ in range(4):
        with opened(tmp_path) as kept:
            for _ in range(chance.randrange(1, 4)):
                drafts = []
                for _ in range(chance.randrange(1, 400)):
                    sender, recipient = chance.choice(FOLKS), chance.choice(FOLKS)
                    text = " ".join(chance.choices(vocabulary, k=chance.randrange(1, 6)))
                    drafts.append(
                        draft(sender, recipient, text, f"{chance.random()}", at=chance.randrange(20) * DAY)
                    )
                for one, outcome in zip(drafts, kept.append_all(drafts), strict=True):
                    log[said(outcome).id] = (one.sender, one.recipient, one.text, one.at)
                if chance.random() < 0.5:
                    kept.index()
                limit = chance.randrange(20) * DAY
                due = [id_ for id_, (*_, at) in log.items() if at < limit]
                assert kept.clear(limit) == len(due)
                for id_ in due:
                    del log[id_]
            for user in FOLKS:
                mine = {id_: one for id_, one in log.items() if user in one[:2]}
                assert ids(kept.inbox(user)) == sorted(mine)
                newest: dict[str, int] = {}
                for peer in FOLKS:
                    shared = sorted(id_ for id_, one in mine.items() if {user, peer} == set(one[:2]))
                    assert ids(kept.conversation(user, peer)) == shared
                    if shared:
                        newest[NAMES[peer]] = shared[-1]
                chats = {chat.peer: chat.last.id for chat in kept.chats(user)}
                assert chats == newest
                assert list(chats.values()) == sorted(newest.values(), reverse=True)
                for word in ("Apfel", "שלום"):
                    hits = sorted(id_ for id_, one in mine.items() if word in one[2])
                    assert sorted(ids(kept.search(user, word))) == hits
            assert kept.errors == []
        assert_in_order(tmp_path)


def assert_in_order(folder: Path) -> None:
    """SQLite and the check of our own find nothing, and no word of what is gone is left in the index."""
    assert check(folder).problems == ()
    with database(folder) as connection:
        connection.execute("INSERT INTO message_text(message_text) VALUES ('integrity-check')")
        connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, message_text, instance)")
        left = "SELECT DISTINCT doc FROM temp.words EXCEPT SELECT id FROM message WHERE text IS NOT NULL"
        assert connection.execute(left).fetchall() == []


def test_slice_that_fails_changes_nothing_and_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as kept, database(tmp_path) as other:
        kept.append(ALICE, BOB, "the word", "c1", at=DAY)
        kept.index()
        # A trigger stands for a disk that fails in the middle of the slice.
        other.execute(
            "CREATE TRIGGER broken BEFORE UPDATE OF cleared ON log BEGIN SELECT raise(FAIL, 'broken'); END"
        )
        assert kept.clear_slice(5 * DAY) == 0
        assert [str(error) for error in kept.errors] == ["broken"]
        assert ids(kept.search(BOB, "word")) == [1]
        other.execute("DROP TRIGGER broken")
        assert kept.clear_slice(5 * DAY) == 1
        assert ids(kept.search(BOB, "word")) == []
    assert_in_order(tmp_path)


def test_room_of_old_messages_is_used_again(tmp_path: Path) -> None:
    """The same number of messages comes and goes: the file grows by what is left of each, not by its text."""
    size_of_texts = 2000 * 1000
    sizes = []
    with opened(tmp_path) as kept:
        for day in range(1, 7):
            drafts = [
                draft(ALICE, BOB, f"{n} " + "x" * 1000, f"{day}-{n}", at=day * DAY) for n in range(2000)
            ]
            kept.append_all(drafts)
            kept.index()
            kept.clear(day * DAY)
            with database(tmp_path) as connection:
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            sizes.append(pages * page_bytes)
    # The first rounds make the room that the others use.
    assert sizes[5] - sizes[1] < 4 * size_of_texts / 3, sizes
