"""Lets programs of the server's own user on this computer find the server, ask how it is, operate it, and stop it.

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
from twocans.protocol.operator import Answer, Command
from twocans.protocol.running import (
    MAX_BYTES,
    RUNNING_FILE,
    Asked,
    Running,
    RunningInvalid,
    Status,
    Wish,
    decode_asked,
    encode,
)

MAX_ASKING: Final = 32
"""So many programs that have said the secret may be connected at once."""
MAX_STRANGERS: Final = 64
"""So many connections may be open that have not said it yet; one more ends the oldest of them."""
FIRST_LINE_S: Final = 5.0
"""Whoever does not say the secret for so long is cut off, in seconds."""
_LOOPBACK: Final = "127.0.0.1"


class Control:
    """The file and the port, from `start` on.

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
        self._file = folder / RUNNING_FILE
        self._status = status
        self._carry_out = carry_out
        self._stop = stop
        self._log = log
        self._secret = secrets.token_hex(32)
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._strangers: dict[asyncio.StreamWriter, None] = {}
        """Those of them that have not said the secret yet, the oldest first."""
        self._owners: set[asyncio.StreamWriter] = set()
        """Those that have."""

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
        talks = [talk for talk in self._talks.values() if talk is not None]
        for writer in self._talks:
            writer.close()
        if talks:
            await asyncio.wait(talks)

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
