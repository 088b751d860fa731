"""All conversations of one person, read little by little, so that a server that writes meanwhile is not held up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.sqlite.conversation import oldest_first

PAGE_MESSAGES: Final = 500
"""How many messages are read and held at a time."""

_PEERS: Final = """
    SELECT p.id, p.name FROM account p WHERE p.id IN (
        SELECT peer FROM chat WHERE user = :user AND last > 0
        UNION SELECT iif(sender = :user, recipient, sender) FROM message
        WHERE id > (SELECT indexed FROM log) AND (sender = :user OR recipient = :user))
    ORDER BY p.key"""


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
    (newest,) = database.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()
    for number, name in database.execute(_PEERS, {"user": person.number}).fetchall():
        yield name, _messages(database, (person.number, number), upto=newest)


def _messages(database: sqlite3.Connection, pair: tuple[int, int], *, upto: int) -> Iterator[Message]:
    # Each page is a transaction of its own: one that stayed open for as long as somebody reads would keep
    # the server's write-ahead log from being carried over. What is in the log does not move, so nothing is missed.
    after = 0
    while page := oldest_first(database, *pair, after=after, upto=upto, limit=PAGE_MESSAGES):
        yield from page
        after = page[-1].id
