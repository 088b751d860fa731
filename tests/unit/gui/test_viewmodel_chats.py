"""Conversations: drafts, places, what is unread and what is seen, order, receipts, history."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, LIMITS, Desk
from twocans.client.codes import ErrorCode
from twocans.client.events import (
    Loss,
    MessageReceived,
    MessageRefused,
    Offline,
    Online,
    PeerTyping,
    ReceiptMoved,
)
from twocans.gui.transcript.model import Status, ViewState
from twocans.gui.viewmodel.effects import (
    Focus,
    LoadHistory,
    MarkRead,
    Place,
    SendMessage,
    SendTyping,
)
from twocans.gui.viewmodel.inputs import (
    ChatsLoaded,
    SendFailed,
)
from twocans.gui.viewmodel.state import Presence
from twocans.gui.viewmodel.transcript_changes import (
    Append,
    Prepend,
    Replace,
    Reset,
)
from twocans.protocol.messages import Chat, LimitsInForce, Message


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol")
    return desk


def test_every_chat_keeps_its_draft_and_its_place(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("to bob")
    place = ViewState(key="bob/x", fraction=0.5, offset=3)
    desk.vm.open("carol")
    desk.vm.keep_view("bob", place)
    desk.vm.set_draft("to carol")
    desk.take()
    desk.vm.open("bob")
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.draft == "to bob"
    assert desk.take().transcript == (Reset(place),)
    assert desk.row("carol").preview == "Draft: to carol"


def test_opening_a_chat_puts_the_cursor_into_the_field_to_write_in(desk: Desk) -> None:
    desk.vm.open("bob")
    assert desk.all(Focus)[-1] == Focus(Place.COMPOSER)
    desk.vm.close_chat()
    assert desk.all(Focus)[-1] == Focus(Place.PEOPLE)


def test_enter_in_an_empty_field_sends_nothing(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft(" \n ")
    desk.vm.send()
    assert not desk.all(SendMessage)
    assert desk.texts == []


def test_a_sent_message_shows_as_waiting_then_sent_delivered_and_read(desk: Desk) -> None:
    desk.vm.open("bob")
    cid = desk.write("  hello\n\n")
    assert desk.texts == ["  hello"]
    seen = [desk.vm.bubbles[0].status]
    number = desk.stored(cid, "bob", "  hello")
    seen.append(desk.vm.bubbles[0].status)
    desk.take()
    for delivered, read in ((number, 0), (number, number), (0, 0)):
        desk.event(ReceiptMoved("bob", delivered, read))
        seen.append(desk.vm.bubbles[0].status)
    assert seen == [Status.WAITING, Status.SENT, Status.DELIVERED, Status.READ, Status.READ]
    changes = desk.take().transcript
    assert changes
    assert all(isinstance(change, Replace) for change in changes)


def test_control_characters_that_were_pasted_are_not_sent(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("a\x1b[31mb\r\nc\td\ud800")
    desk.vm.send()
    assert desk.all(SendMessage)[0].text == "a[31mb\nc\td"


def test_a_text_that_is_too_long_says_so_and_is_not_sent() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.event(Online("alice", "s", ("alice", "bob"), LimitsInForce(65536, 10, 0, 0), False, KEY))
    desk.vm.open("bob")
    desk.vm.set_draft("x" * 9)
    assert desk.vm.composer.hint == "1 character left"
    desk.vm.set_draft("x" * 12)
    assert desk.vm.composer.overlong
    desk.vm.send()
    assert not desk.all(SendMessage)
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.draft == "x" * 12


def test_a_refused_message_says_why_and_is_sent_again_with_the_same_cid(desk: Desk) -> None:
    desk.vm.open("bob")
    cid = desk.write("hello")
    desk.event(MessageRefused(cid, "bob", ErrorCode.NOT_ONLINE, "bob is not online."))
    bubble = desk.vm.bubbles[0]
    assert (bubble.status, bubble.note) == (Status.FAILED, "bob is not online.")
    desk.receive("bob", "back")
    assert desk.texts == ["hello", "back"]
    desk.vm.retry(bubble.key)
    assert desk.texts == ["back", "hello"]
    assert desk.vm.bubbles[-1].status is Status.WAITING
    assert [sent.cid for sent in desk.all(SendMessage)] == [cid, cid]


def test_retrying_something_that_has_not_failed_does_nothing(desk: Desk) -> None:
    desk.vm.open("bob")
    cid = desk.write("hello")
    desk.vm.retry(f"own/{cid}")
    desk.vm.retry("nothing")
    assert len(desk.all(SendMessage)) == 1


def test_a_client_that_takes_no_message_makes_it_fail(desk: Desk) -> None:
    desk.vm.open("bob")
    cid = desk.write("hello")
    desk.vm.handle(SendFailed(desk.vm.form.session, "bob", cid, "Not sent."))
    assert desk.vm.bubbles[0].note == "Not sent."


def test_messages_written_without_a_connection_wait_and_keep_their_order(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    first, second = desk.write("one"), desk.write("two")
    desk.online_again("bob")
    desk.receive("bob", "meanwhile")
    assert desk.texts == ["meanwhile", "one", "two"]
    desk.stored(first, "bob", "one")
    desk.stored(second, "bob", "two")
    assert desk.texts == ["meanwhile", "one", "two"]
    assert [bubble.status for bubble in desk.vm.bubbles[1:]] == [Status.SENT, Status.SENT]


def test_a_message_that_comes_twice_is_shown_once(desk: Desk) -> None:
    desk.vm.open("bob")
    message = desk.receive("bob", "hello")
    desk.event(MessageReceived(message))
    desk.vm.chats.page("bob", (message,), more=False)
    assert desk.texts == ["hello"]
    assert desk.vm.chats.unread == 0


def test_the_same_text_sent_twice_is_shown_twice(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.receive("bob", "ping")
    desk.receive("bob", "ping")
    assert desk.texts == ["ping", "ping"]


def test_what_another_device_of_this_user_sent_is_shown_as_own_in_the_right_chat(desk: Desk) -> None:
    desk.receive("alice", "from my phone", to="bob")
    assert desk.vm.chats.unread == 0
    desk.vm.open("bob")
    assert [(bubble.own, bubble.text) for bubble in desk.vm.bubbles] == [(True, "from my phone")]


def test_a_chat_that_is_not_open_counts_and_opening_it_clears_the_count(desk: Desk) -> None:
    desk.receive("bob", "one")
    last = desk.receive("bob", "two")
    assert desk.row("bob").unread == 2
    assert desk.vm.title == "(2) Twocans – alice"
    assert not desk.all(MarkRead)
    desk.vm.open("bob")
    assert desk.row("bob").unread == 0
    assert desk.vm.title == "Twocans – alice"
    assert desk.all(MarkRead) == [MarkRead("bob", last.id)]


def test_the_line_above_new_messages_stands_above_the_first_unread_one(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.receive("bob", "old")
    desk.vm.close_chat()
    new = desk.receive("bob", "new")
    desk.receive("bob", "newer")
    desk.vm.open("bob")
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.unread_from == f"bob/{new.cid}"
    desk.take()
    desk.vm.close_chat()
    desk.vm.open("bob")
    assert desk.vm.chats.open.unread_from is None


def test_an_open_chat_in_the_background_is_unread_until_the_window_is_in_front(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_in_front(False)
    message = desk.receive("bob", "hello")
    assert desk.vm.chats.unread == 1
    assert not desk.all(MarkRead)
    desk.vm.set_in_front(True)
    assert desk.all(MarkRead) == [MarkRead("bob", message.id)]
    assert desk.vm.chats.unread == 0


def test_an_open_chat_scrolled_up_is_unread_until_its_end_is_in_view(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_at_bottom(False)
    message = desk.receive("bob", "hello")
    assert desk.vm.chats.unread == 1
    desk.vm.set_at_bottom(True)
    assert desk.vm.chats.unread == 0
    assert desk.all(MarkRead) == [MarkRead("bob", message.id)]


def test_messages_in_an_open_chat_are_added_at_the_end_without_drawing_it_anew(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.take()
    desk.receive("bob", "one")
    desk.receive("bob", "two")
    assert [type(change) for change in desk.take().transcript] == [Append, Append]


def test_history_is_loaded_once_when_a_chat_is_opened_and_page_by_page_when_scrolled_up(desk: Desk) -> None:
    old = [desk.message("bob", f"old {number}") for number in range(4)]
    live = desk.receive("bob", "live")
    desk.vm.open("bob")
    assert desk.all(LoadHistory) == [LoadHistory("bob", None)]
    desk.vm.chats.page("bob", (*old[2:], live), more=True)
    desk.take()
    desk.vm.near_top()
    desk.vm.near_top()
    assert desk.all(LoadHistory)[1:] == [LoadHistory("bob", old[2].id)]
    desk.vm.chats.page("bob", tuple(old[:2]), more=False)
    (change,) = desk.take().transcript
    assert isinstance(change, Prepend)
    assert desk.texts == ["old 0", "old 1", "old 2", "old 3", "live"]
    desk.vm.near_top()
    desk.vm.close_chat()
    desk.vm.open("bob")
    assert len(desk.all(LoadHistory)) == 2


def test_history_that_could_not_be_had_is_asked_for_again_at_the_next_opening(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.chats.page("bob", None, more=False)
    desk.vm.close_chat()
    desk.vm.open("bob")
    assert len(desk.all(LoadHistory)) == 2


def test_history_does_not_count_as_unread(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_in_front(False)
    desk.vm.chats.page("bob", (desk.message("bob", "old"),), more=False)
    assert desk.vm.chats.unread == 0


def test_what_was_unread_before_the_login_is_counted(desk: Desk) -> None:
    last = desk.message("bob", "while you were away")
    desk.vm.handle(ChatsLoaded(desk.vm.form.session, (Chat("bob", last, 3),)))
    assert desk.row("bob").unread == 3
    assert desk.row("bob").preview == "while you were away"
    desk.receive("bob", "now")
    assert desk.row("bob").unread == 4
    desk.vm.handle(ChatsLoaded(desk.vm.form.session, (Chat("bob", last, 3),)))
    assert desk.row("bob").unread == 4


def test_a_list_of_chats_that_is_late_does_not_bring_back_what_was_read(desk: Desk) -> None:
    last = desk.receive("bob", "hello")
    desk.vm.open("bob")
    desk.take()
    desk.vm.close_chat()
    desk.vm.handle(ChatsLoaded(desk.vm.form.session, (Chat("bob", last, 1),)))
    assert desk.vm.chats.unread == 0


def test_a_new_log_of_the_server_keeps_what_is_on_screen_and_puts_what_follows_after_it(desk: Desk) -> None:
    desk.vm.open("bob")
    cid = desk.write("before")
    number = desk.stored(cid, "bob", "before")
    desk.event(ReceiptMoved("bob", number, number))
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again("bob", "carol", fresh=True)
    desk.event(MessageReceived(Message(1, desk.now_ms(), "bob", "alice", "after", "bob-new")))
    assert desk.texts == ["before", "after"]
    assert desk.vm.bubbles[0].status is Status.READ
    desk.event(ReceiptMoved("bob", 0, 0))
    assert desk.vm.bubbles[0].status is Status.READ


def test_typing_is_told_while_writing_and_shown_for_a_few_seconds(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("h")
    assert desk.all(SendTyping) == [SendTyping("bob")]
    desk.vm.set_draft("")
    assert len(desk.all(SendTyping)) == 1
    desk.event(PeerTyping("bob"))
    assert desk.vm.header is not None
    assert desk.vm.header.status == "typing …"
    assert desk.row("bob").typing
    desk.later(7)
    assert desk.vm.header.status == "online"
    desk.event(PeerTyping("bob"))
    desk.receive("bob", "done")
    assert not desk.row("bob").typing


def test_the_servers_announcements_can_be_read_but_not_answered(desk: Desk) -> None:
    for number, text in ((7, "maintenance at noon"), (8, "it is noon")):
        desk.event(MessageReceived(Message(number, desk.now_ms(), "Server", "alice", text, "")))
    row = desk.row("Server")
    assert (row.presence, row.unread) == (Presence.SERVER, 2)
    desk.vm.open("Server")
    assert desk.texts == ["maintenance at noon", "it is noon"]
    assert not desk.vm.composer.enabled
    desk.vm.set_draft("an answer")
    desk.vm.send()
    assert not desk.all(SendMessage)
    assert desk.all(MarkRead) == [MarkRead("Server", 8)]


def test_a_chat_does_not_grow_without_bound_and_can_be_loaded_again(desk: Desk) -> None:
    for number in range(4100):
        desk.receive("bob", str(number))
    desk.vm.open("bob")
    assert len(desk.texts) <= 4000
    assert desk.texts[-1] == "4099"
    desk.vm.chats.page("bob", (), more=False)
    assert desk.vm.chats.unread == 0


def test_limits_of_zero_are_not_taken_for_limits() -> None:
    desk = Desk()
    desk.vm.connect()
    desk.event(Online("alice", "s", ("alice", "bob"), LIMITS, True, KEY))
    desk.vm.open("bob")
    desk.vm.set_draft("hello")
    assert desk.vm.composer.hint == ""
