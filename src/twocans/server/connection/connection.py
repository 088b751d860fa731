"""One connection, from its first byte to its last, without any socket.

A transport (`event_loop` or `threads`) feeds it bytes and carries out what it says through `Transport`. It finds
the dialect, keeps to the limits of its client, and passes what the client says to the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from twocans.hub.hub import Hub
from twocans.hub.limits import TokenBucket
from twocans.hub.session import Reason
from twocans.protocol import json, plain
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.framing import LineReader, LineTooLong
from twocans.protocol.messages import (
    Bye,
    ChatsQuery,
    CodeQuery,
    DevicesQuery,
    DownloadQuery,
    FindQuery,
    FromClient,
    Goodbye,
    Got,
    Hello,
    HistoryQuery,
    Message,
    Ping,
    Pong,
    Read,
    Revoke,
    SearchQuery,
    Send,
    SetPassword,
    SetStatus,
    SignOut,
    Typing,
    UploadQuery,
)
from twocans.server.connection.registration import Registration
from twocans.server.connection.send_queue import Outgoing
from twocans.server.connection.transport import Cancellable, Timers, Transport
from twocans.server.connection.turns import ParserTurns
from twocans.server.settings.config import TlsMode

CLOSE_S: Final = 5.0
"""How long a peer may take to fetch the last words."""
_QUERIES: Final = (
    HistoryQuery,
    SearchQuery,
    ChatsQuery,
    FindQuery,
    DevicesQuery,
    CodeQuery,
    UploadQuery,
    DownloadQuery,
)


RUN_LINES: Final = 256
"""How many lines are handled before it is looked again whether the limits allow more."""
GREETING_LINES: Final = 20
"""How many lines may come at once of a connection that has no name yet."""
APART_LINES: Final = 8
"""How many lines are handled one by one before those of others are: they can take a hundred microseconds each."""
LOST_LINES: Final = 20
"""How many lines that wait for their turn are handled at least when the connection is lost, beyond the rate."""
LINE_BYTES: Final = 4096
"""Longer lines count as several in the rate, since they take as long as those."""


class Connection(Outgoing):
    """A client's connection.

    Args:
        hub: where it registers.
        transport: the driver's side.
        timers: clock and timers.
        schedule_flush: asks for a call of `flush` at the end of this turn of the loop.
        address: the peer's, for people.
        turns: those in which many lines are handled that have to be handled one by one.
        tls: whether a peer may register without encryption.
    """

    __slots__ = (
        "_bucket",
        "_clogged",
        "_eof",
        "_finishing",
        "_heard_at",
        "_hub",
        "_paused",
        "_pings",
        "_reader",
        "_registration",
        "_sliced",
        "_timer",
        "_timers",
        "_too_long",
        "_turn",
        "_turns",
        "_waiting",
        "_working",
    )

    def __init__(
        self,
        hub: Hub,
        transport: Transport,
        timers: Timers,
        *,
        schedule_flush: Callable[[Outgoing], None],
        address: str,
        turns: ParserTurns,
        tls: TlsMode = TlsMode.OFFERED,
    ) -> None:
        limits = hub.limits
        now = timers.time()
        super().__init__(
            transport,
            schedule_flush=schedule_flush,
            send_queue_bytes=limits.send_queue_bytes,
            address=address,
            now=now,
        )
        self._hub = hub
        self._timers = timers
        self._registration: Registration | None = Registration(self, hub, tls)
        self._reader = LineReader(limits.max_line_bytes)
        self._bucket = None
        if limits.rate_per_s:
            self._bucket = TokenBucket(rate=limits.rate_per_s, burst=GREETING_LINES, now=now)
        self._waiting = b""
        self._too_long: LineTooLong | None = None
        self._turn: Cancellable | None = None
        self._turns = turns
        self._sliced = False
        self._clogged = False
        self._paused = False
        self._finishing = False
        self._working = False
        self._eof = False
        self._heard_at = now
        self._pings = 0
        self._timer = timers.call_later(limits.registration_s, self._registration_timed_out)

    # --- from the driver ---------------------------------------------------------------------------------

    @property
    def max_line_bytes(self) -> int:
        """The longest line that the peer may send."""
        return self._hub.limits.max_line_bytes

    def step_aside(self) -> None:
        """The peer has said nothing yet that is for a chat, and will not."""
        self.closing = self.ended = True
        self._timer.cancel()
        self._registration = None

    def receive(self, chunk: bytes) -> None:
        """Bytes have arrived."""
        if self.closing:
            return
        self._heard_at = self._timers.time()
        block, error = self._reader.feed_block(chunk)
        self._waiting = self._waiting + block if self._waiting else block
        if error is not None:
            self._too_long = error
            self._pause()
        if self.asking:
            # The answer may take its time, and what is read meanwhile has no bound.
            self._pause()
        elif self._turn is None and not self._clogged:
            self._work()

    def eof(self) -> None:
        """The peer has said all that it has to say."""
        if self.account is None and self.asking and not self.closing:
            # What it has said after its name counts once it is known who said it.
            self._eof = True
            return
        self._finish_lines()
        if not self.closing:
            self.close(Reason.LEFT)

    def lost(self, *, timed_out: bool = False) -> None:
        """The connection is gone; called once, and nothing after it."""
        most = None
        if self._bucket is not None:
            most = max(LOST_LINES, self._bucket.available(self._timers.time()))
        self._finish_lines(most)
        if not self.closing:
            self.leave(Reason.TIMED_OUT if timed_out else Reason.CONNECTION_LOST)
        self.ended = True
        self._timer.cancel()
        if self._turn is not None:
            self._turn.cancel()
        self._drained = ()
        # Each would else keep the other until the garbage collector finds them.
        self._registration = None

    def break_off(self, reason: Reason) -> None:
        """Close without a word, since the peer would not understand any."""
        if not self.closing:
            self.close(reason)

    def answered(self) -> None:
        """See `Session.answered`."""
        # Not within the call that asked, whose caller goes on with the next line anyway.
        if self._working or self.closing:
            return
        if self._eof:
            self.eof()
        elif self._paused and self._turn is None and not self._clogged:
            self._work()

    def end(self, reason: Reason, text: str) -> None:
        """See `Session.end`."""
        if self.closing:
            return
        self.deliver(Goodbye(reason=reason.value, text=text))
        self.close(reason)

    def linked(self, message: Message) -> Message:
        """See `Outgoing.linked`."""
        if message.file is None or self.account is None:
            return message
        scheme = "https" if self.encrypted else "http"
        server = f"{scheme}://{self._transport.local_address()}"
        return self._hub.files.linked(self, message, message.file, server)

    # --- lines -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Handle waiting lines as long as the limits allow; a fault in that ends this connection alone."""
        self._sliced = False
        try:
            while self._waiting and not self.closing:
                if self.asking:
                    self._pause()
                    return
                if self._sliced:
                    self._turn = self._turns.wait(self)
                    self._pause()
                    return
                if self.clogged():
                    self._clogged = True
                    self._pause()
                    self.when_drained(self._work_on_once_drained)
                    return
                count = RUN_LINES
                if self._bucket is not None:
                    count = min(count, self._bucket.available(self._timers.time()))
                    if count <= 0:
                        self._turn = self._timers.call_later(self._bucket.wait_s(), self._work_again)
                        self._pause()
                        return
                self._working = True
                self._handle_run(count)
                self._working = False
        except Exception as error:  # noqa: BLE001 - the root of a connection's turn
            self.fail(error)
        if self.closing:
            return
        if self._too_long is not None:
            self._refuse_long_line(self._too_long)
            return
        self._resume()

    def _work_on_once_drained(self) -> None:
        self._clogged = False
        if self._turn is None and not self.asking:
            self._work()

    def parse_slice(self) -> bool:
        """See `Parsing.parse_slice`: handle some of the lines that wait."""
        self._work_again()
        # What is left waits for another turn already.
        return False

    def abort(self) -> None:
        """See `Parsing.abort`."""
        self._transport.abort()

    def _work_again(self) -> None:
        self._turn = None
        if not self.closing and not self._clogged and not self.asking:
            self._work()

    def _handle_run(self, most: int) -> None:
        """Handle lines, `most` of them at most: together if they are messages, else one by one."""
        self._sliced = False
        block = self._waiting
        count = block.count(b"\n")
        size = len(block)
        if count > most:
            *lines, self._waiting = block.split(b"\n", most)
            block, count = _block(lines), most
        else:
            self._waiting = b""
        if count == 1:
            self._handle(block[:-1])
        elif not self._handle_together(block, count):
            lines = block.split(b"\n")
            lines.pop()
            count = self._handle_apart(lines)
            if count < len(lines) and not self.closing:
                self._waiting = _block(lines[count:]) + self._waiting
        if self._bucket is not None:
            self._bucket.take(max(count, (size - len(self._waiting)) // LINE_BYTES))

    def _handle_together(self, block: bytes, count: int) -> bool:
        """Handle lines at once if they are messages without anything to look at twice."""
        if self.account is None:
            return False
        sends = json.decode_sends(block, count) if self.json else plain.decode_sends(block, count)
        if sends is None:
            return False
        self._hub.posting.post(self, sends)
        return True

    def _handle_apart(self, lines: list[bytes]) -> int:
        """Handle lines as long as the limits allow. One that is no message keeps only those near it apart.

        Returns:
            How many lines that was.
        """
        handled = alone = 0
        while handled < len(lines):
            count = len(lines) - handled
            while count > 1:
                count //= 2
                if count > 1 and self._handle_together(_block(lines[handled : handled + count]), count):
                    break
            else:
                self._handle(lines[handled])
                alone += 1
            handled += count
            self._sliced = alone >= APART_LINES
            if self._sliced or self.asking or self.closing or self.clogged():
                break
        return handled

    def _finish_lines(self, most: int | None = None) -> None:
        """Handle what was said before leaving, even if it came faster than its turn; answers find nobody.

        Args:
            most: how many lines; None for all. A peer can break its connection as often as it likes, and what waits
                can take the loop for a second.
        """
        self._finishing = self._working = True
        try:
            while self._waiting and not self.closing and most != 0:
                if self.account is None and self.asking:
                    return
                count = RUN_LINES if most is None else min(RUN_LINES, most)
                self._handle_run(count)
                if most is not None:
                    most = 0 if self._sliced else most - count
        except Exception as error:  # noqa: BLE001 - the root of a connection's end, which has to go on
            self.fail(error)

    def _handle(self, line: bytes) -> None:
        try:
            if self._registration is not None:
                self._registration.take(line)
            elif self.json:
                self._handle_json(json.decode_client(line))
            else:
                self._hub.posting.post(self, (plain.decode_client(line),))
        except ProtocolError as error:
            if self.json:
                json.identify(error, line)
            self.deliver(error.frame())

    def admitted(self) -> None:
        """See `Session.admitted`."""
        self._registration = None
        limits = self._hub.limits
        if self._bucket is not None and self.account is not None:
            if self.account.bucket is None:
                self.account.bucket = TokenBucket(
                    rate=limits.rate_per_s,
                    burst=limits.rate_per_s * limits.burst_s,
                    now=self._timers.time(),
                )
            self._bucket = self.account.bucket
        self._timer.cancel()
        if self.json:
            self._timer = self._timers.call_later(limits.ping_after_s, self._watch)

    def turned_away(self, error: ProtocolError) -> None:
        """See `Session.turned_away`."""
        if self._registration is not None:
            self._registration.refuse(error)
        self.answered()

    def _handle_json(self, message: FromClient) -> None:
        if self._finishing and isinstance(message, _QUERIES):
            return
        match message:
            case Send(file=None):
                self._hub.posting.post(self, (message,))
            case Send():
                self._hub.files.post(self, message)
            case Got(id=upto):
                self._hub.got(self, upto)
            case Read():
                self._hub.read(self, message)
            case Typing(to=to):
                self._hub.typing(self, to)
            case HistoryQuery():
                self._hub.queries.history(self, message)
            case SearchQuery():
                self._hub.queries.search(self, message)
            case ChatsQuery():
                self._hub.queries.chats(self, message)
            case FindQuery():
                self._hub.queries.find(self, message)
            case Ping(n=n):
                self.deliver(Pong(n))
            case Pong():
                pass
            case Bye():
                self.close(Reason.LEFT)
            case SetStatus():
                self._hub.set_status(self, message)
            case Hello():
                raise ProtocolError(Code.BAD_REQUEST, "You are registered already.")
            case DevicesQuery():
                self._hub.owners.show(self, message)
            case CodeQuery():
                self._hub.owners.give_code(self, message)
            case Revoke():
                self._hub.owners.revoke(self, message)
            case SignOut():
                self._hub.owners.sign_out(self, message)
            case SetPassword():
                self._hub.owners.set_password(self, message)
            case UploadQuery():
                self._hub.files.upload(self, message)
            case DownloadQuery():
                self._hub.files.download(self, message)
            case _:
                assert_never(message)

    # --- ends --------------------------------------------------------------------------------------------

    def _refuse_long_line(self, line: LineTooLong) -> None:
        error = ProtocolError(
            Code.TOO_LONG, f"That line was longer than {line.limit} bytes, which is the limit. Goodbye."
        )
        if self.json is None:
            self.json = False
        if self.json:
            json.identify(error, line.beginning)
        self.deliver(error.frame())
        self.close(Reason.PROTOCOL_ERROR)

    def close(self, reason: Reason) -> None:
        """Say nothing more, and close once everything is sent."""
        self.leave(reason)
        self.want_flush()
        # A peer that does not take the last words is not waited for.
        self._timer = self._timers.call_later(CLOSE_S, self._transport.abort)

    def leave(self, reason: Reason) -> None:
        """See `Outgoing.leave`."""
        self.closing = True
        self._timer.cancel()
        self._waiting = b""
        try:
            try:
                self.confirm(orderly=reason is Reason.LEFT)
            finally:
                self._hub.leave(self, reason)
        except Exception as error:  # noqa: BLE001 - the root of a connection's end, which has to go on
            self._report(error)

    def fail(self, error: Exception) -> None:
        """See `Outgoing.fail`."""
        self._report(error)
        if not self.closing:
            self.leave(Reason.FAILED)
        self._transport.abort()

    def _report(self, error: Exception) -> None:
        self._timers.call_exception_handler({"message": "a connection failed", "exception": error})

    def _registration_timed_out(self) -> None:
        if self.account is None:
            self.json = bool(self.json)
            self.end(
                Reason.NOT_REGISTERED,
                "No user name came, so this connection is closed. Please connect again.",
            )

    def _watch(self) -> None:
        """Look after a silent JSON client: PING it, and give it up when it stays silent."""
        limits = self._hub.limits
        if self._paused:
            # It is this side that does not listen; but it cannot write either to a peer that is gone.
            self._heard_at = self._timers.time()
            self._ping()
        silent_s = self._timers.time() - self._heard_at
        if silent_s >= limits.dead_after_s:
            self.leave(Reason.TIMED_OUT)
            self._transport.abort()
            return
        next_s = limits.ping_after_s - silent_s
        if next_s <= 0:
            self._ping()
            next_s = min(limits.ping_after_s, limits.dead_after_s - silent_s)
        self._timer = self._timers.call_later(next_s, self._watch)

    def _ping(self) -> None:
        self._pings += 1
        self.deliver(Ping(self._pings))

    # --- small change ------------------------------------------------------------------------------------

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and self._too_long is None:
            self._paused = False
            self._heard_at = self._timers.time()
            self._transport.resume_reading()


def _block(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"
