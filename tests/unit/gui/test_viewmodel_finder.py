"""The search in messages, and saving a conversation, without a window."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.events import Loss, Offline
from twocans.common.transcripts import Form
from twocans.gui.transcript.found import words_of
from twocans.gui.viewmodel.effects import (
    CancelExport,
    ExportChat,
    Focus,
    LoadAround,
    Place,
    SearchMessages,
)
from twocans.gui.viewmodel.finder import snippet
from twocans.gui.viewmodel.inputs import (
    ExportEnded,
    ExportMoved,
    HistoryLoaded,
    ResultsLoaded,
)
from twocans.gui.viewmodel.transcript_changes import (
    Reveal,
)
from twocans.protocol.messages import Message


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol")
    return desk


def hit(id_: int, text: str = "a lake", *, sender: str = "bob", to: str = "alice") -> Message:
    return Message(id_, id_ * 1000, sender, to, text, f"c{id_}")


def look_for(desk: Desk, query: str, *hits: Message, more: bool = False, everywhere: bool = True) -> None:
    desk.vm.find(everywhere=everywhere)
    desk.vm.type_to_find(query)
    desk.later(0.3)
    desk.vm.handle(ResultsLoaded(desk.vm.form.session, desk.all(SearchMessages)[-1].number, hits, more))


def test_the_server_is_asked_once_typing_pauses(desk: Desk) -> None:
    desk.vm.find(everywhere=True)
    assert desk.all(Focus)[-1] == Focus(Place.FINDER)
    assert desk.vm.finder.hint.startswith("Type a word")
    for typed in ("l", "la", "lak", "lake"):
        desk.vm.type_to_find(typed)
        desk.later(0.1)
    assert not desk.all(SearchMessages)
    desk.later(0.2)
    (asked,) = desk.all(SearchMessages)
    assert (asked.query, asked.peer, asked.before) == ("lake", None, None)
    assert desk.vm.finder.hint == "Searching …"


def test_results_say_who_when_and_what(desk: Desk) -> None:
    look_for(desk, "lake", hit(9, sender="alice", to="bob"), hit(8))
    assert [(row.peer, row.own) for row in map(desk.vm.finder.row, range(2))] == [
        ("bob", True),
        ("bob", False),
    ]
    row = desk.vm.finder.row(1)
    assert [row.text[start:end] for start, end in row.marks] == ["lake"]
    assert desk.vm.finder.hint == ""


def test_nothing_found_says_so(desk: Desk) -> None:
    look_for(desk, "zebra")
    assert desk.vm.finder.hint == "Nothing found for “zebra”."


def test_signs_alone_are_not_searched_for(desk: Desk) -> None:
    desk.vm.find(everywhere=True)
    desk.vm.type_to_find("?!*")
    desk.later(1)
    assert not desk.all(SearchMessages)
    assert desk.vm.finder.hint.startswith("Type a word")


def test_a_late_answer_to_an_earlier_question_is_ignored(desk: Desk) -> None:
    desk.vm.find(everywhere=True)
    desk.vm.type_to_find("la")
    desk.later(0.3)
    first = desk.all(SearchMessages)[-1].number
    desk.vm.type_to_find("lakes")
    desk.later(0.3)
    desk.vm.handle(ResultsLoaded(desk.vm.form.session, first, (hit(1, "land"),)))
    assert len(desk.vm.finder) == 0


def test_older_results_come_when_the_end_is_near(desk: Desk) -> None:
    look_for(desk, "lake", hit(9), hit(8), more=True)
    desk.vm.more_found()
    desk.vm.more_found()
    asked = desk.all(SearchMessages)
    assert [one.before for one in asked] == [None, 8]
    desk.vm.handle(ResultsLoaded(desk.vm.form.session, asked[-1].number, (hit(7),), False))
    assert [desk.vm.finder.row(index).id for index in range(3)] == [9, 8, 7]
    desk.vm.more_found()
    assert len(desk.all(SearchMessages)) == 2


def test_within_a_chat_only_that_chat_is_searched(desk: Desk) -> None:
    desk.vm.open("bob")
    look_for(desk, "lake", hit(9), everywhere=False)
    assert desk.all(SearchMessages)[-1].peer == "bob"
    assert desk.vm.finder.title == "Search the chat with bob"
    desk.vm.find(everywhere=True)
    desk.later(0.1)
    assert desk.all(SearchMessages)[-1].peer is None


def test_a_result_opens_its_chat_at_the_message_and_marks_it(desk: Desk) -> None:
    look_for(desk, "lake", hit(9), hit(5))
    desk.vm.move_found(1)
    desk.vm.open_found()
    assert desk.vm.header is not None
    assert desk.vm.header.name == "bob"
    assert desk.all(LoadAround) == [LoadAround("bob", 5)]
    desk.vm.chats.around("bob", 5, (hit(4), hit(5), hit(6)), more=True, ahead=True)
    assert desk.vm.found_key == "bob/c5"
    assert desk.take().transcript[-1] == Reveal("bob/c5")
    desk.vm.end_search()
    assert desk.vm.found_key is None
    assert desk.vm.finder.words == ()
    assert desk.vm.header is not None


def test_looking_at_a_hit_of_the_past_does_not_read_what_is_new(desk: Desk) -> None:
    desk.receive("bob", "new")
    look_for(desk, "lake", hit(9))
    desk.vm.open_found()
    assert desk.vm.chats.unread == 1


def test_a_result_of_the_open_chat_that_is_here_is_only_scrolled_to(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.handle(HistoryLoaded(desk.vm.form.session, "bob", None, (hit(8), hit(9)), True))
    look_for(desk, "lake", hit(9), hit(8), everywhere=False)
    desk.take()
    desk.vm.open_found(1)
    assert desk.take().transcript == (Reveal("bob/c8"),)
    assert not desk.all(LoadAround)


def test_a_search_without_a_connection_goes_on_when_it_is_back(desk: Desk) -> None:
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.vm.find(everywhere=True)
    desk.vm.type_to_find("lake")
    desk.later(0.3)
    assert "offline" in desk.vm.finder.hint
    desk.online_again("bob")
    desk.later(0.1)
    assert desk.all(SearchMessages)[-1].query == "lake"


def test_a_search_that_fails_says_why(desk: Desk) -> None:
    desk.vm.find(everywhere=True)
    desk.vm.type_to_find("lake")
    desk.later(0.3)
    number = desk.all(SearchMessages)[-1].number
    desk.vm.handle(ResultsLoaded(desk.vm.form.session, number, None, problem="The server did not answer."))
    assert desk.vm.finder.hint == "The server did not answer."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the lake\nis frozen", "the lake is frozen"),
        ("x" * 60 + " yyyy " + "the lake", "…yyyy the lake"),
        ("x" * 60 + "/lake", f"…{'x' * 44}/lake"),
        ("nothing of it", "nothing of it"),
        ("lake " + "y" * 300, "lake " + "y" * 235 + "…"),
    ],
)
def test_a_snippet_is_one_line_around_the_first_hit(text: str, shown: str) -> None:
    assert snippet(text, words_of("lake")) == shown


def test_saving_tells_how_far_it_is_and_what_became_of_it(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.save_chat("/tmp/x.html", Form.HTML, "bob")  # noqa: S108 - nothing is written
    assert desk.all(ExportChat) == [ExportChat("bob", "/tmp/x.html", Form.HTML)]  # noqa: S108
    session = desk.vm.form.session
    desk.vm.handle(ExportMoved(session, "bob", 1500))
    assert desk.vm.export is not None
    assert desk.vm.export.text == "Saving the chat with bob … 1,500 messages"
    desk.vm.handle(ExportEnded(session, "Saved 1,500 messages.", failed=False))
    assert not desk.vm.export.busy
    desk.later(9)
    assert desk.vm.export is None


def test_a_failure_to_save_stays_until_it_was_read(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.save_chat("x", Form.TEXT, "bob")
    desk.vm.handle(ExportEnded(desk.vm.form.session, "The disk is full.", failed=True))
    desk.later(60)
    assert desk.vm.export is not None
    assert desk.vm.export.failed
    desk.vm.end_export()
    assert desk.vm.export is None
    assert not desk.all(CancelExport)


def test_saving_can_be_cancelled_and_what_comes_late_is_not_told(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.save_chat("x", Form.TEXT, "bob")
    desk.vm.end_export()
    assert desk.all(CancelExport) == [CancelExport()]
    desk.vm.handle(ExportMoved(desk.vm.form.session, "bob", 10))
    desk.vm.handle(ExportEnded(desk.vm.form.session, "Saved.", failed=False))
    assert desk.vm.export is None


def test_whoever_logs_out_while_the_dialog_is_open_is_told_that_nothing_was_saved(desk: Desk) -> None:
    desk.vm.back_to_login()
    desk.vm.save_chat("x", Form.TEXT, "bob")
    assert not desk.all(ExportChat)
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "The chat was not saved: you are not logged in."


def test_a_second_chat_is_not_saved_beside_the_first_and_that_is_told(desk: Desk) -> None:
    desk.vm.save_chat("x", Form.TEXT, "bob")
    desk.vm.save_chat("y", Form.TEXT, "carol")
    assert len(desk.all(ExportChat)) == 1
    assert desk.vm.notice is not None
    assert desk.vm.notice.text.startswith("Another chat is being saved.")
