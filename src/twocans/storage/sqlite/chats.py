"""Somebody's conversations: with whom, the last message of each, and how many are unread."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from twocans.protocol.messages import Chat, Message
from twocans.storage.sqlite.conversation import newest
from twocans.storage.sqlite.index import Extent, between, extent
from twocans.storage.sqlite.readers import UNFINISHED, StepSize, Unfinished
from twocans.storage.sqlite.transaction import snapshot

WALK: Final = (1_000, 50_000)
"""How many messages a step looks at first, and at most."""
CHATS: Final = (8, 256)
"""How many conversations a step looks up first, and at most."""

_KNOWN: Final = "SELECT peer, last, inbound, read FROM chat WHERE user = ?"
# What the index has not come to is found along the log.
_RECENT: Final = """
    SELECT iif(sender = :user, recipient, sender) AS peer, max(id),
        count(*) FILTER (WHERE sender <> :user AND id > coalesce(
            (SELECT read FROM chat WHERE user = :user AND peer = message.sender), 0))
    FROM message WHERE id > :after AND id <= :upto AND (sender = :user OR recipient = :user)
        AND text IS NOT NULL GROUP BY 1"""
_UNREAD: Final = """
    SELECT count(*), max(rowid) FROM (SELECT rowid FROM message_text
    WHERE message_text MATCH :sides AND rowid > :after AND rowid <= :upto ORDER BY rowid LIMIT :most)"""
_NAME: Final = "SELECT name FROM account WHERE id = ?"


class _Found(Struct):
    """A conversation, the newest id of it, and what is known of the unread.

    The unread messages up to `counted` are in `unread`, and those that the index did not have at first.
    """

    peer: int
    last: int
    inbound: int = 0
    read: int = 0
    unread: int = 0
    counted: int = 0


class ChatsQuestion:
    """The conversations of an account, latest first, as of the first step.

    Args:
        user: the number of the account.
        limit: the most conversations.
    """

    def __init__(self, user: int, *, limit: int) -> None:
        self._user = user
        self._limit = limit
        self._reach: Extent | None = None
        self._after = 0
        self._all: dict[int, _Found] = {}
        self._by_last: list[_Found] | None = None
        self._found: list[tuple[Message, _Found]] = []
        self._latest_ids: list[int] = []
        self._latest: list[tuple[Message, _Found]] | None = None
        self._chats: list[Chat] = []
        self._walk = StepSize(*WALK)
        self._batch = StepSize(*CHATS)

    def __call__(self, database: sqlite3.Connection, *, late: bool) -> Sequence[Chat] | Unfinished:  # noqa: ARG002
        """See `Question`; half of a list is none."""
        with snapshot(database):
            if self._reach is None:
                self._reach = self._begin(database)
            if self._after < self._reach.newest:
                self._walk_log(database, self._reach)
            elif self._latest is None:
                self._find_latest(database)
            elif not self._count_unread(database, self._latest, self._reach):
                return self._chats
        return UNFINISHED

    def _begin(self, database: sqlite3.Connection) -> Extent:
        for peer, last, inbound, read in database.execute(_KNOWN, (self._user,)):
            self._all[peer] = _Found(peer, last, inbound, read, counted=read)
        reach = extent(database)
        self._after = reach.indexed
        return reach

    def _walk_log(self, database: sqlite3.Connection, reach: Extent) -> None:
        with self._walk.measured():
            upto = min(self._after + self._walk.messages, reach.newest)
            values = {"user": self._user, "after": self._after, "upto": upto}
            for peer, last, unread in database.execute(_RECENT, values):
                found = self._all.setdefault(peer, _Found(peer, 0))
                found.last = max(found.last, last)
                found.unread += unread
        self._after = upto

    def _find_latest(self, database: sqlite3.Connection) -> None:
        """Find the next ones; the last message of a conversation may be gone, and then an older one tells when it was."""
        if self._by_last is None:
            self._by_last = sorted((one for one in self._all.values() if one.last), key=lambda one: one.last)
        with self._batch.measured():
            for _ in range(self._batch.messages):
                if not self._by_last or self._are_latest(before=self._by_last[-1].last):
                    self._found.sort(key=lambda found: -found[0].id)
                    self._latest = self._found[: self._limit][::-1]
                    return
                one = self._by_last.pop()
                message = newest(database, self._user, one.peer, upto=one.last)
                if message is not None:
                    self._found.append((message, one))
                    heapq.heappush(self._latest_ids, message.id)
                    if len(self._latest_ids) > self._limit:
                        heapq.heappop(self._latest_ids)

    def _are_latest(self, *, before: int) -> bool:
        """True if enough conversations have been found that are later than an id."""
        return len(self._latest_ids) == self._limit and self._latest_ids[0] > before

    def _count_unread(
        self, database: sqlite3.Connection, latest: list[tuple[Message, _Found]], reach: Extent
    ) -> bool:
        """Count on, and tell if there is more to count."""
        with self._batch.measured():
            for _ in range(self._batch.messages):
                if not latest:
                    return False
                message, one = latest[-1]
                if one.inbound > one.counted and one.peer != self._user:
                    values = {
                        "sides": f'who : "{between(one.peer, self._user)}"',
                        "after": one.counted,
                        "upto": reach.indexed,
                        "most": self._walk.messages,
                    }
                    number, upto = database.execute(_UNREAD, values).fetchone()
                    one.unread += number
                    if number == self._walk.messages:
                        one.counted = upto
                        continue
                latest.pop()
                (name,) = database.execute(_NAME, (one.peer,)).fetchone()
                self._chats.append(Chat(peer=name, last=message, unread=one.unread, read=one.read))
        return True
