"""Operating one's own server from the window: real processes, real keys and clicks."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator
from pathlib import Path
from tkinter import ttk

import pytest

from tests.gui.harness import Person
from tests.gui.own_server import hosts, own_server, read, scanned, shows_its_server
from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer, Peer, PlainPeer, encode
from tests.support.tls import client_context
from twocans.client import Address, Link, ServerKey
from twocans.gui.backend.settings import Look
from twocans.gui.viewmodel.inputs import ServerTold
from twocans.gui.views.host_pages import BansPage


@pytest.fixture(autouse=True)
def folder(_own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this user's server, which ends with the test."""
    yield from own_server(monkeypatch)


def lists(host: Person, *names: str) -> None:
    """Wait until the window about the server has these people, after the host."""
    wanted = ["alice (you)", *names]
    host.wait(lambda: [one for one in host.labels if one in wanted][-len(wanted) :] == wanted)


def opens_menu(host: Person, name: str) -> None:
    """Open the menu of somebody who is connected, with the keyboard."""
    rows = [one for one in host._widgets() if one.winfo_class() == "TFrame" and _name(one) == name]
    button = next(one for one in rows[0].winfo_children() if isinstance(one, ttk.Button))
    button.focus_set()
    host.key("space")


def _name(row: tk.Misc) -> str:
    """The name on a row, if it is one."""
    labels = [one for one in row.winfo_children() if isinstance(one, ttk.Label)]
    button = any(isinstance(one, ttk.Button) for one in row.winfo_children())
    return str(labels[1].cget("text")) if button and len(labels) == 3 else ""


def hello(port: int, name: str, **fields: str) -> str:
    """Return the answer to a HELLO."""
    with Peer(port, tls=client_context()) as peer:
        peer.send_line(encode("HELLO", user=name, agent="test", **fields))
        return peer.read_line()


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
def test_the_host_sees_first_how_others_join_until_somebody_has(folder: Path, look: Look) -> None:
    with Person(port=1) as alice:
        alice.window._set_look(look)
        hosts(alice)
        running = read(folder)
        alice.window.take([ServerTold(1, ("192.168.1.5",))])
        address = f"192.168.1.5:{running.port}"
        alice.wait(lambda: {"Others can join with", address} <= set(alice.labels))
        assert any(address in text for text in alice.drawn)
        alice.click_on("Copy address")
        assert alice.root.clipboard_get() == address
        alice.click_on("Show QR code")
        alice.await_dialog("Your server is running")
        link = Link(Address("192.168.1.5", running.port), ServerKey(running.key))
        alice.wait(lambda: scanned() == [str(link)])
        alice.key("Escape")
        with PlainPeer(running.port, "bob", tls=client_context()):
            alice.wait(lambda: "Choose somebody to chat with" in alice.labels)
            assert address not in alice.labels


def test_somebody_is_kicked_with_the_keyboard_and_told_why(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        with JsonPeer(read(folder).port, "bob", tls=client_context()) as bob:
            shows_its_server(alice)
            lists(alice, "bob")
            opens_menu(alice, "bob")
            alice.choose("Kick")
            alice.await_dialog("Kick bob?")
            alice.write("too loud")
            alice.key("Return")
            alice.wait(lambda: "bob was kicked." in alice.labels)
            assert "too loud" in bob.expect_closed()[-1]
        alice.wait(lambda: "bob" not in alice.labels)


def test_somebody_who_leaves_meanwhile_cannot_be_kicked_and_the_host_is_told(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        with JsonPeer(read(folder).port, "bob", tls=client_context()):
            shows_its_server(alice)
            lists(alice, "bob")
            opens_menu(alice, "bob")
            alice.choose("Kick")
            alice.await_dialog("Kick bob?")
        alice.wait(lambda: len(alice.vm.operating.people) == 1)
        alice.key("Return")
        alice.wait(lambda: "bob is not online." in alice.labels)
        alice.key("Escape")
        alice.await_dialog("Your server is running")


def test_a_device_is_banned_and_let_in_again(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        port = read(folder).port
        with JsonPeer(port, "bob", tls=client_context()) as bob:
            shows_its_server(alice)
            lists(alice, "bob")
            opens_menu(alice, "bob")
            alice.choose("Ban")
            alice.await_dialog("Ban bob?")
            alice.wait(lambda: any(one.startswith("They can come back under") for one in alice.labels))
            alice.key("Down")
            alice.wait(lambda: any("everybody on it would be shut out" in one for one in alice.labels))
            alice.key("Down", "Tab")
            alice.write("lost")
            alice.key("Return")
            alice.wait(lambda: any("is banned. One session has ended." in one for one in alice.labels))
            bob.expect_closed()
        assert "This device is banned from this server: lost" in hello(port, "bob", token=bob.token)
        alice.wait(lambda: "Bans (1) …" in alice.labels)
        alice.click_on("Bans (1) …")
        alice.wait(lambda: "Unban" in alice.labels)
        alice.click_on("Unban")
        alice.wait(lambda: "Nobody is banned." in alice.labels)
        page = next(widget for widget in alice._widgets() if isinstance(widget, BansPage))
        alice.wait(lambda: page._rows.winfo_height() == 1)
        assert hello(port, "bob", token=bob.token).startswith("WELCOME: ")


def test_a_ban_of_what_is_no_address_is_refused_with_a_sentence(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        shows_its_server(alice)
        alice.click_on("Bans …")
        alice.wait(lambda: "Ban something …" in alice.labels)
        alice.click_on("Ban something …")
        alice.await_dialog("Ban a name, address or device")
        alice.write("999.1.1.1")
        alice.key("shift+Tab", "Up", "Tab", "Tab", "Return", "Return")
        said = "999.1.1.1 is not an IPv4 address, or a network such as 192.168.7.0/24."
        alice.wait(lambda: said in alice.labels)
        alice.key("Escape")
        alice.wait(lambda: "Nobody is banned." in alice.labels)


def test_everybody_gets_a_message(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        with JsonPeer(read(folder).port, "bob", tls=client_context()) as bob:
            shows_its_server(alice)
            alice.click_on("Message to everybody …")
            alice.await_dialog("Message to everybody")
            alice.write("Tea")
            alice.key("shift+Return")
            alice.write("is ready")
            alice.key("Return")
            alice.wait(lambda: "Sent to 2 people." in alice.labels)
            told = bob.expect("MSG")
            assert (told["from"], told["text"]) == ("Server", "Tea\nis ready")


def test_a_name_that_is_not_online_gets_a_code_and_is_freed(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        port = read(folder).port
        with JsonPeer(port, "carol", tls=client_context()):
            pass
        shows_its_server(alice)
        alice.click_on("Offline names …")
        alice.await_dialog("Names and their devices")
        alice.write("nobody")
        alice.key("Return")
        alice.wait(lambda: "There is nobody called nobody here." in alice.labels)
        alice.key("ctrl+a")
        alice.write("Carol")
        alice.key("Return")
        alice.wait(lambda: "carol belongs to 1 device." in alice.labels)
        alice.click_on("Give a code …")
        alice.await_dialog("Give a code for Carol?")
        alice.key("Return")
        alice.wait(lambda: alice.vm.operating.code)
        alice.wait(lambda: alice.vm.operating.code in alice.labels)
        alice.click_on("Copy")
        assert alice.root.clipboard_get() == alice.vm.operating.code
        assert hello(port, "carol", secret=alice.vm.operating.code).startswith("WELCOME: ")
        alice.key("Escape")
        alice.await_dialog("Names and their devices")
        alice.click_on("Free the name …")
        alice.await_dialog("Free the name Carol?")
        alice.key("Left", "Return")
        alice.wait(lambda: any(one.startswith("carol is free.") for one in alice.labels))
        with PlainPeer(port, "carol") as anybody:
            assert "carol" in anybody.users


def test_devices_of_somebody_are_shown_from_their_menu(folder: Path) -> None:
    with Person(port=1) as alice:
        hosts(alice)
        with JsonPeer(read(folder).port, "bob", tls=client_context()):
            shows_its_server(alice)
            lists(alice, "bob")
            opens_menu(alice, "bob")
            alice.choose("Devices")
            alice.wait(lambda: "bob belongs to 1 device." in alice.labels)
            alice.wait(lambda: any(one.startswith("test · ") for one in alice.labels))
            (shown,) = [one.splitlines() for one in alice.labels if one.startswith("test · ")]
            assert shown[0].endswith("· online")
            assert shown[1].startswith("Connected by its device · 127.0.0.1 · since ")


def test_a_server_at_a_console_is_operated_before_and_after_it_starts_again(folder: Path) -> None:
    with ServerProcess(data=folder, forked=True) as server:
        port = server.port
        alice = Person(port=port, user="alice")
        try:
            alice.wait(lambda: alice.vm.hosting.runs)
            shows_its_server(alice)
            lists(alice)
            alice.wait(lambda: "It was started in a terminal, which shows its log." in alice.labels)
            assert server.stop() == 0
            alice.wait(lambda: not alice.vm.hosting.runs)
        except BaseException:
            alice.close()
            raise
    with alice, ServerProcess(data=folder, port=port, forked=True):
        alice.wait(lambda: alice.vm.connected and alice.vm.hosting.runs)
        with JsonPeer(port, "bob", tls=client_context()) as bob:
            shows_its_server(alice)
            lists(alice, "bob")
            opens_menu(alice, "bob")
            alice.choose("Kick")
            alice.await_dialog("Kick bob?")
            alice.key("Return")
            alice.wait(lambda: "bob was kicked." in alice.labels)
            bob.expect_closed()


def test_pages_fit_and_their_fields_come_into_view_at_the_largest_text(folder: Path) -> None:
    with Person(port=1) as alice:
        alice.window._set_text_size(2.0)
        hosts(alice)
        shows_its_server(alice)
        alice.window.act(alice.vm.operating.ask_typed_ban)
        alice.await_dialog("Ban a name, address or device")
        dialog = next(one for one in alice.root.winfo_children() if one.winfo_class() == "Toplevel")
        for _ in range(8):
            alice.key("Tab")
            focus = alice.root.focus_get()
            assert focus is not None
            alice.wait(focus.winfo_viewable)
            assert dialog.winfo_rooty() <= focus.winfo_rooty()
            assert focus.winfo_rooty() + focus.winfo_height() <= alice.root.winfo_screenheight()
