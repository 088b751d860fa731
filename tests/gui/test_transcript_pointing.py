"""The transcript in a real window: selecting, copying, and clicking what can be clicked."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.gui.transcript_window import Window, many, opened, said
from twocans.gui.transcript.model import Status

PASTE = """
import sys, tkinter
text = tkinter.Tk().selection_get(selection="PRIMARY", type="UTF8_STRING")
sys.stdout.buffer.write(text.encode())
"""


@pytest.fixture
def window() -> Iterator[Window]:
    with opened() as window:
        yield window


def test_dragging_selects_characters_and_copies_what_was_written(window: Window) -> None:
    window.show(said(1, "hello wide world"))
    left, top, right, bottom = window.text_items()["hello wide world"]
    y = (top + bottom) // 2
    font = window.transcript.tk.call("font", "measure", "TkDefaultFont", "x")
    window.drag((left + 1, y), (left + 60, y), (right + int(font), y))
    window.key("<<Copy>>")
    assert window.root.clipboard_get() == "hello wide world"


def test_clicks_select_a_word_then_the_message(window: Window) -> None:
    window.show(said(1, "hello wonderful world"))
    x, y = window.where("hello wonderful world")
    window.click(x, y, times=2)
    assert window.transcript.selected_text() == "wonderful"
    window.click(x, y)
    assert window.transcript.selected_text() == "hello wonderful world"
    window.click(x, y)
    assert window.transcript.selected_text() == ""


def test_dragging_over_several_bubbles_selects_them_whole(window: Window) -> None:
    window.show(said(1, "first"), said(2, "second", own=True), said(3, "third"))
    window.drag(window.where("first"), window.where("second"), window.where("third"))
    assert window.transcript.selected_text() == "first\nsecond\nthird"
    window.key("<Escape>")
    assert window.transcript.selected_text() == ""


def test_everything_can_be_selected_and_copied(window: Window) -> None:
    window.show(*many(3_000))
    window.key("<Control-a>")
    window.key("<<Copy>>")
    assert window.root.clipboard_get().split("\n") == [one.text for one in many(3_000)]


def test_right_to_left_text_is_drawn_in_order_and_copied_as_written(window: Window) -> None:
    window.show(said(1, "שלום abc"))
    assert {"abc", " םולש"} <= set(window.text_items())
    window.click(*window.where("abc"), times=2)
    assert window.transcript.selected_text() == "abc"
    window.click(*window.where(" םולש"), times=3)
    assert window.transcript.selected_text() == "שלום abc"


def test_middle_button_of_another_program_gets_all_that_is_selected(window: Window) -> None:
    text = "tin can 😀 שלום é " * 900
    window.show(said(1, text))
    window.key("<Control-a>")
    if window.root.tk.call("tk", "windowingsystem") != "x11":
        assert window.root.tk.call("selection", "own", "-selection", "PRIMARY") == ""
        return
    paste = subprocess.Popen([sys.executable, "-c", PASTE], stdout=subprocess.PIPE)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(paste.communicate()[0]))
    reader.start()
    window.until(lambda: not reader.is_alive())
    assert received[0].decode() == text


def test_click_on_a_link_opens_exactly_that(window: Window) -> None:
    window.show(said(1, "see (www.a.example/x), or not"))
    window.click(*window.where("www.a.example/x"))
    assert window.links == ["http://www.a.example/x"]
    x, y = window.where("www.a.example/x")
    window.drag((x, y), (x + 20, y), (x + 30, y))
    window.click(*window.where("see ("))
    assert len(window.links) == 1
    window.canvas.event_generate("<Motion>", x=x, y=y)
    assert window.canvas.cget("cursor") == "hand2"


def test_failed_message_is_tried_again_by_mouse_and_by_key(window: Window) -> None:
    window.show(said(1), said(2, own=True, status=Status.FAILED, note="bob is not online."))
    window.click(*window.where("Try again"))
    assert window.retries == ["k2"]
    window.key("<Control-Up>")
    assert window.transcript.selected_text() == "message 2"
    window.key("<Return>")
    assert window.retries == ["k2", "k2"]
