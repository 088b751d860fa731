"""All that a program keeps between its runs, in one folder: the server's key, the token, the outbox and the position."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from twocans.client.address import Address
from twocans.client.errors import FolderInUse, OutboxUnusable
from twocans.client.sqlite_outbox import FILE as OUTBOX_FILE
from twocans.client.sqlite_outbox import SqliteOutbox
from twocans.client.tokens import FOLDER as TOKENS_FOLDER
from twocans.client.tokens import FileTokens
from twocans.client.trust import FILE as TRUST_FILE
from twocans.client.trust import FileTrust
from twocans.common.atomic_file import make_folder, try_lock
from twocans.protocol.names import key_of


class Store:
    """The folder of one user at one server, until `close`. Users and servers can share a folder; runs cannot.

    Args:
        folder: it is made if need be, for its owner alone.
        server: where the user is.
        user: the name, in any spelling.

    Raises:
        FolderInUse: another program, or another client of this one, is this user at this server.
        OutboxUnusable: the folder cannot be used.
    """

    def __init__(self, folder: Path, server: Address, user: str) -> None:
        user = key_of(user)
        try:
            make_folder(folder)
            lock = lock_session(folder, str(server), user)
        except OSError as error:
            raise OutboxUnusable(f"{folder} cannot be used: {os.strerror(error.errno or 0)}.") from None
        if lock is None:
            raise FolderInUse(
                f"Another program uses {folder} as {user} at {server}. Stop it first, or use another folder."
            )
        self._lock: int | None = lock
        self.trust = FileTrust(folder / TRUST_FILE)
        self.tokens = FileTokens(folder / TOKENS_FOLDER)
        try:
            self.outbox = SqliteOutbox(folder / OUTBOX_FILE, server, user)
        except BaseException:
            os.close(lock)
            raise

    @property
    def is_open(self) -> bool:
        """True until `close`."""
        return self._lock is not None

    def close(self) -> None:
        """Let another client have it. Any number of times."""
        if self._lock is not None:
            self.outbox.close()
            os.close(self._lock)
            self._lock = None


def lock_session(folder: Path, server: str, user: str) -> int | None:
    """Hold the lock of one user at one server, so that one program at a time goes on with what the folder has of them.

    Returns:
        The lock, to be closed as a descriptor; None if another program holds it.

    Raises:
        OSError: the file cannot be made.
    """
    name = hashlib.sha256(f"{server}\n{user}".encode()).hexdigest()[:32]
    locks = folder / "sessions"
    make_folder(locks)
    return try_lock(locks / f"{name}.lock")
