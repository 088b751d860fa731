"""What a server can make the window hold: counted in texts and people, whatever it sends."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.events import MessageReceived, PeerTyping
from twocans.gui.viewmodel import chats, conversation, filecards, notifications, paging
from twocans.gui.viewmodel.effects import FetchPicture, LoadHistory, ShowNotification
from twocans.gui.viewmodel.entries import MAX_SHOWN_CHARS, TOO_LONG
from twocans.gui.viewmodel.inputs import HistoryLoaded
from twocans.protocol.messages import FileRef, Message


def _message(id_: int, sender: str = "bob", text: str = "x", file: FileRef | None = None) -> MessageReceived:
    return MessageReceived(Message(id_, 1000 + id_, sender, "alice", text, f"c{id_}", file))


def _held(desk: Desk) -> int:
    return sum(one.chars for one in desk.vm.chats.all.values())


@pytest.mark.parametrize("is_open", [True, False])
def test_one_conversation_holds_no_more_than_so_many_characters(is_open: bool) -> None:
    desk = Desk()
    desk.log_in("bob")
    if is_open:
        desk.vm.open("bob")
    for number in range(1, 301):
        desk.event(_message(number, text="x" * 30_000))
        assert _held(desk) <= conversation.MAX_CHARS * 5 // 4
    bob = desk.vm.chats.of("bob")
    assert bob.entries[-1].id == 300
    assert bob.more


def test_one_text_that_is_too_large_for_all_is_held_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_CHARS", 1000)
    monkeypatch.setattr(conversation, "_TRIMMED_TO_CHARS", 800)
    desk = Desk()
    desk.log_in("bob")
    desk.event(_message(1), _message(2, text="x" * 1001))
    assert [one.id for one in desk.vm.chats.of("bob").entries] == [2]


def test_all_conversations_together_hold_no_more_than_so_many_characters() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open("bob")
    desk.event(_message(1, text="the first"))
    for number in range(2, 802):
        desk.event(_message(number, f"peer{number}", "x" * 30_000))
        assert _held(desk) <= chats.MAX_ALL_CHARS
    assert [one.text for one in desk.vm.chats.of("bob").entries] == ["the first"]
    assert desk.vm.chats.of("peer801").entries


def test_what_was_released_is_loaded_again_and_ones_own_unsent_messages_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chats, "MAX_ALL_CHARS", 10_000)
    desk = Desk()
    desk.log_in("bob", "carol")
    desk.vm.open("bob")
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, "bob", None, ()))
    desk.vm.set_draft("on its way")
    desk.vm.send()
    desk.event(_message(1, "bob", "x" * 5000))
    desk.vm.open("carol")
    desk.event(*(_message(number, "carol", "y" * 3000) for number in range(2, 6)))
    bob = desk.vm.chats.of("bob")
    assert [one.text for one in bob.entries] == ["on its way"]
    assert bob.preview is not None
    desk.forget()
    desk.vm.open("bob")
    assert desk.all(LoadHistory) == [LoadHistory("bob", None)]


def test_conversations_are_bounded_and_drafts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_CONVERSATIONS", 50)
    desk = Desk()
    desk.log_in("bob", "carol")
    desk.vm.open("carol")
    desk.vm.set_draft("half a sentence")
    desk.vm.open("bob")
    desk.event(*(PeerTyping(f"peer{number}") for number in range(500)))
    assert len(desk.vm.chats.all) == 50
    assert desk.vm.chats.of("carol").draft == "half a sentence"
    assert desk.vm.chats.open is desk.vm.chats.of("bob")


def test_notifications_are_about_a_bounded_number_of_people() -> None:
    desk = Desk()
    desk.log_in("bob", front=False)
    desk.event(*(_message(number, f"peer{number}") for number in range(1, 500)))
    assert len(desk.all(ShowNotification)) == notifications.MAX_PENDING


def test_pictures_that_never_come_are_waited_for_in_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filecards, "MAX_WANTED", 20)
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open("bob")
    for number in range(1, 101):
        desk.event(_message(number, text="a.png", file=FileRef(f"{number:064x}", 5)))
        desk.take()
    assert len(desk.all(FetchPicture)) == 20


def test_a_text_that_would_hold_up_the_window_is_shown_in_part_and_says_so() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open("bob")
    desk.event(_message(1, text="x\n" * 100_000), _message(2, text="x" * MAX_SHOWN_CHARS))
    first, second = desk.vm.bubbles
    assert first.text == ("x\n" * 100_000)[:MAX_SHOWN_CHARS] + TOO_LONG
    assert second.text == "x" * MAX_SHOWN_CHARS
