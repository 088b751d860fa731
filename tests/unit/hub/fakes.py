"""A clock that a test turns by hand, a log that remembers, and sessions without a connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from twocans.hub.account import Account, receipt
from twocans.hub.hub import Hub, HubEnvironment
from twocans.hub.limits import Limits
from twocans.hub.session import Reason, Session
from twocans.protocol.errors import ProtocolError
from twocans.protocol.messages import (
    Ack,
    Changes,
    Error,
    Frame,
    Hello,
    Message,
    Send,
    Synced,
    UserList,
    Welcome,
)
from twocans.protocol.names import UserKey
from twocans.storage.base import Storage
from twocans.storage.files import FileKeeper
from twocans.storage.identities import CutOff, DeviceRecord, Identities, MemoryIdentities, OnKept
from twocans.storage.memory import MemoryStorage
from twocans.storage.transient import TransientStorage

_FrameT = TypeVar("_FrameT", bound=Frame)


@dataclass
class Timer:
    """Something that is due at a time, unless it is taken back."""

    at: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Do not call back."""
        self.cancelled = True


class ManualClock:
    """Stands still until a test lets time pass; timers run in the order in which they fall due."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.faults: list[object] | None = None
        """Collects reported faults, in a test that causes some; by default they are raised."""
        self._timers: list[Timer] = []

    def call_exception_handler(self, context: dict[str, object], /) -> None:
        """See `Timers.call_exception_handler`; by default nothing is allowed to go wrong."""
        fault = context.get("exception")
        if self.faults is not None:
            self.faults.append(fault)
        else:
            raise AssertionError(context) from (fault if isinstance(fault, BaseException) else None)

    def time(self) -> float:
        """The current time in seconds."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call back after so many seconds of this clock."""
        timer = Timer(self.now + delay, callback)
        self._timers.append(timer)
        return timer

    def waiting(self) -> list[Timer]:
        """The timers that are still going to call back."""
        return [timer for timer in self._timers if not timer.cancelled]

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while due := [timer for timer in self.waiting() if timer.at <= end]:
            first = min(due, key=lambda timer: timer.at)
            self._timers.remove(first)
            self.now = max(self.now, first.at)
            first.callback()
        self.now = end


class RecordedLog:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, **fields: object) -> None:
        self.events.append((event, fields))

    def named(self, *names: str) -> list[dict[str, object]]:
        """The fields of all events with one of these names."""
        return [fields for event, fields in self.events if event in names]


class FakeSession(Session):
    """Collects what it is told.

    Args:
        hub: where it is going to register.
        stalls: whether nothing that it is told leaves until `drain`.
        encrypted: as of a session.
        address: where it comes from.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        stalls: bool = False,
        encrypted: bool = False,
        address: str = "192.168.1.5:40000",
    ) -> None:
        super().__init__(address)
        self.encrypted = encrypted
        self.hub = hub
        self.stalls = stalls
        self.told: list[Frame] = []
        self.ended: list[tuple[Reason, str]] = []
        self.handed = 0
        self.refusals: list[ProtocolError] = []
        """Why it was not registered, where that was not decided at once."""
        self._waiting: list[Callable[[], None]] = []

    def deliver(self, message: Frame) -> None:
        """See `Session.deliver`."""
        if isinstance(message, Changes):
            self.told += message.changes
        else:
            self.told.append(message)

    def deliver_message(self, message: Message) -> None:
        """See `Session.deliver_message`."""
        self.told.append(message)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """See `Session.acknowledge`."""
        self.told += [Ack(message.cid, message.id, message.at) for message in messages]

    def deliver_receipt(self, sender: Account, reader: Account) -> None:
        """See `Session.deliver_receipt`."""
        self.told.append(receipt(sender, reader))

    def deliver_list(self, users: UserList) -> None:
        """See `Session.deliver_list`."""
        self.told.append(users)

    def when_drained(self, callback: Callable[[], None]) -> None:
        """See `Session.when_drained`."""
        if self.stalls:
            self._waiting.append(callback)
        else:
            callback()

    def answered(self) -> None:
        """See `Session.answered`; this one asks whenever a test wants it to."""

    def admitted(self) -> None:
        """See `Session.admitted`."""

    def turned_away(self, error: ProtocolError) -> None:
        """See `Session.turned_away`."""
        self.refusals.append(error)

    def end(self, reason: Reason, text: str) -> None:
        """See `Session.end`; a real one leaves the hub by it too."""
        self.ended.append((reason, text))
        self.hub.leave(self, reason)

    def handed_upto(self) -> int:
        """See `Session.handed_upto`."""
        return self.handed

    def drain(self) -> None:
        """Let what it was told leave."""
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def of(self, kind: type[_FrameT]) -> list[_FrameT]:
        """What it was told of one kind."""
        return [frame for frame in self.told if isinstance(frame, kind)]

    def take(self) -> list[Frame]:
        """What it was told since the last time."""
        told, self.told = self.told, []
        return told

    def texts(self) -> list[str]:
        """What the messages say that it was told."""
        return [message.text for message in self.of(Message)]

    def welcome(self) -> Welcome:
        """How it was welcomed."""
        (welcome,) = self.of(Welcome)
        return welcome

    def acks(self) -> list[Ack]:
        """What was acknowledged."""
        return self.of(Ack)

    def errors(self) -> list[Error]:
        """What was refused."""
        return self.of(Error)

    def synced(self) -> bool:
        """Whether all that it had missed has been sent."""
        return bool(self.of(Synced))


class FakePasswords:
    """Takes a password for its own hash, and answers when the test wants it to."""

    def __init__(self) -> None:
        self.waits = False
        self.busy = False
        self._due: list[Callable[[], None]] = []

    def hash(self, password: str, host: str, on_hash: Callable[[str | None], None]) -> None:
        """See `Passwords.hash`."""
        self._answer(lambda: on_hash(None if self.busy else f"hash of {password}"))

    def check(self, hashed: str, password: str, host: str, on_checked: Callable[[bool | None], None]) -> None:
        """See `Passwords.check`."""
        self._answer(lambda: on_checked(None if self.busy else hashed == f"hash of {password}"))

    def answer_all(self) -> None:
        """Answer what waits."""
        due, self._due = self._due, []
        for answer in due:
            answer()

    def _answer(self, answer: Callable[[], None]) -> None:
        if self.waits:
            self._due.append(answer)
        else:
            answer()


class SlowIdentities(MemoryIdentities):
    """Keeps devices when the test wants it to, or does not."""

    def __init__(self) -> None:
        self.due: list[OnKept] = []

    def add_device(self, user: UserKey, name: str, device: DeviceRecord, on_kept: OnKept) -> None:
        """See `Identities.add_device`."""
        self.due.append(on_kept)

    def cut_off(self, user: UserKey, cut: CutOff, on_kept: OnKept, *, with_password: bool) -> None:
        """See `Identities.cut_off`."""
        self.due.append(on_kept)


@dataclass
class World:
    """A hub with everything around it in the hands of the test."""

    limits: Limits = field(default_factory=Limits)
    keeps_history: bool = True
    storage: Storage | None = None
    identities: Identities = field(default_factory=MemoryIdentities)
    invite: str | None = None
    files: FileKeeper | None = None
    passwords: FakePasswords = field(default_factory=FakePasswords)
    clock: ManualClock = field(default_factory=ManualClock)
    log: RecordedLog = field(default_factory=RecordedLog)
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        if self.storage is None:
            # As the server pairs them: without history there is a storage that has nothing to look back at.
            kind = MemoryStorage if self.keeps_history else TransientStorage
            self.storage = kind(log="log-1", max_messages=self.limits.memory_messages)
        self.hub = Hub(
            self.storage,
            self.identities,
            name="den",
            limits=self.limits,
            keeps_history=self.keeps_history,
            invite=self.invite,
            files=self.files,
            passwords=self.passwords,
            environment=HubEnvironment(
                monotonic_s=self.clock.time,
                wall_ns=lambda: int(self.clock.now * 1_000_000_000),
                call_later=self.clock.call_later,
                log=self.log,
            ),
        )

    def session(self, *, stalls: bool = False) -> FakeSession:
        """A session that has not registered."""
        return FakeSession(self.hub, stalls=stalls)

    def json(
        self,
        name: str,
        *,
        token: str | None = None,
        after: int | None = None,
        log: str | None = None,
        stalls: bool = False,
    ) -> FakeSession:
        """A registered JSON session."""
        session = self.session(stalls=stalls)
        self.hub.register_json(session, Hello(user=name, agent="test", after=after, log=log, token=token))
        return session

    def plain(self, name: str, *, stalls: bool = False) -> FakeSession:
        """A registered plain session."""
        session = self.session(stalls=stalls)
        self.hub.register_plain(session, name)
        return session

    def program(
        self,
        name: str,
        token: str | None = None,
        *,
        secret: str | None = None,
        invite: str | None = None,
        address: str = "192.168.1.5:40000",
        device: str = "laptop",
    ) -> FakeSession:
        """A JSON session on an encrypted connection, which has asked to be registered."""
        session = FakeSession(self.hub, encrypted=True, address=address)
        hello = Hello(user=name, agent="test", token=token, secret=secret, invite=invite, device=device)
        self.hub.register_json(session, hello)
        return session

    def netcat(
        self,
        name: str,
        secret: str | None = None,
        *,
        encrypted: bool = True,
        address: str = "192.168.1.5:40000",
    ) -> FakeSession:
        """A plain session that has asked to be registered."""
        session = FakeSession(self.hub, encrypted=encrypted, address=address)
        self.hub.register_plain(session, name, secret)
        return session

    def post(self, session: Session, to: str, text: str, cid: str | None) -> None:
        """Send one message, as a JSON client does, or with no `cid` as a plain one."""
        self.hub.posting.post(session, [Send(to, text, cid or "")])

    def account_names(self) -> list[str]:
        """Everybody who is known."""
        return [account.name for account in self.hub.roster.known.values()]
