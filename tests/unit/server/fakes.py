"""A transport without a socket, and a connection over it whose turns of the loop the test takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.unit.hub.fakes import ManualClock, World
from twocans.protocol import json
from twocans.protocol.messages import Frame, FromServer, Hello
from twocans.server.connection.connection import Connection
from twocans.server.connection.send_queue import Outgoing
from twocans.server.connection.turns import ParserTurns


class ManualLoop(ManualClock):
    """A loop whose turns and clock are the test's."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None], /) -> None:
        """See `Loop`."""
        self.soon.append(callback)

    def turn(self) -> None:
        """Begin the next turn."""
        due, self.soon = self.soon, []
        for callback in due:
            callback()


class FakeTransport:
    """Takes what is written; what the peer has fetched of it is for the test to say."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.writes = 0
        self.stalled = False
        self.unsent = 0
        self.unconfirmed = 0
        """What the peer's machine has not confirmed, beside what is unsent."""
        self.closed = False
        self.aborted = False
        self.paused = False
        self.asked = 0
        """How often it was asked to tell when little is left to be sent."""
        self._low_water_bytes: int | None = None

    def write(self, data: bytes) -> None:
        """See `Transport.write`."""
        self.written += data
        self.writes += 1
        if self.stalled:
            self.unsent += len(data)

    def close(self) -> None:
        """See `Transport.close`."""
        self.closed = True

    def abort(self) -> None:
        """See `Transport.abort`."""
        self.aborted = True

    def pause_reading(self) -> None:
        """See `Transport.pause_reading`."""
        self.paused = True

    def resume_reading(self) -> None:
        """See `Transport.resume_reading`."""
        self.paused = False

    def unsent_bytes(self) -> int:
        """See `Transport.unsent_bytes`."""
        return self.unsent

    def notify_below(self, low_water_bytes: int) -> None:
        """See `Transport.notify_below`; the peer fetches when the test wants it to."""
        assert self.unsent > low_water_bytes
        self.asked += 1
        self._low_water_bytes = low_water_bytes

    def fetch(self, size: int | None = None) -> bool:
        """Let the peer fetch some bytes, or everything; True if this is what the server has asked to be told."""
        self.unsent -= self.unsent if size is None else size
        told = self._low_water_bytes is not None and self.unsent <= self._low_water_bytes
        if told:
            self._low_water_bytes = None
        return told

    def local_address(self) -> str:
        """See `Transport.local_address`."""
        return "10.0.0.1:5050"

    def unconfirmed_bytes(self) -> int:
        """See `Transport.unconfirmed_bytes`."""
        return self.unsent + self.unconfirmed


class Wire:
    """A connection of a world, with the peer's side in the hands of the test.

    Args:
        world: where it belongs.
        loop: whose turns peers take; one on which that takes no time if None.
    """

    def __init__(self, world: World, *, loop: ManualLoop | None = None) -> None:
        self.world = world
        self.transport = FakeTransport()
        self._due: list[Outgoing] = []
        self._taken = 0
        self.loop = loop or ManualLoop()
        self.turns = ParserTurns(self.loop)
        self.connection = Connection(
            world.hub,
            self.transport,
            world.clock,
            schedule_flush=self._due.append,
            address="10.0.0.7:1234",
            turns=self.turns,
        )

    def send(self, *chunks: bytes) -> None:
        """Send chunks, each in a turn of its own."""
        for chunk in chunks:
            self.connection.receive(chunk)
            self.turn()

    def turn(self) -> None:
        """End turns of the loop until nothing is to be flushed."""
        while self._due or self.loop.soon:
            due, self._due[:] = list(self._due), []
            for connection in due:
                connection.flush(self.world.clock.time())
            self.loop.turn()

    def advance(self, seconds: float) -> None:
        """Let time pass, with the loop turning."""
        self.world.clock.advance(seconds)
        self.turn()

    def stall(self) -> None:
        """The peer fetches nothing from now on."""
        self.transport.stalled = True

    def catch_up(self) -> None:
        """The peer fetches everything, and goes on doing so; only a connection that has asked hears of it."""
        self.transport.stalled = False
        self.fetch()

    def fetch(self, size: int | None = None) -> None:
        """The peer fetches some bytes, or everything; only a connection that has asked hears of it."""
        if self.transport.fetch(size):
            self.connection.drained()
        self.turn()

    def flushed(self) -> list[FromServer]:
        """The frames written since the last time if the turn of the loop ends now, and no other begins."""
        due, self._due[:] = list(self._due), []
        for connection in due:
            connection.flush(self.world.clock.time())
        return [json.decode_server(line.encode()) for line in self._new_lines()]

    def said(self) -> list[str]:
        """The lines written since the last time."""
        self.turn()
        return self._new_lines()

    def _new_lines(self) -> list[str]:
        new = bytes(self.transport.written[self._taken :])
        self._taken = len(self.transport.written)
        assert new == b"" or new.endswith(b"\n"), new
        return new.decode().splitlines()

    def frames(self) -> list[FromServer]:
        """The frames written since the last time."""
        return [json.decode_server(line.encode()) for line in self.said()]


def line(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return json.encode(frame)


def json_wire(world: World, name: str, *, after: Sequence[bytes] = ()) -> Wire:
    """A registered JSON connection whose greetings have been read."""
    wire = Wire(world)
    wire.send(line(Hello(user=name, agent="test")), *after)
    wire.said()
    return wire


def plain_wire(world: World, name: str) -> Wire:
    """A registered plain connection whose first LIST has been read."""
    wire = Wire(world)
    wire.send(name.encode() + b"\n")
    wire.said()
    return wire
