"""Makes a second start of the same profile show the window that is open, instead of a second one.

The first window holds a lock and listens on a socket that only its user can connect to, or on Windows on a port of the
loopback address; a file that only its owner can read says where, and has a secret. A profile is a pair of folders, for
data and for settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import secrets
import sys
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta, Struct

from twocans.common.atomic_file import make_folder, read_file, try_lock, write_file
from twocans.common.local_sockets import LocalListener, connect, remove_socket

FOLDER: Final = "windows"
"""In the data folder."""
ANSWER_S: Final = 10.0
"""How long the open window may take to answer, or to come up first, in seconds."""
FIRST_LINE_S: Final = 5.0
"""Whoever does not say the secret for so long is cut off, in seconds."""
MAX_CONNECTIONS: Final = 16
MAX_SERVER_CHARS: Final = 500
MAX_USER_CHARS: Final = 200
_MAX_BYTES: Final = 16 * 1024
_LOOK_AGAIN_S: Final = 0.05
_ANSWER: Final = b"shown\n"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class StartOptions(Struct, frozen=True, kw_only=True):
    """What the second start was asked to do.

    Args:
        server, user: for the login form; None for what stands there.
        connect: log in with them.
        in_tray: show nothing.
    """

    server: Annotated[str, Meta(max_length=MAX_SERVER_CHARS)] | None = None
    user: Annotated[str, Meta(max_length=MAX_USER_CHARS)] | None = None
    connect: bool = False
    in_tray: bool = False


def start_options(*, server: str | None, user: str | None, connect: bool, in_tray: bool) -> StartOptions:
    """Make options of what was typed, which may be too long or no text at all."""
    return StartOptions(
        server=_as_text(server, MAX_SERVER_CHARS),
        user=_as_text(user, MAX_USER_CHARS),
        connect=connect,
        in_tray=in_tray,
    )


def _as_text(typed: str | None, limit: int) -> str | None:
    return None if typed is None else typed[:limit].encode(errors="replace").decode()


class _Request(Struct, frozen=True):
    secret: Annotated[str, Meta(max_length=128)]
    options: StartOptions


class _Address(Struct, frozen=True):
    """The content of the file. `place` is called `port` there, as in files of earlier versions."""

    place: Annotated[int, Meta(ge=1, le=65535)] | Annotated[str, Meta(min_length=1)] = msgspec.field(
        name="port"
    )
    secret: Annotated[str, Meta(min_length=32, max_length=128)]
    pid: int


class Claim(Enum):
    """What a start finds."""

    FIRST = "first"  # this is the only window of the profile now
    SHOWN = "shown"  # the open window has answered
    SILENT = "silent"  # there is one, and it does not answer
    UNKNOWN = "unknown"  # it cannot be told: the folder takes no lock, or nobody listens


class OpenWindow:
    """The place where the windows of a profile find each other.

    Args:
        data, config: the folders of the profile.
    """

    def __init__(self, data: Path, config: Path) -> None:
        name = hashlib.sha256(os.fsencode(config.absolute())).hexdigest()[:32]
        self.file = data / FOLDER / f"{name}.json"
        self._lock_file = self.file.with_suffix(".lock")
        self._lock: int | None = None

    def claim(self, options: StartOptions, *, within_s: float = ANSWER_S) -> Claim:
        """Become the only window, or have the one that is open shown; blocks for up to `within_s` seconds."""
        give_up_at = time.monotonic() + within_s
        while True:
            try:
                if self._take_lock():
                    return Claim.FIRST
            except OSError as error:
                log.warning("window_lock_unusable", reason=str(error))
                return Claim.UNKNOWN
            try:
                if _ask(self.file, options, give_up_at):
                    return Claim.SHOWN
            except TimeoutError:
                return Claim.SILENT
            except OSError:
                pass  # it is just starting, or just ending
            if time.monotonic() >= give_up_at:
                return Claim.UNKNOWN
            time.sleep(_LOOK_AGAIN_S)

    def claim_if_free(self) -> bool:
        """Become the only window if there is none; True if this one is it."""
        with contextlib.suppress(OSError):
            return self._take_lock()
        return False

    def _take_lock(self) -> bool:
        if self._lock is None:
            make_folder(self._lock_file.parent)
            self._lock = try_lock(self._lock_file)
        return self._lock is not None

    def release(self) -> None:
        """Let the next start be the first."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class StartListener:
    """Hears of further starts of the profile. Lives in the asyncio thread.

    Args:
        file: of the `OpenWindow` that this process has claimed.
        on_start: called with a number to be given to `answer` once the window has done what was asked.
    """

    def __init__(self, file: Path, on_start: Callable[[int, StartOptions], None]) -> None:
        self._file = file
        self._on_start = on_start
        self._secret = secrets.token_hex(32)
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._last = 0

    async def serve(self) -> None:
        """Listen until this is cancelled. A failure is logged and keeps the window from nothing else."""
        folder = self._file.parent
        try:
            left_over = await asyncio.to_thread(_read, self._file)
            if left_over is not None:
                remove_socket(folder, left_over.place)
            listener = LocalListener(folder, f"{self._file.stem}.sock")
        except OSError as error:
            log.warning("starts_unheard", reason=str(error))
            return
        server = None
        try:
            server = await asyncio.start_server(self._talk, sock=listener.socket, limit=_MAX_BYTES)
            address = _Address(listener.place, self._secret, os.getpid())
            await asyncio.to_thread(write_file, self._file, msgspec.json.encode(address))
            await asyncio.Event().wait()
        except OSError as error:
            log.warning("starts_unheard", reason=str(error))
        finally:
            if server is not None:
                server.close()
            listener.socket.close()
            listener.remove()
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
            await self._end_connections()

    def answer(self, number: int) -> None:
        """The window has done what start `number` asked for."""
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def _end_connections(self) -> None:
        talks = [talk for talk in self._connections.values() if talk is not None]
        for writer in self._connections:
            writer.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        if talks:
            await asyncio.wait(talks)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = asyncio.current_task()
        self._last += 1
        number = self._last
        try:
            if len(self._connections) > MAX_CONNECTIONS:
                return
            async with asyncio.timeout(FIRST_LINE_S):
                request = msgspec.json.decode(await reader.readline(), type=_Request)
            if hmac.compare_digest(request.secret.encode(), self._secret.encode()):
                answered = self._waiting[number] = asyncio.get_running_loop().create_future()
                self._on_start(number, request.options)
                async with asyncio.timeout(ANSWER_S):
                    await answered
                writer.write(_ANSWER)
                await writer.drain()
        except (OSError, ValueError, RecursionError):
            pass  # the other end is gone, or is no start of this program
        finally:
            self._waiting.pop(number, None)
            self._connections.pop(writer, None)
            writer.close()


def _read(file: Path) -> _Address | None:
    """Return what an open window says of itself; None if there is none, or nothing that can be understood.

    Raises:
        OSError: the file cannot be read.
    """
    content = read_file(file, _MAX_BYTES)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=_Address)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _ask(file: Path, options: StartOptions, give_up_at: float) -> bool:
    """Ask the open window to show itself; True once it has answered.

    Raises:
        OSError: it is not there (any more).
        TimeoutError: it is there, and does not answer in time.
    """
    address = _read(file)
    if address is None:
        return False
    with connect(file.parent, address.place, timeout_s=max(0.1, give_up_at - time.monotonic())) as asking:
        if sys.platform == "win32":
            # Else Windows lets no program come to the front that the user has not just used.
            import ctypes

            ctypes.windll.user32.AllowSetForegroundWindow(address.pid)
        asking.sendall(msgspec.json.encode(_Request(address.secret, options)) + b"\n")
        said = b""
        while not said.endswith(b"\n"):
            asking.settimeout(max(0.1, give_up_at - time.monotonic()))
            piece = asking.recv(_MAX_BYTES)
            if not piece:
                return False
            said += piece
    return said == _ANSWER
