"""The event loop's connections: `--concurrency async`."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from ipaddress import IPv4Address
from typing import Final, Protocol, cast

from twocans.hub.hub import EventLog, Hub
from twocans.hub.session import Reason
from twocans.server.connection.connection import Connection
from twocans.server.connection.send_queue import Outgoing
from twocans.server.connection.sniffing import Http, Input, ProtocolSniffer
from twocans.server.connection.turns import ParserTurns
from twocans.server.settings.config import TlsMode
from twocans.server.transports.accepting import Accepting, end_shut_out, refuse
from twocans.server.transports.connection_limiter import ConnectionLimiter
from twocans.server.transports.sockets import peer_address, peer_host, tune, unacknowledged_bytes
from twocans.server.transports.tls import first_taker

TIMED_OUT: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH})


class Acceptor(Protocol):
    """A way to serve the connections of one listening socket."""

    async def start(self, listener: socket.socket) -> None:
        """Accept from now on."""
        ...

    async def stop(self, reason: Reason, text: str) -> None:
        """Accept nothing more, end all connections, and wait until they are closed."""
        ...

    def end_shut_out(self) -> None:
        """End the connections of addresses that may not be here any more, in whatever state they are."""
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
            try:
                connection.flush(now)
            except Exception as error:  # noqa: BLE001 - the root of a connection's turn: the others have theirs
                connection.fail(error)


class AsyncAcceptor:
    """Serves connections on the event loop.

    Args:
        hub: where clients register.
        connection_limiter: decides which connections are accepted.
        log: is told when no connections can be accepted.
        context: the settings for TLS.
        http: serves HTTP.
        tls: whether a client may register without it.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        connection_limiter: ConnectionLimiter,
        log: EventLog,
        context: ssl.SSLContext,
        http: Http,
        tls: TlsMode = TlsMode.OFFERED,
    ) -> None:
        self.context = context
        self.http = http
        self._hub = hub
        self._connection_limiter = connection_limiter
        self._log = log
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._flusher = Flusher(self._loop)
        self.turns = ParserTurns(self._loop)
        self._open: set[_ClientProtocol] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._starting: set[asyncio.Task[None]] = set()
        self._accepting: Accepting | None = None

    async def start(self, listener: socket.socket) -> None:
        """See `Acceptor.start`."""
        self._accepting = Accepting(listener, self._admit, log=self._log)

    async def stop(self, reason: Reason, text: str) -> None:
        """See `Acceptor.stop`."""
        if self._accepting is not None:
            await self._accepting.stop()
        if self._starting:
            await asyncio.wait(self._starting)
        for client in list(self._open):
            client.end(reason, text)
        await self._empty.wait()

    def end_shut_out(self) -> None:
        """See `Acceptor.end_shut_out`."""
        end_shut_out(self._open, self._connection_limiter)

    def _admit(self, sock: socket.socket, name: object) -> None:
        host, address = peer_host(name), peer_address(name)
        sock.setblocking(False)
        tune(sock)
        refusal = self._connection_limiter.enter(host, address=address)
        if refusal is not None or host is None:
            refuse(sock, refusal)
            return
        task = self._loop.create_task(self._open_transport(sock, host, address))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _open_transport(self, sock: socket.socket, host: IPv4Address, address: str) -> None:
        client = _ClientProtocol(self, host, address)
        self._open.add(client)
        self._empty.clear()
        try:
            await self._loop.connect_accepted_socket(lambda: client, sock)
        except BaseException:
            sock.close()
            self.closed(client)
            raise

    def connection(self, transport: _AsyncTransport, address: str) -> Connection:
        """A connection for a new client."""
        return Connection(
            self._hub,
            transport,
            self._loop,
            schedule_flush=self._flusher,
            address=address,
            turns=self.turns,
            tls=self._tls,
        )

    def closed(self, client: _ClientProtocol) -> None:
        """A connection is gone."""
        if client in self._open:
            self._open.discard(client)
            self._connection_limiter.leave(client.host)
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

    __slots__ = ("_acceptor", "_address", "_peer", "_sniffer", "_transport", "host")

    def __init__(self, acceptor: AsyncAcceptor, host: IPv4Address, address: str) -> None:
        self.host = host
        """Where the client comes from."""
        self._acceptor = acceptor
        self._address = address
        self._peer: Input | None = None
        self._sniffer: ProtocolSniffer | None = None
        self._transport: _AsyncTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = _AsyncTransport(cast("asyncio.Transport", transport))
        connection = self._acceptor.connection(self._transport, self._address)
        self._peer = connection
        self._sniffer = ProtocolSniffer(connection, self._transport, self._acceptor.http)

    def end(self, reason: Reason, text: str) -> None:
        """End the connection from this side."""
        if self._peer is not None:
            self._peer.end(reason, text)

    def data_received(self, data: bytes) -> None:
        if self._sniffer is not None:
            taken = first_taker(self._sniffer, data, self._acceptor.context, self._acceptor.turns)
            if taken is None:
                return
            self._sniffer = None
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
        peer, self._peer, self._sniffer = self._peer, None, None
        try:
            if peer is not None:
                peer.lost(timed_out=isinstance(exc, OSError) and exc.errno in TIMED_OUT)
        finally:
            self._acceptor.closed(self)
