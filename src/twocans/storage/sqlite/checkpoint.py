"""Copies the write-ahead log into the database, on a thread of its own, so that no commit waits for it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from twocans.storage.sqlite.schema import BUSY_MS, connect

WAL_BYTES: Final = 4 * 1024 * 1024
"""From which size on the write-ahead log is copied."""
WAL_MOST_BYTES: Final = 16 * 1024 * 1024
"""From which size on it is started anew, for which nobody may read: others read and write all the time."""
PAUSE_S: Final = 0.5
"""How long to wait for those who read, and then for the writer; there is a next time."""
RETRY_S: Final = 5.0
"""How long to wait before connecting again, in seconds."""
CHECK_EVERY: Final = 64
"""After how many commits its size is looked at; after each where the disk is short of room."""
SHORT_WAL_BYTES: Final = 256 * 1024
"""From which size on it is copied and started anew where the disk is short of room."""


class Checkpointer:
    """Bounds the size of the write-ahead log.

    A log is started anew when all of it has been copied and nobody reads from it. Readers pause for that, while the
    thread here copies what they have held back. Then there is a moment between two commits with nothing or
    little left to copy; the writer starts the log anew in it, and does not wait if anybody reads after all.

    Args:
        path: the database's.
        between_commits: runs something on the writer's thread, with its connection.
        paused: keeps everybody of this process from reading, and tells if it has succeeded within so many seconds.
        is_short: returns whether the disk is short of room.
        on_error: told if the database cannot be opened, once until it can; on the thread here.
    """

    def __init__(
        self,
        path: Path,
        *,
        between_commits: Callable[[Callable[[sqlite3.Connection], None]], None],
        paused: Callable[[float], AbstractContextManager[bool]],
        is_short: Callable[[], bool],
        on_error: Callable[[Exception], object],
    ) -> None:
        self._path = path
        self._wal = path.with_name(f"{path.name}-wal")
        self._between_commits = between_commits
        self._paused = paused
        self._is_short = is_short
        self._on_error = on_error
        self._commits = 0
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storage checkpoints", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """There was a commit; called on the writer's thread."""
        self._commits += 1
        if self._is_short():
            if self.wal_bytes > SHORT_WAL_BYTES:
                self._wanted.set()
        elif self._commits % CHECK_EVERY == 0 and self.wal_bytes > WAL_BYTES:
            self._wanted.set()

    def close(self) -> None:
        """Copy everything, and end the thread; called when nobody else uses the database any more."""
        self._closing.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        database = self._connect()
        if database is None:
            return
        with contextlib.closing(database):
            while not self._closing.is_set():
                self._wanted.wait()
                self._wanted.clear()
                if not self._closing.is_set():
                    _checkpoint(database, "PASSIVE")
                    if self.wal_bytes > (SHORT_WAL_BYTES if self._is_short() else WAL_MOST_BYTES):
                        self._start_anew(database)
            _checkpoint(database, "TRUNCATE")

    def _connect(self) -> sqlite3.Connection | None:
        """Connect, as soon as that is possible; None if it was not before the end."""
        is_told = False
        while True:
            try:
                return connect(self._path)
            except (OSError, sqlite3.Error) as error:  # no descriptors, for example
                if not is_told:
                    self._on_error(error)
                    is_told = True
            if self._closing.wait(RETRY_S):
                return None

    def _start_anew(self, database: sqlite3.Connection) -> None:
        """Start the log anew, if nobody reads from it."""
        done = threading.Event()

        def truncate(writing: sqlite3.Connection) -> None:
            with contextlib.suppress(sqlite3.Error):
                writing.execute("PRAGMA busy_timeout = 0")
            _checkpoint(writing, "TRUNCATE")
            with contextlib.suppress(sqlite3.Error):
                writing.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            done.set()

        with self._paused(PAUSE_S) as nobody_reads:
            if nobody_reads:
                _checkpoint(database, "PASSIVE")
                self._between_commits(truncate)
                done.wait(PAUSE_S)

    @property
    def wal_bytes(self) -> int:
        """The size of the write-ahead log, which the database may still grow by; in bytes."""
        with contextlib.suppress(OSError):
            return self._wal.stat().st_size
        return 0


def _checkpoint(database: sqlite3.Connection, mode: str) -> None:
    # A full disk or a busy moment leaves the log as it is: it is complete, and there is a next time.
    with contextlib.suppress(sqlite3.Error):
        database.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
