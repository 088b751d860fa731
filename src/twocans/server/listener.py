"""The event loop's connections: `--concurrency async`."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from ipaddress import IPv4Address
from typing import Final, Protocol, cast

from twocans.hub.hub import Hub
from twocans.hub.session import Reason
from twocans.server.config import TlsMode
from twocans.server.connection import Connection
from twocans.server.doorkeeper import Doorkeeper, Refusal, words
from twocans.server.opening import Http, Input, Opening
from twocans.server.outgoing import Outgoing
from twocans.server.sockets import BACKLOG, peer_address, peer_host, tune, unacknowledged_bytes
from twocans.server.tls import first_taker

TIMED_OUT: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH})


class Acceptor(Protocol):
    """A way to serve the connections of one listening socket."""

    async def start(self, listener: socket.socket) -> None:
        """Accept from now on."""
        ...

    async def stop(self, reason: Reason, text: str) -> None:
        """Accept nothing more, end all connections, and wait until they are closed."""
        ...


class Flusher:
    """Calls `flush` once at the end of a turn of the loop, for every connection that asked for it.

    Args:
        loop: whose turns.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: list[Outgoing] = []

    def __call__(self, connection: Outgoing) -> None:
        if not self._due:
            self._loop.call_soon(self._flush)
        self._due.append(connection)

    def _flush(self) -> None:
        due, self._due = self._due, []
        now = self._loop.time()
        for connection in due:
            connection.flush(now)


class AsyncAcceptor:
    """Serves connections on the event loop.

    Args:
        hub: where clients register.
        doorkeeper: knows who is let in.
        context: the settings for TLS.
        http: serves HTTP.
        tls: whether a client may register without it.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        doorkeeper: Doorkeeper,
        context: ssl.SSLContext,
        http: Http,
        tls: TlsMode = TlsMode.OFFERED,
    ) -> None:
        self.context = context
        self.http = http
        self._hub = hub
        self._doorkeeper = doorkeeper
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._flusher = Flusher(self._loop)
        self._open: set[_ClientProtocol] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """See `Acceptor.start`."""
        self._server = await self._loop.create_server(self._protocol, sock=listener, backlog=BACKLOG)

    async def stop(self, reason: Reason, text: str) -> None:
        """See `Acceptor.stop`."""
        if self._server is not None:
            self._server.close()
        for client in list(self._open):
            client.end(reason, text)
        await self._empty.wait()

    def _protocol(self) -> _ClientProtocol:
        return _ClientProtocol(self)

    def opened(
        self, client: _ClientProtocol, transport: _AsyncTransport, name: object
    ) -> Connection | Refusal:
        """A connection for a new client whose peer has this name, or why there is none."""
        host, address = peer_host(name), peer_address(name)
        refusal = self._doorkeeper.enter(host, address=address)
        if refusal is not None:
            return refusal
        client.host = host
        self._open.add(client)
        self._empty.clear()
        return Connection(
            self._hub,
            transport,
            self._loop,
            schedule_flush=self._flusher,
            address=address,
            tls=self._tls,
        )

    def closed(self, client: _ClientProtocol) -> None:
        """A connection is gone."""
        if client.host is not None:
            self._doorkeeper.leave(client.host)
        self._open.discard(client)
        if not self._open:
            self._empty.set()


class _AsyncTransport:
    """An asyncio transport as `connection.Transport`."""

    __slots__ = ("_transport", "_wanted", "unsent_bytes", "write")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._wanted = False
        self.write = transport.write
        self.unsent_bytes = transport.get_write_buffer_size

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def notify_below(self, low_water_bytes: int) -> None:
        if not self._wanted and not self._transport.is_closing():
            self._wanted = True
            self._transport.set_write_buffer_limits(high=low_water_bytes, low=low_water_bytes)

    def sent(self) -> bool:
        """The transport resumes writing; whether that was waited for."""
        if not self._wanted:
            return False
        self._wanted = False
        self._transport.set_write_buffer_limits()
        return True

    def local_address(self) -> str:
        return peer_address(self._transport.get_extra_info("sockname"))

    def unconfirmed_bytes(self) -> int:
        sock = self._transport.get_extra_info("socket")
        return self.unsent_bytes() + (1 if sock is None else unacknowledged_bytes(sock))


class _ClientProtocol(asyncio.Protocol):
    """Passes what asyncio reports to the connection."""

    __slots__ = ("_acceptor", "_opening", "_peer", "_transport", "host")

    def __init__(self, acceptor: AsyncAcceptor) -> None:
        self.host: IPv4Address | None = None
        """Where the client comes from, once it has been let in."""
        self._acceptor = acceptor
        self._peer: Input | None = None
        self._opening: Opening | None = None
        self._transport: _AsyncTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            tune(sock)
        self._transport = _AsyncTransport(transport)
        match self._acceptor.opened(self, self._transport, transport.get_extra_info("peername")):
            case Refusal() as refusal:
                transport.write(words(refusal))
                transport.close()
            case connection:
                self._peer = connection
                self._opening = Opening(connection, self._transport, self._acceptor.http)

    def end(self, reason: Reason, text: str) -> None:
        """End the connection from this side."""
        if self._peer is not None:
            self._peer.end(reason, text)

    def data_received(self, data: bytes) -> None:
        if self._opening is not None:
            taken = first_taker(self._opening, data, self._acceptor.context)
            if taken is None:
                return
            self._opening = None
            self._peer, data = taken
        if self._peer is not None:
            self._peer.receive(data)

    def eof_received(self) -> bool:
        if self._peer is not None:
            self._peer.eof()
            return True  # the connection closes once its last words are out
        return False

    def resume_writing(self) -> None:
        if self._peer is not None and self._transport is not None and self._transport.sent():
            self._peer.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._peer is not None:
            self._peer.lost(timed_out=isinstance(exc, OSError) and exc.errno in TIMED_OUT)
            self._peer = self._opening = None
            self._acceptor.closed(self)
