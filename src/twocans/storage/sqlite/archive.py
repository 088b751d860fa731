"""All conversations of one person, read little by little, so that a server that writes meanwhile is not held up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey

PAGE_MESSAGES: Final = 500
"""How many messages are read and held at a time."""

_PEERS: Final = """
    SELECT p.id, p.name FROM chat c JOIN account p ON p.id = c.peer WHERE c.user = ? ORDER BY p.key"""
_NEXT: Final = """
    SELECT id, at, sender_name, recipient_name, text, cid FROM said
    WHERE min(sender, recipient) = ? AND max(sender, recipient) = ? AND id > ? AND id <= ?
    ORDER BY id LIMIT ?"""


class Person(Struct, frozen=True):
    """Somebody whom the storage knows: the number of the account, and the name as it is shown."""

    number: int
    name: str


def find(database: sqlite3.Connection, key: UserKey) -> Person | None:
    """Who has this name, if anybody ever had.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    row = database.execute("SELECT id, name FROM account WHERE key = ?", (key,)).fetchone()
    return None if row is None else Person(*row)


def conversations(database: sqlite3.Connection, person: Person) -> Iterator[tuple[str, Iterator[Message]]]:
    """With whom this person has spoken, by name, and the messages up to now, oldest first.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    cleared, newest = database.execute(
        "SELECT cleared, coalesce((SELECT max(id) FROM message), 0) FROM log"
    ).fetchone()
    for number, name in database.execute(_PEERS, (person.number,)).fetchall():
        pair = (min(person.number, number), max(person.number, number))
        yield name, _messages(database, pair, after=cleared, upto=newest)


def _messages(
    database: sqlite3.Connection, pair: tuple[int, int], *, after: int, upto: int
) -> Iterator[Message]:
    # Each page is a transaction of its own: one that stayed open for as long as somebody reads would keep
    # the server's write-ahead log from being carried over. What is in the log does not move, so nothing is missed.
    while rows := database.execute(_NEXT, (*pair, after, upto, PAGE_MESSAGES)).fetchall():
        for row in rows:
            yield Message(*row)
        after = rows[-1][0]
