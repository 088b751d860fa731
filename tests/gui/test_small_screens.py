"""Dialogs and the login on screens that have no room for all of them: everything is reached, by key and by wheel."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from tkinter import ttk

import pytest

from tests.gui.harness import Person, xdotool
from tests.gui.own_server import own_server
from tests.support.process import ServerProcess
from twocans.gui.backend.settings import Settings, SettingsFile, config_dir
from twocans.gui.views.dialogs import Dialog
from twocans.gui.views.scrolled import Scrolled

Screens = Callable[[int, int], None]
LARGE = [
    pytest.param((1366, 768), 2.0, "1", id="text size 2 on a laptop"),
    pytest.param((1366, 768), 2.0, "2", id="text size 2 and scale 2 on a laptop"),
    pytest.param((1366, 768), 3.0, "3", id="text size 3 and scale 3 on a laptop"),
    pytest.param((1024, 600), 1.0, "1", id="a netbook"),
]


def set_up(
    size: tuple[int, int], text: float, scale: str, screen_of: Screens, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen_of(*size)
    monkeypatch.setenv("GDK_SCALE", scale)
    assert SettingsFile(config_dir()).save(Settings(text_size=text)) == ""


def seen_part(widget: tk.Misc) -> tuple[int, int, int, int]:
    """What can be seen of a widget, through all frames around it."""
    left, top = widget.winfo_rootx(), widget.winfo_rooty()
    right, bottom = left + widget.winfo_width(), top + widget.winfo_height()
    above = widget.master
    while above is not None:
        x, y = above.winfo_rootx(), above.winfo_rooty()
        left, top = max(left, x), max(top, y)
        right, bottom = min(right, x + above.winfo_width()), min(bottom, y + above.winfo_height())
        above = None if isinstance(above, tk.Toplevel | tk.Tk) else above.master
    return left, top, right, bottom


def is_seen(widget: tk.Misc) -> bool:
    """Whether enough of a widget can be seen to know it: all of its height, or as much as there is room for."""
    left, top, right, bottom = seen_part(widget)
    height = min(widget.winfo_height(), scroller_height(widget))
    return right > left and bottom - top >= height - 1


def scroller_height(widget: tk.Misc) -> int:
    above: tk.Misc | None = widget
    while above is not None and not isinstance(above, Scrolled):
        above = above.master
    return above.winfo_height() if above is not None else widget.winfo_height()


def walk(person: Person, count: int) -> list[tk.Misc]:
    """Go with Tab through so many widgets; each is in view when it has the focus."""
    found: list[tk.Misc] = []
    for _ in range(count):
        widget = person.root.focus_get()
        assert widget is not None
        person.wait(lambda widget=widget: is_seen(widget))  # type: ignore[misc]  # a default binds early
        found.append(widget)
        person.key("Tab")
        if person.root.focus_get() in found:
            return found
    raise AssertionError("Tab does not come back")


def dialog_of(person: Person) -> Dialog:
    (found,) = [one for one in person._widgets() if isinstance(one, Dialog) and one.winfo_viewable()]
    return found


@pytest.mark.parametrize(("size", "text", "scale"), LARGE)
def test_dialogs_fit_on_the_screen_and_all_buttons_are_reached(
    size: tuple[int, int],
    text: float,
    scale: str,
    server: ServerProcess,
    screen_of: Screens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up(size, text, scale, screen_of, monkeypatch)
    with Person(port=server.port, user="alice") as alice:
        for keys, said, buttons in (
            ("ctrl+comma", "Text size", {"Smaller", "Start with the system", "Done"}),
            ("ctrl+d", "Your devices", {"Set a password …", "Add a device …", "Done"}),
            ("ctrl+i", "The server's key", {"Copy", "Done"}),
            ("F1", "Larger text", {"Done"}),
        ):
            alice.key(keys)
            alice.await_dialog(said)
            dialog = dialog_of(alice)
            alice.wait(
                lambda dialog=dialog: (
                    dialog.winfo_rootx() >= 0  # type: ignore[misc]  # a default binds early
                    and dialog.winfo_rooty() >= 0
                    and dialog.winfo_rootx() + dialog.winfo_width() <= size[0]
                    and dialog.winfo_rooty() + dialog.winfo_height() <= size[1]
                )
            )
            if said == "Your devices":
                alice.wait(lambda: alice.vm.devices.loaded)
            reached = {str(one.cget("text")) for one in walk(alice, 60) if one.winfo_class() != "TEntry"}
            assert buttons <= reached
            alice.key("Escape")
            alice.wait(lambda dialog=dialog: not dialog.winfo_exists())  # type: ignore[misc]  # a default binds early
            alice.activate()


@pytest.mark.parametrize(("size", "text", "scale"), LARGE)
def test_the_login_is_gone_through_by_key(
    size: tuple[int, int],
    text: float,
    scale: str,
    screen_of: Screens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up(size, text, scale, screen_of, monkeypatch)
    with Person(port=1) as alice:
        alice.wait(lambda: alice.root.focus_get() is alice.window._login._user.entry)
        reached = walk(alice, 20)
        assert alice.window._login._server.entry in reached
        assert alice.window._login._connect in reached


def test_the_login_and_the_list_of_keys_are_scrolled_with_the_wheel(
    server: ServerProcess, screen_of: Screens, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up((1366, 768), 2.0, "2", screen_of, monkeypatch)
    with Person(port=server.port) as alice:
        connect = alice.window._login._connect
        alice.hover(alice.root, 300, 300)
        for _ in range(20):
            xdotool("click", "5", while_waiting=alice.pump)
        alice.wait(lambda: is_seen(connect))
        alice.key("F1")
        alice.await_dialog("Larger text")
        dialog = dialog_of(alice)
        last = dialog.body.winfo_children()[-1]
        alice.hover(dialog, 200, 200)
        assert not is_seen(last)
        for _ in range(60):
            xdotool("click", "5", while_waiting=alice.pump)
        alice.wait(lambda: is_seen(last))


@pytest.fixture
def own_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from own_server(monkeypatch)


def test_the_window_of_ones_own_server_fits_and_its_buttons_are_reached(
    own_folder: Path, screen_of: Screens, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up((1366, 768), 2.0, "1", screen_of, monkeypatch)
    with Person(port=1) as alice:
        alice.window.act(alice.vm.hosting.start)
        alice.wait(lambda: alice.vm.hosting.server is not None)
        alice.window.act(alice.vm.hosting.open)
        alice.await_dialog("Your server is running")
        dialog = dialog_of(alice)
        assert dialog.winfo_rooty() >= 0
        assert dialog.winfo_rooty() + dialog.winfo_height() <= 768
        buttons = {str(one.cget("text")) for one in walk(alice, 60) if isinstance(one, ttk.Button)}
        assert {"Bans …", "Copy log", "Stop server", "Done"} <= buttons
        alice.key("Escape")


def test_click_scrolls_nothing_that_is_in_view_and_a_key_shows_what_comes_next() -> None:
    with Person(port=1) as alice:
        window = tk.Toplevel(alice.root)
        scrolled = Scrolled(window, alice.app.theme)
        scrolled.pack()
        fields = [ttk.Entry(scrolled.inside) for _ in range(12)]
        for field in fields:
            field.pack()
        alice.root.update()
        height = fields[0].winfo_height()
        scrolled.set_limit(400, 4 * height)
        alice.wait(lambda: scrolled.winfo_height() == 4 * height and fields[3].winfo_viewable())
        place = fields[0].winfo_rooty()
        alice.click(fields[3])
        alice.wait(lambda: alice.root.focus_get() is fields[3])
        alice.wait(lambda: scrolled._planned is None)
        assert fields[0].winfo_rooty() == place
        alice.key("Tab")
        alice.wait(lambda: is_seen(fields[4]) and seen_part(fields[5])[3] > seen_part(fields[5])[1])
        window.destroy()
