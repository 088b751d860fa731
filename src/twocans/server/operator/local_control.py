"""Lets programs of the server's own user on this computer find the server, ask how it is, operate it, and stop it.

It says in a file in its folder that it runs, and where it listens: on a socket that only this user can connect to, or on
Windows on a port of the loopback address. Whoever can read the file knows the secret that is asked for there. Signals
would not do: on Windows they reach no process that has no console.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from twocans.common.atomic_file import read_file, write_file
from twocans.common.local_sockets import LocalListener, remove_socket
from twocans.hub.hub import EventLog
from twocans.protocol.keys import ServerKey
from twocans.protocol.local_control import (
    MAX_BYTES,
    RUNNING_FILE,
    SOCKET_FILE,
    Asked,
    Running,
    RunningInvalid,
    Status,
    Wish,
    decode_asked,
    decode_running,
    encode,
)
from twocans.protocol.operator import Answer, Command
from twocans.server.transports.accepting import Accepting

MAX_ASKING: Final = 32
"""So many programs that have said the secret may be connected at once."""
MAX_STRANGERS: Final = 64
"""So many connections may be open that have not said it yet; one more ends the oldest of them."""
FIRST_LINE_S: Final = 5.0
"""Whoever does not say the secret for so long is cut off, in seconds."""


class Control:
    """The file and the socket, from `start` on.

    Args:
        folder: the server's.
        status: tells how the server is.
        carry_out: answers the operator's commands.
        stop: called if somebody wants it to end.
        log: is told what does not work.
    """

    def __init__(
        self,
        folder: Path,
        *,
        status: Callable[[], Status],
        carry_out: Callable[[Command], Answer],
        stop: Callable[[], None],
        log: EventLog,
    ) -> None:
        self._folder = folder
        self._file = folder / RUNNING_FILE
        self._status = status
        self._carry_out = carry_out
        self._stop = stop
        self._log = log
        self._secret = secrets.token_hex(32)
        self._listener: LocalListener | None = None
        self._accepting: Accepting | None = None
        self._starting: set[asyncio.Task[None]] = set()
        self._talks: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._strangers: dict[asyncio.StreamWriter, None] = {}
        """Those of them that have not said the secret yet, the oldest first."""
        self._owners: set[asyncio.StreamWriter] = set()
        """Those that have."""

    async def start(self, *, host: str, port: int, key: ServerKey, background: bool) -> bool:
        """Say that the server runs; False if that is not possible, which is logged and keeps it from nothing else."""
        try:
            self._remove_left_over()
            self._listener = LocalListener(self._folder, SOCKET_FILE)
            self._listener.socket.setblocking(False)
            self._accepting = Accepting(self._listener.socket, self._admit, log=self._log)
            running = Running(
                pid=os.getpid(),
                host=host,
                port=port,
                key=key,
                started_at=time.time_ns() // 1_000_000,
                background=background,
                control=self._listener.place,
                secret=self._secret,
            )
            write_file(self._file, encode(running))
        except OSError as error:
            await self.withdraw()
            self._log("not_findable", why=os.strerror(error.errno or 0))
            return False
        return True

    async def withdraw(self) -> None:
        """The server is about to end: nobody new is to find it."""
        if self._accepting is not None:
            await self._accepting.stop()
            self._accepting = None
        if self._listener is not None:
            self._listener.remove()
            self._listener = None
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)

    async def close(self) -> None:
        """The server has ended; whoever has asked sees it from the end of the connection."""
        await self.withdraw()
        if self._starting:
            await asyncio.wait(self._starting)
        talks = [talk for talk in self._talks.values() if talk is not None]
        for writer in self._talks:
            writer.close()
        if talks:
            await asyncio.wait(talks)

    def _remove_left_over(self) -> None:
        """Remove the socket of a server that was killed; this folder is ours alone by now."""
        with contextlib.suppress(OSError, RunningInvalid):
            content = read_file(self._file, MAX_BYTES)
            if content is not None:
                remove_socket(self._folder, decode_running(content).control)

    def _admit(self, sock: socket.socket, _: object) -> None:
        sock.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._open(sock))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _open(self, sock: socket.socket) -> None:
        reader = asyncio.StreamReader(limit=MAX_BYTES)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, self._talk), sock
            )
        except OSError:
            sock.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks[writer] = asyncio.current_task()
        self._strangers[writer] = None
        if len(self._strangers) > MAX_STRANGERS:
            self._evict(next(iter(self._strangers)))
        try:
            async with asyncio.timeout(FIRST_LINE_S):
                asked = self._read(await reader.readline())
            self._strangers.pop(writer, None)
            if len(self._owners) < MAX_ASKING:
                self._owners.add(writer)
                while asked is not None:
                    writer.write(self._answer(asked))
                    await writer.drain()
                    asked = self._read(await reader.readline())
        except (OSError, TimeoutError, ValueError, RunningInvalid):
            pass  # the connection is lost, or its other end is nothing that knows how to ask
        finally:
            self._strangers.pop(writer, None)
            self._owners.discard(writer)
            self._talks.pop(writer, None)
            writer.close()

    def _evict(self, writer: asyncio.StreamWriter) -> None:
        del self._strangers[writer]
        writer.transport.abort()

    def _read(self, line: bytes) -> Asked | None:
        """Decode a line; None at the end of the connection.

        Raises:
            RunningInvalid: it asks nothing, or does not know the secret.
        """
        if not line:
            return None
        asked = decode_asked(line)
        if not hmac.compare_digest(asked.secret.encode(), self._secret.encode()):
            raise RunningInvalid
        return asked

    def _answer(self, asked: Asked) -> bytes:
        if asked.command is not None:
            return encode(self._carry_out(asked.command))
        status = encode(self._status())
        if asked.wish is Wish.STOP:
            self._stop()
        return status
