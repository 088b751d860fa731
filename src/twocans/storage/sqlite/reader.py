"""The thread that reads, with a connection of its own, and what it reads most: inboxes."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from twocans.storage.base import Page, page_of
from twocans.storage.sqlite.rows import message_of

_T = TypeVar("_T")

# Ids are in the order of the log, so what came after one is read in one go along it.
_INBOX: Final = """
    SELECT said.id, at, sender_name, recipient_name, said.text, cid, file FROM said
    WHERE id > max(:after, (SELECT cleared FROM log)) AND (recipient = :user OR (:own AND sender = :user))
    ORDER BY id LIMIT :limit"""


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


def inbox(
    database: sqlite3.Connection, user: int, *, after: int, own: bool, limit: int, max_bytes: int
) -> Page:
    """Messages of an account's inbox with ids above `after`, oldest first."""
    rows = database.execute(_INBOX, {"user": user, "after": after, "own": own, "limit": limit + 1})
    return page_of((message_of(row) for row in rows), limit, max_bytes)
