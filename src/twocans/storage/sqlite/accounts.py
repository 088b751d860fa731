"""What the storage knows of people when it opens."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Final

from twocans.protocol.names import UserKey
from twocans.storage.base import AccountRecord, Stored
from twocans.storage.sqlite.index import extent
from twocans.storage.sqlite.readers import UNFINISHED, StepSize, Unfinished
from twocans.storage.sqlite.transaction import snapshot

WALK: Final = (5_000, 100_000)
"""How many messages are counted in a step at first, and at most."""

# What a conversation has beyond the index is found along the log.
_CHATS: Final = """
    WITH missing AS (
        SELECT sender, recipient, max(id) AS last FROM message WHERE id > (SELECT indexed FROM log)
        GROUP BY sender, recipient)
    SELECT user, peer, max(last), max(inbound), max(read) FROM (
        SELECT user, peer, last, inbound, read FROM chat
        UNION ALL SELECT sender, recipient, last, 0, 0 FROM missing
        UNION ALL SELECT recipient, sender, last, last, 0 FROM missing)
    GROUP BY user, peer"""
_COUNT: Final = (
    "SELECT sender, count(*), sum(length(CAST(text AS BLOB)))"
    " FROM message WHERE id > ? AND id <= ? AND text IS NOT NULL GROUP BY sender"
)


def load(database: sqlite3.Connection) -> tuple[dict[UserKey, int], list[AccountRecord]]:
    """The numbers of all accounts, by their keys, and what is known of them.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    chats: dict[int, list[tuple[int, int, int, int]]] = {}
    for user, *chat in database.execute(_CHATS):
        peer, last, inbound, read = chat
        chats.setdefault(user, []).append((peer, last, inbound, read))
    rows = database.execute("SELECT id, key, name, delivered, handed FROM account ORDER BY id").fetchall()
    keys = {number: UserKey(key) for number, key, *_ in rows}
    records = []
    for number, key, name, delivered, handed in rows:
        mine = chats.get(number, [])
        records.append(
            AccountRecord(
                key=UserKey(key),
                name=name,
                delivered=delivered,
                handed=handed,
                last=max((last for _, last, _, _ in mine), default=0),
                read={keys[peer]: read for peer, _, _, read in mine if read and peer in keys},
                inbound={
                    keys[peer]: inbound
                    for peer, _, inbound, _ in mine
                    if inbound and peer in keys and peer != number
                },
            )
        )
    return {key: number for number, key in keys.items()}, records


class CountQuestion:
    """How many messages of each sender have a text, and its bytes, of those with ids up to `upto`."""

    def __init__(self, upto: int) -> None:
        self._upto = upto
        self._after = 0
        self._messages: Counter[int] = Counter()
        self._text_bytes: Counter[int] = Counter()
        self._step = StepSize(*WALK)

    def __call__(self, database: sqlite3.Connection, *, late: bool) -> dict[UserKey, Stored] | Unfinished:  # noqa: ARG002
        """See `Question`; half of an answer is none."""
        with snapshot(database), self._step.measured():
            reach = extent(database)
            after = max(self._after, reach.cleared)
            upto = min(after + self._step.messages, self._upto)
            for sender, messages, text_bytes in database.execute(_COUNT, (after, upto)):
                self._messages[sender] += messages
                self._text_bytes[sender] += text_bytes
            self._after = upto
            if upto < min(self._upto, reach.newest):
                return UNFINISHED
            keys = dict(database.execute("SELECT id, key FROM account"))
        return {
            UserKey(keys[sender]): Stored(number, self._text_bytes[sender])
            for sender, number in self._messages.items()
            if sender in keys
        }
