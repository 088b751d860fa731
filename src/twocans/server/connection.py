"""One connection, from its first byte to its last, without any socket.

A driver (`listener` or `threaded`) feeds it bytes and carries out what it says through `Transport`. It finds
the dialect, keeps to the limits of its client, and passes what the client says to the hub.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, assert_never

from twocans.hub.hub import Hub
from twocans.hub.limits import TokenBucket
from twocans.hub.session import Reason, Session
from twocans.protocol import json, plain
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.framing import LineReader, LineTooLong
from twocans.protocol.messages import (
    Bye,
    ChatsQuery,
    Error,
    FindQuery,
    Frame,
    FromClient,
    Goodbye,
    Got,
    Hello,
    HistoryQuery,
    Message,
    Ping,
    Pong,
    Read,
    SearchQuery,
    Send,
    Typing,
    UserList,
)
from twocans.server.encoding import EncodeOnce
from twocans.server.transport import Timers, Transport

HIGH_WATER_BYTES: Final = 64 * 1024
"""With so much still to be sent to it, a client's requests wait."""
CLOSE_S: Final = 5.0
"""How long a peer may take to fetch the last words."""
CONFIRM_INTERVAL_S: Final = 1.0
"""How often the machine of a plain peer is asked what it has, in seconds."""
_QUERIES: Final = (HistoryQuery, SearchQuery, ChatsQuery, FindQuery)
_WHO: Final = "Say who you are first: HELLO with your user name."


_encode_json = EncodeOnce(json.encode)
_encode_plain = EncodeOnce(plain.encode)


class Connection(Session):
    """A client's connection.

    Args:
        hub: where it registers.
        transport: the driver's side.
        timers: clock and timers.
        schedule_flush: asks for a call of `flush` at the end of this turn of the loop.
        address: the peer's, for people.
    """

    __slots__ = (
        "_bucket",
        "_clogged",
        "_closing",
        "_confirmed",
        "_drained",
        "_ended",
        "_finishing",
        "_flush_due",
        "_heard_at",
        "_hub",
        "_json",
        "_last_check",
        "_last_delivered",
        "_lines",
        "_list",
        "_out",
        "_out_bytes",
        "_paused",
        "_pings",
        "_reader",
        "_refusals",
        "_schedule_flush",
        "_throttled",
        "_timer",
        "_timers",
        "_too_long",
        "_transport",
        "_written",
    )

    def __init__(
        self,
        hub: Hub,
        transport: Transport,
        timers: Timers,
        *,
        schedule_flush: Callable[[Connection], None],
        address: str,
    ) -> None:
        super().__init__(address)
        limits = hub.limits
        now = timers.time()
        self._hub = hub
        self._transport = transport
        self._timers = timers
        self._schedule_flush = schedule_flush
        self._reader = LineReader(limits.max_line_bytes)
        self._bucket = None
        if limits.rate_per_s:
            self._bucket = TokenBucket(
                rate=limits.rate_per_s, burst=limits.rate_per_s * limits.burst_s, now=now
            )
        self._lines: deque[bytes] = deque()
        self._too_long: LineTooLong | None = None
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._list: UserList | None = None
        self._flush_due = False
        self._drained: list[Callable[[], None]] = []
        self._throttled = False
        self._clogged = False
        self._paused = False
        self._json: bool | None = None
        self._refusals = 0
        self._closing = False
        self._ended = False
        self._finishing = False
        self._heard_at = now
        self._pings = 0
        self._last_delivered = 0
        self._written = 0
        self._confirmed = 0
        self._last_check = now
        self._timer = timers.call_later(limits.registration_s, self._registration_timed_out)

    # --- from the driver ---------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        """Bytes have arrived."""
        if self._closing:
            return
        self._heard_at = self._timers.time()
        lines, error = self._reader.feed(chunk)
        self._lines.extend(lines)
        if error is not None:
            self._too_long = error
            self._pause()
        if not self._throttled and not self._clogged and not self.asking:
            self._work()

    def eof(self) -> None:
        """The peer has said all that it has to say."""
        self._finish_lines()
        if not self._closing:
            self._close(Reason.LEFT)

    def lost(self, *, timed_out: bool = False) -> None:
        """The connection is gone; called once, and nothing after it."""
        self._finish_lines()
        if not self._closing:
            self._leave(Reason.TIMED_OUT if timed_out else Reason.CONNECTION_LOST)
        self._ended = True
        self._timer.cancel()
        self._drained.clear()

    def flush(self) -> None:
        """Hand over everything that this turn has gathered."""
        self._flush_due = False
        if self._ended:
            return
        transport = self._transport
        if self._list is not None and transport.unsent_bytes() == 0:
            self._out.append(_encode_plain(self._list))
            self._list = None
        if self.plain and self.live:
            now = self._timers.time()
            if now - self._last_check >= CONFIRM_INTERVAL_S:
                self._last_check = now
                self._confirm_written()
        if self._out:
            data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
            self._out.clear()
            self._out_bytes = 0
            transport.write(data)
            self._written = self._last_delivered
        unsent = transport.unsent_bytes()
        if self._closing:
            transport.close()
        elif unsent > self._hub.limits.send_queue_bytes:
            self._leave(Reason.TOO_SLOW)
            transport.abort()
        elif self._list is not None or self._drained or self._clogged:
            if unsent:
                transport.notify_when_sent()
            else:
                self.drained()

    def drained(self) -> None:
        """Everything that was written has left this process."""
        if self._closing:
            return
        if self._list is not None:
            self._want_flush()
        if self._drained:
            callbacks, self._drained = self._drained, []
            for callback in callbacks:
                callback()
        if self._clogged:
            self._clogged = False
            if not self._throttled and not self.asking:
                self._work()

    # --- from the hub ------------------------------------------------------------------------------------

    def deliver(self, message: Frame) -> None:
        """See `Session.deliver`."""
        if self._closing:
            return
        data = _encode_json(message) if self._json else _encode_plain(message)
        if data:
            self._out.append(data)
            self._out_bytes += len(data)
            if not self._flush_due:
                self._want_flush()

    def deliver_message(self, message: Message) -> None:
        """See `Session.deliver_message`."""
        self._last_delivered = message.id
        self.deliver(message)

    def deliver_list(self, users: UserList) -> None:
        """See `Session.deliver_list`."""
        if self._closing:
            return
        if self._transport.unsent_bytes() == 0:
            self.deliver(users)
            self._list = None
        else:
            self._list = users

    def when_drained(self, callback: Callable[[], None]) -> None:
        """See `Session.when_drained`."""
        if self._ended:
            return
        if not self._out and self._transport.unsent_bytes() == 0:
            callback()
        else:
            self._drained.append(callback)

    def answered(self) -> None:
        """See `Session.answered`."""
        # Not within the call that asked, whose caller goes on with the next line anyway.
        if self._paused and not self._throttled and not self._clogged and not self._closing:
            self._work()

    def end(self, reason: Reason, text: str) -> None:
        """See `Session.end`."""
        if self._closing:
            return
        self.deliver(Goodbye(reason=reason.value, text=text))
        self._close(reason)

    def handed_upto(self) -> int:
        """See `Session.handed_upto`."""
        return self._confirmed

    # --- lines -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Handle waiting lines as long as the limits allow."""
        lines = self._lines
        unsent = self._transport.unsent_bytes()
        while lines and not self._closing:
            if self.asking:
                self._pause()
                return
            if self._out_bytes + unsent > HIGH_WATER_BYTES:
                self._clogged = True
                self._pause()
                return
            if self._bucket is not None and (wait_s := self._bucket.take(self._timers.time())) > 0:
                self._throttled = True
                self._pause()
                self._timers.call_later(wait_s, self._work_again)
                return
            self._handle(lines.popleft())
        if self._closing:
            return
        if self._too_long is not None:
            limit = self._too_long.limit
            self._fail(f"That line was longer than {limit} bytes, which is the limit. Goodbye.")
            return
        self._resume()

    def _work_again(self) -> None:
        self._throttled = False
        if not self._closing and not self._clogged and not self.asking:
            self._work()

    def _finish_lines(self) -> None:
        # What was said before leaving counts, even if it came faster than its turn; answers find nobody.
        self._finishing = True
        while self._lines and not self._closing:
            self._handle(self._lines.popleft())

    def _handle(self, line: bytes) -> None:
        try:
            if self.account is None:
                self._register(line)
            elif self._json:
                self._handle_json(json.decode_client(line))
            else:
                to, text = plain.decode_client(line)
                self._hub.post(self, to, text, None)
        except ProtocolError as error:
            self._tell(error)

    def _register(self, line: bytes) -> None:
        if self._json is None:
            self._json = json.is_hello(line)
            self.plain = not self._json
        name = ""
        try:
            if self._json:
                hello = json.decode_client(line)
                if not isinstance(hello, Hello):
                    self._before_hello(hello)
                    return
                name = hello.user
                self._hub.register_json(self, hello)
            else:
                name = plain.decode_name(line)
                self._hub.register_plain(self, name)
        except ProtocolError as error:
            self._hub.refused(self, name, error)
            self._tell(error)
            self._refusals += 1
            if error.code is Code.SERVER_FULL:
                self.end(Reason.REFUSED, "Goodbye.")
            elif self._refusals >= self._hub.limits.max_refusals:
                self.end(Reason.REFUSED, "No name was accepted. Please connect again.")
            elif not self._json:
                # The next first line may pick the other dialect.
                self._json = None
            return
        self._timer.cancel()
        if self._json:
            self._watch()

    def _before_hello(self, message: FromClient) -> None:
        match message:
            case Ping(n=n):
                self.deliver(Pong(n))
            case Pong():
                pass
            case Bye():
                self._close(Reason.LEFT)
            case Send(cid=cid):
                raise ProtocolError(Code.NOT_REGISTERED, _WHO, cid=cid)
            case HistoryQuery(rid=rid) | SearchQuery(rid=rid) | ChatsQuery(rid=rid) | FindQuery(rid=rid):
                raise ProtocolError(Code.NOT_REGISTERED, _WHO, rid=rid)
            case _:
                raise ProtocolError(Code.NOT_REGISTERED, _WHO)

    def _handle_json(self, message: FromClient) -> None:
        if self._finishing and isinstance(message, _QUERIES):
            return
        match message:
            case Send(to=to, text=text, cid=cid):
                self._hub.post(self, to, text, cid)
            case Got(id=upto):
                self._hub.got(self, upto)
            case Read():
                self._hub.read(self, message)
            case Typing(to=to):
                self._hub.typing(self, to)
            case HistoryQuery():
                self._hub.looking_back.history(self, message)
            case SearchQuery():
                self._hub.looking_back.search(self, message)
            case ChatsQuery():
                self._hub.looking_back.chats(self, message)
            case FindQuery():
                self._hub.looking_back.find(self, message)
            case Ping(n=n):
                self.deliver(Pong(n))
            case Pong():
                pass
            case Bye():
                self._close(Reason.LEFT)
            case Hello():
                raise ProtocolError(Code.BAD_REQUEST, "You are registered already.")
            case _:
                assert_never(message)

    def _tell(self, error: ProtocolError) -> None:
        self.deliver(Error(code=error.code, text=error.text, cid=error.cid, rid=error.rid))

    # --- ends --------------------------------------------------------------------------------------------

    def _fail(self, text: str) -> None:
        if self._json is None:
            self._json = False
        self.deliver(Error(code=Code.BAD_REQUEST, text=text))
        self._close(Reason.PROTOCOL_ERROR)

    def _close(self, reason: Reason) -> None:
        self._leave(reason)
        self._want_flush()
        # A peer that does not take the last words is not waited for.
        self._timer = self._timers.call_later(CLOSE_S, self._transport.abort)

    def _leave(self, reason: Reason) -> None:
        self._closing = True
        self._timer.cancel()
        self._lines.clear()
        self._confirm(orderly=reason is Reason.LEFT)
        self._hub.leave(self, reason)

    def _registration_timed_out(self) -> None:
        if self.account is None:
            self._json = bool(self._json)
            self.end(
                Reason.NOT_REGISTERED,
                "No user name came, so this connection is closed. Please connect again.",
            )

    def _watch(self) -> None:
        """Look after a silent JSON client: PING it, and give it up when it stays silent."""
        limits = self._hub.limits
        if self._throttled:
            # It is this side that does not listen.
            self._heard_at = self._timers.time()
        silent_s = self._timers.time() - self._heard_at
        if silent_s >= limits.dead_after_s:
            self._leave(Reason.TIMED_OUT)
            self._transport.abort()
            return
        next_s = limits.ping_after_s - silent_s
        if next_s <= 0:
            self._pings += 1
            self.deliver(Ping(self._pings))
            next_s = min(limits.ping_after_s, limits.dead_after_s - silent_s)
        self._timer = self._timers.call_later(next_s, self._watch)

    # --- small change ------------------------------------------------------------------------------------

    def _confirm(self, *, orderly: bool) -> None:
        """Note, as a plain peer leaves, up to which message its machine has everything."""
        if not self.plain:
            return
        if not orderly:
            self._confirm_written()
        elif self._transport.unsent_bytes() == 0:
            self._confirmed = self._written

    def _confirm_written(self) -> None:
        if self._transport.unconfirmed_bytes() == 0:
            self._confirmed = self._written

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and self._too_long is None:
            self._paused = False
            self._heard_at = self._timers.time()
            self._transport.resume_reading()

    def _want_flush(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._schedule_flush(self)
