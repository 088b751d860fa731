"""What the model of the hub remembers: people, their devices, their sessions, and the log."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.unit.hub.fakes import FakeSession
from twocans.protocol.messages import Frame, Joined, Left, Message, Welcome


@dataclass
class Logged:
    """A message of the model's log."""

    id: int
    sender: str
    to: str
    text: str
    cid: str
    session: Device | Visit

    def involves(self, name: str) -> bool:
        """Whether it is in somebody's inbox."""
        return name in {self.sender, self.to}


@dataclass
class Person:
    """What the model knows of somebody; all numbers are ids."""

    name: str
    token: str | None = None
    delivered: int = 0
    handed: int = 0
    read: dict[str, int] = field(default_factory=dict)


@dataclass(eq=False)
class Visit:
    """A session from its registration on, with what it must have been told by the end of its backlog."""

    person: Person
    session: FakeSession
    after: int
    own: bool
    began_at: int
    plain: bool

    @property
    def up_to_date(self) -> bool:
        """Whether the backlog is through."""
        return self.session.live

    def received(self) -> list[int]:
        """The ids of all messages that it was told."""
        return [message.id for message in self.session.of(Message)]


@dataclass(eq=False)
class Device:
    """A client that comes back: what it keeps between its visits."""

    person: Person
    token: str | None = None
    cursor: int | None = None
    visit: Visit | None = None
    sent: list[Logged] = field(default_factory=list)


def folded(users: list[str], frame: Frame) -> list[str]:
    """Who is online after a frame."""
    match frame:
        case Welcome():
            return list(frame.users)
        case Joined():
            return [*users, frame.user]
        case Left():
            return [user for user in users if user != frame.user]
        case _:
            return users
