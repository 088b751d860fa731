"""For `--history off`: only what reconnecting without loss needs, and no longer than that.

The newest messages are kept for a moment, so that somebody whose connection broke gets what they missed, and a
message that is sent again is known again. There is nothing to look back at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import (
    AccountRecord,
    Draft,
    OnChats,
    OnPage,
    OnStored,
    Page,
    Stored,
    known_again,
    page_of,
)


class TransientStorage:
    """Keeps the newest messages of this run, in one row.

    Args:
        log: the name of this log; a new one for every run.
        max_messages: how many messages are kept.
    """

    def __init__(self, *, log: str, max_messages: int) -> None:
        self._log = log
        self._max_messages = max_messages
        self._next_id = 1
        self._kept: deque[tuple[Draft, Message]] = deque()
        self._by_cid: dict[tuple[UserKey, str], Message] = {}

    @property
    def log(self) -> str:
        """The name of this log."""
        return self._log

    def accounts(self) -> Iterable[AccountRecord]:
        """See `Storage.accounts`."""
        return ()

    def add_account(self, key: UserKey, name: str) -> None:
        """See `Storage.add_account`; names come with the messages here."""

    def append(self, draft: Draft, on_stored: OnStored) -> None:
        """See `Storage.append`."""
        place = (draft.sender, draft.cid)
        known = self._by_cid.get(place)
        if known is not None:
            on_stored(draft, known_again(draft, known))
            return
        id_ = self._next_id
        self._next_id = id_ + 1
        message = Message(id_, draft.at, draft.sender_name, draft.recipient_name, draft.text, draft.cid)
        self._by_cid[place] = message
        self._kept.append((draft, message))
        if len(self._kept) > self._max_messages:
            oldest, _ = self._kept.popleft()
            del self._by_cid[oldest.sender, oldest.cid]
        on_stored(draft, Stored(message, first=True))

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.inbox`."""
        kept = self._kept
        first = self._next_id - len(kept)
        found = (
            message
            for draft, message in islice(kept, max(0, after + 1 - first), None)
            if draft.recipient == user or (own and draft.sender == user)
        )
        on_page(page_of(found, limit, max_bytes))

    def conversation(
        self, user: UserKey, peer: UserKey, *, before: int | None, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.conversation`; nothing is kept for it."""
        on_page(Page((), more=False))

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
        """See `Storage.search`; nothing is kept for it."""
        on_page(Page((), more=False))

    def chats(self, user: UserKey, *, limit: int, on_chats: OnChats) -> None:
        """See `Storage.chats`; nothing is kept for it."""
        on_chats(())

    def mark_read(self, reader: UserKey, peer: UserKey, upto: int) -> None:
        """See `Storage.mark_read`; the hub itself remembers it for this run."""

    def mark_delivered(self, user: UserKey, *, delivered: int, handed: int) -> None:
        """See `Storage.mark_delivered`; the hub itself remembers it for this run."""

    def close(self) -> None:
        """See `Storage.close`."""
