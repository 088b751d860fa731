"""File dialogs: the desktop's own by its portal, on a real session bus, and Tk's where that is not to be had."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from Xlib.display import Display as XDisplay

from tests.gui.harness import Person, text_of
from tests.gui.test_failures import close_file_dialog, file_dialog_is_open, step_by_step
from tests.support.companion import Companion
from tests.support.process import Output, ServerProcess, environment
from twocans.gui.backend.settings import SettingsFile, config_dir
from twocans.gui.platform import portal

SERVICE: Final = Path(__file__).with_name("portal_service.py")


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    address = f"unix:path={tmp_path}/bus"
    process = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address={address}"],
        stdout=subprocess.PIPE,
    )
    said = Output(process.stdout)
    said.wait_for(lambda line: line.startswith("unix:"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    yield
    process.terminate()
    process.wait()
    said.all()


class Portal:
    """The desktop's portal, as a process of its own."""

    def __init__(self, behaviour: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVICE), behaviour],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.output = Output(self.process.stdout)
        self.output.wait_for(lambda line: line == "ready")

    @property
    def requests(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.output.lines() if '"method"' in line]

    @property
    def closed(self) -> list[bool]:
        return [json.loads(line)["closed"] for line in self.output.lines() if '"closed"' in line]

    def respond(self, code: int, *chosen: Path) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([code, [path.as_uri() for path in chosen]]).encode() + b"\n")
        self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.output.all()


@pytest.fixture
def make_portal(bus: None) -> Iterator[Callable[[str], Portal]]:
    portals: list[Portal] = []

    def make(behaviour: str) -> Portal:
        portals.append(Portal(behaviour))
        return portals[-1]

    yield make
    for one in portals:
        one.close()


@pytest.fixture
def desktop(make_portal: Callable[[str], Portal]) -> Portal:
    return make_portal("good")


@pytest.fixture
def bob(server: ServerProcess) -> Iterator[Companion]:
    with Companion(server.port, "bob") as bob:
        yield bob


@pytest.fixture
def alice(server: ServerProcess, bob: Companion, request: pytest.FixtureRequest) -> Iterator[Person]:
    with Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.wait(lambda: alice.vm.chats.open is not None and alice.vm.chats.open.loaded)
        alice.composer.focus_force()
        yield alice


def write(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(name)
    return path


def attached(person: Person) -> list[str]:
    return [one.name for one in person.vm.attachments]


def buttons(person: Person, text: str) -> list[tuple[int, int, int, int]]:
    """Where the transcript draws buttons that say this."""
    canvas = person.window.chat.transcript.canvas
    return [canvas.bbox(item) for item in canvas.find_all() if text_of(canvas, item) == text]


def click_in_chat(person: Person, text: str) -> None:
    """Click on the only button of the transcript that says this."""
    canvas = person.window.chat.transcript.canvas
    person.wait(lambda: len(buttons(person, text)) == 1)
    ((left, top, right, bottom),) = buttons(person, text)
    person.click(canvas, (left + right) // 2, (top + bottom) // 2 - round(canvas.canvasy(0)))


def client_windows() -> set[int]:
    """The windows that the window manager knows."""
    display = XDisplay()
    try:
        kept = display.screen().root.get_full_property(display.intern_atom("_NET_CLIENT_LIST"), 0)
        return set(kept.value) if kept is not None else set()
    finally:
        display.close()


# --- the desktop's dialog ---------------------------------------------------------------------------------


def test_files_are_chosen_in_the_desktops_dialog_while_the_window_goes_on(
    desktop: Portal, alice: Person, bob: Companion, tmp_path: Path
) -> None:
    chosen = [write(tmp_path / "dossiers d'été", name) for name in ("a b.txt", "Grüße 100%.txt")]
    alice.key("ctrl+o")
    alice.wait(lambda: desktop.requests)
    bob.say("alice", "are you there?")
    alice.wait(lambda: [bubble.text for bubble in alice.vm.bubbles] == ["are you there?"])
    assert not file_dialog_is_open(alice.root)
    (request,) = desktop.requests
    assert (request["method"], request["title"]) == ("OpenFile", "Send files to bob")
    scheme, _, number = str(request["parent"]).partition(":")
    assert scheme == "x11"
    assert int(number, 16) in client_windows()
    options = request["options"]
    assert isinstance(options, dict)
    assert (options["multiple"], "current_folder" in options) == (True, False)
    desktop.respond(0, *chosen)
    alice.wait(lambda: attached(alice) == ["a b.txt", "Grüße 100%.txt"])
    # The next one starts in the folder of these, in later sessions too.
    alice.key("ctrl+o")
    alice.wait(lambda: len(desktop.requests) == 2)
    options = desktop.requests[1]["options"]
    assert isinstance(options, dict)
    assert options["current_folder"] == str(tmp_path / "dossiers d'été") + "\0"
    assert SettingsFile(config_dir()).load()[0].folder == str(tmp_path / "dossiers d'été")


def test_a_chat_is_saved_by_the_desktops_dialog(
    desktop: Portal, alice: Person, bob: Companion, tmp_path: Path
) -> None:
    bob.say("alice", "keep this")
    alice.wait(lambda: alice.vm.bubbles)
    alice.key("ctrl+s")
    alice.wait(lambda: desktop.requests)
    (request,) = desktop.requests
    options = request["options"]
    assert isinstance(options, dict)
    assert (request["method"], options["current_name"]) == ("SaveFile", "Chat with bob.txt")
    assert options["filters"] == [
        ["Text", [[0, "*.txt"]]],
        ["Web page", [[0, "*.html"]]],
        ["JSON, for programs", [[0, "*.json"]]],
    ]
    saved = tmp_path / "chat.html"
    desktop.respond(0, saved)
    alice.wait(lambda: saved.exists() and "keep this" in saved.read_text())
    assert saved.read_text().startswith("<!DOCTYPE html>")


def test_a_file_is_saved_where_the_user_says_even_if_the_chat_is_left_meanwhile(
    desktop: Portal, alice: Person, bob: Companion, tmp_path: Path
) -> None:
    bob.send("alice", write(tmp_path, "notes.txt"))
    click_in_chat(alice, "Save as…")
    alice.wait(lambda: desktop.requests)
    alice.key("Escape")
    alice.wait(lambda: alice.vm.chats.open is None)
    saved = tmp_path / "mine.txt"
    desktop.respond(0, saved)
    alice.wait(lambda: saved.exists() and saved.read_text() == "notes.txt")


@pytest.mark.parametrize("taken", [False, True])
def test_a_file_is_saved_in_the_downloads_with_one_click_and_replaces_nothing(
    desktop: Portal,
    alice: Person,
    bob: Companion,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    taken: bool,
) -> None:
    downloads = tmp_path / "Downloads"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DOWNLOAD_DIR", str(downloads))
    before = ["notes.txt"] if taken else []
    for name in before:
        write(downloads, name).write_text("mine")
    bob.send("alice", write(tmp_path, "notes.txt"))
    click_in_chat(alice, "Save")
    alice.wait(lambda: len(buttons(alice, "Show in folder")) == 1)
    saved = downloads / ("notes (1).txt" if taken else "notes.txt")
    assert saved.read_text() == "notes.txt"
    assert {path.name for path in downloads.iterdir()} == {saved.name, *before}
    assert all((downloads / name).read_text() == "mine" for name in before)
    assert desktop.requests == []


def test_downloads_that_cannot_be_used_are_told(
    alice: Person, bob: Companion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = write(tmp_path, "taken")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DOWNLOAD_DIR", str(taken / "Downloads"))
    bob.send("alice", write(tmp_path, "notes.txt"))
    click_in_chat(alice, "Save")
    alice.wait(lambda: alice.vm.notice is not None)
    assert alice.vm.notice is not None
    assert alice.vm.notice.text == (
        f"The folder {taken / 'Downloads'} cannot be used (Not a directory). "
        "Use “Save as…” to choose another one."
    )


def test_a_dialog_that_is_given_up_changes_nothing_and_another_can_be_opened(
    desktop: Portal, alice: Person, tmp_path: Path
) -> None:
    alice.key("ctrl+o")
    alice.wait(lambda: len(desktop.requests) == 1)
    desktop.respond(1)
    alice.wait(lambda: alice.window._chooser._asked is None)
    assert attached(alice) == []
    assert alice.vm.notice is None
    alice.key("ctrl+o")
    alice.wait(lambda: len(desktop.requests) == 2)
    desktop.respond(0, write(tmp_path, "a.txt"))
    alice.wait(lambda: attached(alice) == ["a.txt"])


def test_asking_again_takes_away_the_dialog_that_is_open(
    desktop: Portal, alice: Person, tmp_path: Path
) -> None:
    alice.key("ctrl+o")
    alice.wait(lambda: len(desktop.requests) == 1)
    alice.key("ctrl+o")
    alice.wait(lambda: len(desktop.requests) == 2)
    assert desktop.closed == [True]
    desktop.respond(0, write(tmp_path, "a.txt"))
    alice.wait(lambda: attached(alice) == ["a.txt"])


def test_quitting_takes_away_the_dialog_that_is_open(desktop: Portal, server: ServerProcess) -> None:
    with Companion(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.composer.focus_force()
        alice.key("ctrl+o")
        alice.wait(lambda: desktop.requests)
    desktop.output.wait_for(lambda line: "closed" in line)


def test_files_go_to_whom_they_were_chosen_for(
    desktop: Portal, alice: Person, bob: Companion, tmp_path: Path
) -> None:
    alice.key("ctrl+o")
    alice.wait(lambda: desktop.requests)
    alice.window.act(alice.vm.close_chat)
    desktop.respond(0, write(tmp_path, "a.txt"))
    alice.wait(lambda: attached(alice) == ["a.txt"])
    assert alice.vm.chats.open is not None
    assert alice.vm.chats.open.name == "bob"


def test_files_that_are_not_on_this_computer_are_told(
    desktop: Portal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.key("ctrl+o")
    alice.wait(lambda: desktop.requests)
    assert desktop.process.stdin is not None
    desktop.process.stdin.write(b'[0, ["mtp://phone/photo.jpg"]]\n')
    desktop.process.stdin.flush()
    alice.wait(lambda: alice.vm.notice is not None)
    assert alice.vm.notice is not None
    assert alice.vm.notice.text.startswith("Only files on this computer can be chosen.")


def test_a_response_that_comes_before_the_answer_is_heard(
    make_portal: Callable[[str], Portal], alice: Person
) -> None:
    make_portal("eager")
    alice.key("ctrl+o")
    alice.wait(lambda: attached(alice) == ["hostname"])


# --- Tk's dialog ------------------------------------------------------------------------------------------


def tk_dialog_comes(alice: Person, begin: Callable[[], object]) -> None:
    """Do something, and wait until Tk's dialog has been opened and closed."""
    closed: list[bool] = []
    step_by_step(
        alice.root,
        (lambda: file_dialog_is_open(alice.root), lambda: close_file_dialog(alice.root)),
        (lambda: not file_dialog_is_open(alice.root), lambda: closed.append(True)),
    )
    begin()
    alice.wait(lambda: closed)


def test_without_a_session_bus_tks_dialog_opens(alice: Person) -> None:
    tk_dialog_comes(alice, lambda: alice.key("ctrl+o"))


def test_without_a_portal_tks_dialog_opens(bus: None, alice: Person) -> None:
    tk_dialog_comes(alice, lambda: alice.key("ctrl+o"))


@pytest.mark.parametrize("behaviour", ["silent", "refusing", "odd"])
def test_where_the_portal_does_not_help_tks_dialog_opens(
    make_portal: Callable[[str], Portal], alice: Person, behaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal, "ANSWER_S", 1.0)
    make_portal(behaviour)
    tk_dialog_comes(alice, lambda: alice.key("ctrl+o"))


def test_when_the_portal_dies_with_its_dialog_tks_opens(desktop: Portal, alice: Person) -> None:
    alice.key("ctrl+o")
    alice.wait(lambda: desktop.requests)
    tk_dialog_comes(alice, desktop.process.kill)


def test_when_something_else_than_the_user_ends_the_dialog_tks_opens(desktop: Portal, alice: Person) -> None:
    alice.key("ctrl+o")
    alice.wait(lambda: desktop.requests)
    tk_dialog_comes(alice, lambda: desktop.respond(2))


def test_the_window_can_be_closed_while_tks_dialog_is_open(server: ServerProcess) -> None:
    with Companion(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.composer.focus_force()
        step_by_step(alice.root, (lambda: file_dialog_is_open(alice.root), alice.close))
        alice.root.after(0, lambda: alice.window.act(alice.vm.choose_files))
        while not alice.closed:
            alice.root.update()
        assert alice.errors == []
