"""What is read on one device counts as read on all, and is never sent to and fro."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.events import Loss, Offline, ReadElsewhere
from twocans.gui.viewmodel.effects import (
    LoadChats,
    MarkRead,
    ShowNotification,
    WithdrawNotifications,
)
from twocans.gui.viewmodel.inputs import (
    ChatsLoaded,
)
from twocans.protocol.messages import Chat, Message


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol", front=False)
    return desk


def listed(desk: Desk, *chats: Chat) -> None:
    desk.vm.handle(ChatsLoaded(desk.vm.form.session, chats))


def divider(desk: Desk) -> str | None:
    opened = desk.vm.chats.open
    assert opened is not None
    entry = opened.get(opened.unread_from) if opened.unread_from is not None else None
    return entry.text if entry is not None else None


def later(id_: int, text: str) -> Message:
    return Message(id_, 0, "bob", "alice", text, f"bob-{id_}")


def test_counts_title_and_notifications_follow(desk: Desk) -> None:
    desk.receive("bob", "one")
    last = desk.receive("bob", "two")
    assert desk.all(ShowNotification)
    desk.event(ReadElsewhere("bob", last.id))
    assert desk.row("bob").unread == 0
    assert desk.vm.title == "Twocans – alice"
    assert desk.all(WithdrawNotifications)[-1] == WithdrawNotifications("bob")


def test_what_is_newer_than_the_mark_stays_unread(desk: Desk) -> None:
    first = desk.receive("bob", "one")
    listed(desk, Chat("bob", first, 1))
    desk.vm.open("bob")
    desk.vm.set_in_front(True)
    desk.vm.set_in_front(False)
    second = desk.receive("bob", "two")
    desk.receive("bob", "three")
    desk.forget()
    desk.event(ReadElsewhere("bob", second.id))
    assert desk.row("bob").unread == 1
    assert divider(desk) == "three"
    assert not desk.all(WithdrawNotifications)


def test_the_divider_goes_when_all_is_read_elsewhere(desk: Desk) -> None:
    desk.vm.open("bob")
    last = desk.receive("bob", "one")
    assert divider(desk) == "one"
    desk.event(ReadElsewhere("bob", last.id))
    assert divider(desk) is None


def test_a_message_that_comes_after_the_mark_that_covers_it_is_not_unread(desk: Desk) -> None:
    desk.event(ReadElsewhere("bob", 100))
    desk.receive("bob", "read long ago")
    assert desk.vm.chats.unread == 0
    assert not desk.all(ShowNotification)


def test_a_conversation_that_is_open_in_two_windows_never_bounces(desk: Desk) -> None:
    desk.vm.set_in_front(True)
    desk.vm.open("bob")
    message = desk.receive("bob", "hello")
    assert desk.all(MarkRead) == [MarkRead("bob", message.id)]
    desk.forget()
    desk.event(ReadElsewhere("bob", message.id))
    desk.event(ReadElsewhere("bob", message.id))
    assert not desk.all(MarkRead)
    second = desk.message("bob", "again")
    desk.event(ReadElsewhere("bob", second.id), ReadElsewhere("bob", message.id))
    desk.vm.set_in_front(False)
    desk.vm.set_in_front(True)
    assert not desk.all(MarkRead)


def test_an_older_mark_takes_nothing_back(desk: Desk) -> None:
    first = desk.receive("bob", "one")
    second = desk.receive("bob", "two")
    desk.event(ReadElsewhere("bob", second.id), ReadElsewhere("bob", first.id))
    assert desk.row("bob").unread == 0
    assert not desk.all(LoadChats)


def test_the_server_counts_when_some_of_what_is_unread_is_not_here(desk: Desk) -> None:
    listed(desk, Chat("bob", later(50, "fifth"), 5))
    assert desk.row("bob").unread == 5
    desk.forget()
    desk.event(ReadElsewhere("bob", 30))
    assert desk.all(LoadChats) == [LoadChats()]
    listed(desk, Chat("bob", later(50, "fifth"), 2))
    assert desk.row("bob").unread == 2
    desk.event(ReadElsewhere("bob", 50))
    assert desk.row("bob").unread == 0


def test_after_a_reconnect_the_servers_count_holds(desk: Desk) -> None:
    desk.receive("bob", "one")
    second = desk.receive("bob", "two")
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    desk.online_again("bob")
    listed(desk, Chat("bob", second, 0))
    assert desk.row("bob").unread == 0


def test_the_servers_count_takes_back_nothing_that_was_seen_here_since_it_counted(desk: Desk) -> None:
    first = desk.receive("bob", "one")
    desk.vm.open("bob")
    desk.vm.set_in_front(True)
    desk.take()
    desk.vm.set_in_front(False)
    listed(desk, Chat("bob", first, 1))
    assert desk.row("bob").unread == 0
    own = desk.message("alice", "mine", to="bob")
    listed(desk, Chat("bob", own, 1))
    assert desk.row("bob").unread == 0


def test_the_servers_count_takes_back_nothing_that_was_read_elsewhere_since_it_counted(desk: Desk) -> None:
    desk.event(ReadElsewhere("bob", 50))
    listed(desk, Chat("bob", later(50, "fifth"), 5))
    assert desk.row("bob").unread == 0


def test_what_comes_after_the_server_has_counted_is_added(desk: Desk) -> None:
    first = desk.receive("bob", "one")
    desk.receive("bob", "two")
    listed(desk, Chat("bob", first, 1))
    assert desk.row("bob").unread == 2


def test_notifications_go_when_the_server_says_that_all_is_read(desk: Desk) -> None:
    message = desk.receive("bob", "one")
    desk.event(ReadElsewhere("carol", 1))
    desk.forget()
    listed(desk, Chat("bob", message, 0))
    assert desk.all(WithdrawNotifications) == [WithdrawNotifications("bob")]
