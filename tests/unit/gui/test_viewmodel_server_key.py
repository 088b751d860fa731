"""The server's key: told at the first use, shown at any time, and asked about when it has changed."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, LIMITS, Desk
from twocans.client.events import Loss, Offline, Online
from twocans.gui.viewmodel.effects import (
    Connect,
)
from twocans.gui.viewmodel.inputs import (
    ConnectRefused,
    KeepingFailed,
)
from twocans.gui.viewmodel.state import KeyChange, Screen
from twocans.protocol.keys import readable_key, server_key

OTHER = server_key(b"another")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def online(desk: Desk, *, first_use: bool) -> None:
    desk.vm.connect()
    desk.event(Online("alice", "kitchen", ("alice",), LIMITS, True, KEY, first_use))


def change(desk: Desk) -> KeyChange:
    assert desk.vm.key_change is not None
    return desk.vm.key_change


def refuse(desk: Desk) -> None:
    desk.vm.connect()
    text = f"its key is {readable_key(OTHER)} and was {readable_key(KEY)}"
    desk.vm.handle(ConnectRefused(desk.vm.form.session, text, known=KEY, presented=OTHER))


def test_the_key_of_a_new_server_is_told_until_that_is_closed(desk: Desk) -> None:
    online(desk, first_use=True)
    assert desk.vm.first_use
    assert desk.vm.server is not None
    assert (desk.vm.server.address, desk.vm.server.name) == ("localhost", "kitchen")
    assert desk.vm.server.readable == readable_key(KEY)
    desk.vm.close_first_use()
    assert not desk.vm.first_use
    assert desk.vm.server is not None


def test_the_key_of_a_known_server_is_not_told(desk: Desk) -> None:
    online(desk, first_use=False)
    assert not desk.vm.first_use


def test_what_is_told_of_a_new_server_outlives_a_lost_connection_but_not_the_login(desk: Desk) -> None:
    online(desk, first_use=True)
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    desk.online_again()
    assert desk.vm.first_use
    desk.vm.back_to_login()
    assert not desk.vm.first_use
    assert desk.vm.server is None


def test_a_changed_key_asks_and_neither_shows_nor_takes_the_new_one(desk: Desk) -> None:
    refuse(desk)
    assert (change(desk).address, change(desk).readable) == ("localhost", readable_key(KEY))
    assert readable_key(OTHER) not in repr((desk.vm.form.state, change(desk)))
    assert OTHER not in repr((desk.vm.form.state, change(desk)))
    desk.vm.accept_key()
    assert len(desk.all(Connect)) == 1
    assert desk.vm.key_change is not None


@pytest.mark.parametrize(
    "typed", ["", readable_key(KEY), readable_key(OTHER)[:-1], readable_key(OTHER) + "0", "yes"]
)
def test_any_other_key_than_the_one_that_the_server_has_is_not_accepted(desk: Desk, typed: str) -> None:
    refuse(desk)
    desk.vm.type_key(typed)
    assert not change(desk).matches
    desk.vm.accept_key()
    assert len(desk.all(Connect)) == 1


@pytest.mark.parametrize(
    "typed", [readable_key(OTHER), readable_key(OTHER).lower().replace("-", " "), f" {readable_key(OTHER)} "]
)
def test_the_key_that_the_server_has_is_accepted_however_it_is_typed(desk: Desk, typed: str) -> None:
    refuse(desk)
    desk.vm.type_key(typed)
    assert change(desk).matches
    desk.vm.accept_key()
    assert desk.all(Connect)[-1] == Connect(2, "localhost", "alice", accept=OTHER)
    assert desk.vm.key_change is None
    assert desk.vm.form.state.server_error == ""


def test_an_accepted_key_is_accepted_once(desk: Desk) -> None:
    refuse(desk)
    desk.vm.type_key(readable_key(OTHER))
    desk.vm.accept_key()
    refuse_text = "No server is running there."
    desk.vm.handle(ConnectRefused(desk.vm.form.session, refuse_text))
    desk.vm.connect()
    assert desk.all(Connect)[-1].accept is None


def test_who_does_not_connect_stays_at_the_login_with_the_reason(desk: Desk) -> None:
    refuse(desk)
    desk.vm.refuse_key()
    assert desk.vm.key_change is None
    assert "not the one that it had before" in desk.vm.form.state.server_error
    assert not desk.vm.form.state.connecting


def test_a_key_that_changes_while_the_connection_is_lost_ends_the_login_and_asks(desk: Desk) -> None:
    desk.log_in("bob")
    desk.vm.open("bob")
    desk.vm.set_draft("half a sentence")
    desk.event(Offline(Loss.KEY_CHANGED, "changed", None, key=OTHER, known_key=KEY))
    assert desk.vm.screen is Screen.LOGIN
    assert desk.vm.form.state.message == ""
    desk.vm.type_key(readable_key(OTHER))
    desk.vm.accept_key()
    desk.event(Online("alice", "s", ("alice", "bob"), LIMITS, True, OTHER))
    desk.vm.open("bob")
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.draft == "half a sentence"


def test_a_key_or_token_that_cannot_be_kept_is_told_and_stays_with_the_key(desk: Desk) -> None:
    online(desk, first_use=True)
    desk.vm.handle(KeepingFailed(desk.vm.form.session, "The key could not be kept."))
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "The key could not be kept."
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    desk.online_again()
    assert desk.vm.server is not None
    assert desk.vm.server.problem == "The key could not be kept."
    desk.vm.handle(KeepingFailed(desk.vm.form.session, "The key could not be kept."))
    assert desk.vm.notice.text == "Connected again."


def test_what_cannot_be_kept_is_told_together(desk: Desk) -> None:
    online(desk, first_use=True)
    desk.outbox(problem="The outbox cannot be used.")
    desk.vm.handle(KeepingFailed(desk.vm.form.session, "The key could not be kept."))
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "The outbox cannot be used. The key could not be kept."
