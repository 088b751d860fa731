"""Carries the write-ahead log over into the database, on a thread of its own, so that no commit waits for it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Final

from twocans.storage.sqlite.schema import connect

WAL_BYTES: Final = 4 * 1024 * 1024
"""From which size on the write-ahead log is carried over."""
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
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="storage checkpoints", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """There was a commit; called on the writer's thread."""
        self._commits += 1
        if self._commits % CHECK_EVERY == 0:
            with contextlib.suppress(OSError):
                if self._wal.stat().st_size > WAL_BYTES:
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
                if self._closing:
                    return
