"""TLS for test peers: the socket of one, with the text that goes through it encrypted."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import Final

_CHUNK_BYTES: Final = 65536


def client_context(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client that takes any certificate, and speaks one version of TLS or whatever it can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class TlsSocket:
    """A connected socket that encrypts; unlike Python's own it can say goodbye and go on reading.

    Args:
        sock: the socket, connected; it is this one's from now on.
        context: what `client_context` gave.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.socket = sock
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._unsent = b""
        self.tls = context.wrap_bio(self._incoming, self._outgoing)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                break
        self._flush()

    def send(self, data: bytes) -> int:
        """Send all of it if anything of it can be sent; what does not fit goes first the next time.

        Raises:
            BlockingIOError, TimeoutError: as that of a socket.
        """
        self._flush()
        self.tls.write(data)
        with contextlib.suppress(BlockingIOError, TimeoutError):
            self._flush()
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self.tls.write(data)
        self._flush()

    def recv(self, size: int) -> bytes:
        """What has come; empty after a goodbye of TLS.

        Raises:
            ConnectionError: also for an end without one, since that may be anybody's doing.
        """
        timeout = self.socket.gettimeout()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self.tls.read(size)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLWantReadError:
                if deadline is not None:
                    self.socket.settimeout(max(0.001, deadline - time.monotonic()))
                self._fill()
            except ssl.SSLError as error:
                raise ConnectionError(str(error)) from error

    def shutdown(self, _how: int) -> None:
        """Say goodbye, and go on reading."""
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        self._flush()

    def settimeout(self, seconds: float | None) -> None:
        """As that of a socket."""
        self.socket.settimeout(seconds)

    def setblocking(self, flag: bool) -> None:
        """As that of a socket."""
        self.socket.setblocking(flag)

    def setsockopt(self, level: int, name: int, value: int | bytes) -> None:
        """As that of a socket."""
        self.socket.setsockopt(level, name, value)

    def close(self) -> None:
        """Close without a goodbye."""
        self.socket.close()

    def _fill(self) -> None:
        chunk = self.socket.recv(_CHUNK_BYTES)
        if chunk:
            self._incoming.write(chunk)
        else:
            raise ConnectionError("the connection ended without a goodbye of TLS")

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        if self.socket.gettimeout() == 0.0:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        else:
            unsent, self._unsent = self._unsent, b""
            self.socket.sendall(unsent)
