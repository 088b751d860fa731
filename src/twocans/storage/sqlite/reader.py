"""The thread that reads: pages of conversations, inboxes and searches, from a snapshot of its own."""

from __future__ import annotations

import queue
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from twocans.protocol.messages import Chat, Message
from twocans.storage.base import Page, page_of

_T = TypeVar("_T")
_WORD: Final = re.compile(r"[^\W_]+")

_CONVERSATION: Final = """
    SELECT id, at, sender_name, recipient_name, text, cid FROM said
    WHERE min(sender, recipient) = ? AND max(sender, recipient) = ? AND id < ?
    AND id > (SELECT cleared FROM log) ORDER BY id DESC LIMIT ?"""
# Ids are in the order of the log, so what came after one is read in one go along it.
_INBOX: Final = """
    SELECT id, at, sender_name, recipient_name, text, cid FROM said
    WHERE id > max(:after, (SELECT cleared FROM log)) AND (recipient = :user OR (:own AND sender = :user))
    ORDER BY id LIMIT :limit"""
_SEARCH: Final = """
    SELECT id, at, sender_name, recipient_name, said.text, cid
    FROM message_text JOIN said ON said.id = message_text.rowid
    WHERE message_text MATCH :query AND message_text.rowid < :before
    AND (:peer IS NULL OR :peer = CASE sender WHEN :user THEN recipient ELSE sender END)
    ORDER BY message_text.rowid DESC LIMIT :limit"""
_CHATS: Final = """
    SELECT p.name, m.id, m.at, m.sender_name, m.recipient_name, m.text, m.cid,
      (SELECT count(*) FROM message u WHERE c.user <> c.peer
       AND min(u.sender, u.recipient) = min(c.user, c.peer) AND max(u.sender, u.recipient) = max(c.user, c.peer)
       AND u.id > max(c.read, (SELECT cleared FROM log)) AND u.recipient = c.user AND u.text IS NOT NULL)
    FROM chat c JOIN account p ON p.id = c.peer JOIN said m ON m.id =
      (SELECT n.id FROM message n
       WHERE min(n.sender, n.recipient) = min(c.user, c.peer)
       AND max(n.sender, n.recipient) = max(c.user, c.peer)
       AND n.id > (SELECT cleared FROM log) AND n.text IS NOT NULL ORDER BY n.id DESC LIMIT 1)
    WHERE c.user = ? ORDER BY m.id DESC LIMIT ?"""
_NEVER: Final = 2**63 - 1


class Reader:
    """Owns the reading connection and its thread; what is asked for is answered in the order of asking.

    Args:
        database: the connection; nobody else uses it after this.
        post: runs a callback on the hub's thread.
        on_error: told what could not be read; on the hub's thread.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        *,
        post: Callable[[Callable[[], None]], object],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._database = database
        self._post = post
        self._on_error = on_error
        self._questions: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="storage reader", daemon=True)
        self._thread.start()

    def ask(
        self, question: Callable[[sqlite3.Connection], _T], *, instead: _T, answer: Callable[[_T], None]
    ) -> None:
        """Answer a question on the hub's thread, with `instead` if the database cannot.

        May be called on any thread.
        """

        def find() -> None:
            try:
                found = question(self._database)
            except Exception as error:  # noqa: BLE001 - the root of a thread that others wait for: it goes on
                found = instead
                failure = error
                self._post(lambda: self._on_error(failure))
            self._post(lambda: answer(found))

        self._questions.put(find)

    def close(self) -> None:
        """Answer what has been asked, and end the thread."""
        self._questions.put(None)
        self._thread.join()
        self._database.close()

    def _run(self) -> None:
        while (find := self._questions.get()) is not None:
            find()


def conversation(
    database: sqlite3.Connection, user: int, peer: int, *, before: int | None, limit: int, max_bytes: int
) -> Page:
    """The newest messages between two accounts with ids below `before`, oldest first."""
    pair = (min(user, peer), max(user, peer))
    rows = database.execute(_CONVERSATION, (*pair, _NEVER if before is None else before, limit + 1))
    page = page_of(_messages(rows), limit, max_bytes)
    return Page(page.messages[::-1], page.more)


def inbox(
    database: sqlite3.Connection, user: int, *, after: int, own: bool, limit: int, max_bytes: int
) -> Page:
    """Messages of an account's inbox with ids above `after`, oldest first."""
    rows = database.execute(_INBOX, {"user": user, "after": after, "own": own, "limit": limit + 1})
    return page_of(_messages(rows), limit, max_bytes)


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
    """Messages of an account that hold words beginning with all words of `query`, newest first."""
    # The index holds letters without their accents; composed, a letter and its accent are one word here too.
    words = _WORD.findall(unicodedata.normalize("NFC", query))
    if not words:
        return Page((), more=False)
    # Every word is quoted, so that nothing in it is taken for the query language of FTS5.
    match = " AND ".join([f'who : "u{user}"', *(f'text : "{word}" *' for word in words)])
    values = {
        "query": match,
        "user": user,
        "peer": peer,
        "before": _NEVER if before is None else before,
        "limit": limit + 1,
    }
    return page_of(_messages(database.execute(_SEARCH, values)), limit, max_bytes)


def chats(database: sqlite3.Connection, user: int, *, limit: int) -> tuple[Chat, ...]:
    """The conversations of an account, latest first."""
    return tuple(
        Chat(peer=peer, last=Message(*row), unread=unread)
        for peer, *row, unread in database.execute(_CHATS, (user, limit))
    )


def _messages(rows: Iterable[tuple[Any, ...]]) -> Iterator[Message]:
    return (Message(*row) for row in rows)
