"""Row 3: the login, with a real server and real keys."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from tests.gui.harness import ClientProcess, Person
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.viewmodel.state import Screen


def test_typing_server_and_name_and_pressing_enter_logs_in(server: ServerProcess) -> None:
    with Person(port=1) as alice:
        alice.wait(lambda: alice.vm.form.state.user == "")
        alice.key("shift+Tab")  # from the name to the server, whose text is then selected
        alice.write(f"localhost:{server.port}")
        alice.key("Tab")
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alice")
        server.event("user_registered", user="alice")
        assert "you are online" in alice.labels


def test_the_server_field_is_filled_in_with_localhost_at_first(tmp_path: Path) -> None:
    with Person(port=1) as alice:
        alice.window.quit()
        alice.closed = True
    from twocans.gui.app import Application

    application = Application(search=False)
    assert application.vm.form.state.server == "localhost"
    application.window.quit()


def test_a_name_in_use_is_told_beside_the_name_and_another_one_works(server: ServerProcess) -> None:
    with PlainPeer(server.port, "alice"), Person(port=server.port) as alice:
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.vm.form.state.user_error)
        assert alice.vm.form.state.user_error in alice.labels
        assert alice.vm.screen is Screen.LOGIN
        alice.write("alina")  # the name is selected, so typing replaces it
        assert alice.vm.form.state.user == "alina"
        alice.key("Return")
        alice.wait(lambda: alice.title == "Twocans – alina")


def test_a_server_that_is_not_there_is_told_beside_the_server(server: ServerProcess) -> None:
    port = server.port
    server.stop()
    with Person(port=port) as alice:
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.vm.form.state.server_error)
        assert alice.vm.form.state.server_error in alice.labels
        assert not alice.vm.form.state.connecting


def test_while_connecting_the_window_lives_and_esc_gives_the_attempt_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Person(port=silent.getsockname()[1]) as alice:
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.vm.form.state.connecting)
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(10)
            assert "Cancel" in alice.labels
            beats: list[float] = []

            def beat() -> None:
                beats.append(time.monotonic())
                alice.root.after(5, beat)

            beat()
            alice.wait(lambda: len(beats) > 20)
            alice.key("Escape")
            alice.wait(lambda: not alice.vm.form.state.connecting)
            assert "Connect" in alice.labels
            while connection.recv(4096):  # what was said, and then the end: nobody waits for an answer
                pass


def test_cancel_can_be_clicked_and_connecting_again_works(server: ServerProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Person(port=silent.getsockname()[1]) as alice:
        alice.write("alice")
        alice.click_on("Connect")
        alice.wait(lambda: alice.vm.form.state.connecting)
        alice.click_on("Cancel")
        assert not alice.vm.form.state.connecting
        alice.vm.form.set_server(f"127.0.0.1:{server.port}")
        alice.window.refresh()
        alice.click_on("Connect")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_the_options_for_shortcuts_fill_in_the_form_and_connect(
    server: ServerProcess, tmp_path: Path
) -> None:
    address = f"localhost:{server.port}"
    with ClientProcess(tmp_path / "a", "--server", address, "--user", "alice") as filled:
        filled.title_is("Twocans")
        filled.key("Return")
        filled.title_is("Twocans – alice")
        filled.key("ctrl+q")
        assert filled.quits() == 0
    with ClientProcess(tmp_path / "b", "--server", address, "--user", "bob", "--connect") as connected:
        connected.title_is("Twocans – bob")


def test_the_last_login_is_filled_in_after_a_restart(server: ServerProcess, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with ClientProcess(
        folder, "--server", f"localhost:{server.port}", "--user", "alice", "--connect"
    ) as first:
        first.title_is("Twocans – alice")
        first.key("ctrl+q")
        assert first.quits() == 0
    server.event("session_closed", user="alice", reason="left")
    with ClientProcess(folder) as second:
        second.title_is("Twocans")
        second.key("Return")
        second.title_is("Twocans – alice")


def test_no_screen_is_told_in_a_sentence(tmp_path: Path) -> None:
    with ClientProcess(tmp_path / "a", extra={"DISPLAY": ":987"}, shows=False) as client:
        assert client.quits() == 1
    said = (tmp_path / "a" / "stderr").read_text()
    assert said.strip() == (
        "There is no screen to open a window on. Please start Twocans from a desktop session."
    )
