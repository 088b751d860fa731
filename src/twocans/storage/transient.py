"""For `--history off`: only what reconnecting without loss needs, and no longer than that.

The newest messages are kept for a moment, so that somebody whose connection broke gets what they missed, and a
message that is sent again is known again. There is nothing to look back at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import (
    ALL_STORED,
    AccountRecord,
    Batch,
    OnChats,
    OnCounts,
    OnPage,
    OnStored,
    Page,
    Unstored,
    known_again,
    page_of,
    without,
)
from twocans.storage.disk_space import NO_LIMIT, Room


class _Generation:
    """Messages that are forgotten together, in the order of their ids, and by their senders and cids."""

    __slots__ = ("by_cid", "messages")

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.by_cid: dict[UserKey, dict[str, Message]] = {}

    def after(self, id_: int) -> Iterator[Message]:
        """Those with greater ids."""
        messages = self.messages
        for place in range(bisect_right(messages, id_, key=attrgetter("id")), len(messages)):
            yield messages[place]


class TransientStorage:
    """Keeps the newest messages of this run, in two generations, of which the older one is forgotten as a whole.

    Args:
        log: the name of this log; a new one for every run.
        max_messages: how many messages are kept; at least half as many.
    """

    def __init__(self, *, log: str, max_messages: int) -> None:
        self._log = log
        self._max_generation = max(1, max_messages // 2)
        self._next_id = 1
        self._names: dict[UserKey, str] = {}
        self._older = _Generation()
        self._newer = _Generation()

    @property
    def log(self) -> str:
        """The name of this log."""
        return self._log

    def accounts(self) -> Iterable[AccountRecord]:
        """See `Storage.accounts`."""
        return ()

    def add_account(self, key: UserKey, name: str) -> None:
        """See `Storage.add_account`; the name is all that messages have of it here."""
        self._names[key] = name

    @property
    def room(self) -> Room:
        """See `Storage.room`; nothing is written."""
        return NO_LIMIT

    def new_ids(self, count: int) -> int:
        """See `Storage.new_ids`."""
        first = self._next_id
        self._next_id += count
        return first

    def append(self, batch: Batch, on_stored: OnStored) -> None:
        """See `Storage.append`."""
        messages = batch.messages
        unstored = ALL_STORED
        if messages[0].cid:
            unstored = self._known_again(batch.sender.key, messages)
            if unstored:
                messages = without(unstored, messages)
        newer = self._newer
        newer.messages += messages
        if len(newer.messages) >= self._max_generation:
            self._older, self._newer = newer, _Generation()
        on_stored(batch, unstored)

    def _known_again(self, sender: UserKey, messages: Sequence[Message]) -> Mapping[int, Unstored]:
        """Remember the cids of messages; what becomes of those that have been used before, by their places."""
        older = self._older.by_cid.get(sender, {})
        newer = self._newer.by_cid.setdefault(sender, {})
        if len(messages) > 1:
            cids = [message.cid for message in messages]
            if newer.keys().isdisjoint(cids) and older.keys().isdisjoint(cids):
                before = len(newer)
                newer.update(zip(cids, messages, strict=True))
                if len(newer) == before + len(cids):
                    return ALL_STORED
                # One of them came twice just now.
                for cid in set(cids):
                    del newer[cid]
        unstored: dict[int, Unstored] = {}
        for place, message in enumerate(messages):
            known = newer.get(message.cid) or older.get(message.cid)
            if known is None:
                newer[message.cid] = message
            else:
                unstored[place] = known_again(message, known)
        return unstored

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.inbox`."""
        name = self._names.get(user)
        found = (
            message
            for generation in (self._older, self._newer)
            for message in generation.after(after)
            if message.to == name or (own and message.sender == name)
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

    def count_stored(self, upto: int, on_counts: OnCounts) -> None:
        """See `Storage.count_stored`; nothing is kept for long."""
        on_counts({})

    def mark_read(self, reader: UserKey, peer: UserKey, upto: int) -> None:
        """See `Storage.mark_read`; the hub itself remembers it for this run."""

    def mark_delivered(self, user: UserKey, *, delivered: int, handed: int) -> None:
        """See `Storage.mark_delivered`; the hub itself remembers it for this run."""

    def close(self) -> None:
        """See `Storage.close`."""
