"""Searching: first among the newest messages, along the log, then in the index.

The index finds rare words at once. For one that is frequent, or for the beginning of many, it gathers all places
first, which takes tens of milliseconds in a million messages. But then the newest messages hold enough of it; or
there is something rarer beside it, whose few messages are looked into one by one.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from typing import Final

from twocans.protocol.messages import Message
from twocans.storage.base import Page, page_of
from twocans.storage.sqlite.conversation import NEVER
from twocans.storage.sqlite.index import between
from twocans.storage.sqlite.rows import message_of
from twocans.storage.sqlite.transaction import snapshot

LOOK_IDS: Final = 50_000
"""How far along the log is looked at a time: at least once, and until the rest is in the index."""
LOOK_MESSAGES: Final = 500
"""How many messages are looked into at a time."""
LOOK_CANDIDATES: Final = 2000
"""How many messages with one of several words are looked into for the others."""
LOOK_INBOX: Final = 10_000
"""How many messages somebody may have, or two people with each other, for all of them to be looked into."""

_WORD: Final = re.compile(r"[^\W_]+")
# What has not come into the index is split into words in the same way, for one search.
_MAKE_LOOKED: Final = (
    "CREATE VIRTUAL TABLE temp.looked_into USING fts5(text, content='', tokenize='unicode61')"
)
_MOST_PLAIN_WORDS: Final = 4
_LOOK: Final = """
    INSERT INTO temp.looked_into(rowid, text) SELECT id, text FROM message
    WHERE id > :after AND id < :before AND text IS NOT NULL AND {whose} AND {plain}
    ORDER BY id DESC LIMIT :most"""
_CANDIDATES: Final = """
    SELECT count(*), min(rowid) FROM (SELECT rowid FROM message_text
    WHERE message_text MATCH :query AND rowid < :before ORDER BY rowid DESC LIMIT :most)"""
_LOOK_CANDIDATES: Final = """
    INSERT INTO temp.looked_into(rowid, text) SELECT id, text FROM message
    WHERE id IN (SELECT rowid FROM message_text WHERE message_text MATCH :query AND rowid > :after AND rowid < :before)
    AND text IS NOT NULL AND {plain}"""
_ANYBODY: Final = "(sender = :user OR recipient = :user)"
_PEER: Final = "((sender = :user AND recipient = :peer) OR (sender = :peer AND recipient = :user))"
# A text of ASCII alone holds a word of ASCII only if it holds its letters. For others, only their words tell.
_PLAIN: Final = "(length(CAST(text AS BLOB)) > length(text) OR ({words}))"
_FOUND: Final = """
    SELECT said.id, at, sender_name, recipient_name, said.text, cid, file
    FROM {table} found CROSS JOIN said ON said.id = found.rowid
    WHERE {table} MATCH :query AND found.rowid > :after AND found.rowid < :before
    ORDER BY found.rowid DESC LIMIT :limit"""


def search(
    database: sqlite3.Connection,
    user: int,
    query: str,
    *,
    peer: int | None,
    before: int | None,
    limit: int,
    max_bytes: int,
) -> Page:
    """Messages of an account that hold words beginning with all words of `query`, newest first.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    # The index holds letters without their accents; composed, a letter and its accent are one word here too.
    words = _WORD.findall(unicodedata.normalize("NFC", query))
    if not words:
        return Page((), more=False)
    if not database.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = 'looked_into'").fetchone():
        database.execute(_MAKE_LOOKED)
    with snapshot(database):
        found = _found(database, user, words, peer, NEVER if before is None else before, limit + 1)
        return page_of(found, limit, max_bytes)


def _found(
    database: sqlite3.Connection, user: int, words: list[str], peer: int | None, before: int, limit: int
) -> Iterator[Message]:
    # Every word is quoted, so that nothing in it is taken for the query language of FTS5.
    said = " AND ".join(f'text : "{word}" *' for word in words)
    indexed, newest = database.execute(
        "SELECT indexed, coalesce((SELECT max(id) FROM message), 0) FROM log"
    ).fetchone()
    before = min(before, newest + 1)
    looking = before > 1
    while looking:
        after = _look_into(database, user, words, peer, before=before)
        for message in _matches(database, "looked_into", said, after=after, before=before, limit=limit):
            yield message
            limit -= 1
        before = after + 1
        looking = limit > 0 and after > indexed
    if limit <= 0:
        return
    sides = _sides(user, peer)
    rarer = _rarer(database, sides, words, peer, before=before)
    if rarer is not None:
        query, after = rarer
        _look_into_candidates(database, words, query, after=after, before=before)
        for message in _matches(database, "looked_into", said, after=after, before=before, limit=limit):
            yield message
            limit -= 1
        before = after + 1
    if limit > 0 and before > 1:
        yield from _matches(
            database, "message_text", f"{sides} AND {said}", after=0, before=before, limit=limit
        )


def _rarer(
    database: sqlite3.Connection, sides: str, words: list[str], peer: int | None, *, before: int
) -> tuple[str, int] | None:
    """What the index finds few of, and above which id, so that these can be looked into; None if nothing is rare."""
    if _reach(database, sides, before=before, most=LOOK_INBOX) == 0:
        return sides, 0
    if peer is None and len(words) == 1:
        return None
    query = sides if peer is not None else f'{sides} AND text : "{max(words, key=len)}" *'
    return query, _reach(database, query, before=before, most=LOOK_CANDIDATES)


def _look_into(
    database: sqlite3.Connection, user: int, words: list[str], peer: int | None, *, before: int
) -> int:
    """Make words of the newest messages below `before`; above which id it is all of them."""
    after = max(0, before - 1 - LOOK_IDS)
    statement = _LOOK.format(whose=_ANYBODY if peer is None else _PEER, plain=_plain(words))
    values = {"after": after, "before": before, "user": user, "peer": peer, "most": LOOK_MESSAGES}
    if database.execute(statement, values).rowcount == LOOK_MESSAGES:
        (least,) = database.execute("SELECT min(id) FROM temp.looked_into_docsize").fetchone()
        return int(least) - 1
    return after


def _reach(database: sqlite3.Connection, query: str, *, before: int, most: int) -> int:
    """Above which id there are no more than so many that the index finds below `before`; 0 if there are fewer."""
    values = {"query": query, "before": before, "most": most}
    number, least = database.execute(_CANDIDATES, values).fetchone()
    return int(least) - 1 if number == most else 0


def _look_into_candidates(
    database: sqlite3.Connection, words: list[str], query: str, *, after: int, before: int
) -> None:
    """Make words of the messages between the two ids that the index finds."""
    statement = _LOOK_CANDIDATES.format(plain=_plain(words))
    database.execute(statement, {"query": query, "after": after, "before": before})


def _plain(words: list[str]) -> str:
    """What to ask of a text before its words are looked at."""
    plain = [word.lower() for word in words if word.isascii()][:_MOST_PLAIN_WORDS]
    return _PLAIN.format(words=" AND ".join(f"instr(lower(text), '{word}')" for word in plain) or "true")


def _matches(
    database: sqlite3.Connection, table: str, query: str, *, after: int, before: int, limit: int
) -> Iterator[Message]:
    values = {"query": query, "after": after, "before": before, "limit": limit}
    return (message_of(row) for row in database.execute(_FOUND.format(table=table), values))


def _sides(user: int, peer: int | None) -> str:
    if peer is None:
        return f'who : "u{user}"'
    return f'who : ("{between(user, peer)}" OR "{between(peer, user)}")'
