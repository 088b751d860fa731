"""Somebody's conversations: with whom, the last message of each, and how many are unread."""

from __future__ import annotations

import sqlite3
from typing import Final

from msgspec import Struct

from twocans.protocol.messages import Chat, Message
from twocans.storage.sqlite.conversation import newest
from twocans.storage.sqlite.index import between
from twocans.storage.sqlite.transaction import snapshot

# What the index has not come to is found along the log.
_CHATS: Final = """
    WITH recent AS (
        SELECT iif(sender = :user, recipient, sender) AS peer, max(id) AS last,
            count(*) FILTER (WHERE sender <> :user AND id > coalesce(
                (SELECT read FROM chat WHERE user = :user AND peer = message.sender), 0)) AS unread
        FROM message WHERE id > (SELECT indexed FROM log) AND (sender = :user OR recipient = :user)
            AND text IS NOT NULL GROUP BY 1)
    SELECT peer, max(last) AS last, sum(unread), max(inbound), max(read) FROM (
        SELECT peer, last, inbound, read, 0 AS unread FROM chat WHERE user = :user
        UNION ALL SELECT peer, last, 0, 0, unread FROM recent)
    GROUP BY peer HAVING max(last) > 0 ORDER BY last DESC"""
_UNREAD: Final = "SELECT count(*) FROM message_text WHERE message_text MATCH ? AND rowid > ?"
_NAME: Final = "SELECT name FROM account WHERE id = ?"


class _Found(Struct, frozen=True):
    """A conversation, the newest message that is left of it, and what is known of the unread."""

    peer: int
    last: Message
    unread: int
    inbound: int
    read: int


def chats(database: sqlite3.Connection, user: int, *, limit: int) -> tuple[Chat, ...]:
    """The conversations of an account, latest first.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    with snapshot(database):
        return tuple(_chat(database, user, found) for found in _latest(database, user, limit))


def _latest(database: sqlite3.Connection, user: int, limit: int) -> list[_Found]:
    """The latest; the last message of a conversation may be gone, and then an older one tells when it was."""
    latest: list[_Found] = []
    for peer, last, unread, inbound, read in database.execute(_CHATS, {"user": user}):
        if len(latest) >= limit and min(found.last.id for found in latest[:limit]) > last:
            break
        message = newest(database, user, peer, upto=last)
        if message is not None:
            latest.append(_Found(peer, message, unread, inbound, read))
            latest.sort(key=lambda found: -found.last.id)
    return latest[:limit]


def _chat(database: sqlite3.Connection, user: int, found: _Found) -> Chat:
    (name,) = database.execute(_NAME, (found.peer,)).fetchone()
    unread = found.unread
    if found.inbound > found.read and found.peer != user:
        sides = f'who : "{between(found.peer, user)}"'
        (indexed,) = database.execute(_UNREAD, (sides, found.read)).fetchone()
        unread += indexed
    return Chat(peer=name, last=found.last, unread=unread, read=found.read)
