"""TLS on the port of the other dialects, without any socket: between a connection and its driver's transport.

The first byte of a peer tells TLS from the dialects. Making the key and the certificate is left to `certificate`.
"""

from __future__ import annotations

import contextlib
import ssl
from enum import Enum, auto
from pathlib import Path
from typing import Final

from twocans.hub.session import Reason
from twocans.server.connection.connection import Connection
from twocans.server.connection.sniffing import Http, Input, ProtocolSniffer
from twocans.server.connection.transport import Transport
from twocans.server.connection.turns import ParserTurns

HANDSHAKE: Final = 0x16
"""The first byte of a TLS hello (RFC 8446, section 5.1), with which no user name begins."""
RECORD_BYTES: Final = 16 * 1024
"""The most text in one TLS record (RFC 8446, section 5.1)."""
PIECE_BYTES: Final = 64 * 1024
"""About how much of what a peer says is passed on at a time."""
SLICE_RECORDS: Final = 256
"""About how many records are decrypted at once: of a byte each these take a quarter of a millisecond."""
STEP_BYTES: Final = 8 * 1024
"""How much is given to OpenSSL at a time: it keeps as much memory as it ever held of one connection."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The settings for all connections.

    Raises:
        ssl.SSLError: the certificate and the key are not usable.
        OSError: they cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Sessions are not resumed: connections last, and what is not kept cannot be stolen.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    # With a password of its own OpenSSL never asks for one at the terminal.
    context.load_cert_chain(certificate, key, password="")
    return context


def first_taker(
    sniffer: ProtocolSniffer, chunk: bytes, context: ssl.SSLContext, turns: ParserTurns
) -> tuple[Input, bytes] | None:
    """As `ProtocolSniffer.feed`, for a peer that may also speak TLS.

    Args:
        sniffer: the peer's.
        chunk: the bytes that have come; not empty.
        context: what `server_context` gave.
        turns: those in which TLS is parsed.
    """
    if sniffer.begun or chunk[0] != HANDSHAKE:
        return sniffer.feed(chunk)
    encrypting = TlsTransport(context, sniffer.transport, sniffer.connection, sniffer.http, turns=turns)
    sniffer.connection.secure(encrypting)
    return encrypting, chunk


class _End(Enum):
    """How a peer's TLS has ended, once all that it said before has been passed on."""

    GOODBYE = auto()
    FAILURE = auto()


class TlsTransport:
    """Decrypts what a peer sends and encrypts what it is told; a `Transport` for the connection above it.

    Args:
        context: what `server_context` gave.
        transport: the driver's side.
        connection: what the peer says goes to it, unless that is HTTP.
        http: serves HTTP.
        turns: those in which handshakes are made, and in which what is left of many records is decrypted.
    """

    __slots__ = (
        "_closed",
        "_delivering",
        "_driver_paused",
        "_end",
        "_established",
        "_incoming",
        "_outgoing",
        "_over",
        "_paused",
        "_peer",
        "_sniffer",
        "_tls",
        "_transport",
        "_turns",
        "_unread",
        "_waiting",
        "unsent_bytes",
    )

    def __init__(
        self,
        context: ssl.SSLContext,
        transport: Transport,
        connection: Connection,
        http: Http,
        *,
        turns: ParserTurns,
    ) -> None:
        self._transport = transport
        self._turns = turns
        self._peer: Input = connection
        self._sniffer: ProtocolSniffer | None = ProtocolSniffer(connection, self, http)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._unread = memoryview(b"")
        self._established = False
        self._paused = False
        self._waiting = False
        self._driver_paused = False
        self._delivering = False
        self._end: _End | None = None
        self._over = False
        self._closed = False
        self.unsent_bytes = transport.unsent_bytes

    # --- from the driver ---------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        """Bytes have arrived."""
        if self._over or self._peer.closing:
            return
        # More can come in a pause: a driver may have read it before it was told.
        self._unread = memoryview(b"".join((self._unread, chunk)) if self._unread else chunk)
        if not self._established:
            self._waiting = True
            self._turns.add_now(self)
        elif not self._waiting:
            self._deliver()
            self._answer()
        self._see_to_reading()

    def parse_slice(self) -> bool:
        """See `Parsing.parse_slice`."""
        self._waiting = False
        if not (self._over or self._peer.closing):
            self._shake_hands()
            if self._established:
                self._deliver()
            self._answer()
        self._see_to_reading()
        # What is left has asked for another turn itself.
        return False

    def eof(self) -> None:
        """No more bytes will come; without a goodbye of TLS anybody may have cut the connection."""
        if not self._over and not self._peer.closing:
            self._transport.abort()

    def lost(self, *, timed_out: bool = False) -> None:
        """The connection is gone; called once, and nothing after it."""
        self._over = self._closed = True
        self._turns.remove(self)
        self._peer.lost(timed_out=timed_out)
        # Both would else be kept until the garbage collector finds them.
        self._sniffer = None
        del self._peer

    @property
    def closing(self) -> bool:
        """Whether nothing more is wanted of the peer."""
        return self._peer.closing

    def drained(self) -> None:
        """See `Input.drained`."""
        self._peer.drained()

    def end(self, reason: Reason, text: str) -> None:
        """End the connection from this side."""
        self._peer.end(reason, text)

    def break_off(self, reason: Reason) -> None:
        """End it without a word."""
        self._peer.break_off(reason)

    def want_flush(self) -> None:
        """See `Input.want_flush`."""
        self._peer.want_flush()

    # --- from the connection -----------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """See `Transport.write`; before there is encryption nothing is said."""
        if not self._established or self._closed:
            return
        pieces = []
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest[:STEP_BYTES]) :]
                pieces.append(self._outgoing.read())
        except ssl.SSLError:
            self._fail()
            return
        self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def close(self) -> None:
        """See `Transport.close`."""
        if not self._closed:
            self._closed = True
            if self._established:
                # That the peer has not said goodbye yet is an error to it too.
                with contextlib.suppress(ssl.SSLError):
                    self._tls.unwrap()
                self._send()
        self._transport.close()

    def abort(self) -> None:
        """See `Transport.abort`."""
        self._closed = True
        self._transport.abort()

    def pause_reading(self) -> None:
        """See `Transport.pause_reading`."""
        self._paused = True
        self._see_to_reading()

    def resume_reading(self) -> None:
        """See `Transport.resume_reading`; what has arrived already comes first."""
        self._paused = False
        if not self._waiting:
            self._deliver()
        self._see_to_reading()

    def notify_below(self, low_water_bytes: int) -> None:
        """See `Transport.notify_below`; what counts is encrypted."""
        self._transport.notify_below(low_water_bytes)

    def local_address(self) -> str:
        """See `Transport.local_address`."""
        return self._transport.local_address()

    def unconfirmed_bytes(self) -> int:
        """See `Transport.unconfirmed_bytes`."""
        return self._transport.unconfirmed_bytes()

    # --- encrypting and decrypting ------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        while not self._established and not self._over:
            try:
                self._tls.do_handshake()
                self._established = True
            except ssl.SSLWantReadError:
                if not self._step():
                    return
            except ssl.SSLError:
                self._fail()

    def _see_to_reading(self) -> None:
        """Read nothing more in a pause, nor while something waits to be parsed."""
        paused = self._paused or self._waiting
        if paused is self._driver_paused or self._closed:
            return
        self._driver_paused = paused
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _deliver(self) -> None:
        """Pass on what has been received, as far as it is wanted and as many records as a slice has."""
        if self._delivering:
            return
        self._delivering = True
        left = SLICE_RECORDS
        while not (self._paused or self._over or self._peer.closing):
            pieces = self._decrypt(left)
            left -= len(pieces)
            text = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            if text:
                self._pass_on(text)
            elif self._end is _End.FAILURE:
                self._fail()
            elif self._end is _End.GOODBYE:
                self._over = True
                self._peer.eof()
            else:
                break
            if left <= 0 and not self._over:
                self._waiting = True
                self._turns.add(self)
                break
        self._delivering = False

    def _pass_on(self, text: bytes) -> None:
        if self._sniffer is not None:
            taken = self._sniffer.feed(text)
            if taken is None:
                return
            self._sniffer = None
            self._peer, text = taken
        self._peer.receive(text)

    def _decrypt(self, most: int) -> list[bytes]:
        """Some of what has been received, in `most` records; nothing if there is no more of it, or if an end has come."""
        pieces: list[bytes] = []
        size = 0
        while self._end is None and size < PIECE_BYTES and len(pieces) < most:
            if not self._incoming.pending and not self._tls.pending() and not self._step():
                break
            try:
                piece = self._tls.read(RECORD_BYTES)
            except ssl.SSLWantReadError:
                if self._step():
                    continue
                break
            except ssl.SSLError:
                self._end = _End.FAILURE
                break
            if not piece:
                self._end = _End.GOODBYE
            pieces.append(piece)
            size += len(piece)
        return pieces

    def _step(self) -> bool:
        """Give OpenSSL some more of what has been received; whether there was any."""
        if not self._unread:
            return False
        self._incoming.write(self._unread[:STEP_BYTES])
        self._unread = self._unread[STEP_BYTES:]
        return True

    def _answer(self) -> None:
        """Send what TLS itself has to say; a peer that does not read that either is cut off."""
        if self._outgoing.pending:
            self._send()
            if self.unsent_bytes():
                self._peer.want_flush()

    def _send(self) -> None:
        if self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    def _fail(self) -> None:
        """End a connection on which TLS has failed; the peer is sent its alert."""
        self._over = self._closed = True
        self._send()
        self._peer.break_off(Reason.TLS_FAILED)
