"""Where the focus is shown, and the way of the Tab key through the windows."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator
from dataclasses import replace
from tkinter import ttk

import pytest

from tests.gui.harness import Person, screenshot
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.viewmodel.state import Need, Part


@pytest.fixture
def alice(server: ServerProcess) -> Iterator[Person]:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as person:
        person.wait(lambda: "bob" in person.drawn)
        yield person


def edge_of(canvas: tk.Canvas) -> tuple[int, int, int]:
    """The colour of a widget's outermost pixels, where a frame for the focus is drawn."""
    canvas.update()
    pixel = screenshot().getpixel((canvas.winfo_rootx(), canvas.winfo_rooty() + canvas.winfo_height() // 2))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def test_a_click_in_the_messages_draws_no_frame_and_keys_do(alice: Person) -> None:
    alice.click_on("bob")
    canvas, colours = alice.window.chat.transcript.canvas, alice.app.theme.colours
    alice.click(canvas)
    assert alice.root.focus_get() is canvas
    assert edge_of(canvas) == rgb(colours.chat)
    alice.key("Up")
    assert edge_of(canvas) == rgb(colours.accent_text)
    alice.click(canvas)
    assert edge_of(canvas) == rgb(colours.chat)


def test_a_click_in_the_list_draws_no_cursor_and_keys_do(alice: Person) -> None:
    canvas = alice.list_canvas
    ring = alice.app.theme.colours.accent_text

    def shows_cursor() -> bool:
        alice.root.update()
        x, y = canvas.winfo_rootx(), canvas.winfo_rooty()
        found = screenshot().crop((x, y, x + canvas.winfo_width(), y + canvas.winfo_height())).getcolors(9999)
        return any(colour == rgb(ring) for _, colour in found or [])

    alice.click(canvas, 60, canvas.winfo_height() - 20)
    assert alice.root.focus_get() is canvas
    assert not shows_cursor()
    alice.key("Down")
    alice.wait(shows_cursor)


def test_a_button_shows_the_focus_after_keys_and_not_after_clicks(alice: Person) -> None:
    alice.key("F10")
    alice.click_entry(alice.wait_for_menu(), "Security …")
    alice.await_dialog("The server's key")
    done = alice.root.focus_get()
    assert isinstance(done, ttk.Button)
    assert not done.instate(["user1"])
    alice.key("shift+Tab")
    copy = alice.root.focus_get()
    assert isinstance(copy, ttk.Button)
    assert copy.instate(["user1"])
    alice.key("Escape")
    alice.wait(lambda: "The server's key" not in alice.labels)
    alice.activate()
    alice.key("ctrl+i")
    alice.await_dialog("The server's key")
    done = alice.root.focus_get()
    assert isinstance(done, ttk.Button)
    assert done.instate(["user1"])


# --- the way of the Tab key -------------------------------------------------------------------------------


def around(person: Person) -> list[str]:
    """What Tab goes through, from where the focus is until it is there again; by what it says, or else its kind."""
    start = person.root.focus_get()
    found = []
    for _ in range(60):
        focus = person.root.focus_get()
        assert focus is not None
        found.append(named(person, focus))
        person.key("Tab")
        if person.root.focus_get() is start:
            return found
    raise AssertionError(f"Tab does not come back: {found}")


def named(person: Person, widget: tk.Misc) -> str:
    window, sidebar = person.window, person.window._sidebar
    names: dict[tk.Misc, str] = {
        sidebar.menu_button: "menu",
        sidebar.bell_button: "bell",
        person.list_canvas: "list",
        window.chat.menu_button: "chat menu",
        window.chat.bell_button: "chat bell",
        window.chat.transcript.canvas: "messages",
        window.chat.composer.attach: "files",
        window.chat.composer.text: "text",
    }
    if widget in names:
        return names[widget]
    text = str(widget.cget("text")) if widget.winfo_class() in BUTTONS else ""
    return text or widget.winfo_class()


BUTTONS = {"TButton", "TCheckbutton", "TRadiobutton"}


def test_tab_goes_through_the_main_window_as_the_eye_does(alice: Person) -> None:
    alice.click_on("bob")
    alice.wait(lambda: alice.root.focus_get() is alice.composer)
    assert around(alice) == [
        "text",
        "Close",  # the new server's key, across the window
        "bell",
        "menu",
        "TEntry",  # the search
        "list",
        "chat bell",
        "chat menu",
        "messages",
        "files",
    ]
    alice.key("shift+Tab")
    assert named(alice, alice.root.focus_get() or alice.root) == "files"


def test_tab_goes_through_the_login_as_the_eye_does() -> None:
    with Person(port=1) as alice:
        alice.vm.form.state = replace(alice.vm.form.state, needs=Need.SECRET)
        alice.window.refresh(Part.LOGIN)
        login = alice.window._login
        alice.wait(lambda: login._secret.winfo_viewable() and alice.root.focus_get() is login._user.entry)
        # the name, the code and the button that shows it
        assert around(alice) == [
            "TEntry",
            "TEntry",
            "TButton",
            "Connect",
            "Start a server on this computer",
            "TEntry",
        ]


def close_dialog(person: Person) -> None:
    person.key("Escape")
    person.wait(lambda: not person._focus_is_in_a_dialog())
    person.activate()


def test_tab_goes_through_dialogs_as_the_eye_does(alice: Person) -> None:
    alice.key("ctrl+i")
    alice.await_dialog("The server's key")
    assert around(alice) == ["Done", "Copy"]
    close_dialog(alice)
    alice.key("ctrl+d")
    alice.await_dialog("Your devices")
    alice.wait(lambda: alice.vm.devices.loaded)
    assert around(alice) == ["Done", "Sign out …", "Set a password …", "Add a device …"]
    alice.window.act(alice.vm.devices.edit_password)
    alice.wait(lambda: "New password" in alice.labels)
    assert around(alice) == ["TEntry", "TButton", "TEntry", "TButton", "Back", "Save"]
    alice.key("Escape")
    close_dialog(alice)
    alice.key("ctrl+comma")
    alice.await_dialog("Text size")
    assert around(alice)[:6] == [
        "Same as system",
        "Light",
        "Dark",
        "Smaller",
        "Larger",
        "Play a short sound",
    ]
    alice.key("Escape")


def test_tab_goes_through_the_search_as_the_eye_does(alice: Person) -> None:
    alice.key("ctrl+shift+F")
    alice.wait(lambda: alice.root.focus_get() is alice.window._sidebar.finder.field)
    assert around(alice) == ["TEntry", "Canvas", "Close", "TButton"]
