"""Lets programs of the server's own user on this computer find the server, ask how it is, and stop it.

It says in a file in its folder that it runs. Whoever can read that file knows the secret that is asked for on a port of
the loopback address. Signals would not do: on Windows they reach no process that has no console.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from twocans.client.files import write_file
from twocans.hub.hub import EventLog
from twocans.protocol.keys import ServerKey
from twocans.protocol.running import (
    MAX_BYTES,
    RUNNING_FILE,
    Running,
    RunningInvalid,
    Status,
    Wish,
    decode_asked,
    encode,
)

MAX_ASKING: Final = 32
"""So many programs may be connected at once."""
FIRST_LINE_S: Final = 5.0
"""Whoever does not say the secret for so long is cut off, in seconds."""
_LOOPBACK: Final = "127.0.0.1"


class Control:
    """The file and the port, from `start` on.

    Args:
        folder: the server's.
        status: tells how the server is.
        stop: called if somebody wants it to end.
        log: is told what does not work.
    """

    def __init__(
        self, folder: Path, *, status: Callable[[], Status], stop: Callable[[], None], log: EventLog
    ) -> None:
        self._file = folder / RUNNING_FILE
        self._status = status
        self._stop = stop
        self._log = log
        self._secret = secrets.token_hex(32)
        self._server: asyncio.Server | None = None
        self._asking: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self, *, host: str, port: int, key: ServerKey, background: bool) -> bool:
        """Say that the server runs; False if that is not possible, which is logged and keeps it from nothing else."""
        try:
            self._server = await asyncio.start_server(self._talk, _LOOPBACK, 0, limit=MAX_BYTES)
            running = Running(
                pid=os.getpid(),
                host=host,
                port=port,
                key=key,
                started_at=time.time_ns() // 1_000_000,
                background=background,
                control=int(self._server.sockets[0].getsockname()[1]),
                secret=self._secret,
            )
            write_file(self._file, encode(running))
        except OSError as error:
            self.withdraw()
            self._log("not_findable", why=os.strerror(error.errno or 0))
            return False
        return True

    def withdraw(self) -> None:
        """The server is about to end: nobody new is to find it."""
        if self._server is not None:
            self._server.close()
            self._server = None
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)

    async def close(self) -> None:
        """The server has ended; whoever has asked sees it from the end of the connection."""
        self.withdraw()
        talks = [talk for talk in self._asking.values() if talk is not None]
        for writer in self._asking:
            writer.close()
        if talks:
            await asyncio.wait(talks)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._asking) < MAX_ASKING:
                self._asking[writer] = asyncio.current_task()
                async with asyncio.timeout(FIRST_LINE_S):
                    line = await reader.readline()
                while self._answer(line, writer):
                    await writer.drain()
                    line = await reader.readline()
        except (OSError, TimeoutError, ValueError, RunningInvalid):
            pass  # the connection is lost, or its other end is nothing that knows how to ask
        finally:
            self._asking.pop(writer, None)
            writer.close()

    def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> bool:
        """Do what a line wants; whether the next one may come.

        Raises:
            RunningInvalid: it is no such line.
        """
        if not line:
            return False
        asked = decode_asked(line)
        if not hmac.compare_digest(asked.secret.encode(), self._secret.encode()):
            return False
        writer.write(encode(self._status()))
        if asked.wish is Wish.STOP:
            self._stop()
        return True
