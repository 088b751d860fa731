"""Who is away or busy: in the list, above the chat, and what others are told of oneself."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, LIMITS, Desk
from twocans.client.events import CaughtUp, Loss, Offline, Online, PresenceChanged, UserJoined, UserLeft
from twocans.gui.viewmodel.effects import (
    SetStatus,
)
from twocans.gui.viewmodel.state import Heading, Presence
from twocans.protocol.messages import Status


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol")
    return desk


def _header(desk: Desk) -> tuple[Presence, str]:
    assert desk.vm.header is not None
    return desk.vm.header.presence, desk.vm.header.status


def test_list_and_header_follow_whether_somebody_is_away_or_busy(desk: Desk) -> None:
    desk.vm.open("bob")
    for status, presence, said in (
        (Status.AWAY, Presence.AWAY, "away"),
        (Status.BUSY, Presence.BUSY, "busy: do not disturb"),
        (Status.HERE, Presence.ONLINE, "online"),
    ):
        desk.event(PresenceChanged("Bob", encrypted=True, status=status))
        assert desk.row("bob").presence is presence
        assert _header(desk) == (presence, said)
    assert desk.row("carol").presence is Presence.ONLINE


def test_whoever_is_away_or_busy_stands_among_those_online(desk: Desk) -> None:
    desk.event(
        PresenceChanged("bob", encrypted=True, status=Status.AWAY),
        UserJoined("dora", status=Status.BUSY),
    )
    assert desk.vm.people.items[0] == Heading("Online — 3")
    assert desk.names == ["bob", "carol", "dora"]
    assert desk.vm.composer.placeholder == ""
    desk.vm.open("bob")
    assert desk.vm.composer.placeholder == "Write to bob"


def test_statuses_are_known_from_the_first_moment_and_are_those_of_the_last_connection(desk: Desk) -> None:
    desk.event(PresenceChanged("carol", encrypted=True, status=Status.BUSY))
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    assert {desk.row(name).presence for name in ("bob", "carol")} == {Presence.UNKNOWN}
    users = ("alice", "bob", "carol")
    desk.event(Online("alice", "s", users, LIMITS, False, KEY, statuses={"BOB": Status.AWAY}), CaughtUp(0))
    assert desk.row("bob").presence is Presence.AWAY
    assert desk.row("carol").presence is Presence.ONLINE


def test_somebody_who_left_away_is_here_when_they_come_back_so(desk: Desk) -> None:
    desk.event(PresenceChanged("bob", encrypted=True, status=Status.AWAY))
    desk.receive("bob", "bye")
    desk.event(UserLeft("bob"))
    assert desk.row("bob").presence is Presence.OFFLINE
    desk.event(UserJoined("bob"))
    assert desk.row("bob").presence is Presence.ONLINE


def test_somebody_away_who_is_not_encrypted_is_said_to_be_both(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(PresenceChanged("bob", encrypted=False, status=Status.AWAY))
    assert desk.row("bob").unencrypted
    assert _header(desk)[1].startswith("away · not encrypted")


def test_own_status_is_told_when_it_changes(desk: Desk) -> None:
    desk.vm.set_status(Status.AWAY)
    desk.vm.set_status(Status.AWAY)
    desk.vm.set_status(Status.HERE)
    assert desk.all(SetStatus) == [SetStatus(Status.AWAY), SetStatus(Status.HERE)]


def test_own_status_is_told_to_the_next_server_too_but_not_while_there_is_none(desk: Desk) -> None:
    desk.vm.back_to_login()
    desk.vm.set_status(Status.BUSY)
    assert desk.all(SetStatus) == []
    desk.vm.connect()
    desk.event(desk.welcome("bob"), CaughtUp(0))
    assert desk.all(SetStatus) == [SetStatus(Status.BUSY)]
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again("bob")  # the client itself says it again
    assert desk.all(SetStatus) == [SetStatus(Status.BUSY)]
