"""The storages that there are, and how a test asks one: the answer may come at once or later, through a loop."""

from __future__ import annotations

import itertools
import queue
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from tests.support.deadline import DEADLINE_S
from twocans.protocol.messages import Chat, Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Batch, Known, Page, Storage, Unstored
from twocans.storage.memory import MemoryStorage
from twocans.storage.sqlite import Durability, SqliteStorage

PLENTY: Final = 2**31
ALICE, BOB, CAROL = UserKey("alice"), UserKey("bob"), UserKey("carol")
NAMES: Final[Mapping[UserKey, str]] = {ALICE: "Alice", BOB: "bob", CAROL: "CAROL"}

Outcome: TypeAlias = Message | Unstored
"""What became of a message: as it stands in the log, or why it is not there."""

_T = TypeVar("_T")
_SHARED_MEMORY: Final = Path("/dev") / "shm"
_IN_MEMORY: Final = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None


class Person(Struct, frozen=True):
    """Somebody who sends or gets messages."""

    key: UserKey


class Draft(Struct, frozen=True):
    """A message that is to be stored."""

    sender: UserKey
    recipient: UserKey
    text: str
    cid: str
    at: int
    repeats_only: bool = False


class Turns:
    """An event loop of the simplest kind: runs on the test's thread what other threads post to it."""

    def __init__(self) -> None:
        self._due: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def post(self, callback: Callable[[], None], /) -> None:
        """Run it on the test's thread, in one of the next turns; any thread may call this."""
        self._due.put(callback)

    def run_until(self, done: Callable[[], bool]) -> None:
        """Take turns until something holds; `queue.Empty` tells that nothing happens any more."""
        while not done():
            self._due.get(timeout=DEADLINE_S)()


class Asked:
    """A storage whose answers are waited for.

    Args:
        storage: what is asked.
        turns: the loop through which it answers, if it does not answer at once.
        prepare: called before each question.
    """

    def __init__(
        self, storage: Storage, turns: Turns, *, prepare: Callable[[], object] = lambda: None
    ) -> None:
        self.storage = storage
        self.turns = turns
        self._prepare = prepare
        for key, name in NAMES.items():
            storage.add_account(key, name)

    def ask(self, question: Callable[[Callable[[_T], None]], None]) -> _T:
        """Ask, and wait for the one answer."""
        answers: list[_T] = []
        self._prepare()
        question(answers.append)
        self.turns.run_until(lambda: bool(answers))
        (answer,) = answers
        return answer

    def append(
        self, sender: UserKey, recipient: UserKey, text: str, cid: str, *, at: int = 1_700_000_000_000
    ) -> Outcome:
        """Store a message."""
        return self.append_all([draft(sender, recipient, text, cid, at=at)])[0]

    def append_all(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Hand all of them over before the first is waited for, those of one sender that follow each other as one.

        Drafts that differ in `repeats_only` are not of one batch.
        """
        outcomes: list[Outcome] = []
        came: list[Batch] = []

        def on_stored(batch: Batch, unstored: Mapping[int, Unstored]) -> None:
            came.append(batch)
            assert unstored.keys() <= set(range(len(batch.messages)))
            outcomes.extend(unstored.get(place, message) for place, message in enumerate(batch.messages))

        batches = [
            batch_of(self.storage, list(given))
            for _, given in itertools.groupby(drafts, lambda one: (one.sender, one.repeats_only))
        ]
        for batch in batches:
            self.storage.append(batch, on_stored)
        self.turns.run_until(lambda: len(came) == len(batches))
        assert all(answered is given for answered, given in zip(came, batches, strict=True))
        return outcomes

    def inbox(
        self, user: UserKey, *, after: int = 0, own: bool = True, limit: int = PLENTY, max_bytes: int = PLENTY
    ) -> Page:
        """See `Storage.inbox`."""

        def question(answer: Callable[[Page], None]) -> None:
            self.storage.inbox(user, after=after, own=own, limit=limit, max_bytes=max_bytes, on_page=answer)

        return self.ask(question)

    def conversation(
        self,
        user: UserKey,
        peer: UserKey,
        *,
        before: int | None = None,
        limit: int = PLENTY,
        max_bytes: int = PLENTY,
    ) -> Page:
        """See `Storage.conversation`."""

        def question(answer: Callable[[Page], None]) -> None:
            self.storage.conversation(
                user, peer, before=before, limit=limit, max_bytes=max_bytes, on_page=answer
            )

        return self.ask(question)

    def search(
        self,
        user: UserKey,
        query: str,
        *,
        peer: UserKey | None = None,
        before: int | None = None,
        limit: int = PLENTY,
        max_bytes: int = PLENTY,
    ) -> Page:
        """See `Storage.search`."""

        def question(answer: Callable[[Page], None]) -> None:
            self.storage.search(
                user, query, peer=peer, before=before, limit=limit, max_bytes=max_bytes, on_page=answer
            )

        return self.ask(question)

    def chats(self, user: UserKey, *, limit: int = PLENTY) -> list[Chat]:
        """See `Storage.chats`."""

        def question(answer: Callable[[Sequence[Chat] | None], None]) -> None:
            self.storage.chats(user, limit=limit, on_chats=answer)

        chats = self.ask(question)
        assert chats is not None
        return list(chats)


def draft(sender: UserKey, recipient: UserKey, text: str, cid: str, *, at: int = 1_700_000_000_000) -> Draft:
    """A message that is to be stored."""
    return Draft(sender, recipient, text, cid, at)


def batch_of(storage: Storage, drafts: Sequence[Draft]) -> Batch:
    """Messages of one sender, with new ids."""
    first = storage.new_ids(len(drafts))
    return Batch(
        Person(drafts[0].sender),
        [Person(one.recipient) for one in drafts],
        [
            Message(id_, one.at, NAMES[one.sender], NAMES[one.recipient], one.text, one.cid)
            for id_, one in enumerate(drafts, first)
        ],
        text_bytes=sum(len(one.text.encode()) for one in drafts),
        repeats_only=drafts[0].repeats_only,
    )


def said(outcome: Outcome) -> Message:
    """The message, which was stored."""
    assert isinstance(outcome, Message), outcome
    return outcome


def known(outcome: Outcome) -> Known:
    """What is said of a message that was in the log before."""
    message = said(outcome)
    return Known(message.id, message.at)


def ids(page: Page) -> list[int]:
    """The ids of a page."""
    return [message.id for message in page.messages]


def involves(message: Message, user: UserKey) -> bool:
    """Whether a message is in somebody's inbox."""
    return NAMES[user] in {message.sender, message.to}


@contextmanager
def _memory() -> Iterator[Asked]:
    storage = MemoryStorage(log="log-1", max_messages=100_000)
    yield Asked(storage, Turns())
    storage.close()


@contextmanager
def _sqlite(indexed: Callable[[int], int]) -> Iterator[Asked]:
    """With so many of the messages in the index that are not, before each question."""
    turns = Turns()
    # Hundreds of databases are made and thrown away: in memory, where the system has a folder there.
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as folder, open_sqlite(Path(folder), turns) as storage:
        yield Asked(storage, turns, prepare=lambda: index_some(storage, turns, indexed))


def index_some(storage: SqliteStorage, turns: Turns, indexed: Callable[[int], int]) -> int:
    """Put some of the messages into the index that are not: of so many, so many; how many are missing then."""
    missing: list[int] = []

    def index(_: sqlite3.Connection) -> None:
        most = indexed(storage._writer._index.missing)
        if most:
            storage._writer._index.add_slice(most)
        turns.post(lambda: missing.append(storage._writer._index.missing))

    storage._writer.run(index)
    turns.run_until(lambda: bool(missing))
    return missing[0]


@contextmanager
def open_sqlite(
    folder: Path, turns: Turns, *, errors: list[Exception] | None = None
) -> Iterator[SqliteStorage]:
    """The storage on disk in a folder; what goes wrong with the disk is added to `errors`, if given."""
    problems = [] if errors is None else errors
    storage = SqliteStorage(
        folder,
        durability=Durability.PROCESS,
        post=turns.post,
        at_end_of_turn=turns.post,
        on_error=problems.append,
    )
    try:
        yield storage
    finally:
        storage.close()
    assert errors is problems or not problems, problems


KINDS: Final[Mapping[str, Callable[[], AbstractContextManager[Asked]]]] = {
    "memory": _memory,
    "sqlite": lambda: _sqlite(lambda _: 0),
    "sqlite, half in the index": lambda: _sqlite(lambda missing: (missing + 1) // 2),
    "sqlite, all in the index": lambda: _sqlite(lambda missing: missing),
}
"""Every storage, by its name: what opens an empty one and closes it."""
