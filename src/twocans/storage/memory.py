"""The log of one run of the server, in memory and bounded: nothing of it is left when the server ends."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Final

from twocans.protocol.messages import Chat, Message
from twocans.protocol.names import UserKey
from twocans.storage.base import (
    AccountRecord,
    Batch,
    NoRoom,
    OnChats,
    OnCounts,
    OnPage,
    OnStored,
    Page,
    Stored,
    Unstored,
    known_again,
    page_of,
)
from twocans.storage.disk_space import NO_LIMIT, Room

_WORD: Final = re.compile(r"\w+")


class _Thread:
    """Messages in the order of their ids, of which the oldest can be dropped."""

    __slots__ = ("_dropped", "_ids", "_messages")

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._messages: list[Message] = []
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._ids) - self._dropped

    def add(self, message: Message) -> None:
        self._ids.append(message.id)
        self._messages.append(message)

    def drop_oldest(self) -> None:
        self._dropped += 1
        # The room is given back by halves, so that dropping costs little on the average.
        if self._dropped * 2 >= len(self._ids):
            del self._ids[: self._dropped]
            del self._messages[: self._dropped]
            self._dropped = 0

    def newest(self) -> Message:
        return self._messages[-1]

    def after(self, id_: int) -> Iterator[Message]:
        for index in range(max(self._dropped, bisect_right(self._ids, id_)), len(self._ids)):
            yield self._messages[index]

    def before(self, id_: int | None) -> Iterator[Message]:
        end = len(self._ids) if id_ is None else bisect_left(self._ids, id_)
        for index in range(end - 1, self._dropped - 1, -1):
            yield self._messages[index]


class MemoryStorage:
    """Keeps the newest messages of this run.

    Args:
        log: the name of this log; a new one for every run.
        max_messages: how many messages are kept.
        max_bytes: how much room their texts may take.
    """

    def __init__(self, *, log: str, max_messages: int, max_bytes: int = sys.maxsize) -> None:
        self._log = log
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._text_bytes = 0
        self._next_id = 1
        self._order: deque[tuple[UserKey, UserKey, str, int]] = deque()
        """The sender, the recipient, the cid and the size of the text of each message."""
        self._names: dict[UserKey, str] = {}
        self._by_cid: dict[tuple[UserKey, str], Message] = {}
        self._inboxes: dict[UserKey, _Thread] = {}
        self._conversations: dict[tuple[UserKey, UserKey], _Thread] = {}
        self._peers: dict[UserKey, dict[UserKey, None]] = {}
        self._read: dict[tuple[UserKey, UserKey], int] = {}

    @property
    def log(self) -> str:
        """The name of this log."""
        return self._log

    def accounts(self) -> Iterable[AccountRecord]:
        """See `Storage.accounts`."""
        return ()

    def add_account(self, key: UserKey, name: str) -> None:
        """See `Storage.add_account`; names come with the messages here."""

    @property
    def room(self) -> Room:
        """See `Storage.room`; nothing is written, and what is too much makes the oldest messages go."""
        return NO_LIMIT

    def new_ids(self, count: int) -> int:
        """See `Storage.new_ids`."""
        first = self._next_id
        self._next_id += count
        return first

    def append(self, batch: Batch, on_stored: OnStored) -> None:
        """See `Storage.append`."""
        unstored: dict[int, Unstored] = {}
        sender = batch.sender.key
        for place, (message, recipient) in enumerate(zip(batch.messages, batch.recipients, strict=True)):
            known = self._by_cid.get((sender, message.cid))
            if known is None and batch.repeats_only:
                unstored[place] = NoRoom()
            elif known is None:
                self._add(message, sender, recipient.key)
            else:
                unstored[place] = known_again(message, known)
        on_stored(batch, unstored)

    def _add(self, message: Message, sender: UserKey, recipient: UserKey) -> None:
        if message.cid:
            self._by_cid[sender, message.cid] = message
        self._names[sender] = message.sender
        self._names[recipient] = message.to
        for user, peer in _sides(sender, recipient):
            self._inboxes.setdefault(user, _Thread()).add(message)
            latest_last = self._peers.setdefault(user, {})
            latest_last.pop(peer, None)
            latest_last[peer] = None
        self._conversations.setdefault(_pair(sender, recipient), _Thread()).add(message)
        text_bytes = message.text.__sizeof__()
        self._order.append((sender, recipient, message.cid, text_bytes))
        self._text_bytes += text_bytes
        while len(self._order) > self._max_messages or self._text_bytes > self._max_bytes:
            self._forget_oldest()

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.inbox`."""
        thread = self._inboxes.get(user)
        found: Iterable[Message] = thread.after(after) if thread else ()
        if not own:
            name = self._names.get(user)
            found = (message for message in found if message.to == name)
        on_page(page_of(found, limit, max_bytes))

    def conversation(
        self, user: UserKey, peer: UserKey, *, before: int | None, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.conversation`."""
        thread = self._conversations.get(_pair(user, peer))
        page = page_of(thread.before(before) if thread else (), limit, max_bytes)
        on_page(Page(page.messages[::-1], page.more))

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
        words = [word.casefold() for word in _WORD.findall(query)]
        thread = self._inboxes.get(user) if peer is None else self._conversations.get(_pair(user, peer))
        if thread is None or not words:
            on_page(Page((), more=False))
            return
        hits = (message for message in thread.before(before) if _holds(message.text, words))
        on_page(page_of(hits, limit, max_bytes))

    def chats(self, user: UserKey, *, limit: int, on_chats: OnChats) -> None:
        """See `Storage.chats`."""
        chats: list[Chat] = []
        name = self._names.get(user)
        for peer in reversed(self._peers.get(user, {})):
            if len(chats) == limit:
                break
            thread = self._conversations[_pair(user, peer)]
            last = thread.newest()
            unread, read = 0, self._read.get((user, peer), 0)
            if user != peer:
                unread = sum(message.to == name for message in thread.after(read))
            chats.append(Chat(peer=self._names[peer], last=last, unread=unread, read=read))
        on_chats(chats)

    def count_stored(self, upto: int, on_counts: OnCounts) -> None:  # noqa: ARG002 - see below
        """See `Storage.count_stored`; an answer that comes at once needs no bound."""
        messages = Counter(sender for sender, *_ in self._order)
        text_bytes: Counter[UserKey] = Counter()
        for sender, _, _, size in self._order:
            text_bytes[sender] += size
        on_counts({sender: Stored(number, text_bytes[sender]) for sender, number in messages.items()})

    def mark_read(self, reader: UserKey, peer: UserKey, upto: int) -> None:
        """See `Storage.mark_read`."""
        self._read[reader, peer] = max(upto, self._read.get((reader, peer), 0))

    def mark_delivered(self, user: UserKey, *, delivered: int, handed: int) -> None:
        """See `Storage.mark_delivered`; the hub itself remembers it for this run."""

    def close(self) -> None:
        """See `Storage.close`."""

    def _forget_oldest(self) -> None:
        sender, recipient, cid, text_bytes = self._order.popleft()
        self._text_bytes -= text_bytes
        self._by_cid.pop((sender, cid), None)
        pair = _pair(sender, recipient)
        self._conversations[pair].drop_oldest()
        for user, peer in _sides(sender, recipient):
            self._inboxes[user].drop_oldest()
            if not self._inboxes[user]:
                del self._inboxes[user]
            if not self._conversations[pair]:
                del self._peers[user][peer]
                self._read.pop((user, peer), None)
        if not self._conversations[pair]:
            del self._conversations[pair]


def _pair(one: UserKey, other: UserKey) -> tuple[UserKey, UserKey]:
    return (one, other) if one <= other else (other, one)


def _sides(sender: UserKey, recipient: UserKey) -> list[tuple[UserKey, UserKey]]:
    """Who has the message in the inbox, and with whom; a message to oneself is there once."""
    return [(sender, recipient)] if sender == recipient else [(sender, recipient), (recipient, sender)]


def _holds(text: str, words: list[str]) -> bool:
    """Whether every word begins a word of the text."""
    folded = text.casefold()
    if not all(word in folded for word in words):
        return False
    there = _WORD.findall(folded)
    return all(any(one.startswith(word) for one in there) for word in words)
