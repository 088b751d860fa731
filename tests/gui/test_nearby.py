"""Servers that are found: real announcements, heard over the loopback network, and real logins."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from subprocess import PIPE, Popen

import pytest

from tests.gui.harness import Person
from tests.support.process import START_S, Output, ServerProcess, environment
from twocans.client import Address, Nearby, NearbyServer, Search, ServerKey
from twocans.client.nearby import Networks
from twocans.gui.backend.settings import SettingsFile, config_dir
from twocans.gui.viewmodel.inputs import (
    ServersNearby,
)
from twocans.gui.viewmodel.state import Screen

ROGUE_KEY = "ab" * 32


def loopback() -> Networks:
    return {"127.0.0.1": IPv4Network("127.0.0.0/8")}


@contextmanager
def announced(port: int, key: str, *, online: int = 3) -> Iterator[str]:
    """A server that is announced to this computer alone, under a name of its own."""
    name = f"Server {uuid.uuid4().hex[:8]}"
    said = ("v=1", f"key={key}", f"name={name}", "invite=1", "tls=offered", f"online={online}")
    command = [sys.executable, "-m", "tests.support.announcing", "127.0.0.1", str(port), name, *said]
    paths = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    with Popen(command, env=environment() | paths, stdout=PIPE) as process:
        try:
            Output(process.stdout).wait_for(lambda line: line == "announced", START_S)
            yield name
        finally:
            process.kill()


def listed(person: Person, name: str) -> list[str]:
    """What the list says, once this server is in it."""
    person.wait(lambda: name in person.servers)
    return person.servers


def test_a_click_on_a_server_nearby_connects(server: ServerProcess) -> None:
    with (
        announced(server.port, server.started.text("key")) as name,
        Person(port=1, networks=loopback) as alice,
    ):
        alice.vm.form.set_user("alice")
        alice.window.refresh()
        said = listed(alice, name)
        assert said[said.index(name) - 1] == "3 online"
        assert said[said.index(name) + 1] == f"127.0.0.1:{server.port}"
        alice.click_on(name)
        alice.wait(lambda: alice.title == "Twocans – alice")
        assert alice.vm.server is not None
        assert alice.vm.server.address == f"127.0.0.1:{server.port}"


def test_without_a_name_a_server_nearby_is_filled_in_and_the_name_asked_for(server: ServerProcess) -> None:
    with (
        announced(server.port, server.started.text("key")) as name,
        Person(port=1, networks=loopback) as alice,
    ):
        listed(alice, name)
        alice.click_on(name)
        assert alice.vm.form.state.server == f"127.0.0.1:{server.port}"
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_the_keyboard_alone_reaches_a_server_nearby(server: ServerProcess) -> None:
    with (
        announced(server.port, server.started.text("key")) as name,
        Person(port=1, networks=loopback) as alice,
    ):
        listed(alice, name)
        alice.write("alice")
        for _ in range(6):
            if alice.root.focus_get() is alice.server_canvas:
                break
            alice.key("Tab")
        assert alice.root.focus_get() is alice.server_canvas
        alice.key("Home")
        # Other tests announce servers here, too.
        while next(row.name for row in alice.vm.nearby.rows if row.key == alice.vm.nearby.selected) != name:
            before = alice.vm.nearby.selected
            alice.key("Down")
            alice.wait(lambda before=before: alice.vm.nearby.selected != before)  # type: ignore[misc]  # a default binds early
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_a_server_that_has_not_the_announced_key_is_not_connected_to(server: ServerProcess) -> None:
    with announced(server.port, ROGUE_KEY) as name, Person(port=1, networks=loopback) as alice:
        alice.vm.form.set_user("alice")
        listed(alice, name)
        alice.click_on(name)
        alice.wait(lambda: alice.vm.form.state.server_error)
        assert "not the one that was announced" in alice.vm.form.state.server_error
        assert alice.vm.screen is Screen.LOGIN
        assert not [event for event in server.events() if event.verb == "user_registered"]


def test_where_nothing_can_be_looked_for_the_window_says_so_and_an_address_works(
    server: ServerProcess,
) -> None:
    with Person(port=server.port, networks=dict) as alice:
        alice.wait(lambda: "not connected to a network" in alice.vm.nearby.text)
        assert alice.vm.nearby.text in alice.labels
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_the_servers_used_last_are_offered_at_the_next_start_until_they_are_forgotten(
    server: ServerProcess,
) -> None:
    address = f"localhost:{server.port}"
    with Person(port=1, networks=dict) as alice:
        assert alice.servers == []
        alice.vm.form.set_server(address)
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")
    (recent,) = SettingsFile(config_dir()).load()[0].recent
    assert (recent.address, recent.user, recent.key) == (address, "alice", server.started.text("key"))
    with Person(port=1, networks=dict) as alice:
        assert alice.servers == ["Recent", address, "as alice"]
        alice.click_on(address)
        alice.wait(lambda: alice.title == "Twocans – alice")
    with Person(port=1, networks=dict) as alice:
        alice.server_canvas.focus_force()
        alice.key("Delete")
        alice.wait(lambda: alice.servers == [])
        assert SettingsFile(config_dir()).load()[0].recent == []


def test_a_click_on_the_cross_forgets_a_server_and_connects_to_none(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice", networks=dict) as alice:
        alice.wait(lambda: alice.title == "Twocans – alice")
    with Person(port=1, networks=dict) as alice:
        canvas = alice.server_canvas
        _, top, _, bottom = canvas.bbox(canvas.find_all()[-1])
        alice.click(canvas, canvas.winfo_width() - alice.window._theme.em(0.9), (top + bottom) // 2)
        alice.wait(lambda: alice.servers == [])
        assert not alice.vm.form.state.connecting


def many_servers() -> ServersNearby:
    servers = tuple(
        NearbyServer(
            name=f"Server {number}",
            address=Address("192.0.2.1", number + 1),
            key=ServerKey(f"{number:064x}"),
            invite=True,
            online=number,
            seen_at=0.0,
        )
        for number in range(40)
    )
    return ServersNearby(Nearby(Search.DONE, servers))


def test_more_servers_than_there_is_room_for_can_be_scrolled_to() -> None:
    with Person(port=1, networks=dict) as alice:
        alice.wait(lambda: "not connected to a network" in alice.vm.nearby.text)
        alice.window.take([many_servers()])
        canvas = alice.server_canvas
        alice.wait(canvas.winfo_viewable)
        canvas.focus_force()
        alice.key("End")
        alice.wait(lambda: alice.vm.nearby.selected == alice.vm.nearby.rows[-1].key)
        alice.wait(lambda: canvas.canvasy(canvas.winfo_height()) >= canvas.bbox("all")[3])
        assert canvas.canvasy(0) > 0


@pytest.mark.parametrize("size", [(960, 660), (430, 700), (430, 480)])
def test_the_list_leaves_the_form_whole(size: tuple[int, int]) -> None:
    with Person(port=1, networks=dict) as alice:
        alice.wait(lambda: "not connected to a network" in alice.vm.nearby.text)
        alice.window.take([many_servers()])
        alice.root.geometry(f"{size[0]}x{size[1]}")
        alice.wait(lambda: (alice.root.winfo_width(), alice.root.winfo_height()) == size)
        canvas = alice.server_canvas
        card = alice.root.nametowidget(canvas.winfo_parent()).master
        assert card is not None
        alice.wait(lambda: card.winfo_y() >= 0 and card.winfo_y() + card.winfo_height() <= size[1])
        assert canvas.winfo_viewable()
