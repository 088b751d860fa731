"""A peer that speaks HTTP: between the driver of its connection and aiohttp, which reads its requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import StreamReader
from aiohttp.web_protocol import RequestHandler

from twocans.hub.session import Reason
from twocans.server.connection.transport import Cancellable, Timers, Transport
from twocans.server.connection.turns import ParserTurns
from twocans.server.http.least_speed import LeastSpeed

HIGH_WATER_BYTES: Final = 256 * 1024
"""With so much still to be sent to it, nothing more is written for a peer."""
LOW_WATER_BYTES: Final = 64 * 1024
"""With no more than this still to be sent to it, writing goes on."""
SLICE_BYTES: Final = 8 * 1024
"""The most that is parsed at once: of the smallest chunks this takes about a millisecond."""
CLOSE_S: Final = 5.0
"""How long it may take to fetch the last words."""


class RequestReader(RequestHandler):
    """Reads the requests of one peer."""

    @property
    def idle(self) -> bool:
        """Whether no request is under way, nor any part of one that has ended."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def waiting(self) -> bool:
        """Whether there are requests that have not been looked at."""
        return bool(self._messages)


class HttpPeer(asyncio.Transport):
    """The `Input` of a connection that speaks HTTP, and the transport that aiohttp writes to.

    Args:
        transport: the driver's side, or the TLS over it.
        timers: clock and timers.
        speed_timers: the same for the speed of transfers.
        turns: those in which requests are parsed.
        make_handler: makes what reads its requests.
        address: the peer's, for people.
        encrypted: whether nobody on the way can read what is said.
    """

    def __init__(
        self,
        transport: Transport,
        timers: Timers,
        *,
        speed_timers: Timers,
        turns: ParserTurns,
        make_handler: Callable[[], RequestReader],
        address: str,
        encrypted: bool,
    ) -> None:
        super().__init__()
        self.address = address
        self.encrypted = encrypted
        self.closing = False
        """Whether nothing more is wanted of the peer."""
        self._body: StreamReader | None = None
        self._body_size: int | None = None
        self._transport = transport
        self._timers = timers
        self._speed_timers = speed_timers
        self._turns = turns
        self._unparsed = bytearray()
        self._handler_paused = False
        self._reading_paused = False
        self._handler = make_handler()
        self._timer: Cancellable | None = None
        self._speed: LeastSpeed | None = None
        self._clogged = False
        self._answered = False
        self._ended = False
        self._gone = False
        self._handler.connection_made(self)

    @property
    def host(self) -> str:
        """Where the peer is, without the port."""
        return self.address.rpartition(":")[0]

    # --- as `Input` ----------------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        """See `Input.receive`."""
        if not self.closing:
            self._unparsed += chunk
            if not self._handler_paused:
                self._turns.add_now(self)
            self._see_to_reading()

    def parse_slice(self) -> bool:
        """See `Parsing.parse_slice`."""
        if self.closing or self._handler_paused:
            return False
        # What is left of a body of known length is passed on as it is, which takes no time worth dividing.
        size = max(SLICE_BYTES, self._body_bytes_left())
        data = bytes(self._unparsed[:size])
        del self._unparsed[:size]
        self._handler.data_received(data)
        self._see_to_reading()
        return bool(self._unparsed) and not self._handler_paused

    def eof(self) -> None:
        """See `Input.eof`; what has been asked for is still answered."""
        # All of it has been parsed: nothing is read before, and so no end.
        self._ended = True
        if self._body is not None and not self._body.is_eof():
            self.abort()
        elif self._handler.idle or (self._answered and not self._handler.waiting):
            # Nothing is under way, or aiohttp waits for what nobody will send any more.
            self.close()

    def lost(self, *, timed_out: bool = False) -> None:
        """See `Input.lost`."""
        self.closing = self._gone = True
        self._turns.remove(self)
        self._stop_watching()
        self._handler.connection_lost(ConnectionResetError("timed out" if timed_out else "gone"))
        # Each would else keep the other until the garbage collector finds them.
        del self._handler

    def drained(self) -> None:
        """See `Input.drained`."""
        if self._clogged and not self._gone:
            self._clogged = False
            self._stop_watching()
            self._handler.resume_writing()

    def end(self, reason: Reason, text: str) -> None:  # noqa: ARG002 - HTTP has no words for it
        """See `Input.end`."""
        self.abort()

    def break_off(self, reason: Reason) -> None:  # noqa: ARG002 - the peer is not one of the hub's
        """See `Input.break_off`."""
        self.close()

    def want_flush(self) -> None:
        """See `Input.want_flush`; whoever asks TLS for answers and fetches none is cut off."""
        if self._transport.unsent_bytes() > 2 * HIGH_WATER_BYTES:
            self.abort()

    # --- for who answers ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A request is being answered; one after another is."""
        self._answered = False

    def expect_body(self, body: StreamReader | None, size: int | None = None) -> None:
        """Give the peer up if it says no more before all of a body has come.

        Args:
            body: the body; None for nothing that is awaited.
            size: its bytes, None if that was not said.
        """
        self._body, self._body_size = body, size
        if self._ended and body is not None and not body.is_eof():
            self.abort()

    def answered(self) -> None:
        """It has been, but for what is written within this step of its task."""
        self._answered = True
        if self._ended and not self._gone and not self._handler.waiting:
            self._timers.call_later(0, self.close)

    # --- as `asyncio.Transport` ------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What aiohttp asks for; the socket is the driver's own matter."""
        return self.address if name == "peername" else default

    def is_closing(self) -> bool:
        """See `asyncio.BaseTransport`."""
        return self.closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """See `asyncio.WriteTransport`."""
        if self.closing:
            return
        self._transport.write(bytes(data))
        if not self._clogged and self._transport.unsent_bytes() > HIGH_WATER_BYTES:
            self._clogged = True
            self._handler.pause_writing()
            self._transport.notify_below(LOW_WATER_BYTES)
            self._watch()

    def get_write_buffer_size(self) -> int:
        """See `asyncio.WriteTransport`."""
        return self._transport.unsent_bytes()

    def pause_reading(self) -> None:
        """See `asyncio.ReadTransport`."""
        self._handler_paused = True
        self._see_to_reading()

    def resume_reading(self) -> None:
        """See `asyncio.ReadTransport`; what has arrived already comes first."""
        self._handler_paused = False
        if self._unparsed:
            # Not within this call: aiohttp may be about to read what has been parsed.
            self._turns.add(self)
        self._see_to_reading()

    def close(self) -> None:
        """See `asyncio.BaseTransport`."""
        if not self.closing:
            self.closing = True
            self._stop_watching()
            self._timer = self._timers.call_later(CLOSE_S, self._transport.abort)
            self._transport.close()

    def abort(self) -> None:
        """See `asyncio.WriteTransport`."""
        self.closing = True
        if not self._gone:
            self._transport.abort()

    # --- small change ------------------------------------------------------------------------------------------

    def _body_bytes_left(self) -> int:
        if self._body is None or self._body_size is None:
            return 0
        return self._body_size - self._body.total_bytes

    def _see_to_reading(self) -> None:
        """Read nothing more while something waits to be parsed."""
        paused = self._handler_paused or bool(self._unparsed)
        if self.closing or paused is self._reading_paused:
            return
        self._reading_paused = paused
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _watch(self) -> None:
        """Give a peer up that fetches too little."""
        # The system takes more for a slow peer only when it has room for much, so what it still has counts too.
        before = self._transport.unconfirmed_bytes()
        self._speed = LeastSpeed(self._speed_timers, self.abort)
        self._speed.start_waiting(lambda: before - self._transport.unconfirmed_bytes())

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._speed is not None:
            self._speed.stop_waiting(0)
            self._speed = None


def peer_of(transport: asyncio.Transport | None) -> HttpPeer | None:
    """The peer of a request; None if it is gone."""
    return cast("HttpPeer | None", transport)
