"""A server from the window: real processes, real keys, and a QR code that is read from the screen."""

from __future__ import annotations

import os
import signal
import sys
import tkinter as tk
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.gui.harness import ClientProcess, Person, xdotool
from tests.gui.own_server import START, hosts, own_server, read, scanned, shows_its_server
from tests.support.process import START_S, ServerProcess
from tests.support.raw import PlainPeer
from tests.support.tls import client_context
from twocans.client import Address, Link, ServerKey, parse_link
from twocans.gui.backend.settings import Look
from twocans.gui.viewmodel.inputs import (
    ServerTold,
)
from twocans.gui.viewmodel.state import Screen
from twocans.protocol.local_control import RUNNING_FILE


@pytest.fixture(autouse=True)
def folder(_own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this user's server, which ends with the test."""
    yield from own_server(monkeypatch)


def text_in_dialog(person: Person) -> str:
    (text,) = (
        one
        for one in person._widgets()
        if isinstance(one, tk.Text) and one.winfo_toplevel() is not person.root
    )
    return text.get("1.0", "end-1c")


def test_a_click_starts_a_server_and_connects_to_it(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        assert alice.vm.server is not None
        assert alice.vm.server.key == read(folder).key
        assert alice.vm.form.state.server == f"localhost:{read(folder).port}"
        assert not alice.vm.first_use  # this computer knows the key of its own server


def test_the_keyboard_alone_starts_one() -> None:
    with Person(port=1) as alice:
        alice.write("alice")
        alice.key("Tab", "Tab")
        focus = alice.root.focus_get()
        assert focus is not None
        assert str(focus.cget("text")) == START
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_without_a_name_it_is_asked_for_once_the_server_runs(folder: Path) -> None:
    with Person(port=1) as alice:
        alice.click_on(START)
        alice.wait(lambda: alice.vm.hosting.runs)
        assert "Your server runs on this computer." in alice.labels
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
def test_the_address_can_be_copied_and_the_code_scanned(folder: Path, look: Look) -> None:
    with Person(port=1) as alice:
        alice.window._set_look(look)
        hosts(alice)
        alice.window.take([ServerTold(1, ("192.168.1.5", "10.0.0.2"))])
        shows_its_server(alice)
        running = read(folder)
        link = Link(Address("192.168.1.5", running.port), ServerKey(running.key))
        alice.wait(lambda: scanned() == [str(link)])
        alice.click_on("Copy link")
        assert clipboard_of(alice) == str(link)
        alice.click_on("Copy")
        assert clipboard_of(alice) == f"192.168.1.5:{running.port}"
        field = next(
            one for one in alice._widgets() if one.winfo_class() == "TEntry" and shown(one).startswith("10.")
        )
        alice.click(field)
        alice.wait(
            lambda: (
                [parse_link(one) for one in scanned()] == [Link(Address("10.0.0.2", running.port), link.key)]
            )
        )
        alice.key("Escape")
        alice.wait(lambda: "Copy link" not in alice.labels)


def shown(entry: tk.Misc) -> str:
    return str(entry.tk.call(str(entry), "get"))


def clipboard_of(person: Person) -> str:
    """What another program gets by pasting while the window works."""
    return person.root.clipboard_get()


def test_a_link_that_is_pasted_connects_to_the_server_with_its_key_and_to_no_other(
    server: ServerProcess,
) -> None:
    key = ServerKey(server.started.text("key"))
    with Person(port=1) as alice:
        alice.vm.form.set_user("alice")
        for expected in (ServerKey("ab" * 32), key):
            alice.root.clipboard_clear()
            alice.root.clipboard_append(str(Link(Address("127.0.0.1", server.port), expected)))
            alice.window._login._server.entry.focus_force()
            alice.key("ctrl+a", "ctrl+v", "Return")
            if expected != key:
                alice.wait(lambda: "not the one that was announced" in alice.vm.form.state.server_error)
        alice.wait(lambda: alice.title == "Twocans – alice")
        assert alice.vm.form.state.server == f"127.0.0.1:{server.port}"


def test_the_log_is_shown_as_it_grows_with_its_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, script = tmp_path / "opened", tmp_path / "browser"
    script.write_text(f'#!{sys.executable}\nimport sys\nopen({str(noted)!r}, "w").write(sys.argv[1])\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s")
    with Person(port=1) as alice:
        hosts(alice)
        shows_its_server(alice)
        alice.wait(lambda: "alice joined (1 online)" in text_in_dialog(alice))
        with PlainPeer(read(folder).port, "bob", tls=client_context()):
            alice.wait(lambda: "bob joined (2 online)" in text_in_dialog(alice))
            alice.wait(lambda: any(label.startswith("2 people online") for label in alice.labels))
        alice.click_on("Copy log")
        assert clipboard_of(alice) == text_in_dialog(alice)
        alice.click_on("Open folder")
        alice.wait(lambda: noted.exists() and noted.read_text() == folder.as_uri())


def test_the_dialog_survives_another_look_and_size() -> None:
    with Person(port=1) as alice:
        hosts(alice)
        shows_its_server(alice)
        alice.wait(lambda: "alice joined" in text_in_dialog(alice))
        alice.window._set_look(Look.DARK)
        alice.window._resize_text(2)
        alice.wait(lambda: "alice joined" in text_in_dialog(alice))


def test_stopping_it_asks_where_others_are_and_leads_back_to_the_login(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        number = read(folder).pid
        with PlainPeer(read(folder).port, "bob", tls=client_context()):
            alice.wait(lambda: alice.vm.hosting.others == 1)
            shows_its_server(alice)
            alice.click_on("Stop server")
            alice.await_dialog("Stop your server?")
            assert "1 other person is connected. Stopping the server ends their chat." in alice.labels
            alice.key("Escape")
            alice.wait(lambda: "Stop your server?" not in alice.labels)
            alice.click_on("Stop server")
            alice.await_dialog("Stop your server?")
            alice.click_on("Stop it")
            alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
        assert alice.vm.form.state.message == "Your server has stopped."
        assert START in alice.labels
        alice.wait(lambda: not psutil.pid_exists(number))


def test_one_that_ends_by_itself_is_told_with_the_last_line_of_its_log(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        alice.window.act(alice.vm.back_to_login)
        os.kill(read(folder).pid, signal.SIGKILL)
        alice.wait(lambda: alice.vm.hosting.problem)
        assert alice.vm.hosting.problem in alice.labels
        assert "alice" in alice.vm.hosting.problem.rpartition(": ")[2] or "gone" in alice.vm.hosting.problem
        alice.click_on(START)
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_a_taken_port_is_told_with_a_way_to_who_has_it(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOCANS_PORT", str(server.port))
    with Person(port=1) as alice:
        alice.vm.form.set_user("alice")
        alice.window.refresh()
        alice.click_on(START)
        alice.wait(lambda: alice.vm.hosting.problem)
        assert alice.vm.hosting.problem in alice.labels
        assert f"Start on port {server.port + 1}" in alice.labels
        alice.click_on("Connect to it")
        alice.wait(lambda: alice.title == "Twocans – alice")
        server.event("user_registered", user="alice")


def test_where_it_cannot_start_the_server_says_why(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("")
    with Person(port=1) as alice:
        alice.click_on(START)
        alice.wait(lambda: alice.vm.hosting.problem)
        assert alice.vm.hosting.problem.startswith(f"The server could not start. The folder {folder} cannot")
        assert alice.vm.hosting.problem in alice.labels
        assert START in alice.labels
    folder.unlink()


# --- closing the window ----------------------------------------------------------------------------------


def window_of(tmp_path: Path) -> ClientProcess:
    return ClientProcess(tmp_path / "window", "--server", "127.0.0.1:1", "--user", "alice")


def starts_one(window: ClientProcess) -> None:
    """The connect button has the focus at first, and that for the server comes next."""
    window.key("Tab", "Return")
    window.title_is("Twocans – alice")


def asks(window: ClientProcess) -> None:
    """Wait until the question has the keyboard."""
    window.wait(
        lambda: (
            xdotool("getwindowname", xdotool("getwindowfocus").strip()).strip() == "Your server – Twocans"
        ),
        "question",
    )


def test_closing_keeps_the_server_if_that_is_wanted_and_the_next_window_finds_it(
    folder: Path, tmp_path: Path
) -> None:
    with window_of(tmp_path) as alice:
        starts_one(alice)
        alice.key("ctrl+q")
        asks(alice)
        xdotool("key", "Return")
        assert alice.quits() == 0
    running = read(folder)
    with PlainPeer(running.port, "bob", tls=client_context()), Person(port=1) as alina:
        alina.wait(lambda: alina.vm.hosting.runs)
        assert "Your server runs on this computer." in alina.labels
        alina.vm.form.set_user("alina")
        alina.click_on("Connect to it")
        alina.wait(lambda: alina.title == "Twocans – alina")
        assert alina.names == ["bob"]


def test_closing_stops_the_server_if_that_is_wanted(folder: Path, tmp_path: Path) -> None:
    with window_of(tmp_path) as alice:
        starts_one(alice)
        number = read(folder).pid
        alice.key("ctrl+q")
        asks(alice)
        xdotool("key", "Left", "Return")
        assert alice.quits() == 0, alice.failure()
    assert not (folder / RUNNING_FILE).exists()
    if psutil.pid_exists(number):
        psutil.Process(number).wait(START_S)


def test_who_thinks_better_of_closing_keeps_both(folder: Path, tmp_path: Path) -> None:
    with window_of(tmp_path) as alice:
        starts_one(alice)
        for keys in (("Escape",), ("Left", "Left", "Return")):
            alice.key("ctrl+q")
            asks(alice)
            xdotool("key", "--delay", "30", *keys)
            alice.wait(lambda: alice.is_in_front, "focus")
        assert psutil.pid_exists(read(folder).pid)


def test_a_window_that_is_killed_leaves_the_server_to_the_next_one(folder: Path, tmp_path: Path) -> None:
    with window_of(tmp_path) as alice:
        starts_one(alice)
        alice.process.kill()
        alice.process.wait()
    assert psutil.pid_exists(read(folder).pid)
    with Person(port=1) as alina:
        alina.wait(lambda: alina.vm.hosting.runs)
        alina.click_on("Your server …")
        alina.await_dialog("Your server is running")
        alina.click_on("Stop server")
        alina.wait(lambda: START in alina.labels)


def test_a_server_at_a_console_is_shown_and_does_not_keep_the_window_from_closing(
    folder: Path, tmp_path: Path
) -> None:
    with ServerProcess(data=folder, forked=True) as server:
        with Person(port=1) as alice:
            alice.wait(lambda: alice.vm.hosting.runs)
            alice.click_on("Your server …")
            alice.await_dialog("Your server is running")
            assert "It was started in a terminal, which shows its log." in alice.labels
        arguments = ("--server", f"localhost:{server.port}", "--user", "alice", "--connect")
        with ClientProcess(tmp_path / "window", *arguments) as window:
            window.title_is("Twocans – alice")
            window.key("ctrl+q")
            assert window.quits() == 0
        assert server.process.poll() is None
