"""What is kept of transfers beside the outbox, so that they outlive the program if the outbox does."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from twocans.client.errors import OutboxUnusable
from twocans.client.transfers.model import TransferState

SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS transfers(
        place INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT NOT NULL, user TEXT NOT NULL,
        id TEXT NOT NULL, record BLOB NOT NULL, UNIQUE(server, user, id)) STRICT"""


class Record(Struct, frozen=True, omit_defaults=True):
    """A transfer as it is kept.

    Args:
        state: waiting, paused, done, failed, or cancelled until nothing is left of it.
        hash: SHA-256 of the content in hexadecimal digits; "" if it is not known yet.
        modified_ns: when the outgoing file was changed last, as its hash was taken; in Unix nanoseconds.
        part: what an incoming file is called until it is whole.
        replace: whether what has its name by then is to be lost.
        into: where the incoming file was to go; `path` is another one if that was taken.
    """

    id: str
    outgoing: bool
    peer: str
    name: str
    path: str
    state: TransferState = TransferState.WAITING
    size: int = 0
    done: int = 0
    hash: str = ""
    modified_ns: int = 0
    part: str = ""
    replace: bool = False
    message_id: int | None = None
    text: str = ""
    into: str = ""


class Records(Protocol):
    """What transfers need of the place where they are kept."""

    def load(self) -> tuple[Record, ...]:
        """All of them, oldest first."""
        ...

    def put(self, record: Record) -> None:
        """Keep one, in place of an earlier one of the same id.

        Raises:
            OutboxUnusable: it could not be written.
        """
        ...

    def remove(self, id_: str) -> None:
        """Forget one; nothing happens if it is not there."""
        ...


class MemoryRecords:
    """Records that live as long as the program, and so need not be kept: the transfers are there themselves."""

    def load(self) -> tuple[Record, ...]:
        """None of an earlier time."""
        return ()

    def put(self, record: Record) -> None:
        """Nothing outlives the program."""

    def remove(self, id_: str) -> None:
        """Nothing outlives the program."""


class SqliteRecords:
    """Records in the outbox's database, for one user at one server.

    Args:
        database: where `SCHEMA` is in force; it stays the outbox's.
        server: where the files go and come from.
        user: whose they are.
    """

    def __init__(self, database: sqlite3.Connection, server: str, user: str) -> None:
        self._database = database
        self._key = (server, user)

    def load(self) -> tuple[Record, ...]:
        """All of them, oldest first; what cannot be read is left out."""
        records = []
        with contextlib.suppress(sqlite3.Error):
            for (kept,) in self._database.execute(
                "SELECT record FROM transfers WHERE server = ? AND user = ? ORDER BY place", self._key
            ).fetchall():
                with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    records.append(msgspec.json.decode(kept, type=Record))
        return tuple(records)

    def put(self, record: Record) -> None:
        """Keep one; it is with the system once this returns.

        Raises:
            OutboxUnusable: it could not be written.
        """
        try:
            self._database.execute(
                "INSERT INTO transfers(server, user, id, record) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(server, user, id) DO UPDATE SET record = excluded.record",
                (*self._key, record.id, msgspec.json.encode(record)),
            )
        except sqlite3.Error as error:
            raise OutboxUnusable(f"What is sent cannot be written down: {error}.") from None

    def remove(self, id_: str) -> None:
        """Forget one; nothing happens if it is not there."""
        with contextlib.suppress(sqlite3.Error):
            self._database.execute(
                "DELETE FROM transfers WHERE server = ? AND user = ? AND id = ?", (*self._key, id_)
            )
