"""A thread for every client: `--concurrency thread`.

A client's thread waits for its bytes and hands them to the loop, which alone touches the hub, so the hub
needs no lock. One chunk of a client is under way at a time: while the loop is not done with it, or the client
has to wait its turn, its thread reads nothing more. What goes out is sent by the loop without blocking.
Whatever threads hand over while the loop is busy is taken by it at once: it is woken once for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import threading
from collections import deque
from ipaddress import IPv4Address
from typing import Final

from twocans.hub.hub import EventLog, Hub
from twocans.hub.session import Reason
from twocans.server.connection.connection import Connection
from twocans.server.connection.sniffing import Http, Input, ProtocolSniffer
from twocans.server.connection.turns import ParserTurns
from twocans.server.settings.config import TlsMode
from twocans.server.transports.accepting import Accepting, end_shut_out, refuse
from twocans.server.transports.connection_limiter import ConnectionLimiter, Refusal
from twocans.server.transports.event_loop import TIMED_OUT, Flusher
from twocans.server.transports.sockets import peer_address, peer_host, tune, unacknowledged_bytes
from twocans.server.transports.tls import first_taker

CHUNK_BYTES: Final = 64 * 1024
STACK_BYTES: Final = 256 * 1024


# Where single calls can be told not to block, the thread's may: it needs no other call to wait.
_DONT_BLOCK: Final = getattr(socket, "MSG_DONTWAIT", 0)


class _Handover:
    """Passes what threads have read to the loop.

    Args:
        loop: where it goes.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[_Client, bytes]] = deque()
        self._called = False

    def put(self, client: _Client, chunk: bytes) -> None:
        """Hand a chunk over; on the client's thread."""
        self._waiting.append((client, chunk))
        if not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        # What is put from here on calls again, so nothing stays behind.
        self._called = False
        for _ in range(len(self._waiting)):
            client, chunk = self._waiting.popleft()
            try:
                client.received(chunk)
            except Exception as error:  # noqa: BLE001 - the root of a client's turn: the others have theirs
                self._loop.call_exception_handler({"message": "a connection failed", "exception": error})
                client.abort()


class ThreadAcceptor:
    """Serves every connection on a thread of its own.

    Args:
        hub: where clients register; only touched on the running loop.
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
        self.hub = hub
        self.http = http
        self.context = context
        self.tls = tls
        self.loop = asyncio.get_running_loop()
        self.flusher = Flusher(self.loop)
        self.turns = ParserTurns(self.loop)
        self.handover = _Handover(self.loop)
        self._connection_limiter = connection_limiter
        self._log = log
        self._open: set[_Client] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._accepting: Accepting | None = None

    async def start(self, listener: socket.socket) -> None:
        """See `Acceptor.start`."""
        threading.stack_size(STACK_BYTES)
        self._accepting = Accepting(listener, self._admit, log=self._log)

    async def stop(self, reason: Reason, text: str) -> None:
        """See `Acceptor.stop`."""
        if self._accepting is not None:
            await self._accepting.stop()
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
        sock.setblocking(bool(_DONT_BLOCK))
        client = _Client(self, sock, host=host, address=address)
        self._open.add(client)
        self._empty.clear()
        try:
            client.thread.start()
        except RuntimeError:
            # The system gives this process no more threads.
            client.reading_ended(timed_out=False, eof=True)
            self._connection_limiter.refused(Refusal.FULL, address=address)

    def closed(self, client: _Client) -> None:
        """A connection is gone."""
        self._connection_limiter.leave(client.host)
        self._open.discard(client)
        if not self._open:
            self._empty.set()


class _Client:
    """One client's socket, its reading thread, and the loop's side of it (`connection.Transport`)."""

    def __init__(
        self, acceptor: ThreadAcceptor, sock: socket.socket, *, host: IPv4Address, address: str
    ) -> None:
        self.host = host
        self._acceptor = acceptor
        self._loop = acceptor.loop
        self._sock = sock
        self._unsent = bytearray()
        self._low_water_bytes: int | None = None
        self._watching = False
        self._paused = False
        self._handed_over = False
        self._go_on = threading.Lock()
        self._go_on.acquire()
        self._stopping = False
        self._thread_ended = False
        self._finished = False
        self._gone = False
        self.thread = threading.Thread(target=self._read, name=f"client {address}", daemon=True)
        connection = Connection(
            acceptor.hub,
            self,
            acceptor.loop,
            schedule_flush=acceptor.flusher,
            address=address,
            turns=acceptor.turns,
            tls=acceptor.tls,
        )
        self._peer: Input = connection
        self._sniffer: ProtocolSniffer | None = ProtocolSniffer(connection, self, acceptor.http)

    # --- the client's thread -----------------------------------------------------------------------------

    def _read(self) -> None:
        eof = timed_out = False
        while not self._stopping:
            try:
                if not _DONT_BLOCK:
                    _wait_readable(self._sock)
                chunk = self._sock.recv(CHUNK_BYTES)
            except BlockingIOError:
                continue
            except (OSError, ValueError) as error:
                timed_out = isinstance(error, OSError) and error.errno in TIMED_OUT
                break
            if not chunk:
                eof = True
                break
            try:
                self._acceptor.handover.put(self, chunk)
            except RuntimeError:  # the loop has ended with the program
                return
            self._go_on.acquire()
        with contextlib.suppress(RuntimeError):  # the loop may have ended with the program
            self._loop.call_soon_threadsafe(lambda: self.reading_ended(timed_out=timed_out, eof=eof))

    # --- the loop ----------------------------------------------------------------------------------------

    def received(self, chunk: bytes) -> None:
        """The client's thread has read something."""
        self._handed_over = True
        if self._sniffer is not None:
            taken = first_taker(self._sniffer, chunk, self._acceptor.context, self._acceptor.turns)
            if taken is not None:
                self._sniffer = None
                self._peer, chunk = taken
        if self._sniffer is None:
            self._peer.receive(chunk)
        self._let_thread_go_on()

    def _let_thread_go_on(self) -> None:
        if self._handed_over and not (self._paused and not self._stopping):
            self._handed_over = False
            self._go_on.release()

    def reading_ended(self, *, timed_out: bool, eof: bool) -> None:
        """The client's thread has ended, or could not be started."""
        self._thread_ended = True
        if eof and not self._stopping:
            self._peer.eof()
        else:
            self._finish(timed_out=timed_out)

    def end(self, reason: Reason, text: str) -> None:
        """End the connection from this side."""
        self._peer.end(reason, text)

    def write(self, data: bytes) -> None:
        """See `Transport.write`."""
        if self._gone:
            return
        if not self._unsent:
            try:
                sent = self._sock.send(data, _DONT_BLOCK)
            except BlockingIOError:
                sent = 0
            except OSError:
                # The thread reads of it too, and says so; but not while it waits.
                if self._paused:
                    self._loop.call_soon(self.abort)
                return
            if sent == len(data):
                return
            data = data[sent:]
        self._unsent += data
        if not self._watching:
            self._watching = True
            self._loop.add_writer(self._sock, self._writable)

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._unsent, _DONT_BLOCK)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._unwatch()
            if self._stopping:
                self._shut_down()
                return
        if self._low_water_bytes is not None and len(self._unsent) <= self._low_water_bytes:
            self._low_water_bytes = None
            self._peer.drained()

    def close(self) -> None:
        """See `Transport.close`."""
        self._stopping = True
        if not self._unsent:
            self._shut_down()

    def abort(self) -> None:
        """See `Transport.abort`."""
        self._stopping = True
        self._unsent.clear()
        self._shut_down()

    def pause_reading(self) -> None:
        """See `Transport.pause_reading`."""
        self._paused = True

    def resume_reading(self) -> None:
        """See `Transport.resume_reading`."""
        self._paused = False
        self._let_thread_go_on()

    def unsent_bytes(self) -> int:
        """See `Transport.unsent_bytes`."""
        return len(self._unsent)

    def notify_below(self, low_water_bytes: int) -> None:
        """See `Transport.notify_below`."""
        self._low_water_bytes = low_water_bytes

    def local_address(self) -> str:
        """See `Transport.local_address`."""
        name = None
        with contextlib.suppress(OSError):  # the connection may be gone
            name = self._sock.getsockname()
        return peer_address(name)

    def unconfirmed_bytes(self) -> int:
        """See `Transport.unconfirmed_bytes`."""
        return len(self._unsent) + (1 if self._gone else unacknowledged_bytes(self._sock))

    def _shut_down(self) -> None:
        """Wake the thread, which then says that it has ended; or finish at once if it has."""
        if self._thread_ended:
            self._finish(timed_out=False)
            return
        self._unwatch()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._let_thread_go_on()

    def _finish(self, *, timed_out: bool) -> None:
        if self._finished:
            return
        self._finished = True
        try:
            self._unwatch()
            self._peer.lost(timed_out=timed_out)
        finally:
            self._gone = True
            self._unsent.clear()
            self._sock.close()
            self._acceptor.closed(self)

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_writer(self._sock)


def _wait_readable(sock: socket.socket) -> None:
    """Block until there is something to read, or an end."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        poll.poll()
    else:
        select.select([sock], [], [])
