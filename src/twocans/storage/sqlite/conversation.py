"""What two people have said to each other, from the index and, beyond it, along the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from twocans.protocol.messages import Message
from twocans.storage.base import Page, page_of
from twocans.storage.sqlite.index import between
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


def page_before(
    database: sqlite3.Connection, one: int, other: int, *, before: int | None, limit: int, max_bytes: int
) -> Page:
    """The newest messages between two accounts with ids below `before`, oldest first.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    with snapshot(database):
        rows = _newest_first(
            database, one, other, before=NEVER if before is None else before, limit=limit + 1
        )
        page = page_of(rows, limit, max_bytes)
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
