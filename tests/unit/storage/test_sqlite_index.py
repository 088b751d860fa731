"""The index behind the log: whatever of it is missing, answers are whole, cids are unique, and writers go on."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.storage.kinds import (
    ALICE,
    BOB,
    CAROL,
    NAMES,
    Asked,
    Turns,
    draft,
    ids,
    index_some,
    involves,
    known,
    open_sqlite,
    said,
)
from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Conflict, Known
from twocans.storage.sqlite import SqliteStorage, index, search, writer
from twocans.storage.sqlite.check import check
from twocans.storage.sqlite.rows import MOST_ROWS

users = st.sampled_from([ALICE, BOB, CAROL])


@pytest.fixture(autouse=True)
def _index_only_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "IDLE_S", 1000.0)


def on_writer(storage: SqliteStorage, turns: Turns, do: Callable[[sqlite3.Connection], None]) -> None:
    """Do something on the thread that writes, and wait for it."""
    done: list[bool] = []

    def job(database: sqlite3.Connection) -> None:
        do(database)
        turns.post(lambda: done.append(True))

    storage._writer.run(job)
    turns.run_until(lambda: bool(done))


def missing(storage: SqliteStorage, turns: Turns) -> int:
    return index_some(storage, turns, lambda _: 0)


def index_all(storage: SqliteStorage, turns: Turns) -> None:
    assert index_some(storage, turns, lambda missing: missing) == 0


# --- cids ------------------------------------------------------------------------------------------------

# What happens: messages that gather, some of them with a cid; some are put into the index; the server is killed.
_SENDS = st.lists(
    st.tuples(users, users, st.sampled_from(["hi", "ho"]), st.sampled_from(["", *"abcdefgh"])), max_size=12
)
_STEPS = st.lists(st.one_of(_SENDS, st.integers(1, 8), st.just("kill")), max_size=12)


@given(steps=_STEPS)
@settings(deadline=None, max_examples=60)
def test_cid_is_unique_wherever_the_message_is_that_has_it(
    steps: list[list[tuple[UserKey, UserKey, str, str]] | int | str],
) -> None:
    first: dict[tuple[UserKey, str], Message] = {}
    stored = 0
    with tempfile.TemporaryDirectory() as top:
        turns, runs = Turns(), 0
        opened = open_sqlite(Path(top) / "0", turns)
        (Path(top) / "0").mkdir()
        asked = Asked(storage := opened.__enter__(), turns)
        for step in steps:
            if step == "kill":
                # The files of a server that runs are what one leaves that is killed.
                missing(storage, turns)
                shutil.copytree(Path(top) / f"{runs}", Path(top) / f"{runs + 1}")
                opened.__exit__(None, None, None)
                runs += 1
                opened = open_sqlite(Path(top) / f"{runs}", turns)
                asked = Asked(storage := opened.__enter__(), turns)
            elif isinstance(step, int):
                index_some(storage, turns, partial(min, step))
            elif isinstance(step, list):
                outcomes = asked.append_all([draft(*one) for one in step])
                for (sender, recipient, text, cid), outcome in zip(step, outcomes, strict=True):
                    before = first.get((sender, cid)) if cid else None
                    if before is None:
                        first[sender, cid] = said(outcome)
                        stored += 1
                    elif (before.to, before.text) == (NAMES[recipient], text):
                        assert outcome == Known(before.id, before.at)
                    else:
                        assert outcome == Conflict()
        assert sum(len(asked.inbox(user, own=False).messages) for user in NAMES) == stored
        opened.__exit__(None, None, None)
        assert check(Path(top) / f"{runs}").problems == ()


def test_cids_of_messages_that_could_not_be_stored_are_free_again(tmp_path: Path) -> None:
    turns, errors = Turns(), list[Exception]()
    with open_sqlite(tmp_path, turns, errors=errors) as storage:
        asked = Asked(storage, turns)
        on_writer(
            storage,
            turns,
            lambda database: database.executescript(
                "CREATE TEMP TRIGGER broken BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'broken'); END"
            ).close(),
        )
        drafts = [draft(ALICE, BOB, "one", cid) for cid in ("a", "b", "a", "", "c")]
        asked.append_all(drafts)
        turns.run_until(lambda: len(errors) == 1)
        on_writer(storage, turns, lambda database: database.execute("DROP TRIGGER broken").close())
        one, _, again, _, _ = asked.append_all(drafts)
        assert again == known(one)
        assert len(asked.inbox(BOB).messages) == 4


def test_cid_smaller_than_others_in_the_index_is_new_if_it_is_new(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        first = asked.append(ALICE, BOB, "hi", "m")
        index_all(storage, turns)
        said(asked.append(ALICE, BOB, "hi", "a"))
        assert asked.append(ALICE, BOB, "hi", "m") == known(first)
        said(asked.append(ALICE, BOB, "hi", "z"))
        index_all(storage, turns)
        assert [type(asked.append(ALICE, BOB, "ho", cid)) for cid in "amyz"] == [
            Conflict,
            Conflict,
            Message,
            Conflict,
        ]


# --- work ------------------------------------------------------------------------------------------------


def statements(storage: SqliteStorage, turns: Turns, do: Callable[[], object]) -> list[str]:
    """What the thread that writes asks of SQLite meanwhile."""
    seen: list[str] = []
    on_writer(storage, turns, lambda database: database.set_trace_callback(seen.append))
    do()
    on_writer(storage, turns, lambda database: database.set_trace_callback(None))
    return [statement for statement in seen if not statement.startswith("--")]


@pytest.mark.parametrize("cid", ["", "018f-{:04}"], ids=["no cids", "growing cids"])
def test_commit_of_messages_that_are_new_for_sure_is_one_statement(tmp_path: Path, cid: str) -> None:
    """Each statement gives the interpreter's lock away, for which the thread then waits."""
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        asked.append(ALICE, BOB, "hi", cid.format(0))
        asked.append(BOB, ALICE, "hi", cid.format(0))
        index_all(storage, turns)
        asked.append_all([draft(user, CAROL, "hi", cid.format(1)) for user in (ALICE, BOB)])
        drafts = [draft((ALICE, BOB)[n % 2], CAROL, "hi", cid.format(n)) for n in range(2, MOST_ROWS)]
        (insert,) = statements(storage, turns, lambda: asked.append_all(drafts))
        assert insert.startswith("INSERT INTO message(")


def test_cids_in_any_order_are_looked_up_together(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        asked.append(ALICE, BOB, "hi", "zz")
        index_all(storage, turns)
        asked.append(ALICE, BOB, "hi", "zzz")
        drafts = [draft(ALICE, BOB, "hi", f"{n}") for n in range(MOST_ROWS)]
        look_up, insert = statements(storage, turns, lambda: asked.append_all(drafts))
        assert look_up.startswith("SELECT s.sender, s.cid, s.id")
        assert insert.startswith("INSERT INTO message(")


def test_writers_that_never_pause_wait_for_the_index_before_too_much_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MAX_TAIL", 60)
    monkeypatch.setattr(index, "LARGE_SLICE", 20)
    turns = Turns()
    most = 0
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        for number in range(40):
            asked.append_all([draft(ALICE, BOB, f"word{number}", f"{number}-{n}") for n in range(10)])
            most = max(most, missing(storage, turns))
        assert 30 <= most <= 60
        assert len(asked.search(BOB, "word7").messages) == 10
        assert len(asked.conversation(ALICE, BOB).messages) == 400


def test_index_comes_by_itself_when_nobody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "IDLE_S", 0.0)
    monkeypatch.setattr(index, "SMALL_SLICE", 7)
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        asked.append_all([draft(ALICE, BOB, "hi", f"{n}") for n in range(100)])
        while missing(storage, turns):
            pass
    assert check(tmp_path).unindexed == 0


def test_end_leaves_nothing_to_do_for_the_index(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        Asked(storage, turns).append_all([draft(ALICE, BOB, "hi", f"{n}") for n in range(100)])
    report = check(tmp_path)
    assert (report.problems, report.messages, report.unindexed) == ((), 100, 0)


def test_much_that_is_missing_is_made_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    turns = Turns()
    with open_sqlite(before, turns) as storage:
        asked = Asked(storage, turns)
        drafts = [draft(ALICE, BOB, "hi", f"{n}") for n in range(100)]
        stored = asked.append_all(drafts)
        shutil.copytree(before, after)
    monkeypatch.setattr(index, "START_TAIL", 25)
    monkeypatch.setattr(index, "LARGE_SLICE", 10)
    with open_sqlite(after, turns) as storage:
        asked = Asked(storage, turns)
        assert missing(storage, turns) == 20
        assert asked.append_all(drafts) == [known(one) for one in stored]


def test_index_that_fails_stops_nobody_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "IDLE_S", 0.0)
    monkeypatch.setattr(writer, "RETRY_S", 0.001)
    monkeypatch.setattr(index, "MAX_TAIL", 10)
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        on_writer(
            storage,
            turns,
            lambda database: database.executescript(
                "CREATE TEMP TRIGGER broken BEFORE INSERT ON chat BEGIN SELECT RAISE(ABORT, 'broken'); END"
            ).close(),
        )
        for number in range(30):
            one = said(asked.append(ALICE, BOB, f"hi {number}", f"{number}"))
            assert asked.append(ALICE, BOB, f"hi {number}", f"{number}") == known(one)
        assert missing(storage, turns) == 30
        assert (
            ids(asked.conversation(BOB, ALICE)) == ids(asked.search(BOB, "hi"))[::-1] == ids(asked.inbox(BOB))
        )
        assert [chat.unread for chat in asked.chats(BOB)] == [30]
        on_writer(storage, turns, lambda database: database.execute("DROP TRIGGER broken").close())
        while missing(storage, turns):
            pass
        assert len(asked.search(BOB, "hi").messages) == 30
    assert check(tmp_path).problems == ()


# --- looking back ----------------------------------------------------------------------------------------


def test_account_is_known_after_a_kill_as_it_was_before(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    turns = Turns()
    with open_sqlite(before, turns) as storage:
        asked = Asked(storage, turns)
        asked.append_all([draft(ALICE, BOB, "one", "1"), draft(CAROL, BOB, "two", "2")])
        index_all(storage, turns)
        storage.mark_delivered(BOB, delivered=2, handed=2)
        storage.mark_read(BOB, CAROL, 2)
        asked.append_all(
            [
                draft(ALICE, BOB, "three", "3"),
                draft(BOB, CAROL, "four", "4"),
                draft(ALICE, CAROL, "five", "5"),
            ]
        )
        storage.mark_read(CAROL, ALICE, 5)  # the index has not come to this conversation
        chats = [asked.chats(user) for user in NAMES]
        shutil.copytree(before, after)
    with open_sqlite(after, turns) as storage:
        known_then = {account.key: account for account in storage.accounts()}
        assert {key: account.last for key, account in known_then.items()} == {ALICE: 5, BOB: 4, CAROL: 5}
        assert known_then[BOB].inbound == {CAROL: 2, ALICE: 3}
        assert known_then[CAROL].inbound == {BOB: 4, ALICE: 5}
        assert (known_then[BOB].read, known_then[CAROL].read) == ({CAROL: 2}, {ALICE: 5})
        asked = Asked(storage, turns)
        assert [asked.chats(user) for user in NAMES] == chats
        assert [(chat.peer, chat.unread) for chat in asked.chats(CAROL)] == [("Alice", 0), ("bob", 1)]


def test_mark_for_somebody_without_messages_makes_no_chat(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        asked.append(CAROL, ALICE, "hello", "1")
        storage.mark_read(BOB, ALICE, 1)
        assert asked.chats(BOB) == []
        asked.append(ALICE, BOB, "hi", "1")
        assert [chat.peer for chat in asked.chats(BOB)] == ["Alice"]
    assert check(tmp_path).problems == ()


_WORDS = st.lists(st.sampled_from(["a", "ab", "abc", "Ä", "äb", "ß", "1"]), min_size=1, max_size=4).map(
    " ".join
)


@given(
    texts=st.lists(st.tuples(users, users, _WORDS), max_size=25),
    query=st.sampled_from(["a", "ab", "ä", "ab 1", "ss"]),
    peer=st.none() | users,
    look_ids=st.integers(1, 30),
    look_messages=st.integers(1, 30),
    look_candidates=st.integers(1, 30),
    look_inbox=st.integers(1, 30),
    indexed=st.integers(0, 25),
    limit=st.integers(1, 30),
)
@settings(deadline=None, max_examples=60)
def test_search_finds_the_same_whatever_is_in_the_index_and_however_far_it_looks(
    texts: list[tuple[UserKey, UserKey, str]],
    query: str,
    peer: UserKey | None,
    look_ids: int,
    look_messages: int,
    look_candidates: int,
    look_inbox: int,
    indexed: int,
    limit: int,
) -> None:
    turns = Turns()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(search, "LOOK_IDS", look_ids)
        patch.setattr(search, "LOOK_MESSAGES", look_messages)
        patch.setattr(search, "LOOK_CANDIDATES", look_candidates)
        patch.setattr(search, "LOOK_INBOX", look_inbox)
        with open_sqlite(Path(folder), turns) as storage:
            asked = Asked(storage, turns)
            log = [said(one) for one in asked.append_all([draft(*one, "") for one in texts])]
            index_some(storage, turns, lambda missing: min(missing, indexed))
            # The index takes letters for those without their accents.
            plain = str.maketrans("äÄ", "aa")
            wanted = query.translate(plain).split()
            expected = [
                message.id
                for message in reversed(log)
                if involves(message, ALICE)
                and (peer is None or {message.sender, message.to} == {NAMES[ALICE], NAMES[peer]})
                and all(
                    any(word.startswith(one) for word in message.text.translate(plain).lower().split())
                    for one in wanted
                )
            ]
            page = asked.search(ALICE, query, peer=peer, limit=limit)
            assert (ids(page), page.more) == (expected[:limit], len(expected) > limit)


def test_conversation_is_whole_across_the_end_of_the_index(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        asked.append_all([draft(ALICE, BOB, f"{n}", f"{n}") for n in range(10)])
        index_some(storage, turns, lambda _: 6)
        for before, limit in ((None, 5), (None, 3), (8, 4), (6, 3), (None, 50)):
            page = asked.conversation(BOB, ALICE, before=before, limit=limit)
            end = 11 if before is None else before
            assert ids(page) == list(range(max(1, end - limit), end))
            assert page.more is (end - limit > 1)
