"""Which server it is and who can read along: keys, invites, marks, with real servers and real keys pressed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gui.harness import ClientProcess, Person
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from tests.support.tls import client_context
from twocans.gui.viewmodel.presentation import NOT_ENCRYPTED
from twocans.gui.viewmodel.state import Screen
from twocans.protocol.keys import ServerKey, readable_key

QUESTION = "The key that the server's console shows now"


def key_of(server: ServerProcess) -> str:
    """The server's key as its console shows it."""
    return readable_key(ServerKey(server.started.text("key")))


@contextmanager
def server_set_up_anew() -> Iterator[tuple[Person, ServerProcess, str]]:
    """Somebody at the question about a key that has changed since their last login; the key before."""
    with ServerProcess(forked=True) as first, Person(port=first.port, user="alice") as alice:
        before = key_of(first)
        alice.key("ctrl+l")
        alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
        first.kill()
        with ServerProcess(port=first.port, forked=True) as second:
            alice.key("Return")
            alice.await_dialog(QUESTION)
            yield alice, second, before


def registrations(server: ServerProcess) -> list[str]:
    return [event.verb for event in server.events() if event.verb == "user_registered"]


def test_the_key_of_a_new_server_is_told_and_found_again_under_security(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        assert key_of(server) in alice.labels
        alice.click_on("Close")
        assert key_of(server) not in alice.labels
        alice.key("ctrl+i")
        alice.await_dialog(key_of(server))
        alice.click_on("Copy")
        assert "Copied" in alice.labels
        assert alice.root.clipboard_get() == key_of(server)
        alice.key("Escape")
        assert key_of(server) not in alice.labels
    with Person(port=server.port, user="alice") as alice:
        assert key_of(server) not in alice.labels


def test_an_invite_is_asked_for_beside_the_name_and_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOCANS_INVITE", "come-in-please")
    with ServerProcess(forked=True) as server, Person(port=server.port) as alice:
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: "Invite code" in alice.labels)
        alice.write("let-me-in")
        alice.key("Return")
        alice.wait(lambda: alice.vm.form.state.secret_error)
        assert alice.vm.form.state.secret_error in alice.labels
        alice.write("come-in-please")  # what was wrong is selected, so typing replaces it
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")
        assert "Invite code" not in alice.labels


def test_a_changed_key_is_told_with_the_key_before_and_escape_connects_to_nothing() -> None:
    with server_set_up_anew() as (alice, server, before):
        assert before in alice.labels
        assert not any(key_of(server) in label for label in alice.labels)
        alice.key("Escape")
        alice.wait(lambda: QUESTION not in alice.labels)
        assert alice.vm.key_change is None
        assert alice.vm.form.state.server_error in alice.labels
        assert not registrations(server)


def test_enter_out_of_habit_connects_to_nothing() -> None:
    with server_set_up_anew() as (alice, server, _):
        alice.key("Return", "Return")
        alice.wait(lambda: alice.vm.key_change is not None or "Connect" in alice.labels)
        assert alice.vm.screen is Screen.LOGIN
        assert not registrations(server)


def test_another_key_than_the_servers_does_nothing_whatever_is_pressed() -> None:
    with server_set_up_anew() as (alice, server, before):
        alice.key("shift+Tab")  # from "Do not connect" to the field, past the button that cannot be pressed
        alice.write(before)
        assert alice.vm.key_change is not None
        assert alice.vm.key_change.typed == before
        alice.key("Return")
        alice.wait(lambda: "That is not the key of what answers there. Do not connect." in alice.labels)
        assert alice.vm.key_change is not None
        assert not alice.vm.form.state.connecting
        assert not registrations(server)


def test_the_key_from_the_servers_console_lets_the_connection_go_on_and_is_kept() -> None:
    with server_set_up_anew() as (alice, server, _):
        alice.key("shift+Tab")
        alice.write(key_of(server).lower().replace("-", " "))
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")
        server.event("user_registered", user="alice")
        alice.key("ctrl+l")
        alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_nothing_else_in_the_window_can_be_used_while_that_is_asked() -> None:
    with server_set_up_anew() as (alice, server, _):
        button = next(
            widget
            for widget in alice._widgets()
            if widget.winfo_class() == "TButton"
            and str(widget.cget("text")) == "Connect"
            and widget.winfo_toplevel() is alice.root
        )
        assert str(alice.root.tk.call("grab", "current")) != ""
        alice.click(button, 5, 5)
        assert not alice.vm.form.state.connecting
        assert not registrations(server)


def test_a_key_that_changes_during_a_lost_connection_asks_before_anything_is_sent() -> None:
    with ServerProcess(forked=True) as first, Person(port=first.port, user="alice") as alice:
        first.kill()
        alice.wait(lambda: alice.vm.banner is not None)
        with ServerProcess(port=first.port, forked=True) as second:
            alice.await_dialog(QUESTION)
            assert alice.vm.screen is Screen.LOGIN
            assert not registrations(second)
            alice.key("shift+Tab")
            alice.write(key_of(second))
            alice.key("Return")
            alice.wait(lambda: alice.title == "Twocans – alice")


def test_a_start_that_connects_at_once_accepts_no_key_by_itself(tmp_path: Path) -> None:
    arguments = ("--user", "alice", "--connect", "--server")
    with ServerProcess(forked=True) as first:
        with ClientProcess(tmp_path / "a", *arguments, f"127.0.0.1:{first.port}") as alice:
            alice.title_is("Twocans – alice")
            alice.key("ctrl+q")
            assert alice.quits() == 0
        first.kill()
        with ServerProcess(port=first.port, forked=True) as second:
            with Person(port=second.port, user="carol"):
                pass
            folder = tmp_path / "a"
            with ClientProcess(folder, *arguments, f"127.0.0.1:{second.port}") as alice:
                second.event("never_registered")
                assert registrations(second) == ["user_registered"]


def test_who_is_there_without_encryption_is_marked_and_that_is_said_before_one_writes(
    server: ServerProcess,
) -> None:
    with Person(port=server.port, user="alice") as alice:
        with PlainPeer(server.port, "bob"), PlainPeer(server.port, "carol", tls=client_context()):
            alice.wait(lambda: len(alice.names) == 2)
            assert len(alice.list_canvas.find_withtag("lock")) == 1
            alice.click_on("carol")
            assert "online" in [label.strip() for label in alice.labels]
            alice.click_on("bob")
            assert f"online · {NOT_ENCRYPTED}" in [label.strip() for label in alice.labels]
            assert "Others on the network can read what you write here." in alice.labels
            alice.write("hello")
            alice.key("Return")
            assert "Others on the network can read what you write here." not in alice.labels
        alice.wait(lambda: not alice.list_canvas.find_withtag("lock"))


def test_a_proof_that_cannot_be_kept_is_told_and_that_stands_under_security(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TWOCANS_DATA_DIR", str(tmp_path / "file"))
    with Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: any("the proof that your name is yours" in label for label in alice.labels))
        alice.wait(lambda: alice.vm.server is not None and alice.vm.server.problem)
        assert alice.vm.server is not None
        alice.key("ctrl+i")
        alice.await_dialog(alice.vm.server.problem)
