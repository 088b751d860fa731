"""A copy of the database while a server uses it: one file that holds everything up to one moment."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from pathlib import Path
from typing import Final

from twocans.common.new_file import new_file
from twocans.storage.sqlite.lock import LOCK_FILE
from twocans.storage.sqlite.schema import DATABASE_FILE, StorageError, connect, explain, is_full, open_to_read

SLICE_PAGES: Final = 1024
"""How many pages are copied at a time."""
_LIVE_FILES: Final = frozenset({DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", LOCK_FILE})


def back_up(folder: Path, to: Path, *, replace: bool) -> int:
    """Copy the database of a folder into a file of its own, check the copy, and give it its name.

    A database of an earlier version stays of that version.

    Args:
        folder: the server's.
        to: the file to be made.
        replace: whether a file that has the name already gives way.

    Returns:
        The size of the copy, in bytes.

    Raises:
        StorageError: there is nothing to copy, or it cannot be read, or the copy is not whole.
        NewFileError: the file cannot be made.
    """
    if to.absolute().parent.resolve() == folder.resolve() and to.name in _LIVE_FILES:
        raise StorageError(f"{to} is what the server itself uses. Choose another name for the backup")
    source_path = folder / DATABASE_FILE
    with (
        contextlib.closing(open_to_read(source_path, older=True)) as source,
        new_file(to, replace=replace) as unfinished,
    ):
        try:
            with contextlib.closing(connect(unfinished)) as target:
                _copy(source, target)
                found = [str(line) for (line,) in target.execute("PRAGMA quick_check(1)")]
        except sqlite3.Error as error:
            raise StorageError(_not_copied(source_path, to, error)) from None
        if found != ["ok"]:
            raise StorageError(
                f"{source_path} is damaged, so no backup was made ({found[0]}). Keep the backups that you have"
            )
        return unfinished.stat().st_size


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    # Within a transaction the source stands still, however much is written meanwhile: without it,
    # every change would make the copy start again from its beginning.
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM log").fetchone()
    source.backup(target, pages=SLICE_PAGES)
    source.execute("ROLLBACK")
    # The copy is to be one file; the server that it is given to makes the write-ahead log anew.
    target.execute("PRAGMA journal_mode = DELETE").fetchone()
    # A server that is given the copy gives ids again that clients have seen for other messages. Under another
    # name of the log their cursors mean nothing, so they start afresh and miss none of the new ones.
    target.execute("UPDATE log SET name = ?", (uuid.uuid4().hex,))


def _not_copied(source: Path, to: Path, error: sqlite3.Error) -> str:
    if is_full(to, error):
        return f"The disk with {to} is full, so no backup was made. Make room, or choose another place"
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return f"{to} could not be written ({error}), so no backup was made. Choose another place"
        case _:
            return explain(source, error)
