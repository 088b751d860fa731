"""Servers that are found: real announcements, heard over the loopback network, and real logins."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from subprocess import PIPE, Popen

from tests.gui.harness import Person
from tests.support.process import START_S, Output, ServerProcess, environment
from twocans.client.nearby import Networks
from twocans.gui.settings import SettingsFile, config_dir
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


def button(person: Person, name: str) -> str:
    """What stands on the button of a server, once there is one."""
    person.wait(lambda: [label for label in person.labels if label.startswith(name)])
    return next(label for label in person.labels if label.startswith(name))


def test_a_click_on_a_server_nearby_connects(server: ServerProcess) -> None:
    with (
        announced(server.port, server.started.text("key")) as name,
        Person(port=1, networks=loopback) as alice,
    ):
        alice.vm.form.set_user("alice")
        alice.window.refresh()
        said = button(alice, name)
        assert said == f"{name} · 3 online, invite needed"
        alice.click_on(said)
        alice.wait(lambda: alice.title == "Twocans – alice")
        assert alice.vm.server is not None
        assert alice.vm.server.address == f"127.0.0.1:{server.port}"


def test_without_a_name_a_server_nearby_is_filled_in_and_the_name_asked_for(server: ServerProcess) -> None:
    with (
        announced(server.port, server.started.text("key")) as name,
        Person(port=1, networks=loopback) as alice,
    ):
        alice.click_on(button(alice, name))
        assert alice.vm.form.state.server == f"127.0.0.1:{server.port}"
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_the_keyboard_alone_reaches_a_server_nearby(server: ServerProcess) -> None:
    with (
        announced(server.port, server.started.text("key")) as name,
        Person(port=1, networks=loopback) as alice,
    ):
        said = button(alice, name)
        alice.write("alice")

        def focused() -> str:
            widget = alice.root.focus_get()
            return (
                str(widget.cget("text")) if widget is not None and widget.winfo_class() == "TButton" else ""
            )

        for _ in range(12):
            if focused() == said:
                break
            alice.key("Tab")
        assert focused() == said
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_a_server_that_has_not_the_announced_key_is_not_connected_to(server: ServerProcess) -> None:
    with announced(server.port, ROGUE_KEY) as name, Person(port=1, networks=loopback) as alice:
        alice.vm.form.set_user("alice")
        alice.click_on(button(alice, name))
        alice.wait(lambda: alice.vm.form.state.server_error)
        assert "not the one that was announced" in alice.vm.form.state.server_error
        assert alice.vm.screen is Screen.LOGIN
        assert not [event for event in server.events() if event.verb == "user_registered"]


def test_where_nothing_can_be_looked_for_the_window_says_so_and_an_address_works(
    server: ServerProcess,
) -> None:
    with Person(port=server.port, networks=dict) as alice:
        alice.wait(lambda: "no network" in alice.vm.nearby.text())
        assert alice.vm.nearby.text() in alice.labels
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_the_servers_used_last_are_offered_at_the_next_start(server: ServerProcess, tmp_path: Path) -> None:
    address = f"localhost:{server.port}"
    with Person(port=1, networks=dict) as alice:
        assert "Recent …" not in alice.labels
        alice.vm.form.set_server(address)
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")
    assert SettingsFile(config_dir()).load()[0].recent == [address]
    with Person(port=1, networks=dict) as alice:
        alice.click_on("Recent …")
        alice.key("Down", "Return")
        alice.wait(lambda: alice.title == "Twocans – alice")
        assert alice.vm.server is not None
        assert alice.vm.server.address == address
