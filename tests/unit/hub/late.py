"""A storage that answers when it is told to, as one on a disk answers later than it is asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from twocans.protocol.names import UserKey
from twocans.storage.base import Batch, OnChats, OnPage, OnStored
from twocans.storage.memory import MemoryStorage

_T = TypeVar("_T")


class LateStorage(MemoryStorage):
    """Keeps every answer back until `answer`."""

    def __init__(self, *, max_messages: int) -> None:
        super().__init__(log="log-1", max_messages=max_messages)
        self._due: deque[Callable[[], None]] = deque()

    def answer(self) -> None:
        """Give the answers that wait, and those to what is asked meanwhile."""
        while self._due:
            self._due.popleft()()

    def append(self, batch: Batch, on_stored: OnStored) -> None:
        """See `Storage.append`."""
        super().append(batch, lambda given, unstored: self._due.append(partial(on_stored, given, unstored)))

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.inbox`."""
        later = self._later(on_page)
        super().inbox(user, after=after, own=own, limit=limit, max_bytes=max_bytes, on_page=later)

    def conversation(
        self, user: UserKey, peer: UserKey, *, before: int | None, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.conversation`."""
        later = self._later(on_page)
        super().conversation(user, peer, before=before, limit=limit, max_bytes=max_bytes, on_page=later)

    def search(
        self,
        user: UserKey,
        query: str,
        *,
        peer: UserKey | None,
        before: int | None,
        limit: int,
        max_bytes: int,
        on_page: OnPage,
    ) -> None:
        """See `Storage.search`."""
        later = self._later(on_page)
        super().search(user, query, peer=peer, before=before, limit=limit, max_bytes=max_bytes, on_page=later)

    def chats(self, user: UserKey, *, limit: int, on_chats: OnChats) -> None:
        """See `Storage.chats`."""
        super().chats(user, limit=limit, on_chats=self._later(on_chats))

    def _later(self, callback: Callable[[_T], None]) -> Callable[[_T], None]:
        return lambda answer: self._due.append(partial(callback, answer))
