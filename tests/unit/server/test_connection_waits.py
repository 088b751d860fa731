"""Every wait of a connection ends by its own wake-up: in these tests nothing else happens that could rescue it."""

from __future__ import annotations

from tests.unit.hub.fakes import World
from tests.unit.hub.late import LateStorage
from tests.unit.server.fakes import Wire, json_wire, line, plain_wire
from tests.unit.server.tls_wire import registered
from twocans.hub.limits import Limits
from twocans.protocol.messages import Hello, Message, Ping, Pong
from twocans.server.connection.send_queue import HIGH_WATER_BYTES, LOW_WATER_BYTES


def stall_with(wire: Wire, size: int) -> None:
    """So many bytes wait for a peer that fetches nothing, and its turn of the loop is over."""
    wire.stall()
    overhead = len(line(Message(id=1, at=1, sender="b", to="a", text="", cid="c")))
    text = "x" * (size - overhead)
    wire.connection.deliver(Message(id=1, at=1, sender="b", to="a", text=text, cid="c"))
    wire.said()


def test_requests_of_a_full_connection_go_on_once_the_peer_has_fetched_everything() -> None:
    alice = json_wire(World(), "alice")
    stall_with(alice, 2 * HIGH_WATER_BYTES)
    alice.send(line(Ping(1)))  # in its turn there is nothing to flush
    assert alice.said() == []
    assert alice.transport.paused
    alice.catch_up()
    assert alice.frames() == [Pong(1)]
    assert not alice.transport.paused


def test_requests_go_on_at_the_low_water_mark_since_a_busy_queue_is_never_empty() -> None:
    alice = json_wire(World(), "alice")
    stall_with(alice, 2 * HIGH_WATER_BYTES)
    alice.send(line(Ping(1)))
    alice.fetch(2 * HIGH_WATER_BYTES - LOW_WATER_BYTES - 1)
    assert alice.said() == []
    alice.fetch(1)
    assert alice.frames() == [Pong(1)]


def test_encrypted_requests_that_came_in_one_chunk_go_on_once_the_peer_has_fetched_everything() -> None:
    alice = registered(World(Limits(rate_per_s=0.0)), "alice")
    alice.wire.stall()
    filler = Message(id=1, at=1, sender="b", to="a", text="x" * 2 * HIGH_WATER_BYTES, cid="c")
    alice.wire.connection.deliver(filler)
    alice.heard()
    alice.say(*[b"MSG: nobody: %d\n" % n + b" " * 8000 + b"\n" for n in range(20)])
    assert alice.heard() == []
    assert alice.transport.paused
    alice.wire.catch_up()
    assert [said for said in alice.heard() if "nobody" in said] == [
        "MSG: Server: There is nobody called nobody here."
    ] * 20
    assert not alice.transport.paused


def test_list_that_waits_for_a_slow_reader_comes_once_it_has_fetched_everything() -> None:
    world = World()
    bob = plain_wire(world, "bob")
    stall_with(bob, 2 * HIGH_WATER_BYTES)
    world.json("carol")
    bob.advance(1.0)
    assert bob.said() == []
    bob.catch_up()
    assert bob.said() == ["LIST: bob, carol"]


def test_next_page_of_what_was_missed_comes_once_the_peer_has_fetched_the_last() -> None:
    storage = LateStorage(max_messages=1000)
    world = World(storage=storage)
    alice = world.json("alice")
    bob = Wire(world)
    bob.send(b"bob\n")
    bob.connection.lost()
    for n in range(100):
        world.post(alice, "bob", "x" * 16_000, str(n))
    storage.answer()
    again = Wire(world)
    again.stall()
    again.send(line(Hello(user="bob", agent="t")))
    got: list[str] = []
    for _ in range(100):
        storage.answer()
        got += [frame.cid for frame in again.frames() if isinstance(frame, Message)]
        again.fetch()
    assert got == [str(n) for n in range(100)]
    assert not again.transport.aborted


def test_plain_reader_gets_past_messages_of_line_breaks_at_its_own_pace() -> None:
    """Their lines are many times as long as their text, by which a page is measured."""
    world = World()
    alice = world.json("alice")
    bob = Wire(world)
    bob.send(b"bob\n")
    bob.connection.lost()
    for n in range(16):
        world.post(alice, "bob", "x" + "\n" * 16_382 + "y", str(n))
    world.post(alice, "bob", "important", "last")
    again = Wire(world)
    again.stall()
    again.send(b"bob\n")
    said = again.said()
    for _ in range(100):
        assert again.transport.unsent <= world.limits.send_queue_bytes // 2
        again.fetch()
        said += again.said()
    assert not again.transport.aborted
    assert said[-1] == "MSG: alice: important"
    assert sum("too long to be shown here" in line for line in said) == 16
