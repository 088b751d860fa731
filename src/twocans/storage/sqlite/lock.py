"""Keeps two servers off one folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from twocans.storage.sqlite.schema import FolderInUse, StorageError

LOCK_FILE: Final = "server.lock"


class FolderLock:
    """A lock on a folder, held until it is released or the process ends in whatever way.

    Args:
        folder: which.

    Raises:
        FolderInUse: another process holds it.
        StorageError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StorageError(
                f"The folder {folder} cannot be written to ({os.strerror(error.errno or 0)}). "
                "Choose another with --data DIR"
            ) from None
        try:
            _lock(self._file)
        except OSError:
            os.close(self._file)
            raise FolderInUse(
                f"Another server is using the folder {folder}. Stop that one, or choose another folder with --data DIR"
            ) from None

    def release(self) -> None:
        """Let others have the folder."""
        os.close(self._file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
