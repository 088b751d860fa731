"""Which part of a conversation is here: older pages, what is around a message, and the way back to the newest."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.events import Loss, MessageReceived, Offline, ReceiptMoved
from twocans.gui.transcript.model import Status, ViewState
from twocans.gui.viewmodel.effects import (
    LoadAround,
    LoadHistory,
    LoadNewer,
    MarkRead,
)
from twocans.gui.viewmodel.inputs import (
    AroundLoaded,
    HistoryLoaded,
    NewerLoaded,
)
from twocans.gui.viewmodel.transcript_changes import (
    Append,
    Prepend,
    Reset,
    Reveal,
)
from twocans.protocol.messages import Message


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol")
    return desk


def said(*ids: int, sender: str = "bob") -> tuple[Message, ...]:
    to = "alice" if sender != "alice" else "bob"
    return tuple(Message(one, one * 1000, sender, to, f"m{one}", f"c{one}") for one in ids)


def page(desk: Desk, before: int | None, *ids: int, more: bool, peer: str = "bob") -> None:
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, peer, before, said(*ids), more))


def ids(desk: Desk) -> list[str]:
    return [bubble.text for bubble in desk.vm.bubbles]


def at(desk: Desk, id_: int, *there: int, more: bool = True, ahead: bool = True) -> None:
    """Go to a message in the past."""
    desk.vm.chats.go_to(id_)
    desk.vm.handle(AroundLoaded(desk.vm.form.session, "bob", id_, said(*there), more, ahead))


def test_a_page_that_is_asked_for_while_another_is_on_its_way_is_asked_for_after_it(desk: Desk) -> None:
    for one in said(8, 9):
        desk.event(MessageReceived(one))
    desk.vm.open("bob")
    desk.vm.near_top()  # what is here is short, and its end near
    assert desk.all(LoadHistory) == [LoadHistory("bob", None)]
    page(desk, None, 8, 9, more=True)  # nothing new in it, so the view will not ask again
    assert desk.all(LoadHistory)[1:] == [LoadHistory("bob", 8)]


def test_pages_that_are_short_though_there_is_more_are_put_in_front_one_by_one(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 9, more=True)
    desk.take()
    for older in (8, 7, 6):
        desk.vm.near_top()
        page(desk, older + 1, older, more=older > 6)
        assert [type(change) for change in desk.take().transcript] == [Prepend]
    desk.vm.near_top()
    assert len(desk.all(LoadHistory)) == 4
    assert ids(desk) == ["m6", "m7", "m8", "m9"]


def test_a_page_that_could_not_be_had_is_asked_for_again_after_a_while(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 8, 9, more=True)
    desk.vm.near_top()
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, "bob", 8, None))
    assert len(desk.all(LoadHistory)) == 2
    assert desk.vm.next_tick_s <= 3
    desk.later(3.1)
    assert desk.all(LoadHistory)[2:] == [LoadHistory("bob", 8)]


def test_older_messages_that_were_asked_for_when_the_connection_was_lost_come_when_it_is_back(
    desk: Desk,
) -> None:
    desk.vm.open("bob")
    page(desk, None, 8, 9, more=True)
    desk.vm.near_top()
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, "bob", 8, None))
    desk.online_again("bob")
    assert desk.all(LoadHistory)[2:] == [LoadHistory("bob", 8)]


def test_an_answer_to_something_given_up_since_changes_nothing(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 8, 9, more=True)
    desk.vm.near_top()
    at(desk, 3, 2, 3, 4)
    page(desk, 8, 6, 7, more=True)
    assert ids(desk) == ["m2", "m3", "m4"]


def test_a_message_that_is_here_is_brought_into_view_and_nothing_loaded(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 8, 9, more=True)
    desk.take()
    desk.vm.chats.go_to(8)
    assert desk.take().transcript == (Reveal("bob/c8"),)
    assert not desk.all(LoadAround)


def test_a_message_of_the_past_comes_with_its_surroundings(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 98, 99, more=True)
    desk.take()
    at(desk, 50, 49, 50, 51)
    assert desk.all(LoadAround) == [LoadAround("bob", 50)]
    assert ids(desk) == ["m49", "m50", "m51"]
    assert desk.updates[-1].transcript[-2:] == (Reset(ViewState()), Reveal("bob/c50"))
    assert desk.row("bob").preview == "m99"


def test_going_down_from_the_past_reaches_the_newest_without_a_jump(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 98, 99, more=True)
    at(desk, 50, 49, 50)
    desk.take()
    desk.vm.near_bottom()
    assert desk.all(LoadNewer) == [LoadNewer("bob", 50)]
    desk.vm.handle(NewerLoaded(desk.vm.form.session, "bob", 50, said(51, 52), True))
    (change,) = desk.take().transcript
    assert isinstance(change, Append)
    assert change.hold
    desk.vm.near_bottom()
    desk.vm.handle(NewerLoaded(desk.vm.form.session, "bob", 52, said(98, 99), False))
    assert ids(desk) == ["m49", "m50", "m51", "m52", "m98", "m99"]
    desk.take()
    desk.event(MessageReceived(said(100)[0]))
    assert ids(desk)[-1] == "m100"


def test_what_comes_live_while_the_past_is_shown_is_neither_lost_nor_out_of_place(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 99, more=True)
    at(desk, 50, 49, 50)
    desk.vm.set_at_bottom(True)  # the end of what is here is not the end of the conversation
    desk.event(MessageReceived(said(100)[0]))
    assert ids(desk) == ["m49", "m50"]
    assert desk.vm.chats.unread == 1
    assert desk.row("bob").preview == "m100"
    assert MarkRead("bob", 100) not in desk.all(MarkRead)
    desk.vm.near_bottom()
    desk.vm.handle(NewerLoaded(desk.vm.form.session, "bob", 50, said(99), False))  # written before m100 came
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.ahead
    desk.vm.near_bottom()
    desk.vm.handle(NewerLoaded(desk.vm.form.session, "bob", 99, said(100), False))
    assert ids(desk) == ["m49", "m50", "m99", "m100"]
    desk.vm.set_at_bottom(True)
    assert desk.vm.chats.unread == 0


def test_back_to_the_newest_in_one_step(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 99, more=True)
    at(desk, 50, 49, 50)
    desk.vm.to_newest()
    assert desk.all(LoadHistory)[1:] == [LoadHistory("bob", None)]
    assert ids(desk) == ["m49", "m50"]  # until the others are here
    page(desk, None, 98, 99, more=True)
    assert ids(desk) == ["m98", "m99"]
    assert desk.take().transcript[-1] == Reset(ViewState())


def test_writing_from_the_past_shows_the_new_message_at_the_end(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 99, more=True)
    at(desk, 50, 49, 50)
    cid = desk.write("hello")
    assert ids(desk) == ["hello"]
    page(desk, None, 98, 99, more=True)
    assert ids(desk) == ["m98", "m99", "hello"]
    desk.event(MessageReceived(Message(100, 0, "alice", "bob", "hello", cid)))
    assert [bubble.status for bubble in desk.vm.bubbles] == [Status.NONE, Status.NONE, Status.SENT]


def test_what_waits_is_not_in_the_past_and_is_there_again_at_the_end(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 99, more=True)
    desk.write("waiting")
    at(desk, 50, 49, 50)
    assert ids(desk) == ["m49", "m50"]
    desk.vm.to_newest()
    page(desk, None, 98, 99, more=True)
    assert ids(desk) == ["m98", "m99", "waiting"]


def test_what_is_stored_while_the_past_is_shown_is_not_shown_twice_at_the_end(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 9, more=True)
    cid = desk.write("waiting")
    at(desk, 5, 4, 5)
    number = desk.stored(cid, "bob", "waiting")
    desk.vm.to_newest()
    own = Message(number, 0, "alice", "bob", "waiting", cid)
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, "bob", None, (own, *said(9)), True))
    assert sorted(ids(desk)) == ["m9", "waiting"]


def test_a_chat_that_is_left_in_the_past_opens_at_its_newest_message(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 99, more=True)
    at(desk, 50, 49, 50)
    desk.vm.close_chat()
    assert desk.row("bob").preview == "m99"
    desk.vm.open("bob")
    page(desk, None, 98, 99, more=True)
    assert ids(desk) == ["m98", "m99"]


def test_a_message_of_the_past_that_cannot_be_had_is_told(desk: Desk) -> None:
    desk.vm.open("bob")
    page(desk, None, 99, more=True)
    desk.vm.chats.go_to(50)
    desk.vm.handle(AroundLoaded(desk.vm.form.session, "bob", 50, None))
    assert desk.vm.notice is not None
    assert "could not be loaded" in desk.vm.notice.text
    assert ids(desk) == ["m99"]


def test_an_open_chat_does_not_grow_without_bound_in_either_direction(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_at_bottom(False)
    newest = 20_000
    page(desk, None, *range(newest - 49, newest + 1), more=True)
    oldest = newest - 49
    while oldest > newest - 6000:
        desk.vm.near_top()
        page(desk, oldest, *range(oldest - 50, oldest), more=True)
        oldest -= 50
        assert len(desk.vm.bubbles) <= 4050
    assert ids(desk)[0] == f"m{oldest}"
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.ahead
    last = desk.vm.chats.open.last_id
    while desk.vm.chats.open.ahead:
        desk.vm.near_bottom()
        following = range(last + 1, min(last + 51, newest + 1))
        desk.vm.handle(
            NewerLoaded(desk.vm.form.session, "bob", last, said(*following), following[-1] < newest)
        )
        last = following[-1]
        assert len(desk.vm.bubbles) <= 4050
    shown = ids(desk)
    assert shown[-1] == f"m{newest}"
    assert shown == [f"m{one}" for one in range(newest + 1 - len(shown), newest + 1)]


def test_a_receipt_that_comes_before_the_page_that_it_belongs_to_is_not_lost(desk: Desk) -> None:
    desk.event(ReceiptMoved("dora", 8, 7))
    desk.vm.open("dora")
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, "dora", None, said(7, 8, 9, sender="alice"), False))
    assert [bubble.status for bubble in desk.vm.bubbles] == [Status.READ, Status.DELIVERED, Status.SENT]
