"""The tables, how they came about, and opening a database of which nothing is known yet."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from twocans.storage import disk_space

APPLICATION_ID: Final = 0x2CA25050
"""Marks a file as ours (https://www.sqlite.org/pragma.html#pragma_application_id)."""
BUSY_MS: Final = 5000
SECRET_BYTES: Final = 32
"""How long the secret is that signs tickets."""
DATABASE_FILE: Final = "messages.db"
"""What the database is called in the server's folder."""

_FIRST: Final = (
    "CREATE TABLE migration(version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    "CREATE TABLE log(name TEXT NOT NULL, indexed INTEGER NOT NULL) STRICT",
    """CREATE TABLE account(
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        delivered INTEGER NOT NULL DEFAULT 0, handed INTEGER NOT NULL DEFAULT 0) STRICT""",
    # A message whose time is over keeps its row without its text: its cid stays used.
    """CREATE TABLE message(
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, sender INTEGER NOT NULL, recipient INTEGER NOT NULL,
        cid TEXT NOT NULL, text TEXT) STRICT""",
    "CREATE UNIQUE INDEX message_cid ON message(sender, cid)",
    "CREATE INDEX message_pair ON message(min(sender, recipient), max(sender, recipient), id)",
    """CREATE VIEW said AS
        SELECT m.id, m.at, m.sender, m.recipient, s.name AS sender_name, r.name AS recipient_name, m.text, m.cid
        FROM message m JOIN account s ON s.id = m.sender JOIN account r ON r.id = m.recipient
        WHERE m.text IS NOT NULL""",
    # One row for each side of a conversation. `inbound` is the newest message that `peer` sent.
    """CREATE TABLE chat(
        user INTEGER NOT NULL, peer INTEGER NOT NULL, last INTEGER NOT NULL, inbound INTEGER NOT NULL,
        read INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(user, peer)) STRICT, WITHOUT ROWID""",
    # `who` holds u<account> of both sides, so that a search meets only one's own messages.
    "CREATE VIRTUAL TABLE message_text USING fts5(text, who, content='', tokenize='unicode61')",
)
# For messages whose time is over. Up to the id `cleared` no message has a text any more.
_SECOND: Final = (
    "ALTER TABLE log ADD COLUMN cleared INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX message_age ON message(at) WHERE text IS NOT NULL",
)
# Ids up to `reserved` may have been given out, even if a power cut has taken the messages.
_THIRD: Final = ("ALTER TABLE log ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0",)
# The messages alone are written when they come. Whatever else can be worked out from them is made behind them,
# up to the id `indexed`: `sent`, what `chat` says of messages, and `message_text`. A message without a cid has an empty one.
_FOURTH: Final = (
    "DROP INDEX message_cid",
    "DROP INDEX message_pair",
    "DROP INDEX message_age",
    "DROP TABLE message_text",
    """CREATE TABLE sent(
        sender INTEGER NOT NULL, cid TEXT NOT NULL, id INTEGER NOT NULL,
        PRIMARY KEY(sender, cid)) STRICT, WITHOUT ROWID""",
    "CREATE VIRTUAL TABLE message_text USING fts5(text, who, content='', tokenize='unicode61')",
    # What goes into it: the words of a text, u1 and u2 for the sides, f1t2 for who said it to whom.
    """CREATE VIEW worded AS
        SELECT id, text, 'u' || sender || ' u' || recipient || ' f' || sender || 't' || recipient AS who
        FROM message WHERE text IS NOT NULL""",
    "UPDATE chat SET last = 0, inbound = 0",
    "UPDATE log SET indexed = 0",
)
# Whose names are whose, and who may not come in.
_FIFTH: Final = (
    """CREATE TABLE device(
        id INTEGER PRIMARY KEY, account INTEGER NOT NULL, token BLOB NOT NULL UNIQUE, name TEXT NOT NULL,
        created INTEGER NOT NULL, seen INTEGER NOT NULL) STRICT""",
    "CREATE INDEX device_account ON device(account)",
    "ALTER TABLE account ADD COLUMN password TEXT",
    """CREATE TABLE ban(
        kind TEXT NOT NULL, value TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY(kind, value)) STRICT, WITHOUT ROWID""",
)
# What messages carry, and what has been brought and is in no message yet. `secret` signs the tickets for both.
_SIXTH: Final = (
    """CREATE TABLE file(
        message INTEGER PRIMARY KEY, sender INTEGER NOT NULL, recipient INTEGER NOT NULL,
        hash TEXT NOT NULL, size INTEGER NOT NULL) STRICT""",
    "CREATE INDEX file_hash ON file(hash)",
    "CREATE INDEX file_sender ON file(sender, hash, size)",
    "CREATE INDEX file_recipient ON file(recipient, hash, size)",
    """CREATE TABLE upload(
        account INTEGER NOT NULL, hash TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY(account, hash)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX upload_hash ON upload(hash)",
    "ALTER TABLE log ADD COLUMN secret BLOB",
    "DROP VIEW said",
    # A join would keep the view from being read along an index of what it is joined with.
    """CREATE VIEW said AS
        SELECT m.id, m.at, m.sender, m.recipient, s.name AS sender_name, r.name AS recipient_name, m.text, m.cid,
            (SELECT hash || ' ' || size FROM file WHERE message = m.id) AS file
        FROM message m JOIN account s ON s.id = m.sender JOIN account r ON r.id = m.recipient
        WHERE m.text IS NOT NULL""",
)
# `seen_ms` is the wall clock when old messages were last looked for, `doubted_ms` since when it is doubted; 0 for never.
_SEVENTH: Final = (
    "ALTER TABLE log ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE log ADD COLUMN doubted_ms INTEGER NOT NULL DEFAULT 0",
)
# How many times the operator has freed a name: tickets of an earlier generation count no more.
_EIGHTH: Final = ("ALTER TABLE account ADD COLUMN generation INTEGER NOT NULL DEFAULT 0",)
# The digests of tokens that were cut off from a name, so that their devices can be told.
_NINTH: Final = (
    """CREATE TABLE cut_off(
        token BLOB PRIMARY KEY, account INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE INDEX cut_off_account ON cut_off(account, at)",
)
MIGRATIONS: Final = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH, _SEVENTH, _EIGHTH, _NINTH)
"""The statements that lead from one version of the schema to the next."""


class Durability(StrEnum):
    """What a message that is acknowledged survives."""

    PROCESS = "process"
    """The end of the process, however it ends."""
    POWER = "power"
    """A power cut too."""


class StorageError(Exception):
    """The storage cannot be used; the sentence says why and what to do."""


class FolderInUse(StorageError):
    """Another server is using the folder."""


def open_database(
    path: Path, durability: Durability, on_upgraded: Callable[[int], object]
) -> sqlite3.Connection:
    """The database of a server, made or brought up to date if need be.

    Args:
        path: the database.
        durability: what an acknowledged message survives.
        on_upgraded: told the version that it was of, if that was an earlier one.

    Raises:
        StorageError: it is damaged, newer than this program, somebody else's, or cannot be read or written.
    """
    try:
        if os.name == "posix":
            # SQLite makes its other files with the rights of this one.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _refuse_special(path)
        # SQLite opens a file that it may only read all the same, and finds out when it writes.
        if not os.access(path, os.R_OK | os.W_OK):
            raise StorageError(_cannot(path, "no permission"))
        # Closing a connection that may write carries a write-ahead log over, whosever it is.
        with contextlib.closing(connect(path, read_only=True)) as looking:
            _check_identity(looking, path)
        database = connect(path)
    except OSError as error:
        raise StorageError(_cannot(path, os.strerror(error.errno or 0))) from None
    except sqlite3.Error as error:
        raise StorageError(explain(path, error)) from None
    try:
        database.execute("PRAGMA journal_mode = WAL").fetchone()
        database.execute(f"PRAGMA synchronous = {'FULL' if durability is Durability.POWER else 'NORMAL'}")
        # A thread of its own carries the write-ahead log over, so that no commit waits for it.
        database.execute("PRAGMA wal_autocheckpoint = 0")
        version = _migrate(database)
    except StorageError:
        database.close()
        raise
    except sqlite3.Error as error:
        database.close()
        raise StorageError(explain(path, error)) from None
    if 0 < version < len(MIGRATIONS):
        on_upgraded(version)
    return database


def open_to_read(path: Path, *, older: bool = False) -> sqlite3.Connection:
    """The database of a server that may be running, for reading only; it is never in the server's way.

    Args:
        path: the database.
        older: true to open one of an earlier version as well, whose tables are those of that version.

    Raises:
        StorageError: there is none, or it cannot be read, or is not of this version.
    """
    try:
        if path.parent.is_file():
            raise StorageError(f"{path.parent} is a file. Name the folder of the server with --data DIR")
        if not path.exists():
            raise StorageError(
                f"There is no {path.name} in {path.parent}. Name the folder of the server with --data DIR"
            )
        _refuse_special(path)
    except OSError as error:
        raise StorageError(_unreadable(path, os.strerror(error.errno or 0))) from None
    try:
        database = connect(path, read_only=True)
    except sqlite3.Error as error:
        raise StorageError(_unreadable(path, str(error))) from None
    try:
        _check_identity(database, path)
        _check_current(database, path, oldest=1 if older else len(MIGRATIONS))
    except StorageError:
        database.close()
        raise
    except sqlite3.Error as error:
        database.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY} and not is_full(path, error):
            raise StorageError(_unreadable(path, "no permission")) from None
        raise StorageError(explain(path, error)) from None
    return database


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that may be used from any thread, by one at a time; transactions are begun by hand.

    Raises:
        sqlite3.Error: the file cannot be opened.
    """
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        database.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    except BaseException:
        database.close()
        raise
    return database


def is_full(path: Path, error: sqlite3.Error) -> bool:
    """True if SQLite failed because the disk with this file is full, which it calls an I/O error where little is left."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_FULL or (
        code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and disk_space.is_full(path.absolute().parent)
    )


def explain(path: Path, error: sqlite3.Error) -> str:
    """What is wrong with the database, and what to do, for the person who starts the server."""
    if is_full(path, error):
        return f"The disk with {path} is full. Make room, or choose another folder with --data DIR"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return (
                f"{path} is damaged or is no database. It has been left as it is. "
                "Put a backup in its place, or choose another folder with --data DIR"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return _cannot(path, "no permission")
        case _:
            return _cannot(path, str(error))


def _unreadable(path: Path, why: str) -> str:
    return f"{path} cannot be read ({why}). Use the account that runs the server, or name another folder with --data DIR"


def _cannot(path: Path, why: str) -> str:
    return f"{path} cannot be used ({why}). Choose another folder with --data DIR"


def _refuse_special(path: Path) -> None:
    """Refuse a pipe or a device, which SQLite would wait for without end."""
    if not path.is_file():
        raise StorageError(_cannot(path, "not a file"))


def _check_identity(database: sqlite3.Connection, path: Path) -> None:
    (identity,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if identity != APPLICATION_ID and (tables or identity):
        raise StorageError(
            f"{path} belongs to another program. It has been left as it is. Choose another folder with --data DIR"
        )
    if version > len(MIGRATIONS):
        raise StorageError(
            f"{path} was written by a newer version of Twocans. It has been left as it is. "
            "Use that version, or choose another folder with --data DIR"
        )


def _check_current(database: sqlite3.Connection, path: Path, *, oldest: int) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version >= oldest:
        return
    if version == 0:
        raise StorageError(f"{path} holds nothing yet. Start the server once, then try again")
    raise StorageError(
        f"{path} was written by an older version of Twocans, and the server upgrades it when it starts. Keep a copy of "
        "it as it is (server.py backup FILE), start the server once, then try again"
    )


def _migrate(database: sqlite3.Connection) -> int:
    """Bring the tables up to date; return the version that they were of."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                database.execute(statement)
            if number == 1:
                database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                database.execute("INSERT INTO log(name, indexed) VALUES (?, 0)", (uuid.uuid4().hex,))
            if number == 6:
                database.execute("UPDATE log SET secret = ?", (secrets.token_bytes(SECRET_BYTES),))
            database.execute("INSERT INTO migration VALUES (?, ?)", (number, time.time_ns() // 1_000_000))
            database.execute(f"PRAGMA user_version = {number}")
            database.execute("COMMIT")
        except BaseException:
            # A full disk ends a transaction by itself.
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
    return int(version)
