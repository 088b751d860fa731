"""Keeps what a server stores from other users of its computer."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

from twocans.protocol.local_control import CONSOLE_LOG_FILE, RUNNING_FILE, SOCKET_FILE
from twocans.server.identity.certificate import CERTIFICATE_FILE, KEY_FILE
from twocans.server.operator.output import LOG_FILE, SECURITY_FILE
from twocans.storage.contents import FILES_FOLDER
from twocans.storage.sqlite.lock import LOCK_FILE
from twocans.storage.sqlite.schema import DATABASE_FILE, is_full

HISTORY_FILE: Final = "console-history"
"""What has been typed at the console."""
SETTINGS_FILE: Final = "twocans.toml"
"""Settings may hold an invite."""

_OWN: Final = (
    DATABASE_FILE,
    LOG_FILE,
    SECURITY_FILE,
    CONSOLE_LOG_FILE,
    RUNNING_FILE,
    SOCKET_FILE,
    KEY_FILE,
    CERTIFICATE_FILE,
    LOCK_FILE,
    HISTORY_FILE,
    SETTINGS_FILE,
)
_QUOTING: Final = ("SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_RANGE", "SQLITE_MISUSE")
"""Errors of SQLite whose texts are about a statement; those of others are about the disk."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def close_to_others() -> None:
    """Whatever this process makes from now on is for its user alone."""
    os.umask(_OTHERS)


def make_folder(folder: Path) -> None:
    """Make the folder of a server, for its user alone, if it is not there yet.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)


def close_folder(folder: Path) -> bool:
    """Close the folder and the files of a server that others could look into.

    A folder that has other things in it as well may have been open on purpose, and is left so.

    Returns:
        Whether nobody else can look into the folder, as far as can be told.

    Raises:
        OSError: it cannot be looked at or closed.
    """
    if os.name != "posix":
        return True
    for path in list(folder.iterdir()):
        if _is_own(path):
            _close(path)
    if all(_is_own(path) for path in folder.iterdir()):
        _close(folder)
    return not folder.stat().st_mode & _OTHERS


def runs_as_root() -> bool:
    """Whether this process may do anything, which a server has no need of."""
    return os.name == "posix" and os.geteuid() == 0


def _is_own(path: Path) -> bool:
    # What is in a folder that is closed is closed too.
    return path.is_dir() if path.name == FILES_FOLDER else path.name.startswith(_OWN)


def _close(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        path.chmod(mode & ~_OTHERS)


def describe_storage_error(error: Exception, folder: Path | None = None) -> str:
    """Say what failed on the disk, without what SQLite may quote of a statement or a search.

    Args:
        error: what was raised.
        folder: where the database is, if SQLite may have raised it.
    """
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        if folder is not None and is_full(folder / DATABASE_FILE, error):
            return "the disk is full"
        name = getattr(error, "sqlite_errorname", "")
        return str(error) if name and not name.startswith(_QUOTING) else name or type(error).__name__
    return type(error).__name__
