"""A connection's first bytes, which tell TLS, HTTP and the chat from each other; what follows goes to whoever speaks it."""

from __future__ import annotations

from typing import Final, Protocol

from twocans.hub.session import Reason
from twocans.server.connection.connection import Connection
from twocans.server.connection.transport import Transport

_HTTP: Final = (b" HTTP/1.0", b" HTTP/1.1")
"""How the first line of a request ends (RFC 9112, section 3)."""


class Input(Protocol):
    """What takes in what a peer sends: a connection, a peer that speaks HTTP, or the TLS before them."""

    @property
    def closing(self) -> bool:
        """Whether nothing more is wanted of the peer."""
        ...

    def receive(self, chunk: bytes) -> None:
        """Bytes have arrived."""
        ...

    def eof(self) -> None:
        """No more will."""
        ...

    def lost(self, *, timed_out: bool = False) -> None:
        """The connection is gone; called once, and nothing after it."""
        ...

    def drained(self) -> None:
        """What was waited for by `Transport.notify_below` has come."""
        ...

    def end(self, reason: Reason, text: str) -> None:
        """End the connection from this side, and say why where that can be said."""
        ...

    def break_off(self, reason: Reason) -> None:
        """End it without a word."""
        ...

    def want_flush(self) -> None:
        """Something has been written beside what this has said; a peer that does not fetch it is cut off."""
        ...


class Http(Protocol):
    """Serves HTTP."""

    def __call__(self, connection: Connection, transport: Transport) -> Input:
        """What takes in the bytes of a peer that speaks it, in place of its connection."""
        ...


class ProtocolSniffer:
    """What has come of a peer before it is known what it speaks.

    Args:
        connection: the peer's, for the case that it speaks one of the chat's dialects.
        transport: over which it is answered.
        http: for the other case.
    """

    __slots__ = ("_head", "connection", "http", "transport")

    def __init__(self, connection: Connection, transport: Transport, http: Http) -> None:
        self.connection = connection
        self.transport = transport
        self.http = http
        self._head = b""

    @property
    def begun(self) -> bool:
        """Whether anything has come before."""
        return bool(self._head)

    def feed(self, chunk: bytes) -> tuple[Input, bytes] | None:
        """Look at bytes that have come.

        Returns:
            Who takes in what has come, and all of that; None if it is not known yet.
        """
        self._head += chunk
        if self.connection.closing:
            # It has been ended, and still has that to say: nobody else would close it.
            return self.connection, self._head
        line, end, _ = self._head.partition(b"\n")
        if not end and len(line) <= self.connection.max_line_bytes:
            return None
        if end and line.removesuffix(b"\r").endswith(_HTTP):
            self.connection.step_aside()
            return self.http(self.connection, self.transport), self._head
        return self.connection, self._head
