"""Tips that appear where the pointer rests, and everything that takes them away."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator

import pytest

from tests.gui.harness import Person, text_of, xdotool
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.transcript import tip
from twocans.gui.views import tooltip

MENU_TIP = "Menu (F10)"


@pytest.fixture
def alice(server: ServerProcess) -> Iterator[Person]:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as person:
        person.wait(lambda: "bob" in person.drawn)
        person.click_on("bob")
        yield person


def rest_on(person: Person, widget: tk.Misc, text: str) -> None:
    """Rest with the pointer on a widget until its tip is there."""
    person.hover(person.root, 1, 1)
    person.hover(widget, widget.winfo_width() // 2, widget.winfo_height() // 2)
    person.wait(lambda: text in person.labels)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda person: person.key("a"), id="a key"),
        pytest.param(lambda person: person.key("ctrl+comma"), id="a dialog"),
        pytest.param(lambda person: person.key("F10"), id="a menu"),
        pytest.param(
            lambda person: xdotool("click", "5", while_waiting=person.pump), id="a turn of the wheel"
        ),
        pytest.param(lambda person: xdotool("click", "1", while_waiting=person.pump), id="a click"),
        pytest.param(lambda person: person.hover(person.composer, 9, 9), id="the pointer leaving"),
        pytest.param(lambda person: person.window._open_settings(), id="a dialog that nobody asked for"),
    ],
)
def test_a_tip_goes_with(alice: Person, act: Callable[[Person], object]) -> None:
    rest_on(alice, alice.window._sidebar.menu_button, MENU_TIP)
    act(alice)
    alice.wait(lambda: MENU_TIP not in alice.labels)


def test_a_tip_goes_when_another_program_gets_the_keyboard(alice: Person) -> None:
    rest_on(alice, alice.window._sidebar.menu_button, MENU_TIP)
    other = tk.Tk()
    try:
        other.geometry("80x80+1400+900")
        other.focus_force()

        def is_gone() -> bool:
            other.update()
            return MENU_TIP not in alice.labels

        alice.wait(is_gone)
    finally:
        other.destroy()


def test_a_tip_goes_after_a_while(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tooltip, "SHOWN_MS", 300)
    rest_on(alice, alice.window._sidebar.menu_button, MENU_TIP)
    alice.wait(lambda: MENU_TIP not in alice.labels)


def test_no_tip_comes_over_a_dialog(alice: Person) -> None:
    alice.window._open_settings()
    alice.await_dialog("Text size")
    button = alice.window._sidebar.menu_button
    alice.hover(button, 4, 4)
    beats: list[None] = []
    alice.root.after(3 * tooltip.RESTS_MS, lambda: beats.append(None))
    alice.wait(lambda: beats)
    assert MENU_TIP not in alice.labels


def test_the_tip_of_a_link_goes_after_a_while_and_at_a_key(
    server: ServerProcess, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tip, "SHOWN_MS", 300)
    canvas = alice.window.chat.transcript.canvas
    with PlainPeer(server.port, "carol") as carol:
        carol.say("alice", "https://example.org/")
        alice.wait(lambda: "carol" in alice.drawn)
        alice.click_on("carol")
        alice.wait(lambda: alice.vm.bubbles)
        alice.wait(lambda: canvas.find_withtag("row"))
        link = next(item for item in canvas.find_withtag("row") if "example" in text_of(canvas, item))
        left, top, _, bottom = canvas.bbox(link)
        for keys in ((), ("a",)):
            alice.hover(canvas, 3, 3)
            alice.hover(canvas, left + 9, (top + bottom) // 2)
            alice.wait(lambda: canvas.find_withtag("tip"))
            if keys:
                alice.key(*keys)
            alice.wait(lambda: not canvas.find_withtag("tip"))
            monkeypatch.setattr(tip, "SHOWN_MS", 600_000)
