"""Carries the write-ahead log over into the database, on a thread of its own, so that no commit waits for it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Final

from twocans.storage.sqlite.schema import BUSY_MS, connect

WAL_BYTES: Final = 4 * 1024 * 1024
"""From which size on the write-ahead log is carried over."""
WAL_MOST_BYTES: Final = 16 * 1024 * 1024
"""From which size on writing waits for what is left of it, so that it starts anew: others write all the time."""
WAIT_MS: Final = 200
"""How long writing waits for that at most, if somebody is reading from the old one."""
CHECK_EVERY: Final = 64
"""After how many commits its size is looked at."""


class Checkpointer:
    """Watches over the size of the write-ahead log.

    Args:
        path: the database's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wal = path.with_name(f"{path.name}-wal")
        self._commits = 0
        self._restart = False
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="storage checkpoints", daemon=True)
        self._thread.start()

    def written(self, database: sqlite3.Connection) -> None:
        """There was a commit by this connection; called on the writer's thread."""
        if self._restart:
            self._restart = False
            # Only between two commits there is a moment in which nothing is left to be carried over.
            with contextlib.suppress(sqlite3.Error):
                database.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            database.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._commits += 1
        if self._commits % CHECK_EVERY == 0 and self._size() > WAL_BYTES:
            self._wanted.set()

    def close(self) -> None:
        """Carry everything over, and end the thread; called when nobody else uses the database any more."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        database = connect(self._path)
        with contextlib.closing(database):
            while True:
                self._wanted.wait()
                self._wanted.clear()
                # A full disk or a busy moment leaves the log as it is: it is complete, and there is a next time.
                with contextlib.suppress(sqlite3.Error):
                    mode = "TRUNCATE" if self._closing else "PASSIVE"
                    database.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
                self._restart = self._size() > WAL_MOST_BYTES
                if self._closing:
                    return

    def _size(self) -> int:
        with contextlib.suppress(OSError):
            return self._wal.stat().st_size
        return 0
