"""Which files messages carry and who has brought which, in the database of the messages; the bytes are `contents`'.

All of it happens on the thread that writes, so that no file is deleted while somebody is about to send it. A file
goes only when it is committed that nobody refers to it; what a crash leaves over is found at the next start.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from twocans.protocol.messages import FileRef
from twocans.protocol.names import UserKey
from twocans.storage.contents import Contents, Incoming
from twocans.storage.files import FRESH_MS, TICKET_S, Carried, OnCarried, OnOffset, Unkept
from twocans.storage.sqlite.readers import Readers
from twocans.storage.sqlite.transaction import transaction

MAX_PARTS: Final = 16
"""How many files of one person may be on their way at once."""
SHARE: Final = 0.5
"""How much of the room one person may take."""
COUNT_EVERY_S: Final = 60.0
"""How often the files of one person are counted anew at most: that takes a look at each of their messages with one."""
MAX_SHARES: Final = 10_000
"""For how many people such counts are remembered."""
CARRY: Final = "INSERT INTO file(message, sender, recipient, hash, size) VALUES (?, ?, ?, ?, ?)"

_EMPTY: Final = hashlib.sha256().hexdigest()
_HAS: Final = """
    SELECT EXISTS (SELECT 1 FROM upload WHERE account = :account AND hash = :hash AND size = :size)
    OR EXISTS (SELECT 1 FROM file WHERE sender = :account AND hash = :hash AND size = :size)
    OR EXISTS (SELECT 1 FROM file WHERE recipient = :account AND hash = :hash AND size = :size)"""
_BROUGHT: Final = """
    SELECT coalesce(sum(max(1, (size + :block - 1) / :block) * :block), 0) FROM (
        SELECT hash, size FROM file WHERE sender = :account
        UNION SELECT hash, size FROM upload WHERE account = :account)"""
_KEEP: Final = (
    "INSERT INTO upload(account, hash, size, at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT(account, hash) DO UPDATE SET size = excluded.size, at = excluded.at"
)
_FORGET: Final = "DELETE FROM upload WHERE account = ? AND hash = ?"
_CARRIED: Final = """
    SELECT hash, size, text FROM file JOIN said ON said.id = file.message
    WHERE message = :id AND (said.sender = :user OR said.recipient = :user)"""
_STALE: Final = "SELECT hash FROM upload WHERE at < ?"
_DROP_STALE: Final = "DELETE FROM upload WHERE at < ?"
_WANTED: Final = """
    SELECT EXISTS (SELECT 1 FROM file WHERE hash = :hash) OR EXISTS (SELECT 1 FROM upload WHERE hash = :hash)"""
_ALL_WANTED: Final = "SELECT hash FROM file UNION SELECT hash FROM upload"

_T = TypeVar("_T")


class SqliteFiles:
    """See `FileKeeper`.

    Args:
        database: read from and swept at once, and not later.
        contents: where the bytes are.
        run: runs something on the writer's thread, between two commits.
        readers: gives what answers questions.
        number: the number of the account with a key; made up if need be.
        post: runs a callback on the hub's thread.
        on_error: told what could not be done; on the hub's thread.

    Raises:
        sqlite3.Error: the database cannot be read.
        OSError: what nobody wants any more cannot be deleted.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        contents: Contents,
        *,
        run: Callable[[Callable[[sqlite3.Connection], None]], None],
        readers: Callable[[], Readers],
        number: Callable[[UserKey], int],
        post: Callable[[Callable[[], None]], object],
        on_error: Callable[[Exception], None],
    ) -> None:
        self.contents = contents
        self._run = run
        self._readers = readers
        self._number = number
        self._post = post
        self._on_error = on_error
        (secret,) = database.execute("SELECT secret FROM log").fetchone()
        self._secret = bytes(secret)
        self._shares: dict[int, tuple[float, int]] = {}
        """When the files of an account were last counted, and how many bytes of the disk they take."""
        contents.drop_stale(_now_ms() / 1000 - FRESH_MS / 1000)
        with transaction(database):
            database.execute(_DROP_STALE, (_now_ms() - FRESH_MS,))
        wanted = {hash_ for (hash_,) in database.execute(_ALL_WANTED)}
        for hash_ in contents.hashes():
            if hash_ not in wanted:
                contents.remove(hash_)

    @property
    def secret(self) -> bytes:
        """See `FileKeeper.secret`."""
        return self._secret

    @property
    def totals(self) -> tuple[int, int]:
        """See `FileKeeper.totals`."""
        return self.contents.number, self.contents.used

    def incoming(self, user: UserKey, file: FileRef) -> Incoming:
        """A file that somebody brings."""
        return Incoming(self._number(user), file)

    def offset(self, user: UserKey, file: FileRef, on_offset: OnOffset) -> None:
        """See `FileKeeper.offset`."""
        incoming = self.incoming(user, file)
        unreadable: int | Unkept = Unkept.UNREADABLE
        self._do(lambda database: self._offset(database, incoming), unreadable, on_offset)

    def carried(self, user: UserKey, id_: int, on_carried: OnCarried) -> None:
        """See `FileKeeper.carried`."""
        values = {"id": id_, "user": self._number(user)}

        def look(database: sqlite3.Connection, *, late: bool) -> Carried | Unkept:  # noqa: ARG001 - it is one step
            row = database.execute(_CARRIED, values).fetchone()
            if row is None:
                return Unkept.NONE
            hash_, size, name = row
            return Carried(FileRef(hash_, size), name)

        unreadable: Carried | Unkept = Unkept.UNREADABLE
        self._readers().ask(look, person=values["user"], instead=unreadable, answer=on_carried)

    def keep(self, incoming: Incoming, on_kept: Callable[[bool], None]) -> None:
        """A file has come and is what it was said to be: its account may send it from now on, once this is told."""

        def keep(database: sqlite3.Connection) -> bool:
            self._keep(database, incoming)
            return True

        self._do(keep, instead=False, answer=on_kept)

    def sweep(self, on_swept: Callable[[int], None]) -> None:
        """Delete what has been brought and not sent for a day, and what is coming and gets no further; how many."""

        def sweep(database: sqlite3.Connection) -> int:
            before_ms = _now_ms() - FRESH_MS
            stale = [hash_ for (hash_,) in database.execute(_STALE, (before_ms,))]
            if stale:
                with transaction(database):
                    database.execute(_DROP_STALE, (before_ms,))
            return self.release(database, stale) + self.contents.drop_stale(before_ms / 1000)

        self._do(sweep, instead=0, answer=on_swept)

    # --- on the writer's thread --------------------------------------------------------------------------

    def release(self, database: sqlite3.Connection, hashes: Iterable[str]) -> int:
        """Delete those of the files to which nothing that is committed refers any more; how many.

        Raises:
            sqlite3.Error: the database cannot be read.
            OSError: a file cannot be deleted; it will be at the next start.
        """
        removed = 0
        for hash_ in set(hashes):
            (wanted,) = database.execute(_WANTED, {"hash": hash_}).fetchone()
            if not wanted:
                self.contents.remove(hash_)
                removed += 1
        return removed

    def _offset(self, database: sqlite3.Connection, incoming: Incoming) -> int | Unkept:
        file = incoming.file
        if self.contents.has(file) and has(database, incoming.account, file):
            database.execute(_KEEP, (incoming.account, file.hash, file.size, _now_ms()))
            return file.size
        uploads, uploading = self.contents.uploads_of(incoming.account, besides=incoming)
        if uploads >= MAX_PARTS:
            return Unkept.TOO_MANY
        come, capacity = self.contents.come(incoming), self.contents.capacity()
        brought = self._brought_by(database, incoming.account)
        size, taken = self.contents.on_disk(file.size), self.contents.on_disk(come) if come else 0
        if brought + uploading + size > capacity * SHARE:
            return Unkept.SHARE_FULL
        if self.contents.used + self.contents.awaited(besides=incoming) + size - taken > capacity:
            return Unkept.FULL
        self.contents.reserve(incoming, valid_s=TICKET_S)
        if file.size == 0 and file.hash == _EMPTY:
            # There is nothing to bring.
            self.contents.open_part(incoming).close()
            self._keep(database, incoming)
        return come

    def _brought_by(self, database: sqlite3.Connection, account: int) -> int:
        """Return how many bytes of the disk an account's files take; what is removed may count for a minute."""
        now = time.monotonic()
        counted_at, brought = self._shares.get(account, (-math.inf, 0))
        if now - counted_at >= COUNT_EVERY_S:
            if len(self._shares) >= MAX_SHARES:
                self._shares.clear()
            values = {"account": account, "block": self.contents.block_bytes}
            (brought,) = database.execute(_BROUGHT, values).fetchone()
            self._shares[account] = now, brought
        return brought

    def _keep(self, database: sqlite3.Connection, incoming: Incoming) -> None:
        file = incoming.file
        if incoming.account in self._shares and not has(database, incoming.account, file):
            counted_at, brought = self._shares[incoming.account]
            self._shares[incoming.account] = counted_at, brought + self.contents.on_disk(file.size)
        database.execute(_KEEP, (incoming.account, file.hash, file.size, _now_ms()))
        try:
            self.contents.keep(incoming)
        except OSError:
            database.execute(_FORGET, (incoming.account, file.hash))
            raise

    def _do(self, job: Callable[[sqlite3.Connection], _T], instead: _T, answer: Callable[[_T], None]) -> None:
        """Do something on the writer's thread, and tell the hub's what it gave, or `instead` if it failed."""

        def work(database: sqlite3.Connection) -> None:
            try:
                result = job(database)
            except (sqlite3.Error, OSError) as error:
                failure, result = error, instead
                self._post(lambda: self._on_error(failure))
            self._post(lambda: answer(result))

        self._run(work)


def has(database: sqlite3.Connection, account: int, file: FileRef) -> bool:
    """Whether somebody has brought a file, or has it in a message.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    values = {"account": account, "hash": file.hash, "size": file.size}
    return bool(database.execute(_HAS, values).fetchone()[0])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
