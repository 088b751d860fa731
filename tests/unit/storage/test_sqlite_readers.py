"""The threads that read: each question in bounded steps, everybody in turn, and moments in which nobody reads."""

from __future__ import annotations

import queue
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    index_some,
    involves,
    open_sqlite,
    said,
)
from tests.contract.storage.test_storage_log import users
from tests.support.deadline import DEADLINE_S
from twocans.protocol.names import UserKey
from twocans.storage.base import Page, Stored
from twocans.storage.sqlite import (
    SqliteStorage,
    accounts,
    chats,
    checkpoint,
    conversation,
    inbox,
    readers,
    search,
)
from twocans.storage.sqlite.accounts import CountQuestion
from twocans.storage.sqlite.chats import ChatsQuestion
from twocans.storage.sqlite.conversation import ConversationQuestion
from twocans.storage.sqlite.inbox import InboxQuestion
from twocans.storage.sqlite.readers import READERS, UNFINISHED, Question, Readers, Unfinished
from twocans.storage.sqlite.schema import connect
from twocans.storage.sqlite.search import SearchQuestion

DATABASE: Final = "messages.db"
PEOPLE: Final = (101, 102, 103, 104)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection as those of the threads that read."""
    with closing(connect(path / DATABASE, read_only=True)) as database:
        yield database


@contextmanager
def started(path: Path, turns: Turns, errors: list[Exception] | None = None) -> Iterator[Readers]:
    """The threads that read, of an empty database."""
    with closing(sqlite3.connect(path / DATABASE)) as database:
        database.execute("PRAGMA journal_mode = WAL").fetchone()
    asked = Readers(
        [connect(path / DATABASE, read_only=True) for _ in range(READERS)],
        post=turns.post,
        on_error=(errors if errors is not None else []).append,
    )
    try:
        yield asked
    finally:
        asked.close()


def answer_of(turns: Turns, ask: Callable[..., None]) -> str:
    """Ask, and wait for the answer."""
    answers: list[str] = []
    ask(answer=answers.append)
    turns.run_until(lambda: bool(answers))
    return answers[0]


def at_once(_: sqlite3.Connection, *, late: bool) -> str:
    """A question that is answered at once."""
    return "found"


def never(_: sqlite3.Connection, *, late: bool) -> str | Unfinished:
    """A question that is never answered."""
    return UNFINISHED


class Until:
    """A question that is answered once something is set, and counts its steps."""

    def __init__(self) -> None:
        self.enough = threading.Event()
        self.steps = 0
        self.late = False

    def __call__(self, _: sqlite3.Connection, *, late: bool) -> str | Unfinished:
        """See `Question`."""
        self.steps += 1
        self.late = late
        return "enough" if self.enough.is_set() else UNFINISHED


# --- everybody in turn -----------------------------------------------------------------------------------


def test_questions_without_an_end_hold_up_nobody_elses(tmp_path: Path) -> None:
    turns = Turns()
    with started(tmp_path, turns) as asked:
        for person in PEOPLE:
            for _ in range(100):
                asked.ask(never, person=person, instead="", answer=lambda _: None)
        for person in (1, 2, 1):
            ask = partial(asked.ask, at_once, person=person, instead="failed")
            assert answer_of(turns, ask) == "found"


def test_question_that_takes_long_is_told_to_answer_with_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "QUESTION_S", 0.0)
    turns = Turns()

    def question(_: sqlite3.Connection, *, late: bool) -> str | Unfinished:
        return "half" if late else UNFINISHED

    with started(tmp_path, turns) as asked:
        assert answer_of(turns, partial(asked.ask, question, person=1, instead="")) == "half"


def test_question_that_fails_is_answered_and_the_next_one_too(tmp_path: Path) -> None:
    turns, errors = Turns(), list[Exception]()

    def fails(_: sqlite3.Connection, *, late: bool) -> str:
        raise sqlite3.OperationalError("broken")

    with started(tmp_path, turns, errors) as asked:
        for _ in range(2 * READERS):
            assert answer_of(turns, partial(asked.ask, fails, person=1, instead="no")) == "no"
        assert answer_of(turns, partial(asked.ask, at_once, person=1, instead="")) == "found"
        assert len(errors) == 2 * READERS


def test_end_answers_what_waits_and_what_would_never_end(tmp_path: Path) -> None:
    turns, answers = Turns(), list[str]()
    with started(tmp_path, turns) as asked:
        for person in PEOPLE:
            for _ in range(3):
                asked.ask(never, person=person, instead="closed", answer=answers.append)
    turns.run_until(lambda: len(answers) == 3 * len(PEOPLE))
    assert set(answers) == {"closed"}


def test_nobody_reads_during_a_pause_and_everybody_goes_on_after_it(tmp_path: Path) -> None:
    turns, answers = Turns(), list[str]()
    questions = [Until() for _ in PEOPLE]
    with started(tmp_path, turns) as asked:
        for person, question in zip(PEOPLE, questions, strict=True):
            asked.ask(question, person=person, instead="", answer=answers.append)
        with asked.paused(DEADLINE_S) as nobody_reads:
            assert nobody_reads
            steps = [question.steps for question in questions]
            for question in questions:
                question.enough.set()
            with pytest.raises(queue.Empty):
                turns._due.get(timeout=0.05)
            assert [question.steps for question in questions] == steps
        turns.run_until(lambda: len(answers) == len(PEOPLE))


# --- the work of a question ------------------------------------------------------------------------------


def costing(database: sqlite3.Connection, do: Callable[[], Page]) -> tuple[Page, int]:
    """A page, and the instructions of SQLite's virtual machine that it takes, in hundreds."""
    hundreds = 0

    def on_progress() -> int:
        nonlocal hundreds
        hundreds += 1
        return 0

    database.set_progress_handler(on_progress, 100)
    page = do()
    database.set_progress_handler(None, 100)
    return page, hundreds


def finish(question: Question[Page], database: sqlite3.Connection) -> Page:
    """Take all steps of a question."""
    while isinstance(answer := question(database, late=False), Unfinished):
        pass
    return answer


def test_resuming_costs_what_one_has_and_not_what_all_others_have_said(tmp_path: Path) -> None:
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage, reading(tmp_path) as database:
        asked = Asked(storage, turns)
        mine = said(asked.append(CAROL, BOB, "hello", "1"))
        asked.append_all([draft(ALICE, BOB, "hi", f"{n}") for n in range(3000)])
        last = said(asked.append(BOB, CAROL, "bye", "2"))
        index_some(storage, turns, lambda missing: missing)
        for own, expected in ((True, [mine.id, last.id]), (False, [last.id])):
            question = InboxQuestion(storage._number(CAROL), after=0, own=own, limit=200, max_bytes=100_000)
            page, cost = costing(database, partial(finish, question, database))
            assert ids(page) == expected
            assert cost < 50


def test_search_of_many_words_asks_the_index_for_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant in ("STEP_IDS", "STEP_MESSAGES"):
        monkeypatch.setattr(search, constant, (5, 5))
    for constant in ("LOOK_IDS", "LOOK_MESSAGES"):
        monkeypatch.setattr(search, constant, 10)
    monkeypatch.setattr(search, "LOOK_INBOX", 20)
    monkeypatch.setattr(search, "LOOK_CANDIDATES", 20)
    letters = [f"{letter}{other}" for letter in "abcdefghijklmnop" for other in "xyz"]
    turns = Turns()
    with open_sqlite(tmp_path, turns) as storage, reading(tmp_path) as database:
        asked = Asked(storage, turns)
        expected = said(asked.append(ALICE, BOB, " ".join(letters), "all"))
        asked.append_all([draft(ALICE, BOB, " ".join(letters[1:]), f"{n}") for n in range(100)])
        index_some(storage, turns, lambda missing: missing)
        statements: list[str] = []
        database.set_trace_callback(statements.append)
        question = SearchQuestion(
            storage._number(ALICE),
            " ".join(letters * 5),
            peer=None,
            before=None,
            limit=50,
            max_bytes=100_000,
        )
        assert ids(finish(question, database)) == [expected.id]
        of_index = [one for one in statements if "message_text MATCH" in one]
        assert of_index
        assert max(one.count("text :") for one in of_index) <= 2


# --- whole answers ---------------------------------------------------------------------------------------

_TEXTS = st.lists(
    st.tuples(users, users, st.sampled_from(["a", "b", "a b", "ab ba", "b a c"])), min_size=1, max_size=20
)


class Stepped:
    """Asks the database step by step, with things that happen between the steps.

    Args:
        storage: what is written to.
        turns: its loop.
        database: read from.
        indexed: how many messages are put into the index before each step.
        late: True if each step is told to answer with what has been found.
    """

    def __init__(
        self,
        storage: SqliteStorage,
        turns: Turns,
        database: sqlite3.Connection,
        *,
        indexed: Iterator[int],
        late: bool,
    ) -> None:
        self._storage = storage
        self._turns = turns
        self._database = database
        self._indexed = indexed
        self._late = late

    def answer(self, question: Question[object]) -> object:
        """Take all steps of a question."""
        while True:
            more = next(self._indexed, 0)
            index_some(self._storage, self._turns, partial(min, more))
            answer = question(self._database, late=self._late)
            if not isinstance(answer, Unfinished):
                return answer

    def page(self, question: Question[Page]) -> Page:
        """Take all steps to a page."""
        page = self.answer(question)
        assert isinstance(page, Page)
        assert page.messages or not page.more
        return page


@given(
    texts=_TEXTS,
    words=st.sampled_from(["a", "b", "a b", "a b c", "b a"]),
    peer=st.none() | st.just(BOB),
    sizes=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    look=st.tuples(st.integers(1, 10), st.integers(1, 25)),
    indexed=st.lists(st.integers(0, 4), max_size=60),
    late=st.booleans(),
    limit=st.integers(1, 10),
)
@example([(ALICE, BOB, "a")] * 12, "a", None, (2, 2), (1, 25), [12], False, 10)
@settings(deadline=None, max_examples=50)
def test_pages_hold_every_message_once_whatever_happens_between_two_steps(
    texts: list[tuple[UserKey, UserKey, str]],
    words: str,
    peer: UserKey | None,
    sizes: tuple[int, int],
    look: tuple[int, int],
    indexed: list[int],
    late: bool,
    limit: int,
) -> None:
    turns = Turns()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for module in (accounts, chats, conversation, inbox):
            patch.setattr(module, "WALK", sizes)
        for constant in ("STEP_IDS", "STEP_MESSAGES"):
            patch.setattr(search, constant, sizes)
        for constant in ("LOOK_IDS", "LOOK_MESSAGES"):
            patch.setattr(search, constant, look[0])
        for constant in ("LOOK_CANDIDATES", "LOOK_INBOX"):
            patch.setattr(search, constant, look[1])
        patch.setattr(chats, "CHATS", (1, 2))
        with open_sqlite(folder, turns) as storage, reading(folder) as database:
            log = [said(one) for one in Asked(storage, turns).append_all([draft(*one, "") for one in texts])]
            stepped = Stepped(storage, turns, database, indexed=iter(indexed), late=late)
            alice = storage._number(ALICE)
            other = None if peer is None else storage._number(peer)

            walked: list[int] = []
            more = True
            while more:
                after = walked[-1] if walked else 0
                page = stepped.page(InboxQuestion(alice, after=after, own=True, limit=limit, max_bytes=999))
                walked, more = walked + ids(page), page.more
            assert walked == [message.id for message in log if involves(message, ALICE)]

            back: list[int] = []
            before, more = None, True
            while more:
                page = stepped.page(
                    ConversationQuestion(
                        alice, storage._number(BOB), before=before, limit=limit, max_bytes=999
                    )
                )
                back, more = ids(page) + back, page.more
                before = back[0] if back else None
            between = {NAMES[ALICE], NAMES[BOB]}
            assert back == [message.id for message in log if {message.sender, message.to} == between]

            found: list[int] = []
            before, more = None, True
            while more:
                page = stepped.page(
                    SearchQuestion(alice, words, peer=other, before=before, limit=limit, max_bytes=999)
                )
                found, more = found + ids(page), page.more
                before = found[-1] if found else None
            assert found == [
                message.id
                for message in reversed(log)
                if involves(message, ALICE)
                and (peer is None or {message.sender, message.to} == between)
                and all(any(one.startswith(word) for one in message.text.split()) for word in words.split())
            ]


@given(
    texts=_TEXTS,
    sizes=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    indexed=st.lists(st.integers(0, 4), max_size=30),
    read=st.integers(0, 20),
)
@example(texts=[(BOB, ALICE, "a")] * 6, sizes=(8, 8), indexed=[2, 4, 4, 4], read=0)
@settings(deadline=None, max_examples=50)
def test_lists_and_counts_are_right_whatever_happens_between_two_steps(
    texts: list[tuple[UserKey, UserKey, str]], sizes: tuple[int, int], indexed: list[int], read: int
) -> None:
    turns = Turns()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        patch.setattr(accounts, "WALK", sizes)
        patch.setattr(chats, "WALK", sizes)
        patch.setattr(chats, "CHATS", (1, 2))
        with open_sqlite(folder, turns) as storage, reading(folder) as database:
            asked = Asked(storage, turns)
            log = [said(one) for one in asked.append_all([draft(*one, "") for one in texts])]
            storage.mark_read(ALICE, BOB, read)
            stepped = Stepped(storage, turns, database, indexed=iter(indexed), late=True)
            expected: dict[str, tuple[int, int]] = {}
            for message in log:
                if involves(message, ALICE):
                    mine = message.sender == NAMES[ALICE]
                    peer = message.to if mine else message.sender
                    mark = read if peer == NAMES[BOB] else 0
                    _, unread = expected.pop(peer, (0, 0))
                    expected[peer] = (message.id, unread + (not mine and message.id > mark))
            listed = stepped.answer(ChatsQuestion(storage._number(ALICE), limit=10))
            assert isinstance(listed, list)
            assert [(chat.peer, chat.last.id, chat.unread) for chat in listed] == [
                (peer, last, unread) for peer, (last, unread) in reversed(expected.items())
            ]
            counts = stepped.answer(CountQuestion(len(log)))
            assert counts == {
                key: Stored(len(own), sum(len(text.encode()) for text in own))
                for key, name in NAMES.items()
                if (own := [message.text for message in log if message.sender == name])
            }


# --- the write-ahead log ---------------------------------------------------------------------------------


class Relay:
    """Questions without an end, of which one always reads, except while nobody is to.

    A step keeps its snapshot until another has begun.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._begun = 0
        self._pauses = 0

    def __call__(self, database: sqlite3.Connection, *, late: bool) -> str | Unfinished:
        """See `Question`."""
        database.execute("BEGIN")
        database.execute("SELECT count(*) FROM account").fetchone()
        with self._changed:
            self._begun += 1
            mine = self._begun
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._begun > mine or self._pauses > 0, DEADLINE_S)
        database.execute("ROLLBACK")
        return UNFINISHED

    def pause(self) -> None:
        """Do not wait for others while nobody else begins, until this has been taken back as often as it was called."""
        with self._changed:
            self._pauses += 1
            self._changed.notify_all()

    def go_on(self) -> None:
        """Take a pause back."""
        with self._changed:
            self._pauses -= 1


def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "WAL_BYTES", 32 * 1024)
    monkeypatch.setattr(checkpoint, "WAL_MOST_BYTES", 128 * 1024)
    monkeypatch.setattr(checkpoint, "CHECK_EVERY", 1)


def test_write_ahead_log_starts_anew_while_somebody_reads_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_log(monkeypatch)
    turns, relay = Turns(), Relay()
    paused = Readers.paused

    @contextmanager
    def pausing(asked: Readers, within_s: float) -> Iterator[bool]:
        relay.pause()
        with paused(asked, within_s) as nobody_reads:
            yield nobody_reads
        relay.go_on()

    monkeypatch.setattr(Readers, "paused", pausing)
    size, shrunk = 0, 0
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        for person in PEOPLE:
            storage._readers.ask(relay, person=person, instead="", answer=lambda _: None)
        for number in range(5000):
            said(asked.append(ALICE, BOB, "x" * 2000, f"c{number}"))
            before, size = size, (tmp_path / f"{DATABASE}-wal").stat().st_size
            shrunk += size < before
            if shrunk == 3:
                break
        relay.pause()
    assert shrunk == 3


def test_no_commit_waits_for_somebody_else_who_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process does, as a backup would. A commit that waited would do so for longer than the test."""
    small_log(monkeypatch)
    monkeypatch.setattr(checkpoint, "BUSY_MS", int(10 * DEADLINE_S * 1000))
    turns = Turns()
    truncations: list[str] = []
    with open_sqlite(tmp_path, turns) as storage, reading(tmp_path) as other:
        asked = Asked(storage, turns)
        storage._writer.run(
            lambda database: database.set_trace_callback(
                lambda statement: truncations.append(statement) if "TRUNCATE" in statement else None
            )
        )
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM message").fetchone()
        number = 0
        while len(truncations) < 3:
            said(asked.append(ALICE, BOB, "x" * 2000, f"c{number}"))
            number += 1
        other.execute("ROLLBACK")
        assert len(asked.inbox(BOB).messages) == number


def test_no_turn_is_lost_when_everybody_asks_at_once(tmp_path: Path) -> None:
    turns, answers = Turns(), list[int]()
    with open_sqlite(tmp_path, turns) as storage:
        asked = Asked(storage, turns)
        asked.append_all([draft(ALICE, BOB, "hello", f"{n}") for n in range(50)])
        for number in range(300):
            user = (ALICE, BOB, CAROL)[number % 3]
            storage.inbox(
                user,
                after=0,
                own=True,
                limit=10,
                max_bytes=1000,
                on_page=lambda page: answers.append(len(page.messages)),
            )
        storage.append(batch_of(storage, [draft(ALICE, BOB, "more", "more")]), lambda *_: None)
        storage.count_stored(1000, lambda _: None)
        turns.run_until(lambda: len(answers) == 300)
    assert sorted(answers) == [0] * 100 + [10] * 200
