"""Adds messages to the log, all that have gathered at once, and says which of them were there before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Mapping, Sequence
from typing import Final

from msgspec import Struct

from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import ALL_STORED, Batch, Conflict, Known, NoRoom, NoSuchFile, Unstored
from twocans.storage.sqlite import files
from twocans.storage.sqlite.dedup import Again, CidDeduplicator
from twocans.storage.sqlite.rows import MOST_ROWS, Value, in_pieces
from twocans.storage.sqlite.transaction import transaction

Update = tuple[str, tuple[object, ...]]
"""A statement that nobody waits for, and its values."""
Outcome = Mapping[int, Unstored]
"""What became of those messages of a batch that are not in the log, by their places."""

_COLUMNS: Final = 6
_INSERT: Final = (
    "INSERT INTO message(id, at, sender, recipient, cid, text)"
    " SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"
)
_FIRST: Final = """
    SELECT id, at, recipient, text, (SELECT hash FROM file WHERE message = id)
    FROM message WHERE id IN (SELECT value FROM json_each(?))"""


class Appended(Struct, frozen=True):
    """How many messages are new in the log, and what became of the others, for each batch."""

    stored: int
    outcomes: Sequence[Outcome]


class _Carrying(Struct, frozen=True):
    """Of batches some of which carry files, or may not be stored: what the table of files gets, and what is left out."""

    rows: Sequence[tuple[int, int, int, str, int]]
    refused: Sequence[Outcome]
    left_out: Sequence[Container[int]]


class MessageLog:
    """The table of messages. Belongs to the thread that writes.

    Args:
        database: the writing connection.
        numbers: of accounts, by their keys; others may add to it.
        used: the cids that are in the log.
    """

    def __init__(
        self, database: sqlite3.Connection, numbers: Mapping[UserKey, int], used: CidDeduplicator
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._used = used

    def append(self, batches: Sequence[Batch], updates: Sequence[Update]) -> Appended:
        """Make the changes and store the messages, all of them or none.

        Raises:
            sqlite3.Error: it cannot be done now; everything is as it was.
        """
        numbers = self._numbers
        repeats = self._used.take([(numbers[batch.sender.key], batch) for batch in batches])
        try:
            selects = any(batch.files or batch.repeats_only for batch in batches)
            carrying = self._claim(batches, repeats) if selects else None
            left_out = repeats if carrying is None else carrying.left_out
            rows: list[Value] = []
            for batch, places in zip(batches, left_out, strict=True):
                self._add_rows(rows, batch, places)
            number = len(rows) // _COLUMNS
            if updates or any(repeats) or number > MOST_ROWS or carrying is not None:
                with transaction(self._database):
                    for statement, values in updates:
                        self._database.execute(statement, values)
                    self._insert(rows)
                    outcomes = self._outcomes(batches, repeats)
                    if carrying is not None:
                        self._database.executemany(files.CARRY, carrying.rows)
                        outcomes = [
                            {**outcome, **refused}
                            for outcome, refused in zip(outcomes, carrying.refused, strict=True)
                        ]
            else:
                # One statement is a transaction by itself.
                self._insert(rows)
                outcomes = [ALL_STORED] * len(batches)
        except BaseException:
            self._used.give_back()
            raise
        return Appended(number, outcomes)

    def _claim(self, batches: Sequence[Batch], repeats: Sequence[Again]) -> _Carrying:
        """Return the files that come with messages, and which messages are not stored for other reasons than repetition."""
        rows: list[tuple[int, int, int, str, int]] = []
        refused: list[dict[int, Unstored]] = [{} for _ in batches]
        for batch, again, unstored in zip(batches, repeats, refused, strict=True):
            sender = self._numbers[batch.sender.key]
            for place, message in enumerate(batch.messages):
                if place in again:
                    continue
                if batch.repeats_only:
                    unstored[place] = NoRoom()
                elif message.file is None:
                    continue
                elif files.has(self._database, sender, message.file):
                    recipient = self._numbers[batch.recipients[place].key]
                    rows.append((message.id, sender, recipient, message.file.hash, message.file.size))
                else:
                    unstored[place] = NoSuchFile()
                    self._used.drop(sender, message.cid)
        return _Carrying(
            rows, refused, [again.keys() | more for again, more in zip(repeats, refused, strict=True)]
        )

    def _add_rows(self, rows: list[Value], batch: Batch, again: Container[int]) -> None:
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
            at, recipient, text, hash_ = first
            file = None if message.file is None else message.file.hash
            # A message whose time is over has lost its text; its cid is enough.
            if recipient == self._numbers[to] and (text is None or (text, hash_) == (message.text, file)):
                return Known(id_, int(str(at)))
        return Conflict()
