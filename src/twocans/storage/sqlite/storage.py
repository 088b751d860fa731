"""The storage on disk, as the hub knows it: hands writing to one thread and reading to another."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from twocans.protocol.names import UserKey
from twocans.storage.base import AccountRecord, Draft, Failed, OnChats, OnPage, OnStored, Page
from twocans.storage.sqlite import reader, retention, schema
from twocans.storage.sqlite.checkpoint import Checkpointer
from twocans.storage.sqlite.lock import FolderLock
from twocans.storage.sqlite.reader import Reader
from twocans.storage.sqlite.schema import DATABASE_FILE, Durability, StorageError
from twocans.storage.sqlite.writer import Waiting, Writer

MAX_WAITING: Final = 200_000
"""How many messages may wait to be written; more are refused."""


class SqliteStorage:
    """Keeps messages in a folder.

    Args:
        folder: where the database is or is to be; nobody else may have it open.
        durability: what an acknowledged message survives.
        post: runs a callback on the hub's thread, from any thread.
        at_end_of_turn: runs a callback once the hub has done what it is doing.
        on_error: told what went wrong with the disk, on the hub's thread.

    Raises:
        StorageError: the folder or the database cannot be used; the sentence says why.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durability: Durability,
        post: Callable[[Callable[[], None]], object],
        at_end_of_turn: Callable[[Callable[[], None]], object],
        on_error: Callable[[Exception], None],
    ) -> None:
        self.path = folder / DATABASE_FILE
        self._lock = FolderLock(folder)
        try:
            database = schema.open_database(self.path, durability)
        except StorageError:
            self._lock.release()
            raise
        try:
            self._load(database)
            reading = schema.connect(self.path, read_only=True)
        except sqlite3.Error as error:
            database.close()
            self._lock.release()
            raise StorageError(schema.explain(self.path, error)) from None
        self._post = post
        self._on_error = on_error
        self._at_end_of_turn = at_end_of_turn
        self._gathered: list[Waiting] = []
        self._checkpointer = Checkpointer(self.path)
        self._writer = Writer(
            database,
            last_id=self._last_id,
            indexed=self._indexed,
            post=post,
            on_written=self._checkpointer.written,
            on_error=on_error,
        )
        self._reader = Reader(reading, post=post, on_error=on_error)

    @property
    def log(self) -> str:
        """The name of this log."""
        return self._log

    def accounts(self) -> Iterable[AccountRecord]:
        """See `Storage.accounts`."""
        return iter(self._records)

    def add_account(self, key: UserKey, name: str) -> None:
        """See `Storage.add_account`."""
        number = self._number(key)
        self._writer.update(
            "INSERT OR IGNORE INTO account(id, key, name) VALUES (?, ?, ?)", (number, key, name)
        )

    def append(self, draft: Draft, on_stored: OnStored) -> None:
        """See `Storage.append`."""
        if len(self._gathered) + self._writer.waiting >= MAX_WAITING:
            # The disk does not keep up: better an error now than memory without bound.
            on_stored(draft, Failed(full=False))
            return
        if not self._gathered:
            self._at_end_of_turn(self._hand_over)
        self._gathered.append(
            Waiting(draft, self._number(draft.sender), self._number(draft.recipient), on_stored)
        )

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.inbox`."""
        number = self._number(user)
        self._reader.ask(
            lambda db: reader.inbox(db, number, after=after, own=own, limit=limit, max_bytes=max_bytes),
            instead=_UNREADABLE,
            answer=on_page,
        )

    def conversation(
        self, user: UserKey, peer: UserKey, *, before: int | None, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.conversation`."""
        one, other = self._number(user), self._number(peer)
        self._reader.ask(
            lambda db: reader.conversation(db, one, other, before=before, limit=limit, max_bytes=max_bytes),
            instead=_UNREADABLE,
            answer=on_page,
        )

    def search(
        self,
        user: UserKey,
        query: str,
        *,
        peer: UserKey | None,
        before: int | None,
        limit: int,
        max_bytes: int,
        on_page: OnPage,
    ) -> None:
        """See `Storage.search`."""
        number = self._number(user)
        other = None if peer is None else self._number(peer)
        # Messages come into the full-text index a moment after they are stored.
        self._writer.when_indexed(
            lambda: self._reader.ask(
                lambda db: reader.search(
                    db, number, query, peer=other, before=before, limit=limit, max_bytes=max_bytes
                ),
                instead=_UNREADABLE,
                answer=on_page,
            )
        )

    def chats(self, user: UserKey, *, limit: int, on_chats: OnChats) -> None:
        """See `Storage.chats`."""
        number = self._number(user)
        # What has just been read counts, so the marks that are on their way are written first.
        self._writer.run(
            lambda _: self._reader.ask(
                lambda db: reader.chats(db, number, limit=limit), instead=None, answer=on_chats
            )
        )

    def mark_read(self, reader_key: UserKey, peer: UserKey, upto: int) -> None:
        """See `Storage.mark_read`."""
        self._writer.update(
            "UPDATE chat SET read = max(read, ?) WHERE user = ? AND peer = ?",
            (upto, self._number(reader_key), self._number(peer)),
        )

    def mark_delivered(self, user: UserKey, *, delivered: int, handed: int) -> None:
        """See `Storage.mark_delivered`."""
        self._writer.update(
            "UPDATE account SET delivered = max(delivered, ?), handed = max(handed, ?) WHERE id = ?",
            (delivered, handed, self._number(user)),
        )

    def clear_slice(self, before_ms: int, *, on_cleared: Callable[[int], None]) -> None:
        """Take the text from the oldest messages, between two batches of the writer, a slice and no more.

        Args:
            before_ms: messages of this time and later keep their text; Unix milliseconds.
            on_cleared: told how many it was; fewer than `retention.SLICE_MESSAGES` if no more are due, 0 if
                it could not be done now.
        """

        def clear(database: sqlite3.Connection) -> None:
            number = 0
            try:
                number = retention.clear_slice(database, before_ms=before_ms)
            except sqlite3.Error as error:
                failure = error
                self._post(lambda: self._on_error(failure))
            else:
                self._checkpointer.written(database)
            self._post(lambda: on_cleared(number))

        self._writer.run(clear)

    def close(self) -> None:
        """See `Storage.close`."""
        self._hand_over()
        self._writer.close()
        self._reader.close()
        self._checkpointer.close()
        self._lock.release()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._writer.append(gathered)

    def _number(self, key: UserKey) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._next_number
            self._next_number += 1
        return number

    def _load(self, database: sqlite3.Connection) -> None:
        name, indexed, reserved = database.execute("SELECT name, indexed, reserved FROM log").fetchone()
        self._log, self._indexed = str(name), int(indexed)
        (newest,) = database.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()
        self._last_id = max(int(newest), int(reserved))
        self._numbers: dict[UserKey, int] = {}
        self._records: list[AccountRecord] = []
        marks: dict[int, list[tuple[int, int, int, int]]] = {}
        for user, peer, last, inbound, read in database.execute(
            "SELECT user, peer, last, inbound, read FROM chat"
        ):
            marks.setdefault(user, []).append((peer, last, inbound, read))
        rows = database.execute("SELECT id, key, name, delivered, handed FROM account ORDER BY id").fetchall()
        keys = {number: UserKey(key) for number, key, *_ in rows}
        self._next_number = max(keys, default=0) + 1
        for number, key, name, delivered, handed in rows:
            self._numbers[UserKey(key)] = number
            mine = marks.get(number, [])
            self._records.append(
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
                        if inbound > delivered and peer in keys and peer != number
                    },
                )
            )


_UNREADABLE: Final = Page((), more=False, failed=True)
