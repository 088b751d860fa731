"""The storages that there are, and how a test asks one: the answer may come at once or later, through a loop."""

from __future__ import annotations

import queue
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from twocans.protocol.messages import Chat, Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Draft, Outcome, Page, Storage
from twocans.storage.memory import MemoryStorage
from twocans.storage.sqlite import Durability, SqliteStorage

DEADLINE_S: Final = 30.0
PLENTY: Final = 2**31
ALICE, BOB, CAROL = UserKey("alice"), UserKey("bob"), UserKey("carol")
NAMES: Final[Mapping[UserKey, str]] = {ALICE: "Alice", BOB: "bob", CAROL: "CAROL"}

_T = TypeVar("_T")
_SHARED_MEMORY: Final = Path("/dev") / "shm"
_IN_MEMORY: Final = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None


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
    """

    def __init__(self, storage: Storage, turns: Turns) -> None:
        self.storage = storage
        self.turns = turns
        for key, name in NAMES.items():
            storage.add_account(key, name)

    def ask(self, question: Callable[[Callable[[_T], None]], None]) -> _T:
        """Ask, and wait for the one answer."""
        answers: list[_T] = []
        question(answers.append)
        self.turns.run_until(lambda: bool(answers))
        (answer,) = answers
        return answer

    def append(
        self, sender: UserKey, recipient: UserKey, text: str, cid: str, *, at: int = 1_700_000_000_000
    ) -> Outcome:
        """Store a message."""
        return self.append_all([draft(sender, recipient, text, cid, at=at)])[0]

    def append_all(self, drafts: list[Draft]) -> list[Outcome]:
        """Hand all of them over before the first is waited for; the outcomes in the order in which they came."""
        came: list[tuple[Draft, Outcome]] = []
        for one in drafts:
            self.storage.append(one, lambda given, outcome: came.append((given, outcome)))
        self.turns.run_until(lambda: len(came) == len(drafts))
        assert [given.origin for given, _ in came] == [one.origin for one in drafts]
        assert [given.cid for given, _ in came] == [one.cid for one in drafts]
        return [outcome for _, outcome in came]

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


def draft(
    sender: UserKey,
    recipient: UserKey,
    text: str,
    cid: str,
    *,
    at: int = 1_700_000_000_000,
    origin: object = None,
) -> Draft:
    """A message that is to be stored."""
    return Draft(sender, recipient, NAMES[sender], NAMES[recipient], text, cid, at, origin)


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
def _sqlite() -> Iterator[Asked]:
    turns = Turns()
    # Hundreds of databases are made and thrown away: in memory, where the system has a folder there.
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as folder, open_sqlite(Path(folder), turns) as storage:
        yield Asked(storage, turns)


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
    "sqlite": _sqlite,
}
"""Every storage, by its name: what opens an empty one and closes it."""
