"""A second start of the program with the same profile."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

from tests.gui.harness import ClientProcess, Person
from tests.support.closed_streams import ALL, closing
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.app import SHOWN, SILENT


def start_again(folder: Path, *arguments: str, code: int = 0, prefix: Sequence[str] = ()) -> str:
    """Start the program with a profile whose window is open; returns what it says."""
    said = folder / "stderr"
    with ClientProcess(folder, *arguments, shows=False, prefix=prefix) as client:
        assert client.quits() == code, client.failure()
    return said.read_text()


def refused(server: ServerProcess) -> list[object]:
    return [event["user"] for event in server.events() if event.verb == "name_refused"]


def test_second_start_brings_the_open_window_to_the_front(server: ServerProcess, tmp_path: Path) -> None:
    options = ("--server", f"127.0.0.1:{server.port}", "--user", "frank", "--connect")
    folder = tmp_path / "a"
    with ClientProcess(folder, *options) as first, ClientProcess(tmp_path / "b") as other:
        first.title_is("Twocans – frank")
        other.activate()
        assert start_again(folder, *options) == f"{SHOWN}\n"
        first.wait(lambda: first.is_in_front, "focus")
        other.activate()
        assert start_again(folder) == f"{SHOWN}\n"
        first.wait(lambda: first.is_in_front, "focus")
        assert first.title == "Twocans – frank"
    assert refused(server) == []


def test_window_that_is_brought_to_the_front_keeps_its_focus(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.click(alice.composer)
        alice.window._raise()
        alice.write("typed on")
        assert alice.composer.get("1.0", "end-1c") == "typed on"


def test_second_start_hands_its_options_to_a_window_at_the_login(
    server: ServerProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    with ClientProcess(folder, "--server", "127.0.0.1:1", "--user", "grace") as first:
        address = f"127.0.0.1:{server.port}"
        assert start_again(folder, "--server", address, "--user", "frank", "--connect") == f"{SHOWN}\n"
        first.title_is("Twocans – frank")


def test_start_with_the_system_leaves_an_open_window_where_it_is(
    server: ServerProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    with ClientProcess(folder, "--user", "frank") as first, ClientProcess(tmp_path / "b") as other:
        other.activate()
        assert start_again(folder, "--connect", "--in-tray", "--server", f"127.0.0.1:{server.port}") == ""
        assert other.is_in_front
        # What a later start asks for comes after what this one has.
        start_again(folder)
        first.wait(lambda: first.is_in_front, "focus")
        assert first.title == "Twocans"


def test_second_start_without_standard_streams_ends_in_order(tmp_path: Path) -> None:
    with ClientProcess(tmp_path):
        assert start_again(tmp_path, prefix=closing(ALL)) == ""


def test_window_that_was_killed_keeps_no_start_from_its_window(tmp_path: Path) -> None:
    with ClientProcess(tmp_path / "a") as first:
        first.process.kill()
        first.process.wait()
    assert list((tmp_path / "a" / "data" / "windows").glob("*.json"))
    with ClientProcess(tmp_path / "a") as second:
        second.title_is("Twocans")


def test_window_that_has_ended_leaves_nothing_to_ask(tmp_path: Path) -> None:
    with ClientProcess(tmp_path / "a") as first:
        first.key("ctrl+q")
        assert first.quits() == 0, first.failure()
    assert list((tmp_path / "a" / "data" / "windows").glob("*.json")) == []


def test_window_that_hangs_is_told_and_another_one_can_be_opened(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with ClientProcess(folder) as first:
        first.process.send_signal(signal.SIGSTOP)
        assert start_again(folder, code=1) == f"{SILENT}\n"
        with ClientProcess(folder, "--new-window") as second:
            second.title_is("Twocans")
        first.process.send_signal(signal.SIGCONT)
        start_again(folder)
        first.wait(lambda: first.is_in_front, "focus")


def test_new_window_is_for_another_name(server: ServerProcess, tmp_path: Path) -> None:
    address = f"127.0.0.1:{server.port}"
    folder = tmp_path / "a"
    with ClientProcess(folder, "--server", address, "--user", "frank", "--connect") as first:
        first.title_is("Twocans – frank")
        options = ("--server", address, "--user", "grace", "--connect", "--new-window")
        with ClientProcess(folder, *options) as second:
            second.title_is("Twocans – grace")
            assert first.title == "Twocans – frank"
            # A start without the option shows the one that was first.
            start_again(folder)
            first.wait(lambda: first.is_in_front, "focus")
    assert refused(server) == []


def test_other_settings_are_another_profile(tmp_path: Path) -> None:
    other = {"TWOCANS_CONFIG_DIR": str(tmp_path / "elsewhere")}
    with ClientProcess(tmp_path / "a") as first, ClientProcess(tmp_path / "a", extra=other) as second:
        second.title_is("Twocans")
        first.title_is("Twocans")


def test_window_in_this_process_is_not_found(server: ServerProcess, tmp_path: Path) -> None:
    """Only the program itself claims a profile, not whoever uses its parts."""
    with Person(port=server.port, user="alice"), ClientProcess(tmp_path / "client") as other:
        other.title_is("Twocans")
