"""Files from window to server to others and back, with a real server, real keys and clicks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from tests.gui.harness import Person, text_of
from tests.support.companion import Companion
from tests.support.cutting import Proxy, proxy_in_thread
from tests.support.process import ServerProcess
from twocans.common.transcripts import Form
from twocans.gui.backend.picture_cache import PictureCache, default_folder
from twocans.gui.transcript.model import FileAction, FileCard, Status
from twocans.gui.viewmodel.state import Screen
from twocans.gui.views.viewer import ViewerWindow

LARGE_BYTES: Final = 8 * 1024 * 1024
"""More than the proxy and the buffers of all sockets on the way take while an upload is held still."""
HELD_BYTES: Final = 1024 * 1024
"""After this an upload is held still; a chat never sends as much."""


@pytest.fixture
def bob(server: ServerProcess) -> Iterator[Companion]:
    with Companion(server.port, "bob") as bob:
        yield bob


@pytest.fixture
def alice(server: ServerProcess, bob: Companion) -> Iterator[Person]:
    with Person(port=server.port, user="alice") as alice:
        open_chat(alice)
        yield alice


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[Proxy]:
    with proxy_in_thread(server.port, hold_after=HELD_BYTES) as proxy:
        yield proxy


def open_chat(alice: Person) -> None:
    alice.wait(lambda: "bob" in alice.drawn)
    alice.click_on("bob")
    alice.wait(lambda: alice.vm.chats.open is not None and alice.vm.chats.open.loaded)


def cards(alice: Person) -> list[FileCard]:
    return [bubble.file for bubble in alice.vm.bubbles if bubble.file is not None]


def large_file(folder: Path) -> Path:
    path = folder / "large.bin"
    with path.open("wb") as file:
        file.write(os.urandom(1024))
        file.truncate(LARGE_BYTES)
    return path


def click_in_chat(alice: Person, text: str) -> None:
    """Click on a text that the transcript draws."""
    canvas = alice.window.chat.transcript.canvas
    alice.wait(lambda: any(text_of(canvas, item) == text for item in canvas.find_all()))
    item = next(item for item in canvas.find_all() if text_of(canvas, item) == text)
    left, top, right, bottom = canvas.bbox(item)
    alice.click(canvas, (left + right) // 2, (top + bottom) // 2 - round(canvas.canvasy(0)))


def type_into_dialog(alice: Person, title: str, path: Path, *begin: str) -> None:
    """Have other hands do what opens a dialog, and type a path into it: it holds up everything here."""
    steps = (
        list(begin),
        ["xdotool", "search", "--sync", "--onlyvisible", "--name", f"^{title}", "windowactivate", "--sync"],
        ["xdotool", "key", "--delay", "30", "ctrl+slash"],
        # Where several may be chosen, a path leads into its folder first.
        *(
            step
            for text in ([f"{path.parent}/", path.name] if title.startswith("Send") else [str(path)])
            for step in (
                ["xdotool", "type", "--delay", "10", text],
                ["xdotool", "key", "--delay", "60", "Return"],
            )
        ),
    )
    hands = subprocess.Popen(["sh", "-c", " && ".join(shlex.join(step) for step in steps if step)])
    rescue = alice.root.after(15_000, lambda: alice.root.tk.call("set", "::tk::Priv(selectFilePath)", ""))
    alice.wait(lambda: hands.poll() is not None)
    alice.root.after_cancel(rescue)
    assert hands.returncode == 0


def save_as(alice: Person, path: Path) -> None:
    """Click “Save as…” in the chat and say where."""
    canvas = alice.window.chat.transcript.canvas
    alice.wait(lambda: any(text_of(canvas, item) == "Save as…" for item in canvas.find_all()))
    item = next(item for item in canvas.find_all() if text_of(canvas, item) == "Save as…")
    left, top, right, bottom = canvas.bbox(item)
    x = canvas.winfo_rootx() + (left + right) // 2
    y = canvas.winfo_rooty() + (top + bottom) // 2 - round(canvas.canvasy(0))
    type_into_dialog(alice, "Save", path, "xdotool", "mousemove", str(x), str(y), "click", "1")


def test_a_file_that_is_chosen_arrives_whole(alice: Person, bob: Companion, tmp_path: Path) -> None:
    sent = tmp_path / "Grüße aus Köln.pdf"
    sent.write_bytes(os.urandom(700_000))
    chosen = tmp_path / "chosen.pdf"
    sent.rename(chosen)  # what is typed into the dialog has to be on the keyboard
    alice.composer.focus_force()
    type_into_dialog(alice, "Send", chosen, "xdotool", "key", "--delay", "60", "ctrl+o")
    alice.wait(lambda: [one.name for one in alice.vm.attachments] == ["chosen.pdf"])
    alice.write("here it is")
    alice.key("Return")
    alice.wait(lambda: len(bob.messages) == 2)
    by_text = {message.text: message for message in bob.messages}
    assert by_text.keys() == {"chosen.pdf", "here it is"}
    got = tmp_path / "got.pdf"
    bob.fetch(by_text["chosen.pdf"], got)
    assert got.read_bytes() == chosen.read_bytes()
    alice.wait(lambda: all(bubble.status is not Status.WAITING for bubble in alice.vm.bubbles))
    (card,) = cards(alice)
    assert (card.detail, card.fraction, card.failed) == ("700 KB", None, False)


def test_a_file_that_comes_is_saved_where_the_user_says(
    alice: Person, bob: Companion, tmp_path: Path
) -> None:
    sent, into = tmp_path / "notes.txt", tmp_path / "mine.txt"
    sent.write_bytes(os.urandom(300_000))
    bob.send("alice", sent)
    save_as(alice, into)
    alice.wait(lambda: cards(alice)[0].detail.endswith(f"saved in {tmp_path.name} as mine.txt"))
    assert into.read_bytes() == sent.read_bytes()


def test_a_picture_shows_itself_and_opens_in_the_viewer(
    alice: Person, bob: Companion, tmp_path: Path
) -> None:
    path = tmp_path / "beach.png"
    Image.new("RGB", (640, 480), "#2266aa").save(path)
    bob.send("alice", path)
    alice.wait(lambda: cards(alice) and cards(alice)[0].picture is not None)
    canvas = alice.window.chat.transcript.canvas

    def thumbnails() -> list[tuple[int, int, int, int]]:
        images = [one for one in canvas.find_all() if canvas.tk.call(canvas, "type", one) == "image"]
        boxes = [canvas.bbox(one) for one in images]
        return [box for box in boxes if box[2] - box[0] > 200]

    alice.wait(thumbnails)
    left, top, right, bottom = thumbnails()[0]
    alice.click(canvas, (left + right) // 2, (top + bottom) // 2 - round(canvas.canvasy(0)))
    alice.wait(lambda: any(isinstance(one, ViewerWindow) for one in alice.root.winfo_children()))
    viewer = next(one for one in alice.root.winfo_children() if isinstance(one, ViewerWindow))
    alice.wait(lambda: "beach.png" in viewer.title())
    alice.key("Escape")
    alice.wait(lambda: not any(isinstance(one, ViewerWindow) for one in alice.root.winfo_children()))


def test_a_file_on_its_way_is_paused_goes_on_and_is_given_up(
    proxy: Proxy, bob: Companion, tmp_path: Path
) -> None:
    with Person(port=proxy.port, user="alice") as alice:
        open_chat(alice)
        path = large_file(tmp_path)
        proxy.hold()
        alice.window.act(alice.vm.attach, [str(path)])
        alice.key("Return")
        click_in_chat(alice, "Pause")
        alice.wait(lambda: cards(alice)[0].detail.endswith("paused"))
        assert bob.messages == []
        click_in_chat(alice, "Resume")
        proxy.release()
        alice.wait(lambda: bob.messages)
        assert bob.messages[0].file is not None
        assert bob.messages[0].file.size == LARGE_BYTES
        path.write_bytes(b"")
        other = large_file(tmp_path)
        proxy.hold()
        alice.window.act(alice.vm.attach, [str(other)])
        alice.click(alice.composer)
        alice.key("Return")
        click_in_chat(alice, "Cancel")
        alice.wait(lambda: len(cards(alice)) == 1)
        proxy.release()
    assert len(bob.messages) == 1


def test_a_file_on_its_way_goes_on_when_the_window_is_opened_again(
    proxy: Proxy, bob: Companion, tmp_path: Path
) -> None:
    path = large_file(tmp_path)
    proxy.hold()
    with Person(port=proxy.port, user="alice") as alice:
        open_chat(alice)
        alice.window.act(alice.vm.attach, [str(path)])
        alice.key("Return")
        alice.wait(lambda: proxy.holding)
    assert bob.messages == []
    proxy.release()
    with Person(port=proxy.port, user="alice") as alice:
        open_chat(alice)
        alice.wait(lambda: bob.messages)
        alice.wait(lambda: cards(alice)[0].fraction is None)


def test_where_the_server_takes_no_files_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a")
    with (
        ServerProcess("--max-file", "0", forked=True) as server,
        Companion(server.port, "bob"),
        Person(port=server.port, user="alice") as alice,
    ):
        open_chat(alice)
        alice.window.act(alice.vm.attach, [str(path)])
        alice.wait(lambda: alice.vm.notice is not None)
        assert alice.vm.notice is not None
        assert alice.vm.notice.text == "This server doesn't accept files. Ask the person who runs it."


def test_old_pictures_go_when_the_window_starts(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "twocans.gui.backend.backend.PictureCache", lambda folder: PictureCache(folder, max_bytes=10)
    )
    kept = default_folder()
    kept.mkdir(parents=True)
    (kept / "old.png").write_bytes(b"x" * 100)
    with Person(port=server.port) as alice:
        alice.wait(lambda: not (kept / "old.png").exists())


def test_openers_that_run_on_hold_up_neither_saving_nor_logging_in_nor_quitting(
    server: ServerProcess, bob: Companion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, started, fifo, program = 40, tmp_path / "started", tmp_path / "fifo", tmp_path / "bin" / "xdg-open"
    os.mkfifo(fifo)
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ >> {started}\nread line < {fifo}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    sent, saved = tmp_path / "notes.txt", tmp_path / "chat.txt"
    sent.write_text("notes")

    def pids() -> list[int]:
        return [int(line) for line in started.read_text().split()] if started.exists() else []

    try:
        with Person(port=server.port, user="alice") as alice:
            open_chat(alice)
            alice.window.act(alice.vm.attach, [str(sent)])
            alice.key("Return")
            alice.wait(lambda: bob.messages)
            alice.wait(lambda: cards(alice) and FileAction.OPEN in cards(alice)[0].actions)
            for _ in range(count):
                alice.window.act(alice.vm.act_on_file, alice.vm.bubbles[0].key, FileAction.OPEN)
            alice.wait(lambda: len(pids()) == count)
            alice.window.act(alice.vm.save_chat, str(saved), Form.TEXT, "bob")
            alice.wait(saved.exists)
            alice.key("ctrl+l")
            alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
            alice.key("Return")
            alice.wait(lambda: alice.vm.screen is Screen.MAIN)
        # Quitting has waited for none of them, and ended none.
        assert not alice.app.bridge._thread.is_alive()
        assert all(os.getsid(pid) == pid for pid in pids())
    finally:
        for pid in pids():
            os.kill(pid, signal.SIGTERM)
