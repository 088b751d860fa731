"""The transcript in a real window: what is drawn, and where one is while messages come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.gui.transcript_window import Window, many, opened, said, texts
from twocans.gui.transcript.model import Status
from twocans.gui.transcript.style import DARK, Fonts


@pytest.fixture
def window() -> Iterator[Window]:
    with opened() as window:
        yield window


def test_opens_at_the_newest_message_and_draws_only_what_is_in_view(window: Window) -> None:
    window.show(*many(20_000))
    assert "message 19999" in window.text_items()
    assert len(window.canvas.find_all()) < 500
    assert window.scrollbar()[1] == 1
    assert window.scrollbar()[0] > 0.99


def test_home_and_end_reach_the_ends(window: Window) -> None:
    window.show(*many(5_000))
    window.key("<Home>")
    assert "message 0" in window.text_items()
    assert window.scrollbar()[0] == 0
    window.key("<End>")
    assert "message 4999" in window.text_items()
    assert window.at_bottom == [True, False, True]


@pytest.mark.parametrize(
    ("up", "down"), [("<Up>", "<Down>"), ("<Prior>", "<Next>"), ("<Button-4>", "<Button-5>")]
)
def test_scrolling_moves_what_is_written(window: Window, up: str, down: str) -> None:
    window.show(*many(300))
    before = window.text_items()
    window.key(up)
    after = window.text_items()
    moved = {after[text][1] - before[text][1] for text in before.keys() & after.keys() if "message" in text}
    assert len(moved) == 1
    assert moved.pop() > 0
    window.key(down)
    assert window.text_items() == before


def test_small_steps_of_a_touchpad_add_up(window: Window) -> None:
    window.show(*many(300))
    before = window.where("message 295")[1]
    for _ in range(40):
        window.canvas.event_generate("<MouseWheel>", delta=3)
    window.root.update()
    by_small_steps = window.where("message 295")[1] - before
    window.key("<End>")
    window.canvas.event_generate("<MouseWheel>", delta=120)
    window.root.update()
    assert by_small_steps == window.where("message 295")[1] - before > 0


def test_dragging_the_scrollbar_goes_there(window: Window) -> None:
    window.show(*many(10_000))
    bar = next(child for child in window.transcript.winfo_children() if child.winfo_class() == "TScrollbar")
    window.root.tk.call(str(bar.cget("command")), "moveto", 0.5)
    window.root.update()
    numbers = [int(text.split()[1]) for text in window.text_items() if text.startswith("message")]
    assert 4_500 < numbers[0] < 5_500
    assert window.scrollbar()[0] == pytest.approx(0.5, abs=0.01)


def test_new_messages_are_followed_at_the_end_and_counted_elsewhere(window: Window) -> None:
    window.show(*many(100))
    window.transcript.append([said(100)])
    window.root.update()
    assert "message 100" in window.text_items()
    window.key("<Prior>")
    before = window.text_items()
    window.transcript.append([said(101), said(102)])
    window.transcript.set_unread(2)
    window.root.update()
    assert window.text_items() == before
    assert [window.written(item) for item in texts(window, "jump")] == ["2"]
    left, top, right, bottom = window.canvas.bbox("jump")
    window.click((left + right) // 2, (top + bottom) // 2)
    assert "message 102" in window.text_items()
    assert window.canvas.find_withtag("jump") == ()


def test_unread_messages_are_shown_from_the_first_one_on(window: Window) -> None:
    window.show(*many(200))
    window.transcript.set_unread_from("k120")
    window.transcript.set_unread(60)
    window.transcript.show_unread("k120")
    window.root.update()
    tops = {text: box[1] for text, box in window.text_items().items()}
    assert 0 <= tops["New messages"] < tops["message 120"] < window.canvas.winfo_height() / 4
    assert not window.at_bottom[-1]
    assert [window.written(item) for item in texts(window, "jump")] == ["60"]
    first, last = window.in_view[-1]
    assert first == "k119", "its end is above the line"
    assert f"message {last[1:]}" in tops
    assert f"message {int(last[1:]) + 2}" not in tops
    window.transcript.set_bubbles(many(200), view=window.transcript.view_state())
    window.root.update()
    assert {text: box[1] for text, box in window.text_items().items()} == tops


def test_unread_messages_that_fit_in_view_are_shown_at_the_end(window: Window) -> None:
    window.show(*many(200))
    told = len(window.at_bottom)
    window.transcript.set_unread_from("k197")
    window.transcript.show_unread("k197")
    window.root.update()
    assert {"New messages", "message 197", "message 199"} <= window.text_items().keys()
    assert window.at_bottom[told:] == [True], "told again: the owner waits for it"
    assert window.in_view[-1][1] == "k199"


def test_the_place_of_unread_messages_is_not_lost_to_messages_that_come_before_it_is_drawn(
    window: Window,
) -> None:
    window.transcript.set_bubbles(many(100, first=100))
    window.transcript.show_unread("k120")
    # An older page may come before anything was drawn.
    window.transcript.set_bubbles(many(200), view=window.transcript.view_state())
    window.root.update()
    assert "message 120" in window.text_items()
    assert window.in_view[-1][0] == "k119"


def test_a_message_is_in_view_when_its_end_is_and_when_it_fills_the_view(window: Window) -> None:
    window.show(said(0, "short"), said(1, "a long one\n" * 100), said(2, "the last"))
    window.transcript.show_unread("k1")
    window.root.update()
    assert window.in_view[-1] == ("k0", "k0"), (
        "only its beginning is in view, below the end of the one before"
    )
    window.key("<Next>")
    assert window.in_view[-1] == ("k1", "k1")
    window.key("<End>")
    assert window.in_view[-1][1] == "k2"


def test_own_new_message_is_shown_from_anywhere(window: Window) -> None:
    window.show(*many(100))
    window.key("<Home>")
    window.transcript.append([said(100, own=True, status=Status.WAITING)])
    window.root.update()
    assert "message 100" in window.text_items()


def test_older_messages_come_without_a_jump(window: Window) -> None:
    window.show(*many(50, first=1000))
    window.key("<Home>")
    asked = window.near_top
    assert asked == 1
    window.key("<Down>")
    before = {text: box for text, box in window.text_items().items() if text.startswith("message")}
    window.transcript.prepend(many(50, first=950))
    window.root.update()
    after = window.text_items()
    assert {text: after[text] for text in before} == before
    window.key("<Home>")
    assert window.near_top == 2
    assert "message 950" in window.text_items()


def test_place_survives_another_width_and_another_chat(window: Window) -> None:
    window.show(*(said(number, f"start{number} " + "word " * 60) for number in range(200)))
    for _ in range(5):
        window.key("<Prior>")
    state = window.transcript.view_state()
    assert not state.at_bottom
    window.root.geometry("420x500")
    window.until(lambda: window.canvas.winfo_width() < 450)
    assert window.transcript.view_state() == state
    window.show(*many(10))
    window.transcript.set_bubbles(
        [said(number, f"start{number} " + "word " * 60) for number in range(200)], view=state
    )
    window.root.update()
    assert window.transcript.view_state() == state
    assert state.key is not None
    assert any(f"start{state.key[1:]} " in text for text in window.text_items())


def test_end_is_kept_when_the_window_changes_its_size(window: Window) -> None:
    window.show(*many(100))
    window.root.geometry("500x300")
    window.until(lambda: window.canvas.winfo_height() < 350)
    assert "message 99" in window.text_items()
    assert window.transcript.view_state().at_bottom


def test_hidden_transcript_keeps_its_place_and_takes_messages(window: Window) -> None:
    window.show(*many(200))
    window.key("<Home>")
    window.transcript.pack_forget()
    window.root.update()
    window.transcript.append([said(200)])
    window.transcript.prepend(many(5, first=-5))
    window.root.update()
    window.transcript.pack(fill="both", expand=True)
    window.root.update()
    assert "message 0" in window.text_items()
    assert not window.transcript.view_state().at_bottom


def test_status_changes_without_moving_anything(window: Window) -> None:
    waiting = said(5, own=True, status=Status.WAITING)
    window.show(*many(5), waiting)
    before = window.text_items()
    window.transcript.replace("k5", replace(waiting, key="id7", status=Status.READ))
    window.root.update()
    assert window.text_items() == before
    window.transcript.replace("id7", replace(waiting, key="id7", text="changed"))
    window.root.update()
    assert "changed" in window.text_items()


def test_longest_message_shows_its_lines_near_the_view_only(window: Window) -> None:
    window.show(said(1), said(2, "\n".join(f"line {number}" for number in range(3_000))), said(3))
    shown = " ".join(window.text_items())
    assert "line 2999" in shown
    assert "line 2000" not in shown
    seen = set()
    for _ in range(400):
        window.key("<Prior>")
        lines = " ".join(window.text_items()).split("line ")
        seen |= {part.split()[0] for part in lines[1:]}
        if "message 1" in window.text_items():
            break
    assert len(seen) == 3_000


def test_theme_and_scale_change_at_the_same_place(window: Window) -> None:
    window.show(*many(500))
    for _ in range(3):
        window.key("<Prior>")
    state = window.transcript.view_state()
    window.transcript.restyle(DARK, Fonts.default(window.root, scale=2))
    window.root.update()
    assert window.transcript.view_state().key == state.key
    assert window.canvas.cget("background") == DARK.background


def test_empty_transcript_says_what_to_do_until_there_is_a_message(window: Window) -> None:
    window.transcript.set_empty_text("Say hello to bob.")
    window.root.update()
    item = window.canvas.find_withtag("empty")[0]
    assert window.written(item) == "Say hello to bob."
    window.transcript.append([said(1)])
    window.root.update()
    assert window.canvas.find_withtag("empty") == ()


def test_unread_messages_begin_below_a_line(window: Window) -> None:
    window.show(*many(3))
    window.transcript.set_unread_from("k1")
    window.root.update()
    assert window.where("message 0")[1] < window.where("New messages")[1] < window.where("message 1")[1]
    window.transcript.set_unread_from(None)
    window.root.update()
    assert "New messages" not in window.text_items()


def test_older_messages_given_at_once_when_asked_for_are_shown(window: Window) -> None:
    pages = [many(20, first=980), many(20, first=960)]

    def give() -> None:
        if pages:
            window.transcript.prepend(pages.pop(0))

    window.give_older = give
    window.show(*many(20, first=1000))
    for _ in range(3):
        window.key("<Home>")
    assert pages == []
    assert "message 960" in window.text_items()


def test_newer_messages_of_the_past_are_added_below_without_a_jump(window: Window) -> None:
    window.transcript.set_ahead(True)
    window.show(*many(60))
    assert window.near_bottom == 1
    assert window.at_bottom == [False]  # the end of what is here is not the end
    before = window.text_items()
    window.transcript.append(many(60, first=60), hold=True)
    window.root.update()
    assert before.items() <= window.text_items().items()
    window.key("<Next>")
    assert "message 60" in window.text_items()
    for _ in range(20):
        window.key("<Next>")
    assert window.near_bottom == 2


def test_end_and_the_button_ask_for_the_newest_message_if_it_is_not_here(window: Window) -> None:
    window.transcript.set_ahead(True)
    window.show(*many(200))
    window.key("<End>")
    assert len(window.newest) == 1
    left, top, right, bottom = window.canvas.bbox("jump")
    window.click((left + right) // 2, (top + bottom) // 2)
    assert len(window.newest) == 2
    window.transcript.set_ahead(False)
    window.root.update()
    assert window.canvas.find_withtag("jump") == ()
    assert window.at_bottom[-1]


def test_a_message_is_revealed_in_the_middle_and_marked_with_its_words(window: Window) -> None:
    bubbles = many(200)
    bubbles[100] = said(100, "down to the river")
    window.transcript.set_bubbles(bubbles)
    window.transcript.reveal("k100")
    window.transcript.mark(("river",), "k100")
    window.root.update()
    _, y = window.where("down to the river")
    assert abs(y - window.canvas.winfo_height() // 2) < 40
    rectangles = [item for item in window.canvas.find_withtag("row") if window.kind(item) == "rectangle"]
    assert len(rectangles) == 2  # behind the message, and behind the word
    window.transcript.mark((), None)
    window.root.update()
    assert not [item for item in window.canvas.find_withtag("row") if window.kind(item) == "rectangle"]


def test_the_scrollbar_is_out_of_sight_while_there_is_nothing_to_scroll(window: Window) -> None:
    def shown() -> bool:
        # The last of two widgets in one cell is the one that is seen.
        children = window.transcript.winfo_children()
        bar = next(child for child in children if child.winfo_class() == "TScrollbar")
        x, y = bar.winfo_rootx() + bar.winfo_width() // 2, bar.winfo_rooty() + bar.winfo_height() // 2
        return window.root.winfo_containing(x, y) is bar

    window.show(*many(3))
    assert not shown()
    window.show(*many(100))
    assert shown()
    window.show(*many(3))
    assert not shown()
