"""The icon in a real tray: clicks on it, the window that closes into it, and a tray that goes or comes late."""

from __future__ import annotations

import os
import subprocess
import tkinter as tk
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gui.harness import ClientProcess, Person, screenshot, xdotool
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.backend.settings import Settings, SettingsFile

ICON = "twocans-tray"


@contextmanager
def a_tray(*, strut: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """A tray on the tests' display, in a corner of its own; with a `strut`, nothing may be put over its edge."""
    command = ["trayer", "--edge", "bottom", "--align", "right", "--widthtype", "pixel", "--width", "60"]
    if strut:
        command += ["--SetDockType", "true", "--SetPartialStrut", "true"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def icons() -> list[str]:
    """The numbers of all icons that are to be seen."""
    return xdotool("search", "--onlyvisible", "--classname", ICON).split()


def click_icon(person: Person, button: int = 1) -> None:
    """Click on the only icon in the tray."""
    person.wait(lambda: not person.window.reach.tray_problem)
    (icon,) = icons()
    person._xdotool("mousemove", "--window", icon, "12", "12", "click", str(button))
    person._settle()


def close(person: Person) -> None:
    """Close the window as its frame's button does."""
    frame = str(int(person.root.wm_frame(), 16))
    person._xdotool("windowactivate", "--sync", frame)
    person.key("alt+F4")


def keep_in_tray(folder: Path) -> None:
    """The settings of somebody who wants the program to stay in the tray."""
    assert SettingsFile(folder).save(Settings(keep_in_tray=True)) == ""


@pytest.fixture
def tray() -> Iterator[None]:
    with a_tray():
        yield


def test_the_window_closes_into_the_tray_and_a_click_on_the_icon_brings_it_back(
    server: ServerProcess, tray: None
) -> None:
    keep_in_tray(Path(os.environ["TWOCANS_CONFIG_DIR"]))
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: not alice.window.reach.tray_problem)
        close(alice)
        alice.wait(lambda: alice.root.state() == "withdrawn")
        bob.say("alice", "still there?")
        alice.wait(lambda: alice.title == "(1) Twocans – alice")
        click_icon(alice)
        alice.wait(lambda: alice.root.state() == "normal" and alice.vm.chats.in_front)


def test_closing_quits_while_the_setting_is_off(server: ServerProcess, tray: None, tmp_path: Path) -> None:
    with ClientProcess(tmp_path / "a", "--server", f"127.0.0.1:{server.port}") as client:
        client.wait(icons, "icon")
        client.key("alt+F4")
        assert client.quits() == 0
    assert icons() == []


def test_the_icon_shows_what_is_unread(server: ServerProcess, tray: None) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: not alice.window.reach.tray_problem)
        (icon,) = icons()

        def look() -> bytes:
            place = dict(
                line.split("=")
                for line in xdotool("getwindowgeometry", "--shell", icon).split()
                if "=" in line
            )
            left, top = int(place["X"]), int(place["Y"])
            box = (left, top, left + int(place["WIDTH"]), top + int(place["HEIGHT"]))
            return bytes(screenshot().crop(box).tobytes())

        alice.wait(lambda: len(set(look())) > 2)
        looks = {look()}
        for count in (1, 2):
            bob.say("alice", "hello")
            alice.wait(lambda count=count: alice.vm.unread == count)  # type: ignore[misc]  # a default binds early
            alice.wait(lambda: look() not in looks)
            looks.add(look())


def test_the_icons_menu_begins_do_not_disturb_and_opens(server: ServerProcess, tray: None) -> None:
    keep_in_tray(Path(os.environ["TWOCANS_CONFIG_DIR"]))
    with Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: not alice.window.reach.tray_problem)
        close(alice)
        alice.wait(lambda: alice.root.state() == "withdrawn")
        click_icon(alice, 3)
        menu = alice.wait_for_menu()
        alice.click_entry(menu, "Do not disturb")
        alice.wait(lambda: alice.wait_for_menu() is not menu)
        alice.click_entry(alice.wait_for_menu(), "For 1 hour")
        alice.wait(lambda: alice.vm.quiet.is_on and not menu.winfo_exists())
        click_icon(alice, 3)
        alice.click_entry(alice.wait_for_menu(), "Open Twocans")
        alice.wait(lambda: alice.root.state() == "normal")


def test_the_icons_menu_quits(server: ServerProcess, tray: None) -> None:
    with Person(port=server.port, user="alice") as alice:
        click_icon(alice, 3)
        menu = alice.wait_for_menu()
        with pytest.raises(tk.TclError, match="application has been destroyed"):
            alice.click_entry(menu, "Quit")
        alice.closed = True
        assert icons() == []


def test_the_window_comes_back_when_the_tray_goes_and_leaves_again_when_one_comes(
    server: ServerProcess,
) -> None:
    keep_in_tray(Path(os.environ["TWOCANS_CONFIG_DIR"]))
    with Person(port=server.port, user="alice") as alice:
        with a_tray():
            alice.wait(lambda: not alice.window.reach.tray_problem)
            close(alice)
            alice.wait(lambda: alice.root.state() == "withdrawn")
        alice.wait(lambda: alice.window.reach.tray_problem and alice.root.state() == "iconic")
        with a_tray():
            alice.wait(lambda: alice.root.state() == "withdrawn")
            click_icon(alice)
            alice.wait(lambda: alice.root.state() == "normal")


def test_started_with_the_system_it_is_in_the_tray_and_connected(
    server: ServerProcess, tray: None, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    keep_in_tray(folder / "config")
    options = ("--server", f"127.0.0.1:{server.port}", "--user", "alice", "--connect", "--in-tray")
    with PlainPeer(server.port, "bob") as bob, ClientProcess(folder, *options, shows=False) as client:
        bob.await_users(["bob", "alice"])
        client.wait(icons, "icon")
        # It goes out of sight once its icon is there.
        client.wait(
            lambda: not xdotool("search", "--onlyvisible", "--name", "^Twocans").split(), "empty screen"
        )
        client.interrupt()


def test_started_in_the_tray_without_one_the_window_can_be_seen(
    server: ServerProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    options = ("--server", f"127.0.0.1:{server.port}", "--in-tray")
    with ClientProcess(folder, *options) as client:
        client.activate()
        client.interrupt()
