"""Connections to the control socket of the server of this computer's user."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from twocans.common.local_sockets import open_connection
from twocans.protocol.local_control import Asked, Running, RunningInvalid, Wish, encode
from twocans.protocol.operator import MAX_ANSWER_BYTES, Command

ANSWER_S: Final = 5.0
"""The time in seconds that a server has for an answer."""
_ATTEMPTS: Final = 5
_ATTEMPT_PAUSE_S: Final = 0.1

AnswerT = TypeVar("AnswerT")


class ControlLine:
    """A connection to a server's control socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, asked: Asked, decode: Callable[[bytes], AnswerT]) -> AnswerT | None:
        """Return the server's answer; None if it has ended, or is none."""
        try:
            self._writer.write(encode(asked))
            await self._writer.drain()
            return decode(await self._reader.readline())
        except (OSError, ValueError, RunningInvalid):
            return None

    async def end(self) -> None:
        """Wait for the end of the connection, which is that of the server."""
        with contextlib.suppress(OSError):
            await self._reader.read()

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def first_answer(
    folder: Path, running: Running, asked: Asked, decode: Callable[[bytes], AnswerT]
) -> tuple[ControlLine, AnswerT] | None:
    """Connect to the server of a folder and ask; None if none answers there.

    A connection that is closed without an answer may have been so because somebody else holds the control port, which
    there is on Windows, and who is shut out before the owner is: another attempt gets through.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_ATTEMPT_PAUSE_S)
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await open_connection(folder, running.control, limit=MAX_ANSWER_BYTES)
        except (OSError, TimeoutError):
            return None
        line = ControlLine(reader, writer)
        answer = None
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await line.get(asked, decode)
        except TimeoutError:
            return None
        finally:
            if answer is None:
                line.close()
        if answer is not None:
            return line, answer
    return None


def as_asked(running: Running, command: Command) -> Asked:
    """A command as it is sent to a server."""
    return Asked(secret=running.secret, wish=Wish.COMMAND, command=command)
