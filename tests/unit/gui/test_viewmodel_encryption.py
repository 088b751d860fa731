"""People whose messages others on the network can read: marked, and said before one writes."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, LIMITS, Desk
from twocans.client.events import Loss, Offline, Online, PresenceChanged, UserJoined, UserLeft
from twocans.gui.viewmodel.presentation import NOT_ENCRYPTED
from twocans.gui.viewmodel.state import Header


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol")
    return desk


def header(desk: Desk) -> Header:
    assert desk.vm.header is not None
    return desk.vm.header


def test_who_is_there_without_encryption_is_marked_from_the_start() -> None:
    desk = Desk()
    desk.vm.connect()
    desk.event(Online("alice", "s", ("alice", "bob", "carol"), LIMITS, True, KEY, unencrypted=("Bob",)))
    assert {row.name: row.unencrypted for row in desk.vm.people.rows} == {"bob": True, "carol": False}
    desk.vm.open("bob")
    assert header(desk).unencrypted
    assert header(desk).status == f"online · {NOT_ENCRYPTED}"
    assert desk.vm.composer.hint == "Others on the network can read what you write here."


def test_who_comes_without_encryption_is_marked_and_so_is_who_changes_to_it(desk: Desk) -> None:
    desk.event(UserJoined("dave", encrypted=False), PresenceChanged("carol", encrypted=False))
    assert [row.name for row in desk.vm.people.rows if row.unencrypted] == ["carol", "dave"]
    desk.receive("carol", "hello")
    assert desk.row("carol").unencrypted
    desk.event(PresenceChanged("carol", encrypted=True))
    desk.event(UserLeft("dave"), UserJoined("dave"))
    assert not [row.name for row in desk.vm.people.rows if row.unencrypted]


def test_a_change_is_shown_at_once_in_the_open_chat(desk: Desk) -> None:
    desk.vm.open("bob")
    assert (header(desk).unencrypted, desk.vm.composer.hint) == (False, "")
    desk.event(PresenceChanged("bob", encrypted=False))
    assert header(desk).unencrypted
    assert desk.vm.composer.hint
    desk.event(PresenceChanged("bob", encrypted=True))
    assert (header(desk).status, desk.vm.composer.hint) == ("online", "")


def test_the_hint_goes_once_one_has_written_and_comes_back_when_it_is_news_again(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(PresenceChanged("bob", encrypted=False))
    desk.write("hello")
    assert desk.vm.composer.hint == ""
    assert header(desk).unencrypted
    desk.event(PresenceChanged("bob", encrypted=True))
    desk.write("better now")
    desk.event(PresenceChanged("bob", encrypted=False))
    assert desk.vm.composer.hint


def test_the_hint_comes_before_one_writes_to_somebody_who_is_unencrypted_after_a_reconnect(
    desk: Desk,
) -> None:
    desk.vm.open("bob")
    desk.write("hello")
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    desk.event(Online("alice", "s", ("alice", "bob"), LIMITS, False, KEY, unencrypted=("bob",)))
    assert desk.vm.composer.hint


def test_nothing_is_said_of_those_who_are_away_and_while_there_is_no_connection(desk: Desk) -> None:
    desk.receive("bob", "hello")
    desk.event(PresenceChanged("bob", encrypted=False))
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    assert not desk.row("bob").unencrypted
    desk.online_again("bob")
    assert not desk.row("bob").unencrypted
    desk.event(PresenceChanged("bob", encrypted=False), UserLeft("bob"))
    assert not desk.row("bob").unencrypted
