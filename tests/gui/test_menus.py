"""The menus: their border, their marks, their place, and everything that closes them."""

from __future__ import annotations

import subprocess
import sys
import tkinter as tk
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.gui.harness import Person, screenshot, xdotool
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.backend.settings import Look, Settings, SettingsFile, config_dir
from twocans.gui.platform.screens import Box
from twocans.gui.views.menus import add_submenu, new_menu
from twocans.gui.views.popup import PopupMenu


@pytest.fixture
def alice(server: ServerProcess) -> Iterator[Person]:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as person:
        person.wait(lambda: "bob" in person.drawn)
        yield person


def box_of(widget: tk.Misc) -> Box:
    return Box(widget.winfo_rootx(), widget.winfo_rooty(), widget.winfo_width(), widget.winfo_height())


def open_main_menu(person: Person) -> PopupMenu:
    person.click(person.window._sidebar.menu_button)
    return person.wait_for_menu()


def marked(menu: PopupMenu) -> list[str]:
    return [one.label for one in menu.items if one.mark]


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def test_a_menu_has_a_border_around_it_and_room_within_it(alice: Person) -> None:
    menu = open_main_menu(alice)
    box, colours = box_of(menu), alice.app.theme.colours
    alice.wait(lambda: screenshot().getpixel((box.left, box.top)) == rgb(colours.border))
    picture = screenshot()
    for x, y in ((box.left, box.bottom - 1), (box.right - 1, box.top), (box.right - 1, box.bottom - 1)):
        assert picture.getpixel((x, y)) == rgb(colours.border)
    inside = picture.crop((box.left + 1, box.top + 1, box.right - 1, box.top + 5))
    assert inside.getcolors() == [(inside.width * inside.height, rgb(colours.base))]


def test_a_menu_opens_below_its_button_on_the_screen_and_covers_nothing_of_it(alice: Person) -> None:
    for button in (alice.window._sidebar.menu_button, alice.window._sidebar.bell_button):
        alice.click(button)
        menu = alice.wait_for_menu()
        assert box_of(menu).top >= box_of(button).bottom
        assert box_of(menu).right == box_of(button).right
        assert not box_of(menu).overlap(box_of(button))
        menu.close()


def test_a_menu_without_room_below_its_button_opens_above_it(alice: Person) -> None:
    alice.root.geometry(f"+100+{alice.root.winfo_screenheight() - 250}")
    alice.wait(lambda: alice.root.winfo_rooty() > alice.root.winfo_screenheight() - 300)
    menu = open_main_menu(alice)
    assert box_of(menu).bottom == box_of(alice.window._sidebar.menu_button).top


def test_the_menu_marks_the_theme_in_force_and_what_is_on(alice: Person) -> None:
    assert marked(open_main_menu(alice)) == ["Look: like the system", "Sound"]
    alice.choose("Dark")
    assert alice.theme_is_dark()
    menu = open_main_menu(alice)
    assert marked(menu) == ["Dark", "Sound"]
    assert len(menu._canvas.find_withtag("mark")) == 2
    alice.choose("Sound")
    assert marked(open_main_menu(alice)) == ["Dark"]
    settings, _ = SettingsFile(config_dir()).load()
    assert (settings.look, settings.sound) == (Look.DARK, False)


def test_esc_closes_a_menu_and_the_keyboard_is_where_it_was(alice: Person) -> None:
    alice.click_on("bob")
    alice.wait(lambda: alice.root.focus_get() is alice.composer)
    alice.key("F10")
    menu = alice.wait_for_menu()
    alice.key("Escape")
    assert not menu.winfo_exists()
    assert alice.root.focus_get() is alice.composer
    assert alice.vm.chats.open is not None


def test_a_click_elsewhere_closes_a_menu_and_does_nothing_else(server: ServerProcess, alice: Person) -> None:
    with PlainPeer(server.port, "carol"):
        alice.wait(lambda: "carol" in alice.drawn)
        alice.click_on("bob")
        alice.click(alice.window.chat.menu_button)
        menu = alice.wait_for_menu()
        alice.click_on("carol")
        assert not menu.winfo_exists()
        assert alice.vm.header is not None
        assert alice.vm.header.name == "bob"
        alice.click_on("carol")
        assert alice.vm.header.name == "carol"


def test_a_click_in_another_program_closes_a_menu(alice: Person) -> None:
    menu = open_main_menu(alice)
    xdotool("mousemove", "3", "3", "click", "1", while_waiting=alice.pump)
    alice.wait(lambda: not menu.winfo_exists())


OTHER_PROGRAM = """
import tkinter
window = tkinter.Tk()
window.geometry("120x80+1400+900")
window.update()
window.focus_force()
window.mainloop()
"""


@contextmanager
def another_program() -> Iterator[None]:
    """It takes the keyboard as soon as it has started."""
    with subprocess.Popen([sys.executable, "-c", OTHER_PROGRAM]) as process:
        try:
            yield
        finally:
            process.terminate()


def test_a_menu_closes_when_another_program_gets_the_keyboard(alice: Person) -> None:
    menu = open_main_menu(alice)
    with another_program():
        alice.wait(lambda: not menu.winfo_exists())


def test_a_menu_stays_when_its_own_window_gets_the_keyboard(alice: Person) -> None:
    with another_program():
        alice.wait(lambda: not alice.vm.chats.in_front)
        alice.click(alice.list_canvas, 60, 60, button=3)
        menu = alice.wait_for_menu()
        looked: list[None] = []
        alice.root.after(1000, lambda: looked.append(None))
        alice.wait(lambda: looked)
        assert menu.is_open


def test_a_menu_closes_when_a_dialog_opens(alice: Person) -> None:
    menu = open_main_menu(alice)
    alice.window._open_settings()
    alice.wait(lambda: not menu.winfo_exists())
    alice.await_dialog("Text size")
    alice.key("Escape")
    alice.wait(lambda: "Text size" not in alice.labels)


def test_letters_go_to_what_begins_with_them_and_what_is_disabled_is_passed_over(alice: Person) -> None:
    open_main_menu(alice)
    alice.key("s", "s", "s", "s", "Return")  # search, security, sound, settings
    alice.await_dialog("Text size")


def test_a_menu_that_the_button_held_down_opens_does_what_it_is_let_go_on(alice: Person) -> None:
    canvas = alice.list_canvas
    alice.hover(canvas, 60, 60)
    xdotool("mousedown", "3", while_waiting=alice.pump)
    menu = alice.wait_for_menu()
    xdotool("mouseup", "3", while_waiting=alice.pump)
    alice._settle()
    assert menu.is_open, "a mere click keeps it open"
    alice.key("Escape")
    xdotool("mousedown", "3", while_waiting=alice.pump)
    menu = alice.wait_for_menu()
    x, y = menu.position("Mute always")
    xdotool("mousemove", str(x), str(y), "mouseup", "3", while_waiting=alice.pump)
    alice.wait(lambda: not menu.winfo_exists())
    assert alice.vm.quiet.is_muted("bob")


def test_the_arrows_lead_into_a_menu_beside_and_back(alice: Person) -> None:
    done: list[str] = []
    menu = new_menu(alice.root, alice.app.theme)
    below = new_menu(menu, alice.app.theme)
    below.add_command(label="Inner", command=lambda: done.append("inner"))
    menu.add_command(label="First", command=lambda: done.append("first"))
    add_submenu(menu, "More", below)
    menu.tk_popup(300, 300)
    alice.key("Down", "Down", "Right")
    assert alice.wait_for_menu() is below
    assert not box_of(below).overlap(box_of(menu))
    alice.key("Left")
    alice.wait(lambda: alice.wait_for_menu() is menu)
    alice.key("Right", "Return")
    assert done == ["inner"]
    assert not menu.winfo_exists()


def test_a_menu_higher_than_the_screen_is_gone_through_by_key_and_wheel(
    server: ServerProcess, screen_of: Callable[[int, int], None]
) -> None:
    screen_of(1024, 600)
    SettingsFile(config_dir()).save(Settings(text_size=2.0))
    with Person(port=server.port, user="alice") as alice:
        menu = open_main_menu(alice)
        assert menu.winfo_rooty() >= 0
        assert menu.winfo_rooty() + menu.winfo_height() <= 600
        alice.key("End")
        assert menu.position("Quit")[1] < box_of(menu).bottom
        alice.hover(menu, 40, 100)
        for _ in range(20):
            xdotool("click", "4", while_waiting=alice.pump)
        alice._settle()
        assert menu.position("Search messages …")[1] > box_of(menu).top
        assert menu.is_open
