"""Adds messages to the log, all that have gathered at once, and says which of them were there before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import ALL_STORED, Batch, Conflict, Known, Unstored
from twocans.storage.sqlite.rows import MOST_ROWS, Value, in_pieces
from twocans.storage.sqlite.transaction import transaction
from twocans.storage.sqlite.used import Again, UsedCids

Update = tuple[str, tuple[object, ...]]
"""A statement that nobody waits for, and its values."""
Outcome = Mapping[int, Unstored]
"""What became of those messages of a batch that are not in the log, by their places."""

_COLUMNS: Final = 6
_INSERT: Final = (
    "INSERT INTO message(id, at, sender, recipient, cid, text)"
    " SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"
)
_FIRST: Final = "SELECT id, at, recipient, text FROM message WHERE id IN (SELECT value FROM json_each(?))"


class Appended(Struct, frozen=True):
    """How many messages are new in the log, and what became of the others, for each batch."""

    stored: int
    outcomes: Sequence[Outcome]


class MessageLog:
    """The table of messages. Belongs to the thread that writes.

    Args:
        database: the writing connection.
        numbers: of accounts, by their keys; others may add to it.
        used: the cids that are in the log.
    """

    def __init__(self, database: sqlite3.Connection, numbers: Mapping[UserKey, int], used: UsedCids) -> None:
        self._database = database
        self._numbers = numbers
        self._used = used

    def append(self, batches: Sequence[Batch], updates: Sequence[Update]) -> Appended:
        """Make the changes and store the messages, all of them or none.

        Raises:
            sqlite3.Error: it cannot be done now; everything is as it was.
        """
        numbers = self._numbers
        repeats = self._used.take([(numbers[batch.sender.key], batch.messages) for batch in batches])
        try:
            rows: list[Value] = []
            for batch, again in zip(batches, repeats, strict=True):
                self._add_rows(rows, batch, again)
            number = len(rows) // _COLUMNS
            if updates or any(repeats) or number > MOST_ROWS:
                with transaction(self._database):
                    for statement, values in updates:
                        self._database.execute(statement, values)
                    self._insert(rows)
                    outcomes = self._outcomes(batches, repeats)
            else:
                # One statement is a transaction by itself.
                self._insert(rows)
                outcomes = [ALL_STORED] * len(batches)
        except BaseException:
            self._used.give_back()
            raise
        return Appended(number, outcomes)

    def _add_rows(self, rows: list[Value], batch: Batch, again: Again) -> None:
        numbers = self._numbers
        sender = numbers[batch.sender.key]
        for place, (message, recipient) in enumerate(zip(batch.messages, batch.recipients, strict=True)):
            if place not in again:
                rows += (message.id, message.at, sender, numbers[recipient.key], message.cid, message.text)

    def _insert(self, rows: list[Value]) -> None:
        for statement, values in in_pieces(_INSERT, rows, columns=_COLUMNS):
            self._database.execute(statement, values)

    def _outcomes(self, batches: Sequence[Batch], repeats: Sequence[Again]) -> list[Outcome]:
        wanted = json.dumps([id_ for again in repeats for id_ in again.values()])
        first = {id_: row for id_, *row in self._database.execute(_FIRST, (wanted,))}
        return [
            {
                place: self._again(batch.messages[place], batch.recipients[place].key, id_, first.get(id_))
                for place, id_ in again.items()
            }
            if again
            else ALL_STORED
            for batch, again in zip(batches, repeats, strict=True)
        ]

    def _again(self, message: Message, to: UserKey, id_: int, first: list[object] | None) -> Unstored:
        if first is not None:
            at, recipient, text = first
            # A message whose time is over has lost its text; its cid is enough.
            if recipient == self._numbers[to] and text in (message.text, None):
                return Known(id_, int(str(at)))
        return Conflict()
