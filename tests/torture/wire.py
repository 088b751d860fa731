"""A bare connection in the JSON dialect over asyncio streams, sharing no code with the product's client."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import Final

from tests.support.deadline import DEADLINE_S
from tests.support.raw import Frame, Value, decode, encode
from tests.torture.ledger import Broken

ANSWER_S: Final = 4 * DEADLINE_S
"""How long the server may be silent while something is awaited: machines that run this are busy."""


class Ended(Exception):
    """The connection is gone."""


class Wire:
    """One connection.

    Args:
        reader, writer: its two directions.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, *, tls: ssl.SSLContext | None = None) -> Wire:
        """Connect, encrypted if it is said how.

        Raises:
            Ended: nobody listens.
        """
        try:
            name = None if tls is None else ""
            return cls(
                *await asyncio.open_connection(
                    "127.0.0.1", port, limit=1024 * 1024, ssl=tls, server_hostname=name
                )
            )
        except OSError as error:
            raise Ended(str(error)) from None

    def send(self, verb: str, **fields: Value) -> None:
        """Send one frame, soon; if the connection is gone, reading tells so."""
        if self._writer.is_closing():
            return
        self._writer.write(encode(verb, **fields).encode() + b"\n")

    async def room(self) -> None:
        """Wait until what was sent has mostly left."""
        try:
            await self._writer.drain()
        except OSError as error:
            raise Ended(str(error)) from None

    async def read(self) -> Frame:
        """The next frame; PING is answered.

        Raises:
            Ended: there will not be any.
            Broken: the server is silent, or refuses something.
        """
        while True:
            try:
                line = await asyncio.wait_for(self._reader.readline(), ANSWER_S)
            except TimeoutError:
                raise Broken("the server has not said anything for too long") from None
            except OSError as error:
                raise Ended(str(error)) from None
            if not line.endswith(b"\n"):
                # The last line may be cut by the end of the server; only whole ones count.
                raise Ended("closed")
            frame = decode(line[:-1].decode())
            if frame.verb == "PING":
                self.send("PONG", n=frame["n"])
                continue
            if frame.verb == "ERROR":
                raise Broken(f"the server refuses something: {frame}")
            return frame

    def reset(self) -> None:
        """Close at once, so that what is under way is lost."""
        if self._writer.is_closing():
            return
        raw = self._writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close, whatever state it is in."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


async def greet(
    port: int,
    user: str,
    *,
    log: str | None,
    token: str | None,
    after: int,
    tls: ssl.SSLContext | None = None,
) -> tuple[Wire, Frame]:
    """Connect and register, going on after an id if the log is known.

    Returns:
        The connection, and WELCOME.

    Raises:
        Ended: the server is gone.
        Broken: the log is another one, or the server does not want this user.
    """
    wire = await Wire.open(port, tls=tls)
    fields: dict[str, Value] = {"user": user, "agent": "torture"}
    if token is not None:
        fields["token"] = token
    if log is not None:
        fields |= {"after": after, "log": log}
    wire.send("HELLO", **fields)
    try:
        welcome = await wire.read()
    except BaseException:
        wire.reset()
        raise
    if welcome.verb != "WELCOME" or log not in {None, welcome["log"]}:
        wire.reset()
        raise Broken(f"{user} was greeted with {welcome}, and the log was {log}")
    return wire, welcome
