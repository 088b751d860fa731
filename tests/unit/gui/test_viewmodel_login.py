"""The login form and the connection: what is told where, and what becomes of a lost connection."""

from __future__ import annotations

from tests.unit.gui.desk import KEY, LIMITS, Desk
from twocans.client.events import Loss, Offline, Online, UserLeft
from twocans.client.outbox import Outgoing
from twocans.gui.transcript.model import Status
from twocans.gui.viewmodel.effects import (
    Connect,
    Disconnect,
    Focus,
    MarkRead,
    Place,
    RememberLogin,
    RetryNow,
)
from twocans.gui.viewmodel.inputs import (
    ConnectRefused,
    FromClient,
)
from twocans.gui.viewmodel.state import Presence, Screen


def test_what_is_wrong_with_the_fields_is_told_beside_them_and_nothing_is_tried() -> None:
    desk = Desk(server="a server", user="with space")
    desk.vm.connect()
    assert "spaces" in desk.vm.form.state.server_error
    assert "space" in desk.vm.form.state.user_error
    assert not desk.all(Connect)
    assert desk.all(Focus)[-1] == Focus(Place.SERVER)


def test_empty_fields_say_what_to_type() -> None:
    desk = Desk(server="", user="")
    desk.vm.connect()
    assert desk.vm.form.state.server_error.startswith("Type the address")
    assert desk.vm.form.state.user_error.startswith("Type the name")


def test_the_servers_name_is_refused_before_anything_is_sent() -> None:
    desk = Desk(user="SERVER")
    desk.vm.connect()
    assert "kept for the server" in desk.vm.form.state.user_error
    assert not desk.all(Connect)


def test_editing_a_field_takes_back_what_was_said_about_it() -> None:
    desk = Desk(server="a b", user="a b")
    desk.vm.connect()
    desk.vm.form.set_server("localhost")
    assert desk.vm.form.state.server_error == ""
    assert desk.vm.form.state.user_error != ""


def test_a_refused_name_is_told_beside_the_name_and_an_unreachable_server_beside_the_server() -> None:
    desk = Desk()
    desk.vm.connect()
    desk.vm.handle(ConnectRefused(1, "That name is in use.", "name_taken"))
    assert desk.vm.form.state.user_error == "That name is in use."
    assert desk.all(Focus)[-1] == Focus(Place.USER)
    desk.vm.connect()
    desk.vm.handle(ConnectRefused(2, "No server is running there."))
    assert desk.vm.form.state.server_error == "No server is running there."
    assert not desk.vm.form.state.connecting


def test_cancelling_ends_the_attempt_and_its_late_answer_changes_nothing() -> None:
    desk = Desk()
    desk.vm.connect()
    session = desk.vm.form.session
    desk.vm.form.cancel()
    assert desk.all(Disconnect)
    desk.vm.handle(FromClient(session, Online("alice", "s", ("alice",), LIMITS, True, KEY)))
    assert desk.vm.screen is Screen.LOGIN
    desk.vm.handle(ConnectRefused(session, "Too late."))
    assert desk.vm.form.state.server_error == ""


def test_connecting_twice_makes_one_attempt() -> None:
    desk = Desk()
    desk.vm.connect()
    desk.vm.connect()
    assert len(desk.all(Connect)) == 1


def test_a_login_that_worked_is_remembered_as_the_server_spells_it() -> None:
    desk = Desk(server="localhost:5050", user="Alice")
    desk.vm.connect()
    desk.event(Online("alice", "s", ("alice",), LIMITS, True, KEY))
    assert desk.all(RememberLogin) == [RememberLogin("localhost:5050", "alice")]
    assert desk.vm.title == "Twocans – alice"


def test_a_lost_connection_is_told_at_once_and_counts_down() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.event(Offline(Loss.LOST, "The connection is lost.", 5.0))
    banner = desk.vm.banner
    assert banner is not None
    assert (banner.text, banner.countdown) == ("The connection is lost.", "Trying again in 5 s")
    assert desk.vm.title == "Twocans – alice (not connected)"
    desk.later(3)
    assert desk.vm.banner is not None
    assert desk.vm.banner.countdown == "Trying again in 2 s"
    desk.later(3)
    assert desk.vm.banner is not None
    assert desk.vm.banner.countdown == "Trying again …"
    desk.online_again("bob")
    assert desk.vm.banner is None
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "Connected again."


def test_try_now_skips_the_pause() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.retry_now()
    assert not desk.all(RetryNow)
    desk.event(Offline(Loss.LOST, "Lost.", 30.0))
    desk.vm.retry_now()
    assert desk.all(RetryNow) == [RetryNow()]


def test_nobody_is_said_to_be_online_without_a_connection() -> None:
    desk = Desk()
    desk.log_in("bob", "carol")
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    assert {row.presence for row in desk.vm.people.rows} == {Presence.UNKNOWN}
    desk.online_again("carol")
    assert [row.name for row in desk.vm.people.rows if row.presence is Presence.ONLINE] == ["carol"]


def test_back_to_login_has_the_last_server_and_name_filled_in() -> None:
    desk = Desk(server="10.0.0.7", user="alice")
    desk.log_in("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    desk.vm.back_to_login()
    assert desk.vm.screen is Screen.LOGIN
    assert (desk.vm.form.state.server, desk.vm.form.state.user) == ("10.0.0.7", "alice")
    assert desk.all(Disconnect)
    assert desk.vm.title == "Twocans"


def test_being_kicked_leads_to_the_login_with_the_reason() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.event(Offline(Loss.KICKED, "The operator ended your session: be nice.", None))
    assert desk.vm.screen is Screen.LOGIN
    assert desk.vm.form.state.message == "The operator ended your session: be nice."


def test_events_of_an_earlier_login_are_ignored() -> None:
    desk = Desk()
    desk.log_in("bob")
    old = desk.vm.form.session
    desk.vm.back_to_login()
    desk.log_in("bob", "carol")
    desk.vm.handle(FromClient(old, UserLeft("carol")))
    assert "carol" in desk.names


def test_messages_and_drafts_are_still_there_after_logging_in_again_as_the_same_user() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open("bob")
    message = desk.receive("bob", "hello")
    waiting = desk.write("not sent yet")
    desk.vm.set_draft("half a sent")
    desk.vm.back_to_login()
    desk.log_in("bob")
    desk.outbox(Outgoing(waiting, "bob", "not sent yet"))
    desk.vm.open("bob")
    assert desk.texts == ["hello", "not sent yet"]
    assert desk.vm.bubbles[1].status is Status.WAITING
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.draft == "half a sent"
    desk.vm.chats.page("bob", (message,), more=False)
    assert desk.texts.count("hello") == 1
    desk.stored(waiting, "bob", "not sent yet")
    assert [bubble.status for bubble in desk.vm.bubbles] == [Status.NONE, Status.SENT]


def test_what_waits_from_an_earlier_start_stands_in_its_chat_and_in_the_list() -> None:
    desk = Desk()
    desk.log_in("carol")
    desk.outbox(Outgoing("cid-a", "bob", "one"), Outgoing("cid-b", "bob", "two"))
    assert desk.row("bob").preview == "You: two"
    desk.vm.open("bob")
    assert [(one.text, one.status) for one in desk.vm.bubbles] == [
        ("one", Status.WAITING),
        ("two", Status.WAITING),
    ]
    desk.stored("cid-a", "bob", "one")
    desk.stored("cid-b", "bob", "two")
    assert [(one.text, one.status) for one in desk.vm.bubbles] == [("one", Status.SENT), ("two", Status.SENT)]


def test_what_was_stored_while_nobody_listened_is_shown_by_the_history_not_as_waiting_for_ever() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open("bob")
    cid = desk.write("stored at the last moment")
    desk.vm.back_to_login()
    desk.log_in("bob")
    desk.outbox()
    desk.vm.open("bob")
    assert desk.texts == []
    stored = desk.message("alice", "stored at the last moment", to="bob", cid=cid)
    desk.vm.chats.page("bob", (stored,), more=False)
    assert [bubble.status for bubble in desk.vm.bubbles] == [Status.SENT]


def test_an_outbox_that_cannot_outlive_the_window_is_told() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.outbox(problem="The disk is gone.")
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "The disk is gone."


def test_another_user_sees_nothing_of_the_one_before() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.receive("bob", "for alice only")
    desk.vm.back_to_login()
    desk.vm.form.set_user("dora")
    desk.log_in("bob")
    desk.vm.open("bob")
    assert desk.texts == []
    assert desk.vm.chats.unread == 0


def test_what_was_read_without_a_connection_is_reported_when_it_is_back() -> None:
    desk = Desk()
    desk.log_in("bob")
    message = desk.receive("bob", "hello")
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    desk.vm.open("bob")
    assert not desk.all(MarkRead)
    desk.online_again("bob")
    assert desk.all(MarkRead) == [MarkRead("bob", message.id)]
