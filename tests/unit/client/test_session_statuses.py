"""What the server is told about this user, over connections, and what it tells about others."""

from __future__ import annotations

from tests.unit.client.sessions import INTRODUCTION, Harness, welcome
from twocans.client.events import Online, PresenceChanged, UserJoined
from twocans.protocol.messages import Hello, Joined, Left, Presence, SetStatus, Status, Synced


def _hello(harness: Harness) -> Hello:
    (hello,) = [frame for frame in harness.said() if isinstance(frame, Hello)]
    return hello


def test_who_is_not_here_is_known_from_the_welcome_on() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    statuses = {"bob": Status.AWAY, "nobody": Status.BUSY, "alice": Status.HERE}
    (online,) = harness.say(welcome(statuses=statuses))
    assert isinstance(online, Online)
    assert online.statuses == harness.session.statuses == {"bob": Status.AWAY}


def test_statuses_follow_what_the_server_tells_of_those_online() -> None:
    harness = Harness()
    harness.connect()
    events = harness.say(
        Joined(user="carol", status=Status.BUSY),
        Presence(user="bob", encrypted=True, status=Status.AWAY),
        Presence(user="nobody", encrypted=True, status=Status.AWAY),
    )
    assert events == [
        UserJoined("carol", status=Status.BUSY),
        PresenceChanged("bob", encrypted=True, status=Status.AWAY),
    ]
    assert harness.session.statuses == {"bob": Status.AWAY, "carol": Status.BUSY}
    harness.say(
        Presence(user="carol", encrypted=True, status=Status.HERE), Left(user="bob"), Joined(user="bob")
    )
    assert harness.session.statuses == {}


def test_server_that_says_nothing_of_statuses_means_here() -> None:
    harness = Harness()
    harness.connect(Presence(user="bob", encrypted=True, status=Status.AWAY))
    harness.session.receive(b'PRESENCE: {"user": "bob", "encrypted": false}\n')
    assert harness.session.take_events() == [PresenceChanged("bob", encrypted=False)]
    assert harness.session.statuses == {}


def test_nobody_has_a_status_without_a_connection() -> None:
    harness = Harness()
    harness.connect(Presence(user="bob", encrypted=True, status=Status.AWAY))
    harness.drop()
    assert harness.session.statuses == {}


def test_own_status_is_told_once_and_only_the_last_of_several() -> None:
    harness = Harness()
    harness.connect()
    for status in (Status.AWAY, Status.HERE, Status.BUSY):
        harness.session.set_status(status)
    assert harness.said() == [SetStatus(status=Status.BUSY)]
    harness.session.set_status(Status.BUSY)
    assert harness.said() == []


def test_own_status_is_in_every_hello_and_not_said_again() -> None:
    harness = Harness()
    harness.session.set_status(Status.AWAY)
    hello, *rest = harness.connect()
    assert isinstance(hello, Hello)
    assert (hello.status, rest) == (Status.AWAY, [])
    harness.drop()
    hello, *rest = harness.connect()
    assert isinstance(hello, Hello)
    assert (hello.status, rest) == (Status.AWAY, [])


def test_own_status_that_changes_before_the_welcome_is_told_after_it() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    assert _hello(harness).status is Status.HERE
    harness.session.set_status(Status.BUSY)
    assert harness.said() == []
    harness.say(welcome(), Synced(last=0))
    assert harness.said() == [SetStatus(status=Status.BUSY)]
