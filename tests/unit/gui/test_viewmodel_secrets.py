"""The login form when the server asks for more than a name: an invite, a code or a password."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, LIMITS, Desk
from twocans.client.events import Loss, Offline, Online
from twocans.gui.viewmodel.effects import (
    Connect,
    Focus,
    Place,
)
from twocans.gui.viewmodel.inputs import (
    ConnectRefused,
)
from twocans.gui.viewmodel.state import Need

TAKEN = "alice is taken. Please choose another name."
INVITE = "This server asks newcomers for an invite."


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refuse(desk: Desk, text: str, code: str | None, needs: str | None = None) -> None:
    desk.vm.connect()
    desk.vm.handle(ConnectRefused(desk.vm.form.session, text, code, needs))


def test_an_invite_that_is_asked_for_has_a_field_with_the_servers_sentence_and_the_focus(desk: Desk) -> None:
    refuse(desk, INVITE, "auth_required", "invite")
    state = desk.vm.form.state
    assert (state.needs, state.secret_hint, state.user_error) == (Need.INVITE, INVITE, "")
    assert desk.all(Focus)[-1] == Focus(Place.SECRET)


def test_what_is_typed_goes_along_as_what_was_asked_for(desk: Desk) -> None:
    refuse(desk, INVITE, "auth_required", "invite")
    desk.vm.form.set_secret("come-in")
    desk.vm.connect()
    assert (desk.all(Connect)[-1].invite, desk.all(Connect)[-1].secret) == ("come-in", None)
    desk.vm.handle(ConnectRefused(desk.vm.form.session, TAKEN, "name_taken", "secret"))
    desk.vm.form.set_secret("ABCD-1234")
    desk.vm.connect()
    assert (desk.all(Connect)[-1].invite, desk.all(Connect)[-1].secret) == (None, "ABCD-1234")


def test_a_taken_name_is_told_beside_the_name_and_its_field_stays_usable(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    state = desk.vm.form.state
    assert (state.needs, state.user_error, state.secret_error) == (Need.SECRET, TAKEN, "")
    assert state.secret_hint
    desk.vm.form.set_user("alina")
    assert (state.needs, state.user_error, state.secret_hint) == (None, "", "")
    desk.vm.connect()
    assert desk.all(Connect)[-1] == Connect(2, "localhost", "alina")


def test_another_server_is_asked_without_what_was_typed_for_this_one(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    desk.vm.form.set_secret("my password")
    desk.vm.form.set_server("10.0.0.7")
    desk.vm.connect()
    assert desk.all(Connect)[-1] == Connect(2, "10.0.0.7", "alice")
    assert desk.vm.form.state.secret == ""


def test_a_wrong_secret_is_told_beside_its_field_and_stays_there_to_be_mended(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    desk.vm.form.set_secret("wrong")
    refuse(desk, "That is not a code.", "auth_failed", "secret")
    state = desk.vm.form.state
    assert (state.secret_error, state.user_error, state.secret) == ("That is not a code.", "", "wrong")
    assert desk.all(Focus)[-1] == Focus(Place.SECRET)
    desk.vm.form.set_secret("wrong1")
    assert state.secret_error == ""


def test_too_many_wrong_tries_are_told_beside_the_field(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    desk.vm.form.set_secret("wrong")
    refuse(desk, "There have been too many wrong tries.", "rate_limited")
    assert desk.vm.form.state.secret_error == "There have been too many wrong tries."
    assert desk.vm.form.state.needs is Need.SECRET


def test_too_many_new_names_are_told_beside_the_name(desk: Desk) -> None:
    refuse(desk, "Too many new names have come from your address.", "rate_limited")
    assert desk.vm.form.state.user_error == "Too many new names have come from your address."
    assert desk.vm.form.state.needs is None


def test_an_empty_field_asks_the_server_again_and_says_the_same(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    refuse(desk, TAKEN, "name_taken", "secret")
    assert desk.all(Connect)[-1].secret is None
    assert (desk.vm.form.state.user_error, desk.vm.form.state.secret_error) == (TAKEN, "")


def test_a_secret_for_which_the_protocol_has_no_room_is_not_sent(desk: Desk) -> None:
    refuse(desk, INVITE, "auth_required", "invite")
    desk.vm.form.set_secret("x" * 65)
    desk.vm.connect()
    assert "too long" in desk.vm.form.state.secret_error
    assert len(desk.all(Connect)) == 1


def test_a_ban_takes_the_field_away(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    desk.vm.form.set_secret("right")
    refuse(desk, "You are banned from this server.", "banned")
    assert desk.vm.form.state.needs is None
    assert desk.vm.form.state.user_error == "You are banned from this server."


def test_a_server_that_cannot_be_reached_leaves_what_was_typed(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    desk.vm.form.set_secret("ABCD-1234")
    refuse(desk, "No server is running there.", None)
    state = desk.vm.form.state
    assert (state.server_error, state.secret) == ("No server is running there.", "ABCD-1234")
    assert desk.all(Focus)[-1] == Focus(Place.SERVER)


def test_nothing_of_it_is_left_once_the_user_is_in(desk: Desk) -> None:
    refuse(desk, TAKEN, "name_taken", "secret")
    desk.vm.form.set_secret("ABCD-1234")
    desk.vm.connect()
    desk.event(Online("alice", "s", ("alice",), LIMITS, True, KEY))
    assert (desk.vm.form.state.needs, desk.vm.form.state.secret) == (None, "")


def test_what_is_typed_is_in_nothing_that_could_be_logged(desk: Desk) -> None:
    refuse(desk, INVITE, "auth_required", "invite")
    desk.vm.form.set_secret("come-in")
    desk.vm.connect()
    assert "come-in" not in repr(desk.all(Connect))
    assert "come-in" not in repr(desk.vm.form.state)


@pytest.mark.parametrize("loss", [Loss.REVOKED, Loss.BANNED])
def test_who_is_cut_off_or_banned_is_back_at_the_login_with_the_reason(desk: Desk, loss: Loss) -> None:
    desk.log_in("bob")
    desk.event(Offline(loss, "Another device has cut this one off.", None))
    assert desk.vm.form.state.message == "Another device has cut this one off."
    assert desk.vm.title == "Twocans"
