"""What the client keeps in the user's data folder for one user at one server: the outbox, and the session's token.

`TWOCANS_DATA_DIR` names another folder. Where the folder cannot be used, everything is kept in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from twocans.client import (
    Address,
    MemoryOutbox,
    Outbox,
    OutboxUnusable,
    Resume,
    SqliteOutbox,
    default_outbox_path,
)

FOLDER_VARIABLE: Final = "TWOCANS_DATA_DIR"
_MAX_FILE_BYTES: Final = 4096


class _Session(Struct, kw_only=True):
    """What is in the file of a session."""

    server: str
    user: str
    token: Annotated[str, Meta(min_length=1, max_length=128)]


def outbox_path() -> Path:
    """The file of the outbox."""
    named = os.environ.get(FOLDER_VARIABLE)
    default = default_outbox_path()
    return Path(named) / default.name if named else default


class Keeping:
    """One login's outbox and token, from when it begins until `close`.

    Of several clients of this computer's user under the same name only the first has them: they are for going
    on after it has ended. The others stand alone, as if they were on another computer.

    Args:
        path: the file of the outbox; the sessions are beside it.
        server: where the messages go.
        user: who sends them, in any spelling that stays the same.
        memory: the outbox to use if the one on disk cannot be.
    """

    def __init__(self, path: Path, server: Address, user: str, memory: MemoryOutbox) -> None:
        self.server, self.user = server, user
        self.problem = ""
        """A sentence for the user if nothing can be kept on disk; "" if it can."""
        self.outbox: Outbox = memory
        self._lock: int | None = None
        self._file: SqliteOutbox | None = None
        name = hashlib.sha256(f"{server}\n{user}".encode()).hexdigest()[:32]
        self._session = path.parent / "sessions" / f"{name}.json"
        try:
            self._session.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _lock(self._session.with_suffix(".lock"))
        except OSError as error:
            self.problem = _sentence(f"{path.parent} cannot be used: {os.strerror(error.errno or 0)}.")
        if self._lock is not None:
            try:
                self.outbox = self._file = SqliteOutbox(path, server, user)
            except OutboxUnusable as error:
                self.problem = _sentence(error.text)
        if self._file is not None:
            for message in memory.pending():
                with contextlib.suppress(OutboxUnusable):  # it goes on waiting in memory
                    if self._file.get(message.cid) is None:
                        self._file.add(message)
                    memory.remove(message.cid)

    def resume(self) -> Resume:
        """What proves to the server that this is the same person as before."""
        if self._lock is None:
            return Resume()
        try:
            with self._session.open("rb") as file:
                kept = msgspec.json.decode(file.read(_MAX_FILE_BYTES), type=_Session)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Resume()
        # The file's name is only a digest.
        same = (kept.server, kept.user) == (str(self.server), self.user)
        return Resume(token=kept.token) if same else Resume()

    def remember(self, token: str | None) -> None:
        """Keep the session's token. Without it the next start is merely another person to the server."""
        if self._lock is None or token is None or token == self.resume().token:
            return
        content = msgspec.json.encode(_Session(server=str(self.server), user=self.user, token=token))
        with contextlib.suppress(OSError):
            # mkstemp makes the file readable by this user alone.
            descriptor, name = tempfile.mkstemp(prefix=".", dir=self._session.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                Path(name).replace(self._session)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def close(self) -> None:
        """Let another client have them; what waits stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _sentence(why: str) -> str:
    return f"{why} What waits to be sent is kept only until you quit."


def _lock(path: Path) -> int | None:
    """Hold a lock until the descriptor is closed or the process ends; None if another client holds it.

    Raises:
        OSError: the file cannot be made.
    """
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file
