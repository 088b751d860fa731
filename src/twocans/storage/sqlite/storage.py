"""The storage on disk, as the hub knows it: one thread writes, others read."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from twocans.protocol.names import UserKey
from twocans.storage.base import AccountRecord, Batch, Failed, OnChats, OnCounts, OnPage, OnStored, Page
from twocans.storage.clock import ClockRecord
from twocans.storage.contents import Contents
from twocans.storage.disk_space import Room, room_left
from twocans.storage.sqlite import index, retention, schema
from twocans.storage.sqlite.accounts import CountQuestion, load
from twocans.storage.sqlite.chats import ChatsQuestion
from twocans.storage.sqlite.checkpoint import Checkpointer
from twocans.storage.sqlite.conversation import ConversationQuestion
from twocans.storage.sqlite.files import SqliteFiles
from twocans.storage.sqlite.identities import SqliteIdentities
from twocans.storage.sqlite.inbox import InboxQuestion
from twocans.storage.sqlite.lock import FolderLock
from twocans.storage.sqlite.readers import NOBODY, READERS, Readers
from twocans.storage.sqlite.schema import DATABASE_FILE, Durability, StorageError
from twocans.storage.sqlite.search import SearchQuestion
from twocans.storage.sqlite.writer import Waiting, Writer

MAX_WAITING: Final = 200_000
"""How many messages may wait to be written; more are refused."""
MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""How much room the texts of those may take; with more of it, messages are refused too."""


class SqliteStorage:
    """Keeps messages in a folder.

    Args:
        folder: where the database is or is to be; nobody else may have it open.
        durability: what an acknowledged message survives.
        post: runs a callback on the hub's thread, from any thread.
        at_end_of_turn: runs a callback once the hub has done what it is doing.
        on_error: told what went wrong with the disk, on the hub's thread.
        on_upgraded: told the version that the database was of, if that was an earlier one.
        contents: where the files are that messages carry; None if none are taken.

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
        on_upgraded: Callable[[int], object] = lambda _: None,
        contents: Contents | None = None,
    ) -> None:
        self.path = folder / DATABASE_FILE
        self._post = post
        self._on_error = on_error
        self._at_end_of_turn = at_end_of_turn
        self._gathered: list[Waiting] = []
        self._gathered_messages = 0
        self._gathered_bytes = 0
        self._refused_bytes = 0
        self._looked_upto = 0
        with contextlib.ExitStack() as undo:
            self._lock = FolderLock(folder)
            undo.callback(self._lock.release)
            database = undo.enter_context(
                contextlib.closing(schema.open_database(self.path, durability, on_upgraded))
            )
            try:
                self._load(database)
                self.identities = SqliteIdentities(
                    database,
                    run=lambda change: self._writer.run(change),
                    number=self._number,
                    post=post,
                    on_error=on_error,
                )
                """What is kept of names and bans."""
                self.files = None
                """What is kept of files, if any are taken."""
                if contents is not None:
                    self.files = SqliteFiles(
                        database,
                        contents,
                        run=lambda job: self._writer.run(job),
                        readers=lambda: self._readers,
                        number=self._number,
                        post=post,
                        on_error=on_error,
                    )
                reading = [
                    undo.enter_context(contextlib.closing(schema.connect(self.path, read_only=True)))
                    for _ in range(READERS)
                ]
                self._checkpointer = Checkpointer(
                    self.path,
                    between_commits=lambda job: self._writer.run(job),
                    paused=lambda within_s: self._readers.paused(within_s),
                    is_short=lambda: self._writer.is_short,
                    on_error=lambda error: post(lambda: on_error(error)),
                )
                undo.callback(self._checkpointer.close)
                self._writer = Writer(
                    database,
                    last_id=self._last_id,
                    numbers=self._numbers,
                    room=lambda: room_left(folder).less(self._checkpointer.wal_bytes),
                    is_full=lambda error: schema.is_full(self.path, error),
                    post=post,
                    on_written=self._checkpointer.written,
                    on_error=on_error,
                )
            except sqlite3.Error as error:
                raise StorageError(schema.explain(self.path, error)) from None
            except OSError as error:
                raise StorageError(
                    f"The files in {folder} cannot be looked through ({os.strerror(error.errno or 0)}). "
                    "Choose another folder with --data DIR"
                ) from None
            self._readers = Readers(reading, post=post, on_error=on_error)
            undo.pop_all()

    @property
    def log(self) -> str:
        """The name of this log."""
        return self._log

    @property
    def room(self) -> Room:
        """See `Storage.room`."""
        room = self._writer.room
        return room._replace(processed=room.processed + self._refused_bytes)

    def accounts(self) -> Iterable[AccountRecord]:
        """See `Storage.accounts`."""
        return iter(self._records)

    def add_account(self, key: UserKey, name: str) -> None:
        """See `Storage.add_account`."""
        number = self._number(key)
        self._writer.update(
            "INSERT OR IGNORE INTO account(id, key, name) VALUES (?, ?, ?)", (number, key, name)
        )

    def new_ids(self, count: int) -> int:
        """See `Storage.new_ids`."""
        first = self._last_id + 1
        self._last_id += count
        return first

    def append(self, batch: Batch, on_stored: OnStored) -> None:
        """See `Storage.append`."""
        writer = self._writer
        if (
            self._gathered_messages + writer.waiting >= MAX_WAITING
            or self._gathered_bytes + writer.waiting_bytes >= MAX_WAITING_BYTES
        ):
            # The disk does not keep up: better an error now than memory without bound.
            if not batch.repeats_only:
                self._refused_bytes += batch.text_bytes
            on_stored(batch, dict.fromkeys(range(len(batch.messages)), Failed(full=False)))
            return
        if not self._gathered:
            self._at_end_of_turn(self._hand_over)
        self._gathered.append(Waiting(batch, on_stored))
        self._gathered_messages += len(batch.messages)
        self._gathered_bytes += batch.text_bytes

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.inbox`."""
        number = self._number(user)
        question = InboxQuestion(number, after=after, own=own, limit=limit, max_bytes=max_bytes)
        self._readers.ask(question, person=number, instead=_UNREADABLE, answer=on_page)

    def conversation(
        self, user: UserKey, peer: UserKey, *, before: int | None, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.conversation`."""
        one, other = self._number(user), self._number(peer)
        question = ConversationQuestion(one, other, before=before, limit=limit, max_bytes=max_bytes)
        self._readers.ask(question, person=one, instead=_UNREADABLE, answer=on_page)

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
        question = SearchQuestion(number, query, peer=other, before=before, limit=limit, max_bytes=max_bytes)
        self._readers.ask(question, person=number, instead=_UNREADABLE, answer=on_page)

    def chats(self, user: UserKey, *, limit: int, on_chats: OnChats) -> None:
        """See `Storage.chats`."""
        number = self._number(user)
        question = ChatsQuestion(number, limit=limit)
        # What has just been read counts, so the marks that are on their way are written first.
        self._writer.run(lambda _: self._readers.ask(question, person=number, instead=None, answer=on_chats))

    def count_stored(self, upto: int, on_counts: OnCounts) -> None:
        """See `Storage.count_stored`."""
        self._readers.ask(CountQuestion(upto), person=NOBODY, instead=None, answer=on_counts)

    def mark_read(self, reader_key: UserKey, peer: UserKey, upto: int) -> None:
        """See `Storage.mark_read`."""
        self._writer.update(
            # The index may not have come to this conversation yet.
            "INSERT INTO chat(user, peer, last, inbound, read) VALUES (?, ?, 0, 0, ?)"
            " ON CONFLICT(user, peer) DO UPDATE SET read = max(read, excluded.read)",
            (self._number(reader_key), self._number(peer), upto),
        )

    def mark_delivered(self, user: UserKey, *, delivered: int, handed: int) -> None:
        """See `Storage.mark_delivered`."""
        self._writer.update(
            "UPDATE account SET delivered = max(delivered, ?), handed = max(handed, ?) WHERE id = ?",
            (delivered, handed, self._number(user)),
        )

    def keep_clock(self, clock: ClockRecord) -> None:
        """Store when old messages were last looked for, and if the clock was doubted."""
        self.clock = clock
        self._writer.update("UPDATE log SET seen_ms = ?, doubted_ms = ?", (clock.seen_ms, clock.doubted_ms))

    def clear_slice(self, before_ms: int, *, on_cleared: Callable[[int], None]) -> None:
        """Take the text from the next old messages of a round, between the commits of the writer.

        Args:
            before_ms: messages of this time and later keep their text; Unix milliseconds.
            on_cleared: told how many it was: `retention.SLICE_MESSAGES` at most, and 0 if no more are due, or
                if it could not be done now. Then the next slice begins the next round.
        """

        def clear(database: sqlite3.Connection) -> None:
            try:
                done = retention.clear_slice(database, after=self._looked_upto, before_ms=before_ms)
            except sqlite3.Error as error:
                failure = error
                self._post(lambda: self._on_error(failure))
                done = retention.Slice(cleared=0, upto=None)
            if done.cleared:
                self._checkpointer.written()
            if done.freed and self.files is not None:
                try:
                    self.files.release(database, done.freed)
                except (sqlite3.Error, OSError) as error:
                    unreleased = error
                    self._post(lambda: self._on_error(unreleased))
            self._looked_upto = done.upto or 0
            if done.cleared or done.upto is None:
                self._post(lambda: on_cleared(done.cleared))
            else:
                # Others first: there may be much to look through.
                self._writer.run(clear)

        self._writer.run(clear)

    def close(self) -> None:
        """See `Storage.close`."""
        self._hand_over()
        self._writer.close()
        self._readers.close()
        self._checkpointer.close()
        self._lock.release()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._gathered_messages = 0
        self._gathered_bytes = 0
        if gathered:
            self._writer.append(gathered)

    def _number(self, key: UserKey) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._next_number
            self._next_number += 1
        return number

    def _load(self, database: sqlite3.Connection) -> None:
        # A disk that is full now need not be so for long; until then everything is found along the log.
        with contextlib.suppress(sqlite3.OperationalError):
            index.catch_up(database)
        name, seen_ms, doubted_ms, *ids = database.execute(
            "SELECT name, seen_ms, doubted_ms, indexed, reserved, coalesce((SELECT max(id) FROM message), 0) FROM log"
        ).fetchone()
        newest = database.execute("SELECT at FROM message ORDER BY id DESC LIMIT 1").fetchone()
        self.clock = ClockRecord(seen_ms or (newest[0] if newest else 0), doubted_ms)
        """When old messages were last looked for; before the first time, when the newest message was sent."""
        self._log, self._last_id = str(name), max(map(int, ids))
        self._numbers, self._records = load(database)
        self._next_number = max(self._numbers.values(), default=0) + 1


_UNREADABLE: Final = Page((), more=False, failed=True)
