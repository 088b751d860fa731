"""Time and ends: silent peers, half-finished registrations, goodbyes, and what a plain peer's machine has."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import World
from tests.unit.server.fakes import Wire, json_wire, line, plain_wire
from twocans.hub.limits import Limits
from twocans.hub.session import Reason
from twocans.protocol.messages import Bye, Goodbye, Ping, Pong
from twocans.server.connection.connection import CLOSE_S
from twocans.server.connection.send_queue import CONFIRM_INTERVAL_S


def _reasons(world: World) -> list[object]:
    return [fields["reason"] for fields in world.log.named("session_closed", "never_registered")]


# --- registration ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"ali", b"two words\n", b"HELLO: {"])
def test_connection_without_a_name_is_closed_in_time(sent: bytes) -> None:
    world = World(Limits(registration_s=30.0))
    wire = Wire(world)
    wire.send(sent)
    wire.advance(29.9)
    wire.said()
    assert not wire.transport.closed
    wire.advance(0.2)
    assert wire.said() == [
        "MSG: Server: No user name came, so this connection is closed. Please connect again."
    ]
    assert wire.transport.closed
    assert _reasons(world) == ["not_registered"]


def test_program_without_a_name_is_told_in_its_own_dialect() -> None:
    wire = Wire(World())
    wire.send(b"HELLO: {}\n")
    wire.said()
    wire.advance(31.0)
    (goodbye,) = wire.frames()
    assert isinstance(goodbye, Goodbye)
    assert goodbye.reason == "not_registered"


def test_pings_before_hello_do_not_lengthen_the_time() -> None:
    wire = Wire(World(Limits(registration_s=30.0)))
    wire.send(b"HELLO: {}\n")
    for n in range(31):
        wire.send(line(Ping(n)))
        wire.advance(1.0)
    assert wire.transport.closed


@pytest.mark.parametrize("first", [b"alice\n", b'HELLO: {"user":"alice","agent":"t"}\n'])
def test_registered_connection_outlives_the_time_for_registering(first: bytes) -> None:
    world = World(Limits(registration_s=5.0))
    wire = Wire(world)
    wire.send(first)
    wire.advance(6.0)
    assert not wire.transport.closed
    assert _reasons(world) == []


# --- silence ---------------------------------------------------------------------------------------------


def test_silent_json_client_is_pinged_and_given_up() -> None:
    world = World(Limits(ping_after_s=20.0, dead_after_s=45.0))
    wire = json_wire(world, "alice")
    wire.advance(19.9)
    assert wire.frames() == []
    wire.advance(0.2)
    assert wire.frames() == [Ping(1)]
    wire.advance(24.8)
    assert not wire.transport.aborted
    wire.advance(0.2)
    assert wire.transport.aborted
    assert _reasons(world) == ["timed_out"]
    assert world.hub.roster.names() == []
    wire.connection.lost()
    assert _reasons(world) == ["timed_out"]
    assert world.clock.waiting() == []


@pytest.mark.parametrize("sign", [line(Pong(1)), b"MSG", b"\n"])
def test_any_byte_is_a_sign_of_life(sign: bytes) -> None:
    wire = json_wire(World(Limits(ping_after_s=20.0, dead_after_s=45.0)), "alice")
    for _ in range(10):
        wire.advance(40.0)
        wire.send(sign)
    assert not wire.transport.aborted


def test_client_that_talks_is_not_pinged() -> None:
    wire = json_wire(World(Limits(ping_after_s=20.0)), "alice")
    for n in range(10):
        wire.advance(19.0)
        wire.send(line(Ping(n)))
    assert [frame for frame in wire.frames() if isinstance(frame, Ping)] == []


def test_silent_plain_client_is_left_in_peace() -> None:
    wire = plain_wire(World(), "alice")
    wire.advance(100_000.0)
    assert wire.said() == []
    assert not wire.transport.aborted


def test_client_that_is_gone_is_watched_no_more() -> None:
    world = World()
    wire = json_wire(world, "alice")
    wire.connection.lost()
    assert world.clock.waiting() == []
    wire.advance(100.0)
    assert not wire.transport.aborted
    assert wire.said() == []


# --- goodbyes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timed_out", "reason"), [(False, "connection_lost"), (True, "timed_out")])
def test_lost_connection_is_off_the_list_at_once(timed_out: bool, reason: str) -> None:
    world = World()
    wire = plain_wire(world, "alice")
    wire.connection.lost(timed_out=timed_out)
    assert world.hub.roster.names() == []
    assert _reasons(world) == [reason]


def test_bye_leaves_at_once() -> None:
    world = World()
    wire = json_wire(world, "alice")
    wire.send(line(Bye()))
    assert wire.transport.closed
    assert _reasons(world) == ["left"]
    wire.connection.lost()
    assert _reasons(world) == ["left"]
    assert world.clock.waiting() == []


def test_end_of_input_leaves_and_an_unfinished_line_is_not_guessed() -> None:
    world = World()
    bob, alice = json_wire(world, "bob"), plain_wire(world, "alice")
    alice.send(b"MSG: bob: unfini")
    alice.connection.eof()
    alice.turn()
    assert world.hub.statistics.messages == 0
    assert alice.transport.closed
    assert _reasons(world) == ["left"]
    bob.advance(1.0)
    assert [type(frame).__name__ for frame in bob.frames()] == ["Joined", "Left"]


def test_both_dialects_are_told_why_the_server_ends() -> None:
    world = World()
    plain, json = plain_wire(world, "alice"), json_wire(world, "bob")
    unknown = Wire(world)
    for wire in (plain, json, unknown):
        wire.connection.end(Reason.SERVER_STOPPING, "The server is stopping.")
    assert plain.said() == ["MSG: Server: The server is stopping."]
    assert unknown.said() == ["MSG: Server: The server is stopping."]
    goodbye = json.frames()[-1]
    assert goodbye == Goodbye(reason="server_stopping", text="The server is stopping.")
    assert plain.transport.closed
    assert json.transport.closed
    assert unknown.transport.closed


def test_ending_twice_says_it_once() -> None:
    world = World()
    wire = plain_wire(world, "alice")
    wire.connection.end(Reason.KICKED, "Out.")
    wire.connection.end(Reason.SERVER_STOPPING, "The server is stopping.")
    assert wire.said() == ["MSG: Server: Out."]
    assert _reasons(world) == ["kicked"]


def test_peer_that_does_not_fetch_the_last_words_is_not_waited_for() -> None:
    world = World()
    wire = plain_wire(world, "alice")
    wire.stall()
    wire.connection.end(Reason.KICKED, "Out.")
    wire.turn()
    wire.advance(CLOSE_S - 0.1)
    assert not wire.transport.aborted
    wire.advance(0.2)
    assert wire.transport.aborted


def test_peer_that_fetches_the_last_words_is_not_aborted() -> None:
    world = World()
    wire = plain_wire(world, "alice")
    wire.connection.end(Reason.KICKED, "Out.")
    wire.turn()
    wire.connection.lost()
    wire.advance(CLOSE_S * 2)
    assert not wire.transport.aborted


def test_nothing_is_written_after_the_goodbye() -> None:
    world = World()
    wire = plain_wire(world, "alice")
    bob = world.json("bob")
    wire.said()
    wire.connection.end(Reason.KICKED, "Out.")
    world.post(bob, "alice", "later", "c1")
    world.json("carol")
    wire.advance(1.0)
    assert wire.said() == ["MSG: Server: Out."]


# --- what a plain peer's machine has taken ----------------------------------------------------------------


def _plain_with_messages(world: World) -> Wire:
    wire = plain_wire(world, "bob")
    alice = world.json("alice")
    for n in range(3):
        world.post(alice, "bob", str(n), str(n))
        wire.turn()
    return wire


def _waiting_for_bob(world: World) -> list[str]:
    wire = Wire(world)
    wire.send(b"bob\n")
    return [said for said in wire.said() if said.startswith("MSG")]


def test_after_an_orderly_end_nothing_is_sent_twice() -> None:
    """Bytes on their way to a peer that says goodbye itself are not known to be confirmed yet, but they are taken."""
    world = World()
    wire = _plain_with_messages(world)
    wire.transport.unconfirmed = 30
    wire.connection.eof()
    wire.turn()
    assert wire.connection.handed_upto() == 3
    assert _waiting_for_bob(world) == []


def test_after_an_orderly_end_with_unsent_bytes_they_are_sent_again() -> None:
    world = World()
    wire = plain_wire(world, "bob")
    wire.stall()
    alice = world.json("alice")
    world.post(alice, "bob", "one", "c1")
    wire.turn()
    wire.connection.eof()
    assert wire.connection.handed_upto() == 0
    assert _waiting_for_bob(world) == ["MSG: alice: one"]


def test_after_a_lost_connection_what_was_not_confirmed_is_sent_again() -> None:
    world = World()
    wire = _plain_with_messages(world)
    wire.transport.unconfirmed = 1
    wire.connection.lost()
    assert wire.connection.handed_upto() == 0
    assert _waiting_for_bob(world) == [f"MSG: alice: {n}" for n in range(3)]


def test_after_a_lost_connection_what_was_confirmed_is_not_sent_again() -> None:
    world = World()
    wire = _plain_with_messages(world)
    wire.connection.lost()
    assert wire.connection.handed_upto() == 3
    assert _waiting_for_bob(world) == []


def test_confirmation_is_noted_now_and_then_while_the_connection_lives() -> None:
    world = World()
    wire = _plain_with_messages(world)
    wire.advance(CONFIRM_INTERVAL_S)
    wire.send(b"MSG: bob: four\n")
    assert wire.connection.handed_upto() == 3  # what had been written before
    wire.transport.unconfirmed = 99
    wire.advance(CONFIRM_INTERVAL_S)
    wire.send(b"MSG: bob: five\n")
    wire.connection.lost()
    assert _waiting_for_bob(world) == ["MSG: bob: four", "MSG: bob: five"]


def test_message_that_was_never_flushed_is_not_counted_as_taken() -> None:
    world = World()
    wire = plain_wire(world, "bob")
    alice = world.json("alice")
    world.post(alice, "bob", "one", "c1")
    wire.connection.lost()
    assert _waiting_for_bob(world) == ["MSG: alice: one"]
