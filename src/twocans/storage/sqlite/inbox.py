"""What somebody has got and sent, oldest first: along the person's list in the index, then along the log."""

from __future__ import annotations

import sqlite3
from typing import Final

from twocans.storage.base import Page, PageBuilder
from twocans.storage.sqlite.index import extent, involving
from twocans.storage.sqlite.readers import UNFINISHED, StepSize, Unfinished
from twocans.storage.sqlite.rows import message_of
from twocans.storage.sqlite.transaction import snapshot

WALK: Final = (500, 20_000)
"""How many messages a step walks along at first, and at most."""

_UPTO: Final = """
    SELECT count(*), max(rowid) FROM (SELECT rowid FROM message_text
    WHERE message_text MATCH :who AND rowid > :after AND rowid <= :indexed ORDER BY rowid LIMIT :most)"""
_INDEXED: Final = """
    SELECT said.id, at, sender_name, recipient_name, said.text, cid, file
    FROM message_text CROSS JOIN said ON said.id = message_text.rowid
    WHERE message_text MATCH :who AND message_text.rowid > :after AND message_text.rowid <= :upto
    AND (:own OR recipient = :user) ORDER BY message_text.rowid LIMIT :limit"""
_LOG: Final = """
    SELECT said.id, at, sender_name, recipient_name, said.text, cid, file FROM said
    WHERE id > :after AND id <= :upto AND (recipient = :user OR (:own AND sender = :user))
    ORDER BY id LIMIT :limit"""


class InboxQuestion:
    """The messages of an account with ids above `after`, oldest first.

    Args:
        user: the number of the account.
        after: the last id that is not asked for.
        own: True if messages that the account has sent belong to it.
        limit: the most messages.
        max_bytes: the most bytes of text.
    """

    def __init__(self, user: int, *, after: int, own: bool, limit: int, max_bytes: int) -> None:
        self._user = user
        self._after = after
        self._own = own
        self._found = PageBuilder(limit, max_bytes)
        self._step = StepSize(*WALK)

    def __call__(self, database: sqlite3.Connection, *, late: bool) -> Page | Unfinished:
        """See `Question`."""
        if late and self._found:
            return self._found.page(more=True)
        with snapshot(database), self._step.measured():
            reach = extent(database)
            after = max(self._after, reach.cleared)
            values: dict[str, int | str] = {
                "user": self._user,
                "own": self._own,
                "who": f'who : "{involving(self._user)}"',
                "after": after,
                "indexed": reach.indexed,
                "most": self._step.messages,
                "limit": self._found.missing,
            }
            if after < reach.indexed:
                number, upto = database.execute(_UPTO, values).fetchone()
                if number < self._step.messages:
                    upto = reach.indexed
                statement = _INDEXED
            else:
                upto = min(after + self._step.messages, reach.newest)
                statement = _LOG
            rows = database.execute(statement, {**values, "upto": upto})
            if self._found.add(message_of(row) for row in rows):
                return self._found.page(more=True)
        self._after = upto
        return self._found.page(more=False) if upto >= reach.newest else UNFINISHED
