"""Whether people are at hand: what others are told of it, over all sessions of one person."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.limits import STATUS_INTERVAL_S
from twocans.hub.session import Reason
from twocans.protocol.errors import ProtocolError
from twocans.protocol.messages import Hello, Joined, Presence, Status


def changes(world: World, session: FakeSession) -> list[tuple[str, Status]]:
    """What a session is told within a while."""
    world.clock.advance(2 * STATUS_INTERVAL_S)
    return [(one.user, one.status) for one in session.take() if isinstance(one, Presence)]


def second_session(world: World, first: FakeSession, status: Status) -> FakeSession:
    session = FakeSession(world.hub)
    hello = Hello(user="bob", agent="test", token=first.welcome().token, status=status)
    world.hub.register_json(session, hello)
    return session


def test_others_are_told_when_somebody_goes_and_comes_back() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    for status in (Status.AWAY, Status.BUSY, Status.HERE):
        world.hub.set_status(bob, status)
        assert changes(world, alice) == [("bob", status)]


def test_newcomers_are_told_who_is_not_here() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.set_status(alice, Status.AWAY)
    world.hub.set_status(bob, Status.BUSY)
    assert world.json("carol").welcome().statuses == {"alice": Status.AWAY, "bob": Status.BUSY}
    world.hub.set_status(bob, Status.HERE)
    world.hub.leave(alice, Reason.LEFT)
    world.clock.advance(STATUS_INTERVAL_S)
    assert world.json("dave").welcome().statuses == {}


def test_who_comes_back_as_away_never_looks_as_if_at_hand() -> None:
    world = World()
    alice = world.json("alice")
    bob = FakeSession(world.hub)
    world.hub.register_json(bob, Hello(user="bob", agent="test", status=Status.AWAY))
    world.clock.advance(1)
    assert alice.of(Joined) == [Joined("bob", encrypted=False, status=Status.AWAY)]
    assert changes(world, alice) == []


def test_somebody_is_away_only_on_all_devices() -> None:
    world = World()
    alice, laptop = world.json("alice"), world.json("bob")
    phone = second_session(world, laptop, Status.AWAY)
    assert changes(world, alice) == []
    world.hub.set_status(laptop, Status.AWAY)
    assert changes(world, alice) == [("bob", Status.AWAY)]
    world.hub.set_status(phone, Status.HERE)
    assert changes(world, alice) == [("bob", Status.HERE)]
    world.hub.leave(phone, Reason.LEFT)
    assert changes(world, alice) == [("bob", Status.AWAY)]


def test_somebody_is_busy_who_says_so_on_one_device() -> None:
    world = World()
    alice, laptop = world.json("alice"), world.json("bob")
    phone = second_session(world, laptop, Status.BUSY)
    assert changes(world, alice) == [("bob", Status.BUSY)]
    world.hub.set_status(laptop, Status.AWAY)
    assert changes(world, alice) == []
    world.hub.leave(phone, Reason.LEFT)
    assert changes(world, alice) == [("bob", Status.AWAY)]


def test_a_plain_client_is_at_hand() -> None:
    world = World()
    alice, bob = world.json("alice"), world.plain("bob")
    assert bob.status is Status.HERE
    assert changes(world, alice) == []
    assert world.json("carol").welcome().statuses == {}


def test_a_flood_of_changes_is_told_once_in_a_while_and_ends_right() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.clock.advance(1)
    alice.take()
    for number in range(1001):
        world.hub.set_status(bob, Status.AWAY if number % 2 == 0 else Status.BUSY)
    assert changes(world, alice) == [("bob", Status.AWAY)]
    for number in range(1000):
        world.hub.set_status(bob, Status.BUSY if number % 2 == 0 else Status.HERE)
    assert changes(world, alice) == [("bob", Status.BUSY), ("bob", Status.HERE)]


def test_nothing_is_told_of_who_has_left_meanwhile() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.set_status(bob, Status.AWAY)
    world.hub.set_status(bob, Status.BUSY)
    world.clock.advance(0.1)
    alice.take()
    world.hub.leave(bob, Reason.LEFT)
    assert changes(world, alice) == []


def test_only_who_is_registered_has_a_status() -> None:
    world = World()
    with pytest.raises(ProtocolError):
        world.hub.set_status(world.session(), Status.AWAY)
