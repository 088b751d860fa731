"""The outbox that outlives the program: SQLite in the user's data folder, written before anything is sent."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twocans.client.address import Address, as_address
from twocans.client.errors import OutboxDamaged, OutboxUnusable
from twocans.client.outbox import Outgoing
from twocans.client.sqlite_drafts import SCHEMA as DRAFTS
from twocans.client.sqlite_drafts import SqliteDrafts
from twocans.client.timing import Position
from twocans.client.transfers.records import SCHEMA as TRANSFERS
from twocans.client.transfers.records import SqliteRecords
from twocans.common.atomic_file import data_folder, locked, set_aside
from twocans.protocol.messages import FileRef

FILE: Final = "outbox.db"
BUSY_MS: Final = 5000
VERSION: Final = 4
_PRIMARY: Final = 0xFF
"""The part of SQLite's result codes that tells the kind of error."""

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS outgoing(
        place INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT NOT NULL, user TEXT NOT NULL,
        cid TEXT NOT NULL, recipient TEXT NOT NULL, text TEXT NOT NULL, file_hash TEXT, file_size INTEGER,
        UNIQUE(server, user, cid)) STRICT"""
_POSITIONS: Final = """
    CREATE TABLE IF NOT EXISTS positions(
        server TEXT NOT NULL, user TEXT NOT NULL, after INTEGER, log TEXT,
        PRIMARY KEY(server, user)) STRICT"""
_FILES: Final = (
    "ALTER TABLE outgoing ADD COLUMN file_hash TEXT",
    "ALTER TABLE outgoing ADD COLUMN file_size INTEGER",
)
"""What version 1 had not."""


class SqliteOutbox:
    """An outbox on disk, for one user at one server; one file serves all of them.

    A message is on disk once `add` returns, and survives the end of the program however it comes. What `remove`
    takes out can come back after such an end: it is sent again under its cid, and stored only once.

    Args:
        path: the file; it is made if need be, for its owner alone.
        server: where the messages go.
        user: who sends them.

    Raises:
        AddressInvalid: the server's address is none.
        OutboxDamaged: the file is damaged.
        OutboxUnusable: the file cannot be used for another reason.
    """

    def __init__(self, path: str | os.PathLike[str], server: Address | str, user: str) -> None:
        path = Path(path)
        self._key = (str(as_address(server)), user)
        self._path = path
        with self._explained():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite makes its other files with the rights of this one.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
                self._messages = self._load()
                row = self._database.execute(
                    "SELECT after, log FROM positions WHERE server = ? AND user = ?", self._key
                ).fetchone()
            except BaseException:
                self._database.close()
                raise
        self.position = Position() if row is None else Position(*row)
        """The position up to which the program has dealt with everything, if it is kept here."""
        self.transfers = SqliteRecords(self._database, *self._key)
        """What is kept of the files that are on their way."""
        self.drafts = SqliteDrafts(self._database, user)
        """What is written and not sent yet."""

    def add(self, message: Outgoing) -> None:
        """Keep a message, as the newest; it is on disk once this returns.

        Raises:
            OutboxUnusable: it could not be written.
        """
        file = message.file
        with self._explained():
            self._database.execute(
                "INSERT INTO outgoing(server, user, cid, recipient, text, file_hash, file_size) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *self._key,
                    message.cid,
                    message.to,
                    message.text,
                    None if file is None else file.hash,
                    None if file is None else file.size,
                ),
            )
        self._messages[message.cid] = message

    def save_position(self, position: Position) -> None:
        """Keep how far the program has come, in place of what was kept; it outlives the program.

        Raises:
            OutboxUnusable: it could not be written.
        """
        with self._explained():
            self._database.execute(
                "INSERT INTO positions(server, user, after, log) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(server, user) DO UPDATE SET after = excluded.after, log = excluded.log",
                (*self._key, position.after, position.log),
            )
        self.position = position

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write what is done inside as one: however the program ends, all of it is on disk or nothing.

        Raises:
            OutboxUnusable: it could not be written, and nothing of it was.
        """
        position = self.position
        try:
            with self._explained():
                self._database.execute("BEGIN IMMEDIATE")
            yield
            with self._explained():
                self._database.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            with contextlib.suppress(sqlite3.Error):
                self._messages = self._load()
            self.position = position
            raise

    def get(self, cid: str) -> Outgoing | None:
        """The message with that cid, if it is still waiting."""
        return self._messages.get(cid)

    def remove(self, cid: str) -> None:
        """Forget a message; nothing happens if it is not there."""
        if self._messages.pop(cid, None) is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute(
                    "DELETE FROM outgoing WHERE server = ? AND user = ? AND cid = ?", (*self._key, cid)
                )

    def pending(self) -> tuple[Outgoing, ...]:
        """All that wait, oldest first."""
        return tuple(self._messages.values())

    def __len__(self) -> int:
        return len(self._messages)

    def close(self) -> None:
        """Close the file; what waits stays in it."""
        self._database.close()

    def _load(self) -> dict[str, Outgoing]:
        rows = self._database.execute(
            "SELECT cid, recipient, text, file_hash, file_size FROM outgoing "
            "WHERE server = ? AND user = ? ORDER BY place",
            self._key,
        )
        return {
            cid: Outgoing(cid, recipient, text, None if hash_ is None else FileRef(hash_, size))
            for cid, recipient, text, hash_, size in rows
        }

    def _prepare(self) -> None:
        database = self._database
        database.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise OutboxDamaged(f"{self._path} cannot be used: {found}.")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise OutboxUnusable(f"{self._path} was written by a newer version of Twocans.")
        database.execute("PRAGMA journal_mode = WAL").fetchone()
        database.execute("PRAGMA synchronous = NORMAL")
        if version == VERSION:
            return
        # All or nothing, and by one process at a time.
        database.execute("BEGIN IMMEDIATE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version < VERSION:
            if version < 2:
                for change in _FILES if version else (_SCHEMA,):
                    database.execute(change)
                database.execute(TRANSFERS)
            if version < 3:
                database.execute(DRAFTS)
            database.execute(_POSITIONS)
            database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutboxUnusable(f"{self._path} cannot be used: {os.strerror(error.errno or 0)}.") from None
        except sqlite3.Error as error:
            kind = OutboxDamaged if is_damage(error) else OutboxUnusable
            raise kind(f"{self._path} cannot be used: {error}.") from None


def is_damage(error: sqlite3.Error) -> bool:
    """True if SQLite says that the file is no database, or not whole."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & _PRIMARY in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def replace_damaged_outbox(path: Path, server: Address, user: str) -> tuple[SqliteOutbox, Path | None]:
    """Begin a new file in place of a damaged one, which is renamed together with what SQLite has beside it.

    Returns:
        The outbox, and where the damaged file is now; None if another process has replaced it already.

    Raises:
        OutboxUnusable: the file can be neither used nor renamed.
    """
    try:
        with locked(path.with_suffix(".lock")):
            try:
                return SqliteOutbox(path, server, user), None
            except OutboxDamaged:
                aside = set_aside(path, companions=("-wal", "-shm"))
                return SqliteOutbox(path, server, user), aside
    except OSError as error:
        why = os.strerror(error.errno or errno.EIO)
        raise OutboxUnusable(f"{path} is damaged and cannot be renamed: {why}.") from None


def default_outbox_path() -> Path:
    """Where the outbox of this user lies; `TWOCANS_DATA_DIR` names another folder than the system's."""
    return data_folder() / FILE
