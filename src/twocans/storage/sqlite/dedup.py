"""Which cids have been used: those in the index are looked up there, the others are kept in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from twocans.protocol.messages import Message
from twocans.storage.base import Batch
from twocans.storage.sqlite.rows import in_pieces

Again: TypeAlias = Mapping[int, int]
"""Of the messages of a batch that repeat a cid, by their places: the id that has it."""
NONE_AGAIN: Final[Again] = {}

_Used: TypeAlias = dict[str, int]
_NEWEST: Final = "SELECT max(cid) FROM sent WHERE sender = ?"
_FIND: Final = (
    "SELECT s.sender, s.cid, s.id FROM (VALUES {rows}) a"
    " CROSS JOIN sent s ON s.sender = a.column1 AND s.cid = a.column2"
)


class CidDeduplicator:
    """Tells which messages repeat one that is in the log. Belongs to the thread that writes.

    A sender's cids that only grow, as UUIDs of version 7 do, cost no look into the index: nothing there is
    greater than its greatest.

    Args:
        database: the writing connection.

    Raises:
        sqlite3.Error: the database cannot be read.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        # By sender. What came since the index began its round, and what it puts in meanwhile.
        self._current: dict[int, _Used] = {}
        self._previous: dict[int, _Used] = {}
        # By sender, the greatest cid in the index; an empty one if there is none.
        self._greatest: dict[int, str] = {}
        self._taken: list[tuple[_Used, Iterable[str]]] = []
        for sender, cid, id_ in database.execute(
            "SELECT sender, cid, id FROM message WHERE id > (SELECT indexed FROM log) AND cid <> ''"
        ):
            self._current.setdefault(sender, {})[cid] = id_

    # --- for messages that are about to be stored --------------------------------------------------------

    def take(self, batches: Sequence[tuple[int, Batch]]) -> list[Again]:
        """Take the cids of messages, by the sender's number, for their ids; which of them were taken before?

        They stay taken unless `give_back` is called before the next. Those of batches of repeats are only looked up.

        Raises:
            sqlite3.Error: the index cannot be read; nothing is taken.
        """
        self._taken.clear()
        cids = [_cids(batch.messages) for _, batch in batches]
        indexed = self._in_index(batches, cids)
        return [
            NONE_AGAIN
            if not theirs
            else self._find(sender, theirs, indexed)
            if batch.repeats_only
            else self._take(sender, batch.messages, theirs, indexed)
            for (sender, batch), theirs in zip(batches, cids, strict=True)
        ]

    def drop(self, sender: int, cid: str) -> None:
        """One that was taken just now is not going to be stored."""
        del self._current[sender][cid]

    def give_back(self) -> None:
        """What was taken last has not been stored."""
        for used, cids in self._taken:
            for cid in cids:
                used.pop(cid, None)
        self._taken.clear()

    def _take(
        self,
        sender: int,
        messages: Sequence[Message],
        cids: list[str],
        indexed: Mapping[tuple[int, str], int],
    ) -> Again:
        current = self._current.get(sender)
        if current is None:
            current = self._current[sender] = {}
        previous = self._previous.get(sender, {})
        taken = dict(zip(cids, [message.id for message in messages], strict=True))
        if (
            len(taken) == len(cids)
            and "" not in taken
            and current.keys().isdisjoint(taken)
            and previous.keys().isdisjoint(taken)
            and not (indexed and any((sender, cid) in indexed for cid in cids))
        ):
            current.update(taken)
            self._taken.append((current, taken))
            return NONE_AGAIN
        again: dict[int, int] = {}
        new: list[str] = []
        for place, (cid, message) in enumerate(zip(cids, messages, strict=True)):
            if not cid:
                continue
            first = current.get(cid) or previous.get(cid) or indexed.get((sender, cid))
            if first is not None:
                again[place] = first
            else:
                current[cid] = message.id
                new.append(cid)
        self._taken.append((current, new))
        return again

    def _find(self, sender: int, cids: Sequence[str], indexed: Mapping[tuple[int, str], int]) -> Again:
        current, previous = self._current.get(sender, {}), self._previous.get(sender, {})
        found = [current.get(cid) or previous.get(cid) or indexed.get((sender, cid)) for cid in cids]
        return {place: id_ for place, id_ in enumerate(found) if id_ is not None}

    def _in_index(
        self, batches: Sequence[tuple[int, Batch]], cids: list[list[str]]
    ) -> dict[tuple[int, str], int]:
        asked: list[int | str | None] = []
        for (sender, _), theirs in zip(batches, cids, strict=True):
            if not theirs:
                continue
            greatest = self._greatest.get(sender)
            if greatest is None:
                greatest = self._greatest[sender] = self._look_up_greatest(sender)
            if greatest and min(theirs) <= greatest:
                for cid in theirs:
                    if cid and cid <= greatest:
                        asked += (sender, cid)
        return {
            (sender, cid): id_
            for statement, values in in_pieces(_FIND, asked, columns=2)
            for sender, cid, id_ in self._database.execute(statement, values)
        }

    def _look_up_greatest(self, sender: int) -> str:
        (greatest,) = self._database.execute(_NEWEST, (sender,)).fetchone()
        return greatest or ""

    # --- for the index -----------------------------------------------------------------------------------

    def round_begins(self) -> None:
        """The index is about to take in everything that is in the log."""
        self._previous, self._current = self._current, {}

    def round_ended(self) -> None:
        """It is done."""
        for sender, used in self._previous.items():
            greatest = self._greatest.get(sender)
            if used and greatest is not None:
                self._greatest[sender] = max(greatest, max(used))
        self._previous = {}


def _cids(messages: Sequence[Message]) -> list[str]:
    """The cids of messages, empty ones among them; none if there are no others."""
    cids = [message.cid for message in messages]
    return cids if any(cids) else []
