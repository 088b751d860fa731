"""What is looked up in the log: cids, conversations and words. It is made behind the messages, many at a time.

The log grows at its end, which costs little. An index changes everywhere, which costs several times as much for
each message, and less for each if there are many: so it is left to moments in which nobody waits.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from msgspec import Struct

from twocans.storage.sqlite.dedup import CidDeduplicator
from twocans.storage.sqlite.transaction import transaction

SMALL_SLICE: Final = 250
"""How many messages are put into the index at a time when somebody may want to write: they wait a few milliseconds."""
LARGE_SLICE: Final = 20_000
"""The same when it has to be quick, at half the cost for each message."""
BUSY_TAIL: Final = 250_000
"""From how many messages on that are not in the index it is seen to whenever nobody waits, even amid traffic."""
FLOOD_PER_S: Final = 50_000
"""From so many messages a second on it is not: they are stored first, and seen to when there are fewer."""
MAX_TAIL: Final = 2_000_000
"""How many messages may be missing in the index; then writers wait for it. Their cids are held in memory."""
START_TAIL: Final = 50_000
"""How many may be missing when the storage opens; older ones are put into it first."""

_UPTO: Final = "SELECT max(id), count(*) FROM (SELECT id FROM message WHERE id > ? ORDER BY id LIMIT ?)"
_SENT: Final = """
    INSERT OR IGNORE INTO sent(sender, cid, id)
    SELECT sender, cid, id FROM message WHERE id > :after AND id <= :upto AND cid <> '' ORDER BY sender, cid"""
_CHATS: Final = """
    INSERT INTO chat(user, peer, last, inbound)
    SELECT user, peer, max(id), max(inbound) FROM (
        SELECT sender AS user, recipient AS peer, id, iif(sender = recipient, id, 0) AS inbound FROM message
        WHERE id > :after AND id <= :upto
        UNION ALL SELECT recipient, sender, id, id FROM message
        WHERE id > :after AND id <= :upto AND sender <> recipient)
    WHERE true GROUP BY user, peer
    ON CONFLICT(user, peer) DO UPDATE SET last = max(last, excluded.last), inbound = max(inbound, excluded.inbound)"""
_TEXT: Final = """
    INSERT INTO message_text(rowid, text, who) SELECT id, text, who FROM worded WHERE id > :after AND id <= :upto"""


_EXTENT: Final = "SELECT indexed, cleared, max(indexed, coalesce((SELECT max(id) FROM message), 0)) FROM log"


class Extent(Struct, frozen=True):
    """How far the log and its index reach, as ids.

    `indexed` is the newest message in the index, `cleared` the newest of the oldest messages without a text, and
    `newest` the newest of all.
    """

    indexed: int
    cleared: int
    newest: int


def extent(database: sqlite3.Connection) -> Extent:
    """Return how far the log and its index reach.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    return Extent(*database.execute(_EXTENT).fetchone())


def involving(account: int) -> str:
    """The word in the index for what one account has sent and got."""
    return f"u{account}"


def between(sender: int, recipient: int) -> str:
    """The word in the index for what one account said to another."""
    return f"f{sender}t{recipient}"


def catch_up(database: sqlite3.Connection) -> None:
    """Make the index when much of it is missing, as after an update or a crash amid much traffic.

    Raises:
        sqlite3.Error: it cannot be done now; some of it may be done.
    """
    (indexed,) = database.execute("SELECT indexed FROM log").fetchone()
    missing = _count_after(database, indexed)
    while missing > START_TAIL:
        indexed, number = _add_slice(database, indexed, LARGE_SLICE)
        missing -= number
        # Nothing else carries the write-ahead log over yet.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


class Index:
    """How far the index has come, and the next piece of it. Belongs to the thread that writes.

    Args:
        database: the writing connection.
        used: what is to be known of the cids of messages that are not in the index.

    Raises:
        sqlite3.Error: the database cannot be read.
    """

    def __init__(self, database: sqlite3.Connection, used: CidDeduplicator) -> None:
        self._database = database
        self._used = used
        (self._indexed,) = database.execute("SELECT indexed FROM log").fetchone()
        self._missing = _count_after(database, self._indexed)
        self._missing_bytes = 0.0
        self._round_ends = self._indexed

    @property
    def missing(self) -> int:
        """How many messages are not in it."""
        return self._missing

    @property
    def missing_bytes(self) -> int:
        """How many bytes their texts have, about; of those that this process has stored."""
        return int(self._missing_bytes)

    def stored(self, number: int, text_bytes: int) -> None:
        """So many messages have been added to the log, with texts of so many bytes."""
        self._missing += number
        self._missing_bytes += text_bytes if number else 0

    def add_slice(self, most: int) -> None:
        """Put the oldest messages that are missing into it, all of them or none.

        Args:
            most: how many.

        Raises:
            sqlite3.Error: it cannot be done now; everything is as it was.
        """
        if self._indexed >= self._round_ends:
            (newest,) = self._database.execute("SELECT max(id) FROM message").fetchone()
            self._used.round_begins()
            self._round_ends = newest
        self._indexed, number = _add_slice(self._database, self._indexed, most)
        if self._missing:
            self._missing_bytes *= max(0, self._missing - number) / self._missing
        else:
            self._missing_bytes = 0.0
        self._missing -= number
        if self._indexed >= self._round_ends:
            self._used.round_ended()


def _add_slice(database: sqlite3.Connection, indexed: int, most: int) -> tuple[int, int]:
    """Add what follows `indexed`; up to where it reaches then, and how many messages it was."""
    with transaction(database):
        upto, number = database.execute(_UPTO, (indexed, most)).fetchone()
        for statement in (_SENT, _CHATS, _TEXT):
            database.execute(statement, {"after": indexed, "upto": upto})
        database.execute("UPDATE log SET indexed = ?", (upto,))
    return upto, number


def _count_after(database: sqlite3.Connection, indexed: int) -> int:
    (number,) = database.execute("SELECT count(*) FROM message WHERE id > ?", (indexed,)).fetchone()
    return int(number)
