"""Takes the text from messages whose time is over, a slice at a time; when that is due is left to others."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

SLICE_MESSAGES: Final = 200
"""How many messages lose their text in one transaction: what a writer waits for at most, some milliseconds."""
_REBUILT_BYTES: Final = 1024
"""For how much text one row is written anew; less than the 4096 bytes of a page."""

# Walks along the index of messages by age, which holds only those that have a text.
_OLDEST: Final = "SELECT id, length(text) FROM message WHERE text IS NOT NULL AND at < ? ORDER BY at LIMIT ?"
# The full-text index keeps no text of its own: it has to be told what it was given.
_UNINDEX: Final = (
    "INSERT INTO message_text(message_text, rowid, text, who)"
    " SELECT 'delete', id, text, 'u' || sender || ' u' || recipient FROM message"
    " WHERE id IN (SELECT value FROM json_each(?)) AND id IN (SELECT id FROM message_text_docsize)"
)
_CLEAR: Final = "UPDATE message SET text = NULL WHERE id IN (SELECT value FROM json_each(?))"
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


def clear_slice(database: sqlite3.Connection, *, before_ms: int) -> int:
    """Take the text from the oldest messages, all of them or none.

    Args:
        database: the writing connection, outside of a transaction.
        before_ms: messages of this time and later keep their text; Unix milliseconds.

    Returns:
        How many; fewer than `SLICE_MESSAGES` if no more are due.

    Raises:
        sqlite3.Error: it cannot be done now; everything is as it was.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        due = database.execute(_OLDEST, (before_ms, SLICE_MESSAGES)).fetchall()
        if due:
            _clear(database, due)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    return len(due)


def _clear(database: sqlite3.Connection, due: list[tuple[int, int]]) -> None:
    chosen = json.dumps([id_ for id_, _ in due])
    database.execute(_UNINDEX, (chosen,))
    database.execute(_CLEAR, (chosen,))
    # SQLite gives no page free when rows in it become shorter, only when rows are deleted from it: then it
    # joins pages that are nearly empty. One row of a page serves for all of them.
    some = json.dumps(_one_of_a_page(due))
    stubs = database.execute(_STUBS, (some,)).fetchall()
    database.execute(_DELETE, (some,))
    database.executemany(_INSERT, stubs)
    database.execute(_MARK)


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
