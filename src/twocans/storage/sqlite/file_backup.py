"""The files that a database refers to: whether they are there and what they should be, and copying them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from twocans.common.new_file import new_file
from twocans.storage.contents import FILES_FOLDER, PIECE_BYTES, whole_files
from twocans.storage.sqlite.schema import connect

SUFFIX: Final = ".files"
"""What the folder with the files of a backup is called, after the name of the backup."""

_WANTED: Final = "SELECT hash, size FROM file UNION SELECT hash, size FROM upload"
_STILL: Final = """
    SELECT EXISTS (SELECT 1 FROM file WHERE hash = :hash) OR EXISTS (SELECT 1 FROM upload WHERE hash = :hash)"""


class Found(Struct, frozen=True):
    """How many files are there, and the hashes of those that are missing or not what they should be."""

    number: int
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


class Copied(Struct, frozen=True):
    """How many files have been copied or were there already, their bytes, and how many were not to be had."""

    number: int
    size: int
    missing: int


def look(folder: Path, database: sqlite3.Connection, *, thorough: bool) -> Found:
    """Look for the files that a database refers to.

    Args:
        folder: the server's.
        database: its database; a server may be using both.
        thorough: whether to read them all, and not only to compare their sizes.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    number = 0
    missing: list[str] = []
    damaged: list[str] = []
    for hash_, size in database.execute(_WANTED).fetchall():
        state = _state(_place(folder / FILES_FOLDER, hash_), hash_, size, thorough=thorough)
        if state is True:
            number += 1
        # A server may have deleted it since.
        elif database.execute(_STILL, {"hash": hash_}).fetchone()[0]:
            (missing if state is None else damaged).append(hash_)
    return Found(number, tuple(missing), tuple(damaged))


def copy_files(folder: Path, backup: Path) -> Copied:
    """Put the files that a backup refers to into a folder beside it, as links where that can be.

    Files never change, so those that are there already stay, and a link is as good as a copy. What the backup does
    not refer to is removed from the folder.

    Args:
        folder: the server's.
        backup: the copy of its database.

    Raises:
        StorageError: the copy cannot be read.
        OSError: a file cannot be copied.
    """
    target = backup.with_name(backup.name + SUFFIX)
    number = size = missing = 0
    with contextlib.closing(connect(backup, read_only=True)) as database:
        wanted = dict(database.execute(_WANTED).fetchall()) if _has_files(database) else {}
    if wanted or target.is_dir():
        target.mkdir(mode=0o700, exist_ok=True)
        for path, there in list(whole_files(target)):
            if wanted.get(path.name) != there:
                path.unlink()
    for hash_, length in wanted.items():
        made = _place(target, hash_)
        made.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            if not made.exists():
                _copy(_place(folder / FILES_FOLDER, hash_), made)
        except FileNotFoundError:
            missing += 1
        else:
            number += 1
            size += length
    return Copied(number, size, missing)


def _has_files(database: sqlite3.Connection) -> bool:
    """False for a database of a version before messages could carry files."""
    (tables,) = database.execute(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('file', 'upload')"
    ).fetchone()
    return bool(tables == 2)


def _place(folder: Path, hash_: str) -> Path:
    return folder / hash_[:2] / hash_


def _state(path: Path, hash_: str, size: int, *, thorough: bool) -> bool | None:
    """Whether a file is what it should be; None if it is not there."""
    try:
        if path.stat().st_size != size:
            return False
        return not thorough or _hash(path) == hash_
    except FileNotFoundError:
        return None
    except OSError:
        return False


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        # Another disk, or a file system without links.
        with new_file(target, replace=True) as unfinished:
            shutil.copyfile(source, unfinished)
