"""What two people have said to each other, from the index and, beyond it, along the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from twocans.protocol.messages import Message
from twocans.storage.base import Page, PageBuilder
from twocans.storage.sqlite.index import between, extent
from twocans.storage.sqlite.readers import UNFINISHED, StepSize, Unfinished
from twocans.storage.sqlite.rows import message_of
from twocans.storage.sqlite.transaction import snapshot

_INDEXED: Final = """
    SELECT said.id, at, sender_name, recipient_name, said.text, cid, file
    FROM message_text CROSS JOIN said ON said.id = message_text.rowid
    WHERE message_text MATCH :sides AND message_text.rowid > :after AND message_text.rowid < :before
    ORDER BY message_text.rowid"""
_LOG: Final = """
    SELECT said.id, at, sender_name, recipient_name, said.text, cid, file FROM said
    WHERE id > max(:after, (SELECT indexed FROM log)) AND id < :before
    AND ((sender = :one AND recipient = :other) OR (sender = :other AND recipient = :one)) ORDER BY id"""
_ONE: Final = "SELECT said.id, at, sender_name, recipient_name, said.text, cid, file FROM said WHERE id = ?"
_LIMITED_DOWN: Final = " DESC LIMIT :limit"
_LIMITED_UP: Final = " LIMIT :limit"
NEVER: Final = 2**63 - 1
WALK: Final = (1_000, 50_000)
"""How many messages of the log a step looks at first, and at most."""


class ConversationQuestion:
    """The newest messages between two accounts with ids below `before`, oldest first.

    Args:
        one: the number of one account.
        other: the number of the other, or the same.
        before: the first id that is not asked for; None for the newest messages.
        limit: the most messages.
        max_bytes: the most bytes of text.
    """

    def __init__(self, one: int, other: int, *, before: int | None, limit: int, max_bytes: int) -> None:
        self._one = one
        self._other = other
        self._before = NEVER if before is None else before
        self._found = PageBuilder(limit, max_bytes)
        self._step = StepSize(*WALK)

    def __call__(self, database: sqlite3.Connection, *, late: bool) -> Page | Unfinished:
        """See `Question`."""
        if late and self._found:
            return self._page(more=True)
        with snapshot(database), self._step.measured():
            reach = extent(database)
            before = min(self._before, reach.newest + 1)
            along_log = before - 1 > reach.indexed
            after = max(reach.indexed, before - 1 - self._step.messages) if along_log else 0
            values = _values(self._one, self._other, after=after, before=before, limit=self._found.missing)
            rows = database.execute((_LOG if along_log else _INDEXED) + _LIMITED_DOWN, values)
            full = self._found.add(message_of(row) for row in rows)
        self._before = after + 1
        return self._page(more=full) if full or not along_log else UNFINISHED

    def _page(self, *, more: bool) -> Page:
        page = self._found.page(more=more)
        return Page(page.messages[::-1], page.more)


def newest(database: sqlite3.Connection, one: int, other: int, *, upto: int) -> Message | None:
    """The newest message between two accounts that has a text, if any is left; `upto` is the newest of all.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    row = database.execute(_ONE, (upto,)).fetchone()
    if row is not None:
        return message_of(row)
    return next(_newest_first(database, one, other, before=upto, limit=1), None)


def oldest_first(
    database: sqlite3.Connection, one: int, other: int, *, after: int, upto: int, limit: int
) -> list[Message]:
    """The first messages between two accounts with ids above `after`, up to `upto`.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    values = _values(one, other, after=after, before=upto + 1, limit=limit)
    with snapshot(database):
        found = [message_of(row) for row in database.execute(_INDEXED + _LIMITED_UP, values)]
        if len(found) < limit:
            values["limit"] = limit - len(found)
            found += [message_of(row) for row in database.execute(_LOG + _LIMITED_UP, values)]
    return found


def _newest_first(
    database: sqlite3.Connection, one: int, other: int, *, before: int, limit: int
) -> Iterator[Message]:
    values = _values(one, other, after=0, before=before, limit=limit)
    for statement in (_LOG, _INDEXED):
        for row in database.execute(statement + _LIMITED_DOWN, values):
            yield message_of(row)


def _values(one: int, other: int, *, after: int, before: int, limit: int) -> dict[str, int | str]:
    sides = f'who : ("{between(one, other)}" OR "{between(other, one)}")'
    return {
        "one": one,
        "other": other,
        "sides": sides,
        "after": after,
        "before": before,
        "limit": limit,
    }
