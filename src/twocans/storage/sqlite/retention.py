"""Takes the text from messages whose time is over, a slice at a time; when that is due is left to others."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from msgspec import Struct

from twocans.storage.sqlite.transaction import transaction

SLICE_MESSAGES: Final = 200
"""How many messages lose their text in one transaction: what a writer waits for at most, some milliseconds."""
LOOK_IDS: Final = 20_000
"""How far along the log a slice looks for messages that are due, some milliseconds too."""
_REBUILT_BYTES: Final = 1024
"""For how much text one row is written anew; less than the 4096 bytes of a page."""

# Each message is taken by its own time: one that a wrong clock has dated ahead keeps no other from going, and
# one that it has dated back takes no other along.
_DUE: Final = (
    "SELECT id, length(text) FROM message"
    " WHERE id > ? AND id <= ? AND text IS NOT NULL AND at < ? ORDER BY id LIMIT ?"
)
# The full-text index keeps no text of its own: it has to be told what it was given.
_UNINDEX: Final = (
    "INSERT INTO message_text(message_text, rowid, text, who)"
    " SELECT 'delete', id, text, who FROM worded"
    " WHERE id IN (SELECT value FROM json_each(?)) AND id IN (SELECT id FROM message_text_docsize)"
)
_CLEAR: Final = "UPDATE message SET text = NULL WHERE id IN (SELECT value FROM json_each(?))"
_FILES: Final = "SELECT hash FROM file WHERE message IN (SELECT value FROM json_each(?))"
_DROP_FILES: Final = "DELETE FROM file WHERE message IN (SELECT value FROM json_each(?))"
_STUBS: Final = (
    "SELECT id, at, sender, recipient, cid FROM message WHERE id IN (SELECT value FROM json_each(?))"
)
_DELETE: Final = "DELETE FROM message WHERE id IN (SELECT value FROM json_each(?))"
_INSERT: Final = "INSERT INTO message(id, at, sender, recipient, cid) VALUES (?, ?, ?, ?, ?)"
# Up to this id no message has a text, so that readers need not walk through what is left of old ones.
_MARK: Final = (
    "UPDATE log SET cleared = coalesce("
    "(SELECT min(id) - 1 FROM message WHERE id > cleared AND text IS NOT NULL),"
    " (SELECT max(id) FROM message), 0)"
)


class Slice(Struct, frozen=True):
    """How many messages have lost their text, and up to which id none is due any more; None for all of them.

    `freed` are the hashes of the files that went with them; other messages may carry the same.
    """

    cleared: int
    upto: int | None
    freed: frozenset[str] = frozenset()


def clear_slice(database: sqlite3.Connection, *, after: int, before_ms: int) -> Slice:
    """Take the text from old messages, all of a slice or none.

    Args:
        database: the writing connection, outside of a transaction.
        after: up to which id no message is due, as the slice before has told; 0 at first.
        before_ms: messages of this time and later keep their text; Unix milliseconds.

    Raises:
        sqlite3.Error: it cannot be done now; everything is as it was.
    """
    cleared, newest = database.execute(
        "SELECT cleared, coalesce((SELECT max(id) FROM message), 0) FROM log"
    ).fetchone()
    after = max(after, cleared)
    upto = min(after + LOOK_IDS, newest)
    due = database.execute(_DUE, (after, upto, before_ms, SLICE_MESSAGES)).fetchall()
    freed: frozenset[str] = frozenset()
    if due:
        with transaction(database):
            freed = _clear(database, due)
    if len(due) == SLICE_MESSAGES:
        return Slice(len(due), due[-1][0], freed)
    return Slice(len(due), None if upto >= newest and not due else upto, freed)


def _clear(database: sqlite3.Connection, due: list[tuple[int, int]]) -> frozenset[str]:
    chosen = json.dumps([id_ for id_, _ in due])
    freed = frozenset(hash_ for (hash_,) in database.execute(_FILES, (chosen,)))
    if freed:
        database.execute(_DROP_FILES, (chosen,))
    database.execute(_UNINDEX, (chosen,))
    database.execute(_CLEAR, (chosen,))
    # SQLite gives no page free when rows in it become shorter, only when rows are deleted from it: then it
    # joins pages that are nearly empty. One row of a page serves for all of them.
    some = json.dumps(_one_of_a_page(due))
    stubs = database.execute(_STUBS, (some,)).fetchall()
    database.execute(_DELETE, (some,))
    database.executemany(_INSERT, stubs)
    database.execute(_MARK)
    return freed


def _one_of_a_page(due: list[tuple[int, int]]) -> list[int]:
    """Some of the messages, one for about so many bytes of text, which is less than a page holds."""
    chosen = []
    size = _REBUILT_BYTES
    for id_, length in due:
        if size >= _REBUILT_BYTES:
            chosen.append(id_)
            size = 0
        size += length
    return chosen
