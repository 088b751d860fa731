"""What counts as read: only what was in view, in a window in front; and a chat opens where the unread begins."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.events import CaughtUp, Loss, MessageReceived, Offline, Online, ReadElsewhere
from twocans.gui.transcript.model import ViewState
from twocans.gui.viewmodel.effects import (
    LoadAround,
    LoadHistory,
    MarkRead,
    PlaySound,
    ShowNotification,
    WithdrawNotifications,
)
from twocans.gui.viewmodel.inputs import AroundLoaded, HistoryLoaded, NewerLoaded
from twocans.gui.viewmodel.transcript_changes import Reset, ToUnread
from twocans.protocol.messages import Chat, Message


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.sees_everything = False
    desk.log_in("bob", "carol")
    return desk


def said(*ids: int) -> tuple[Message, ...]:
    return tuple(Message(one, one * 1000, "bob", "alice", f"m{one}", f"c{one}") for one in ids)


def come(desk: Desk, *ids: int) -> None:
    desk.event(*(MessageReceived(one) for one in said(*ids)))


def in_view(desk: Desk, first: int, last: int) -> None:
    """The transcript tells what it shows the ends of, which is not its own end."""
    desk.vm.set_at_bottom(False)
    desk.vm.set_in_view(f"bob/c{first}", f"bob/c{last}")


def divider(desk: Desk) -> str | None:
    opened = desk.vm.chats.open
    assert opened is not None
    return opened.unread_from


def marks(desk: Desk) -> list[int]:
    return [effect.id for effect in desk.all(MarkRead)]


def test_a_chat_opens_at_its_first_unread_message_and_reads_what_comes_into_view(desk: Desk) -> None:
    come(desk, *range(1, 61))
    desk.take()
    desk.vm.open("bob")
    assert desk.take().transcript == (Reset(None), ToUnread("bob/c1"))
    assert divider(desk) == "bob/c1"
    assert desk.row("bob").unread == 60
    in_view(desk, 1, 15)
    assert desk.row("bob").unread == 45
    assert desk.vm.title == "(45) Twocans – alice"
    in_view(desk, 10, 24)
    in_view(desk, 2, 16)  # back up again
    assert desk.row("bob").unread == 36
    assert marks(desk) == [15, 24]
    assert divider(desk) == "bob/c1", "the line stays as long as the chat is open"
    desk.vm.set_at_bottom(True)
    assert desk.row("bob").unread == 0
    assert marks(desk) == [15, 24, 60]


def test_a_chat_that_was_left_before_its_end_opens_at_what_is_still_unread(desk: Desk) -> None:
    come(desk, *range(1, 61))
    desk.vm.open("bob")
    in_view(desk, 1, 15)
    desk.vm.open("carol")
    desk.vm.keep_view("bob", ViewState("bob/c3", 0.0, 5))
    desk.take()
    desk.vm.open("bob")
    assert desk.take().transcript[-1] == ToUnread("bob/c16")
    assert divider(desk) == "bob/c16"
    assert desk.row("bob").unread == 45


def test_a_chat_without_unread_messages_opens_where_it_was(desk: Desk) -> None:
    come(desk, *range(1, 61))
    desk.vm.open("bob")
    desk.vm.set_at_bottom(True)
    desk.vm.open("carol")
    desk.vm.keep_view("bob", ViewState("bob/c3", 0.0, 5))
    desk.take()
    desk.vm.open("bob")
    assert desk.take().transcript == (Reset(ViewState("bob/c3", 0.0, 5)),)


def test_what_comes_while_scrolled_up_is_counted_and_not_read(desk: Desk) -> None:
    come(desk, *range(1, 31))
    desk.vm.open("bob")
    in_view(desk, 1, 15)
    in_view(desk, 11, 30)
    assert desk.row("bob").unread == 0
    come(desk, 31, 32)
    assert desk.row("bob").unread == 2
    assert divider(desk) == "bob/c31"
    assert marks(desk)[-1] == 30
    assert desk.all(PlaySound)


def test_nothing_is_read_behind_other_windows_or_where_the_chat_is_covered(desk: Desk) -> None:
    come(desk, *range(1, 31))
    desk.vm.set_in_front(False)
    desk.vm.open("bob")
    in_view(desk, 1, 15)
    assert marks(desk) == []
    desk.vm.set_in_front(True)
    assert marks(desk) == [15]
    desk.vm.set_shown(False)
    in_view(desk, 5, 20)
    desk.vm.set_at_bottom(True)
    come(desk, 31)
    assert marks(desk) == [15]
    assert desk.row("bob").unread == 16
    desk.take()
    desk.vm.set_shown(True)
    assert desk.take().transcript == (ToUnread("bob/c16"),)


def test_what_came_behind_other_windows_is_shown_from_its_beginning(desk: Desk) -> None:
    come(desk, 1)
    desk.vm.open("bob")
    desk.vm.set_at_bottom(True)
    desk.vm.set_in_front(False)
    come(desk, *range(2, 62))
    desk.take()
    desk.vm.set_in_front(True)
    assert desk.take().transcript == (ToUnread("bob/c2"),)
    assert desk.row("bob").unread == 60
    in_view(desk, 2, 16)
    assert desk.row("bob").unread == 45
    assert marks(desk) == [1, 16]


def test_whoever_has_scrolled_up_stays_there_when_the_window_comes_to_the_front(desk: Desk) -> None:
    come(desk, *range(1, 31))
    desk.vm.open("bob")
    desk.vm.set_at_bottom(True)
    in_view(desk, 3, 10)
    desk.vm.set_in_front(False)
    come(desk, 31)
    desk.take()
    desk.vm.set_in_front(True)
    assert desk.take().transcript == ()
    assert desk.row("bob").unread == 1


def test_a_notification_goes_once_everything_has_been_in_view(desk: Desk) -> None:
    desk.vm.set_in_front(False)
    come(desk, 1, 2, 3)
    desk.vm.open("bob")
    come(desk, 4)
    desk.later(3)
    assert desk.all(ShowNotification)
    desk.forget()
    desk.vm.set_in_front(True)
    in_view(desk, 1, 2)
    assert not desk.all(WithdrawNotifications)
    in_view(desk, 1, 4)
    assert desk.all(WithdrawNotifications) == [WithdrawNotifications("bob")]


def test_unread_messages_that_are_not_here_are_loaded_from_where_reading_ended(desk: Desk) -> None:
    (last,) = said(900)
    desk.list_chats(Chat("bob", last, 400, 500))
    desk.vm.open("bob")
    assert desk.all(LoadAround) == [LoadAround("bob", 500)]
    assert not desk.all(LoadHistory)
    desk.vm.set_at_bottom(True)
    assert marks(desk) == []
    desk.take()
    session = desk.vm.form.session
    desk.vm.handle(AroundLoaded(session, "bob", 500, said(*range(480, 551)), True, True))
    assert desk.take().transcript == (Reset(ViewState()), ToUnread("bob/c501"))
    assert divider(desk) == "bob/c501"
    in_view(desk, 500, 515)
    assert desk.row("bob").unread == 385
    desk.vm.near_bottom()
    desk.vm.handle(NewerLoaded(session, "bob", 550, said(*range(551, 901)), False))
    in_view(desk, 860, 880)
    assert desk.row("bob").unread == 20
    come(desk, 901)
    assert desk.row("bob").unread == 21
    assert marks(desk) == [515, 880]


def test_unread_messages_that_could_not_be_loaded_stay_unread_and_are_asked_for_again(desk: Desk) -> None:
    (last,) = said(900)
    desk.list_chats(Chat("bob", last, 400, 500))
    desk.vm.open("bob")
    desk.vm.handle(AroundLoaded(desk.vm.form.session, "bob", 500, None))
    desk.vm.set_at_bottom(True)
    assert marks(desk) == []
    desk.later(3.1)
    assert desk.all(LoadAround) == [LoadAround("bob", 500)] * 2


def test_the_way_to_the_newest_message_passes_over_what_is_unread_before_it(desk: Desk) -> None:
    (last,) = said(900)
    desk.list_chats(Chat("bob", last, 400, 500))
    desk.vm.open("bob")
    session = desk.vm.form.session
    desk.vm.handle(AroundLoaded(session, "bob", 500, said(*range(480, 551)), True, True))
    in_view(desk, 500, 515)
    desk.vm.to_newest()
    desk.vm.handle(HistoryLoaded(session, "bob", None, said(*range(851, 901)), True))
    desk.vm.set_at_bottom(True)
    assert desk.row("bob").unread == 0
    assert marks(desk) == [515, 900]


def test_a_message_that_a_search_has_found_does_not_read_those_before_it(desk: Desk) -> None:
    come(desk, *range(1, 61))
    desk.vm.chats.show(desk.vm.chats.of("bob"), at=40)
    in_view(desk, 35, 45)
    assert desk.row("bob").unread == 60
    in_view(desk, 1, 12)  # from the first unread one on it is reading again
    in_view(desk, 8, 20)
    assert desk.row("bob").unread == 40
    desk.vm.chats.go_to(50)
    in_view(desk, 45, 55)
    desk.vm.set_at_bottom(True)
    assert marks(desk) == [12, 20, 60]


def test_what_is_read_on_another_device_is_not_shown_as_new(desk: Desk) -> None:
    come(desk, *range(1, 61))
    desk.event(ReadElsewhere("bob", 50))
    desk.take()
    desk.vm.open("bob")
    assert desk.take().transcript[-1] == ToUnread("bob/c51")
    in_view(desk, 51, 55)
    assert desk.row("bob").unread == 5
    desk.event(ReadElsewhere("bob", 60))
    assert desk.row("bob").unread == 0
    assert divider(desk) is None
    in_view(desk, 50, 60)
    assert marks(desk) == [55]


def test_a_chat_that_is_opened_before_the_server_has_counted_reads_nothing_until_then(desk: Desk) -> None:
    desk = Desk()
    desk.sees_everything = False
    desk.vm.connect()
    desk.event(desk.welcome("bob"), CaughtUp(0))
    desk.vm.set_in_front(True)
    desk.vm.open("bob")
    session = desk.vm.form.session
    desk.vm.handle(HistoryLoaded(session, "bob", None, said(*range(41, 101)), True))
    desk.vm.set_at_bottom(True)
    assert marks(desk) == []
    desk.take()
    (last,) = said(100)
    desk.list_chats(Chat("bob", last, 30, 70))
    assert desk.take().transcript == (ToUnread("bob/c71"),)
    in_view(desk, 71, 80)
    assert desk.row("bob").unread == 20


def test_what_was_missed_while_offline_in_an_open_chat_is_shown_from_its_beginning(desk: Desk) -> None:
    come(desk, 1)
    desk.vm.open("bob")
    desk.vm.set_at_bottom(True)
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    me = desk.vm.me
    welcome = desk.welcome("bob")
    desk.forget()
    desk.event(Online(me, "server", (me, "bob"), welcome.limits, False, welcome.key))
    come(desk, *range(2, 62))
    desk.event(CaughtUp(61))
    assert marks(desk) == []
    assert not desk.all(PlaySound), "the chat is open, in front and at its end"
    desk.take()
    (last,) = said(61)
    desk.list_chats(Chat("bob", last, 60, 1))
    assert desk.take().transcript == (ToUnread("bob/c2"),)
    assert desk.row("bob").unread == 60


def test_what_is_read_without_a_connection_is_told_when_it_is_back(desk: Desk) -> None:
    come(desk, *range(1, 31))
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.vm.open("bob")
    in_view(desk, 1, 15)
    in_view(desk, 6, 20)
    assert marks(desk) == []
    desk.online_again("bob")
    assert marks(desk) == [20]


def test_an_older_server_that_does_not_tell_what_is_read_opens_at_the_end(desk: Desk) -> None:
    (last,) = said(900)
    desk.list_chats(Chat("bob", last, 400))
    desk.vm.open("bob")
    assert not desk.all(LoadAround)
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, "bob", None, said(*range(851, 901)), True))
    desk.vm.set_at_bottom(True)
    assert marks(desk) == [900]
    assert desk.row("bob").unread == 0
