"""One user's dealings with a server as a state machine: bytes in, bytes, events and answers out.

It knows no socket and no event loop: `client` drives it. It outlives connections: cursor, outbox and marks go
on from one to the next. Time comes from the clock that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, assert_never

from twocans.client import sentences
from twocans.client.checks import FrameChecker, is_same_user, sentence
from twocans.client.codes import ErrorCode
from twocans.client.events import (
    CaughtUp,
    Event,
    Loss,
    MessageReceived,
    MessageRefused,
    MessageStored,
    Offline,
    Online,
    PeerTyping,
    ReadElsewhere,
    ReceiptMoved,
)
from twocans.client.liveness import Due, Liveness
from twocans.client.marks import Marks
from twocans.client.outbox import Outbox, Outgoing
from twocans.client.people import People
from twocans.client.requests import Answer, Requests
from twocans.client.sending import Sender
from twocans.client.timing import Clock, Ending, Introduction, Position, Timers
from twocans.protocol import json
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.framing import LineReader
from twocans.protocol.messages import (
    Ack,
    Bye,
    Chats,
    DeviceCode,
    Devices,
    Error,
    Found,
    Frame,
    FromServer,
    Goodbye,
    Hello,
    History,
    Joined,
    Left,
    Message,
    Ping,
    Pong,
    Presence,
    ReadMark,
    Receipt,
    Results,
    SetStatus,
    Status,
    Synced,
    Ticket,
    Typing,
    TypingFrom,
    Welcome,
)

MAX_LINE_BYTES: Final = 32 * 1024 * 1024
"""The longest line that a server may send: a large page of history, or thousands of names."""

MAX_IGNORED: Final = 10_000
"""The most frames in a row that mean nothing here; a newer server may send some."""

MAX_EARLY_PINGS: Final = 100
"""The most PINGs that a server may send before WELCOME."""

TYPING_EVERY_S: Final = 3.0

_PLAIN_FROM_SERVER: Final = b"MSG: Server: "
_PASSING: Final = frozenset({Code.SERVER_FULL, Code.INTERNAL, Code.RATE_LIMITED})
"""Refusals that a later attempt may well not meet."""


class State(Enum):
    """Where the session is with its connection."""

    OFFLINE = "offline"
    GREETING = "greeting"  # HELLO is said, WELCOME is not
    CATCHING_UP = "catching_up"  # what was missed is coming
    LIVE = "live"
    ENDED = "ended"  # this connection is over, though perhaps not closed yet


class Session:
    """The state machine.

    Args:
        user: the name to register under; what can be encoded.
        agent: the program's name, for the server.
        where: the server's address, for sentences.
        outbox: what waits to be acknowledged.
        position: where an earlier connection ended.
        timers: how long things may take.
        clock: the time, in seconds.
    """

    def __init__(
        self,
        user: str,
        *,
        agent: str,
        where: str,
        outbox: Outbox,
        position: Position,
        timers: Timers,
        clock: Clock,
    ) -> None:
        self.user = user
        """The name as the server spells it, once it has."""
        self.state = State.OFFLINE
        self.ending: Ending | None = None
        """Why the connection has to be closed now; None as long as it has not."""
        self.token = ""
        """The token that the server has given last; empty before the first time."""
        self._agent = agent
        self._where = where
        self._timers = timers
        self._clock = clock
        self._log = position.log
        self._said_after: int | None = None
        self._introduction: Introduction | None = None
        self._last_told = 0
        self._marks = Marks(position.after, clock)
        self._sender = Sender(outbox)
        self._requests = Requests(answer_s=timers.answer, clock=clock)
        self._people = People()
        self._status = self._told_status = Status.HERE
        self._events: list[Event] = []
        self._typing: tuple[str, float] = ("", float("-inf"))
        self._start()

    def _start(self) -> None:
        self._reader = LineReader(MAX_LINE_BYTES)
        self._checker = FrameChecker()
        self._ignored = 0
        self._to_say: list[bytes] = []
        self._liveness = Liveness(self._timers, self._clock)
        self._welcome_by = self._clock() + self._timers.connect
        self._heard_anything = False
        self._pings = self._pongs = 0

    # --- the connection ----------------------------------------------------------------------------------

    def connected(self, introduction: Introduction) -> None:
        """A connection to a server whose key is right stands: introduce oneself."""
        self._start()
        self._introduction = introduction
        self.ending = None
        self.state = State.GREETING
        self._marks.told_server()
        # A cursor means nothing without its log.
        after = None if self._log is None else self._marks.confirmed
        log = None if after is None else self._log
        self._said_after = after
        self._told_status = self._status
        self._say(
            Hello(
                user=self.user,
                agent=self._agent,
                after=after,
                log=log,
                token=introduction.token,
                secret=introduction.secret,
                invite=introduction.invite,
                device=introduction.device,
                status=self._status,
            )
        )

    def receive(self, chunk: bytes) -> None:
        """Take in what the server sent; any cutting into chunks has the same effect."""
        self._heard_anything = True
        lines, too_long = self._reader.feed(chunk)
        for line in lines:
            match self.state:
                case State.GREETING:
                    self._greeted(line)
                case State.CATCHING_UP | State.LIVE:
                    self._told(line)
                case State.OFFLINE | State.ENDED:
                    return
        if too_long is not None:
            self._not_understood()

    def lost(self) -> None:
        """The connection ended by itself."""
        if self.state is not State.GREETING:
            self._end(Loss.LOST, sentences.LOST)
        elif self._heard_anything:
            self._end(Loss.PROTOCOL, sentences.not_twocans(self._where))
        else:
            self._end(Loss.UNREACHABLE, sentences.closed_at_once(self._where))

    def disconnected(self) -> None:
        """The connection is closed, or did not come about."""
        self.state = State.OFFLINE
        self.ending = None
        self._start()
        self._introduction = None
        self._people.forget()
        self._sender.close()
        self._requests.fail_all(ErrorCode.OFFLINE, sentences.NOT_CONNECTED)

    def offline(self, ending: Ending, retry_in_s: float | None) -> None:
        """The same, and the user is told."""
        self.disconnected()
        self._events.append(
            Offline(ending.loss, ending.text, retry_in_s, ending.code, ending.key, ending.known_key)
        )

    def leave(self) -> None:
        """Say goodbye, after what has been put off; from now on nothing is heard."""
        if self.is_online:
            for frame in self._marks.take(at_once=True):
                self._say(frame)
            said = self.take_bytes()
            self._to_say.append(said)
            self._sender.close()
        if self.state in {State.GREETING, State.CATCHING_UP, State.LIVE}:
            self._say(Bye())
            self.state = State.ENDED
        self._requests.fail_all(ErrorCode.CLOSED, sentences.CLOSED)

    @property
    def is_online(self) -> bool:
        """Whether the server knows this user as present."""
        return self.state in {State.CATCHING_UP, State.LIVE}

    @property
    def users(self) -> tuple[str, ...]:
        """Who is online, oneself included; nobody while there is no connection."""
        return self._people.users

    @property
    def unencrypted(self) -> tuple[str, ...]:
        """Those of `users` whose messages others on the network can read."""
        return self._people.unencrypted

    @property
    def statuses(self) -> Mapping[str, Status]:
        """The statuses of those of `users` who are not here."""
        return self._people.statuses

    @property
    def unsaid_bytes(self) -> int:
        """How many bytes wait for `take_bytes`, messages apart."""
        return sum(map(len, self._to_say))

    @property
    def pending(self) -> tuple[Outgoing, ...]:
        """What waits to be acknowledged, oldest first."""
        return self._sender.outbox.pending()

    # --- what comes out ----------------------------------------------------------------------------------

    def take_events(self) -> list[Event]:
        """The events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def take_answers(self) -> list[Answer]:
        """The answers since the last call."""
        return self._requests.take_answers()

    def take_bytes(self, enough: int = 64 * 1024) -> bytes:
        """What to send now: all that is small, and messages until there are `enough` bytes.

        Empty if there is nothing, or nothing more may be sent before an acknowledgement.
        """
        if self.is_online:
            for frame in self._marks.take():
                self._say(frame)
            if self._status is not self._told_status:
                self._told_status = self._status
                self._say(SetStatus(status=self._status))
        said, self._to_say = self._to_say, []
        size = sum(map(len, said))
        while size < enough:
            line = self._sender.next()
            if line is None:
                break
            if isinstance(line, MessageRefused):
                self._events.append(line)
                continue
            said.append(line)
            size += len(line)
        return b"".join(said)

    # --- what the user does ------------------------------------------------------------------------------

    def send(self, message: Outgoing) -> None:
        """Put a message into the outbox, or refuse it with an event.

        Raises:
            ValueError: the cid belongs to another message that is waiting.
        """
        refusal = self._sender.add(message)
        if refusal is not None:
            self._events.append(refusal)

    def confirm(self, position: Position) -> bool:
        """The program has dealt with everything up to a position; True if there is news to tell the server soon."""
        # What is still given out of another log means nothing to the server of now.
        return (
            position.after is not None and position.log == self._log and self._marks.confirm(position.after)
        )

    def read(self, peer: str, upto: int) -> None:
        """Everything from `peer` up to an id has been read; told now, or when there is a connection again."""
        if _sayable(peer):
            self._marks.read(peer, upto)

    def typing(self, to: str) -> None:
        """The user is writing to somebody; told at most once in three seconds, and only when connected."""
        now = self._clock()
        last_to, last_at = self._typing
        if self.is_online and _sayable(to) and (to != last_to or now - last_at >= TYPING_EVERY_S):
            self._typing = (to, now)
            self._say(Typing(to=to))

    def set_status(self, status: Status) -> None:
        """What others are to know about this user; told now, and with every connection."""
        self._status = status

    def ask(self, make: Callable[[int], Frame]) -> int:
        """Ask the server; `make` gets the request's number. Exactly one answer will come out."""
        rid, line = self._requests.ask(make, online=self.is_online)
        if line:
            self._to_say.append(line)
        return rid

    # --- time --------------------------------------------------------------------------------------------

    def listen(self, *, again: bool) -> None:
        """Reading is suspended since the program is slow, or goes on `again`."""
        self._liveness.listen(again=again)

    def tick(self) -> None:
        """Do what is due by the clock."""
        if self.state is State.GREETING:
            if self._clock() >= self._welcome_by:
                text = sentences.no_welcome(self._where, self._timers.connect)
                self._end(Loss.PROTOCOL if self._heard_anything else Loss.UNREACHABLE, text)
        elif self.is_online:
            match self._liveness.check():
                case Due.DEAD:
                    self._end(Loss.TIMED_OUT, sentences.silent(self._timers.dead_after))
                case Due.STUCK:
                    self._end(Loss.TIMED_OUT, sentences.stuck(self._timers.catch_up))
                case Due.PING:
                    self._pings += 1
                    self._say(Ping(n=self._pings))
                case Due.NOTHING:
                    pass
        self._requests.expire()

    def next_tick(self) -> float | None:
        """When `tick` or `take_bytes` has something to do, by the clock; None without a connection."""
        if self.state is State.GREETING:
            return self._welcome_by
        if not self.is_online:
            return None
        due = [self._liveness.next_at(), self._marks.due_at(), self._requests.next_deadline()]
        return min(at for at in due if at is not None)

    # --- what the server says ----------------------------------------------------------------------------

    def _greeted(self, line: bytes) -> None:
        if line.startswith(_PLAIN_FROM_SERVER):
            # A server says so whatever it has to say before it knows the dialect: that it is full, say.
            text = line[len(_PLAIN_FROM_SERVER) :].decode(errors="replace")
            self._end(Loss.REFUSED, sentence(text) or sentences.REFUSED)
            return
        try:
            frame = self._checker.decode(line)
        except ProtocolError:
            self._end(Loss.PROTOCOL, sentences.not_twocans(self._where))
            return
        match frame:
            case Welcome() if self._introduction is not None:
                self._welcomed(frame, self._introduction)
            case Error():
                again, text = frame.code in _PASSING, frame.text or sentences.REFUSED
                loss = Loss.REVOKED if frame.code == Code.REVOKED else Loss.REFUSED
                if frame.code == Code.BANNED:
                    text = sentences.ended(frame.text, sentences.BANNED, sentences.BANNED_NEXT)
                self._end(loss, text, code=frame.code, again=again, needs=frame.needs)
            case Goodbye():
                self._dismissed(frame)
            case Ping() if self._ignored < MAX_EARLY_PINGS:
                self._ignored += 1
                self._say(Pong(n=frame.n))
            case _:
                self._end(Loss.PROTOCOL, sentences.not_twocans(self._where))

    def _welcomed(self, welcome: Welcome, introduction: Introduction) -> None:
        if not is_same_user(welcome.user, self.user):
            self._end(Loss.PROTOCOL, sentences.another_user(self._where))
            return
        fresh = self._log is not None and welcome.log != self._log
        if fresh:
            self._marks.forget()
        if not self._goes_on(welcome):
            self._not_understood()
            return
        self._last_told = welcome.last
        self._ignored = 0
        self._log = welcome.log
        self.token = welcome.token or introduction.token
        self.user = welcome.user
        self._people.welcomed(welcome)
        self._sender.limit(welcome.limits)
        self.state = State.CATCHING_UP
        self._liveness.catching_up()
        key, first_use = introduction.key, introduction.first_use
        self._events.append(
            Online(
                welcome.user,
                welcome.server,
                self.users,
                welcome.limits,
                fresh,
                key,
                first_use,
                self.unencrypted,
                self.statuses,
                welcome.log,
                self._marks.take_news(),
            )
        )

    def _goes_on(self, welcome: Welcome) -> bool:
        """Bring the cursor together with where the server goes on; False if that would leave out messages."""
        marks = self._marks
        begins = welcome.after if welcome.after is not None and welcome.after <= welcome.last else None
        cursor = marks.cursor
        if cursor is not None and self._said_after is None and begins is not None and begins < cursor:
            marks.fall_back(begins, otherwise=begins)
        elif cursor is not None and welcome.last < cursor:
            # The newest message here is older than the cursor: what moved that cannot have been right.
            marks.fall_back(welcome.last, otherwise=begins)
            if marks.cursor is None or marks.cursor < (welcome.last if begins is None else begins):
                return False
        if marks.cursor is None and begins is not None:
            marks.begin(begins)
        return True

    def _told(self, line: bytes) -> None:
        try:
            makes_sense = self._take(self._checker.decode(line))
        except ProtocolError as error:
            # A newer server may have more to say than this client knows; all else is nothing to go on from.
            if error.code is not Code.UNKNOWN_VERB:
                self._not_understood()
                return
            makes_sense = False
        if makes_sense:
            self._ignored = 0
            self._liveness.heard()
            return
        self._ignored += 1
        if self._ignored > MAX_IGNORED:
            self._not_understood()

    def _take(self, frame: FromServer) -> bool:
        """Take a frame in.

        Returns:
            False if it means nothing: it answers nothing that was said, or repeats what is known.

        Raises:
            ProtocolError: it cannot be true.
        """
        match frame:
            case Message():
                return self._message(frame)
            case Ack():
                return self._acknowledged(frame)
            case Synced():
                return self._synced(frame)
            case Joined() | Left() | Presence():
                told = self._people.take(frame)
                if told is not None:
                    self._events.append(told)
                return told is not None
            case Receipt():
                newest = self._newest_known
                delivered, read = min(frame.delivered, newest), min(frame.read, newest)
                self._events.append(ReceiptMoved(frame.peer, delivered, read))
            case TypingFrom():
                self._events.append(PeerTyping(frame.sender))
            case Error():
                return self._refused(frame)
            case ReadMark():
                self._events.append(ReadElsewhere(frame.peer, min(frame.id, self._newest_known)))
            case History() | Results() | Chats() | Found() | Devices() | DeviceCode() | Ticket():
                return self._requests.answered(frame.rid, frame)
            case Ping():
                self._say(Pong(n=frame.n))
            case Pong():
                answers = self._pongs < frame.n <= self._pings
                self._pongs = frame.n if answers else self._pongs
                return answers
            case Goodbye():
                self._dismissed(frame)
            case Welcome():
                self._not_understood()
            case _:
                assert_never(frame)
        return True

    @property
    def _newest_known(self) -> int:
        """The greatest id that anything told here can be about."""
        return max(self._marks.cursor or 0, self._last_told)

    def _message(self, message: Message) -> bool:
        own = is_same_user(message.sender, self.user)
        if not own and not is_same_user(message.to, self.user):
            self._not_understood()
            return False
        if not self._marks.is_new(message.id):
            # One's own may come late: it was stored on a connection that was lost before the acknowledgement.
            if not own and self._marks.is_contradicted_by(message.id):
                self._marks.fall_back(message.id - 1)
                self._not_understood()
            return False
        self._marks.given_out(message.id)
        self._liveness.progressed()
        stored = self._sender.returned(message.cid, message.to, message.text) if own else None
        if stored is None:
            self._events.append(MessageReceived(message))
        else:
            self._stored(stored, message.id, message.at)
        return True

    def _acknowledged(self, ack: Ack) -> bool:
        message = self._sender.settle(ack.cid)
        if message is None:
            return False
        # Nothing is sent before it is live, and from then on messages and acknowledgements share one order.
        self._marks.reached(ack.id)
        self._stored(message, ack.id, ack.at)
        return True

    def _stored(self, message: Outgoing, id_: int, at: int) -> None:
        self._events.append(MessageStored(message.cid, message.to, message.text, id_, at, message.file))

    def _refused(self, error: Error) -> bool:
        if error.cid is not None:
            message = self._sender.settle(error.cid)
            if message is not None:
                self._events.append(MessageRefused(error.cid, message.to, ErrorCode(error.code), error.text))
            return message is not None
        return error.rid is not None and self._requests.answered(error.rid, error)

    def _synced(self, synced: Synced) -> bool:
        if self.state is State.LIVE:
            return False
        last = min(synced.last, self._newest_known)
        if self._marks.cursor is None:
            # Where there is a cursor it stays: what follows it would be sent again, if there were anything.
            self._marks.reached(last)
        self.state = State.LIVE
        self._liveness.caught_up()
        for frame in self._marks.take(at_once=True):
            self._say(frame)
        # Messages wait until now: what of them is stored already has come back among those missed, and no
        # acknowledgement overtakes an older message, so the cursor never passes over one.
        self._sender.open()
        self._events.append(CaughtUp(last))
        return True

    def _dismissed(self, goodbye: Goodbye) -> None:
        match goodbye.reason:
            case "kicked":
                text = sentences.ended(goodbye.text, sentences.KICKED, sentences.KICKED_NEXT)
                self._end(Loss.KICKED, text, again=False)
            case "revoked":
                text = sentences.ended(goodbye.text, sentences.REVOKED, sentences.REVOKED_NEXT)
                self._end(Loss.REVOKED, text, again=False)
            case "signed_out":
                self._end(Loss.SIGNED_OUT, goodbye.text.strip() or sentences.SIGNED_OUT, again=False)
            case "banned":
                text = sentences.ended(goodbye.text, sentences.BANNED, sentences.BANNED_NEXT)
                self._end(Loss.BANNED, text, again=False)
            case "server_stopping":
                self._end(Loss.SERVER_CLOSED, sentences.STOPPED)
            case _:
                self._end(Loss.LOST, goodbye.text.strip() or sentences.LOST)

    def _not_understood(self) -> None:
        greeting = self.state is State.GREETING
        self._end(Loss.PROTOCOL, sentences.not_twocans(self._where) if greeting else sentences.GARBLED)

    def _end(
        self,
        loss: Loss,
        text: str,
        *,
        code: str | None = None,
        again: bool = True,
        needs: str | None = None,
    ) -> None:
        if self.ending is None and self.state not in {State.OFFLINE, State.ENDED}:
            self.ending = Ending(loss, text, None if code is None else ErrorCode(code), again, needs)
            self.state = State.ENDED
            self._sender.close()

    def _say(self, frame: Frame) -> None:
        self._to_say.append(json.encode(frame))


def _sayable(name: str) -> bool:
    # A lone surrogate, which some systems' input produces, is in no encoding.
    return not any("\ud800" <= char <= "\udfff" for char in name)
