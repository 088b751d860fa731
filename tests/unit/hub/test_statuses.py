"""Who is away or busy, over all of somebody's sessions, and who is told."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.limits import Limits
from twocans.hub.roster import STATUS_BURST, STATUSES_PER_S
from twocans.hub.session import Reason
from twocans.protocol.messages import Hello, Joined, Left, Presence, SetStatus, Status, UserList

HERE, AWAY, BUSY = Status.HERE, Status.AWAY, Status.BUSY


def _come(world: World, name: str, status: Status, token: str | None = None) -> FakeSession:
    """A registered JSON session that says in its HELLO what is to be known."""
    session = world.session()
    world.hub.register_json(session, Hello(user=name, agent="test", token=token, status=status))
    return session


def _say(world: World, session: FakeSession, *statuses: Status) -> None:
    for status in statuses:
        world.hub.set_status(session, SetStatus(status=status))


def _told(world: World, watcher: FakeSession) -> list[object]:
    """What a session is told by the time that a round is over."""
    world.clock.advance(1.0)
    return list(watcher.take())


def _presence(status: Status) -> Presence:
    return Presence("bob", encrypted=False, status=status)


def test_whoever_comes_is_told_who_is_not_here() -> None:
    world = World()
    bob = world.json("bob")
    _come(world, "carol", BUSY)
    world.plain("dave")
    _say(world, bob, AWAY)
    world.clock.advance(1.0)
    assert world.json("alice").welcome().statuses == {"bob": AWAY, "carol": BUSY}


def test_others_hear_what_somebody_who_comes_has_said_of_themselves() -> None:
    world = World()
    watcher = world.json("watcher")
    watcher.take()
    _come(world, "bob", AWAY)
    _come(world, "carol", HERE)
    assert _told(world, watcher) == [
        Joined("bob", encrypted=False, status=AWAY),
        Joined("carol", encrypted=False),
    ]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ((AWAY, AWAY), AWAY),
        ((AWAY, HERE), HERE),
        ((HERE, BUSY), BUSY),
        ((BUSY, AWAY), BUSY),
        ((HERE, HERE), HERE),
    ],
)
def test_one_busy_session_is_enough_and_to_be_away_takes_all(
    said: tuple[Status, Status], status: Status
) -> None:
    world = World()
    first = _come(world, "bob", said[0])
    _come(world, "bob", said[1], first.welcome().token)
    wanted = {} if status is HERE else {"bob": status}
    assert world.json("alice").welcome().statuses == wanted


def test_last_word_of_a_round_is_told_once_and_to_ones_own_sessions_too() -> None:
    world = World(Limits(list_delay_s=0.05))
    watcher, bob = world.json("watcher"), world.json("bob")
    _told(world, watcher)
    bob.take()
    _say(world, bob, AWAY, HERE, BUSY, AWAY)
    assert watcher.take() == []
    world.clock.advance(0.05)
    assert watcher.take() == [_presence(AWAY)]
    assert bob.take() == [_presence(AWAY)]
    assert _told(world, watcher) == []


def test_status_that_changes_all_the_time_is_told_now_and_then_and_its_last_word_in_the_end() -> None:
    """A few hundred names that do so would else keep every program on the server, and the network, busy."""
    world = World(Limits(list_delay_s=0.05))
    watcher, bob = world.json("watcher"), world.json("bob")
    watcher.take()
    seconds = 20
    for number in range(seconds * 20):
        _say(world, bob, AWAY if number % 2 else BUSY)
        world.clock.advance(0.05)
    told = watcher.of(Presence)
    assert STATUS_BURST <= len(told) <= STATUS_BURST + seconds * STATUSES_PER_S
    _say(world, bob, HERE)
    world.clock.advance(1 / STATUSES_PER_S + 0.05)
    assert watcher.of(Presence)[-1] == _presence(HERE)
    world.clock.advance(60.0)
    assert world.clock.waiting() == []


def test_somebody_who_leaves_before_a_status_is_told_is_not_spoken_of_again() -> None:
    world = World(Limits(list_delay_s=0.05))
    watcher, bob = world.json("watcher"), world.json("bob")
    for number in range(STATUS_BURST + 2):
        _say(world, bob, AWAY if number % 2 else BUSY)
        world.clock.advance(0.05)
    watcher.take()
    world.hub.leave(bob, Reason.LEFT)
    world.clock.advance(60.0)
    assert watcher.take() == [Left("bob")]
    assert world.clock.waiting() == []


def test_status_that_is_as_before_at_the_end_of_a_round_is_told_to_nobody() -> None:
    world = World()
    watcher, bob = world.json("watcher"), world.json("bob")
    _told(world, watcher)
    _say(world, bob, HERE)
    assert world.clock.waiting() == []
    _say(world, bob, AWAY, HERE)
    assert _told(world, watcher) == []


def test_end_of_a_session_can_change_what_is_true_of_those_that_stay() -> None:
    world = World()
    watcher, here = world.json("watcher"), world.json("bob")
    away = _come(world, "bob", AWAY, here.welcome().token)
    _told(world, watcher)
    world.hub.leave(here, Reason.LEFT)
    assert _told(world, watcher) == [_presence(AWAY)]
    world.hub.leave(away, Reason.LEFT)
    assert _told(world, watcher) == [Left("bob")]


def test_nothing_stays_of_a_status_when_somebody_has_gone() -> None:
    world = World()
    watcher, bob = world.json("watcher"), world.json("bob")
    _say(world, bob, AWAY)
    world.clock.advance(1.0)
    _say(world, bob, BUSY)
    world.hub.leave(bob, Reason.LEFT)
    watcher.take()
    assert _told(world, watcher) == [Left("bob")]
    assert world.json("alice").welcome().statuses == {}
    assert world.json("bob").welcome().statuses == {}


def test_new_session_of_somebody_away_who_has_lost_the_old_one_changes_nothing() -> None:
    world = World()
    watcher = world.json("watcher")
    old = _come(world, "bob", AWAY)
    _told(world, watcher)
    _come(world, "bob", AWAY, old.welcome().token)
    world.hub.leave(old, Reason.CONNECTION_LOST)
    assert _told(world, watcher) == []


def test_plain_session_is_told_nothing_of_statuses_and_is_always_here() -> None:
    world = World()
    reader, bob = world.plain("reader"), world.json("bob")
    _told(world, reader)
    _say(world, bob, AWAY)
    assert _told(world, reader) == []
    world.plain("carol")
    assert len(_told(world, reader)) == 1
    assert world.json("alice").welcome().statuses == {"bob": AWAY}
    _told(world, reader)
    _say(world, bob, BUSY)
    assert _told(world, reader) == []


def test_statuses_take_nothing_of_the_budget_of_lists() -> None:
    world = World(Limits(list_delay_s=0.05, list_bytes_per_s=200.0))
    reader, bob = world.plain("reader"), world.json("bob")
    world.clock.advance(3600.0)
    reader.take()
    for _ in range(50):
        _say(world, bob, AWAY if bob.status is HERE else HERE)
        world.clock.advance(0.05)
    world.json("carol")
    world.clock.advance(0.05)
    assert len(reader.of(UserList)) == 1
