"""A connection without a socket whose peer speaks TLS; the turns of the loop are the test's."""

from __future__ import annotations

import contextlib
import ssl
from typing import Final

from tests.support.tls import client_context
from tests.unit.hub.fakes import RecordedLog, World
from tests.unit.server.fakes import ManualLoop, Wire
from twocans.server.connection.connection import Connection
from twocans.server.connection.sniffing import Input, ProtocolSniffer
from twocans.server.connection.transport import Transport
from twocans.server.identity.certificate import passing_identity
from twocans.server.transports.tls import first_taker

CONTEXT: Final = passing_identity(log=RecordedLog()).context


def no_http(connection: Connection, transport: Transport) -> Input:
    """Where nobody is to speak HTTP."""
    raise AssertionError("this is no request")


class TlsWire:
    """A connection of a world and a client of TLS at its other end.

    Args:
        world: where it belongs.
        version: of TLS.
        loop: whose turns TLS is parsed in; one on which that takes no time if None.
    """

    def __init__(
        self,
        world: World,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        *,
        loop: ManualLoop | None = None,
    ) -> None:
        self.wire = Wire(world, loop=loop)
        self.transport = self.wire.transport
        self.loop = self.wire.loop
        self.input: Input = self.wire.connection
        self._opening: ProtocolSniffer | None = ProtocolSniffer(self.wire.connection, self.transport, no_http)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.tls = client_context(version).wrap_bio(self._incoming, self._outgoing)
        self._fetched = 0
        self._heard = b""

    def feed(self, data: bytes, *, size: int | None = None) -> None:
        """Bytes arrive as they are, in chunks of a size, each in a turn of its own; None for all at once."""
        for start in range(0, len(data), size or max(len(data), 1)):
            chunk = data[start : start + size] if size else data
            if self._opening is not None:
                taken = first_taker(self._opening, chunk, CONTEXT, self.wire.turns)
                if taken is not None:
                    self._opening = None
                    self.input, chunk = taken
            if self._opening is None:
                self.input.receive(chunk)
            self.wire.turn()

    def shake_hands(self, *, size: int | None = None) -> None:
        """Agree on the encryption."""
        for _ in range(3):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self.feed(self._outgoing.read(), size=size)
            self.fetch()

    def encrypted(self, *texts: bytes) -> bytes:
        """What the peer would send for these, each in records of its own."""
        for text in texts:
            self.tls.write(text)
        return self._outgoing.read()

    def say(self, *texts: bytes, size: int | None = None) -> None:
        """The peer says something."""
        self.feed(self.encrypted(*texts), size=size)

    def goodbye(self) -> bytes:
        """What the peer would send to end the encryption."""
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        return self._outgoing.read()

    def eof(self) -> None:
        """The peer's half of the connection ends."""
        self.input.eof()
        self.wire.turn()

    def lost(self) -> None:
        """The connection is gone."""
        self.input.lost()
        self.wire.turn()

    def fetch(self) -> bytes:
        """The bytes that were written since the last time, which the peer's TLS has then."""
        self.wire.turn()
        new = bytes(self.transport.written[self._fetched :])
        self._fetched = len(self.transport.written)
        self._incoming.write(new)
        return new

    def heard(self) -> list[str]:
        """The lines that the peer has been told since the last time."""
        self.fetch()
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while text := self.tls.read(65536):
                self._heard += text
        *lines, self._heard = self._heard.split(b"\n")
        return [line.decode() for line in lines]

    def was_told_goodbye(self) -> bool:
        """Whether the encryption was ended in order, with nothing unread before it."""
        self.fetch()
        try:
            return self.tls.read(1) == b""
        except ssl.SSLZeroReturnError:
            return True
        except ssl.SSLError:
            return False


def registered(world: World, name: str, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> TlsWire:
    """A plain connection over TLS whose first LIST has been read."""
    wire = TlsWire(world, version)
    wire.shake_hands()
    wire.say(name.encode() + b"\n")
    wire.heard()
    return wire
