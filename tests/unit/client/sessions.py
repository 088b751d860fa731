"""What the tests of the client share: a clock to turn by hand, a session without sockets, and frames."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

from twocans.client.events import Event, Online
from twocans.client.outbox import MemoryOutbox, Outbox, Outgoing
from twocans.client.progress import MemoryPosition, Progress
from twocans.client.session import Session
from twocans.client.timing import Introduction, Position, Timers
from twocans.protocol import json
from twocans.protocol.keys import ServerKey, server_key
from twocans.protocol.messages import (
    Frame,
    FromClient,
    LimitsInForce,
    Message,
    Status,
    Synced,
    Welcome,
)

TOKEN: Final = secrets.token_hex(32)
OLD_TOKEN: Final = secrets.token_hex(32)
KEY: Final[ServerKey] = server_key(b"the server's")
INTRODUCTION: Final = Introduction(key=KEY, first_use=False, token=OLD_TOKEN)
LIMITS: Final = LimitsInForce(line_bytes=65536, text_bytes=16384, rate=50.0, burst=500.0)


class HandClock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += seconds


def welcome(
    *,
    user: str = "alice",
    log: str = "log-1",
    last: int = 0,
    users: tuple[str, ...] = ("alice", "bob"),
    token: str = TOKEN,
    limits: LimitsInForce = LIMITS,
    after: int | None = None,
    unencrypted: tuple[str, ...] = (),
    statuses: Mapping[str, Status] | None = None,
) -> Welcome:
    """What the server says first."""
    return Welcome(
        user=user,
        server="test",
        log=log,
        last=last,
        users=list(users),
        token=token,
        limits=limits,
        after=after,
        unencrypted=list(unencrypted),
        statuses=statuses or {},
    )


def message(id_: int, *, sender: str = "bob", to: str = "alice", text: str = "hi", cid: str = "") -> Message:
    """A message of the inbox."""
    return Message(id=id_, at=id_ * 1000, sender=sender, to=to, text=text, cid=cid or f"cid-{sender}-{id_}")


class Harness:
    """A session, and what a server would see of it; the program deals with all events at once, or waits for `deal_with`."""

    def __init__(
        self,
        *,
        outbox: Outbox | None = None,
        position: Position | None = None,
        timers: Timers | None = None,
        deals: bool = True,
    ) -> None:
        self.clock = HandClock()
        self.timers = timers or Timers()
        self.session = Session(
            "alice",
            agent="test",
            where="server:5050",
            outbox=MemoryOutbox() if outbox is None else outbox,
            position=position or Position(),
            timers=self.timers,
            clock=self.clock,
        )
        self.progress = Progress(position or Position(), MemoryPosition())
        self._deals = deals

    def say(self, *frames: Frame) -> list[Event]:
        """The server says frames; what the user hears of it."""
        self.session.receive(b"".join(map(json.encode, frames)))
        events = self.session.take_events()
        for event in events:
            if self._deals or isinstance(event, Online):
                self.deal_with(event)
        return events

    def deal_with(self, event: Event) -> None:
        """The program is given an event and is done with it."""
        self.progress.taken(event)
        self.progress.commit()
        self.session.confirm(self.progress.position)

    def said(self) -> list[FromClient]:
        """What the client has said since the last call."""
        sent = bytearray()
        while data := self.session.take_bytes():
            sent += data
        return [json.decode_client(line) for line in bytes(sent).splitlines()]

    def connect(self, *frames: Frame, last: int = 0, log: str = "log-1") -> list[FromClient]:
        """Go through a connection's beginning up to SYNCED, with `frames` before it.

        Returns:
            What the client said: HELLO, and what it says after SYNCED.
        """
        self.session.connected(INTRODUCTION)
        self.say(welcome(last=last, log=log), *frames, Synced(last=last))
        return self.said()

    def drop(self) -> None:
        """The connection is lost."""
        self.session.lost()
        self.session.disconnected()
        self.session.take_events()

    def send(self, text: str, *, cid: str, to: str = "bob") -> list[Event]:
        """The user sends; what they hear of it at once."""
        self.session.send(Outgoing(cid, to, text))
        return self.session.take_events()
