"""Drafts survive the end of the window, however it comes: the text and the files beside it."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

from tests.gui.harness import ClientProcess, Person
from tests.support.deadline import DEADLINE_S
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer


def drafts_in(folder: Path) -> list[tuple[str, str, str]]:
    """Whom a draft is for, its text and its files, as they are on disk."""
    database = sqlite3.connect(folder / "data" / "outbox.db")
    try:
        rows = database.execute("SELECT name, text, paths FROM drafts").fetchall()
        return [(name, text.decode(), paths.decode()) for name, text, paths in rows]
    finally:
        database.close()


def copy_file(path: Path, uris: Path) -> None:
    """Put a file onto the clipboard, as a file manager does."""
    uris.write_text(f"{path.as_uri()}\r\n")
    subprocess.run(
        ["xclip", "-selection", "clipboard", "-t", "text/uri-list", "-i", str(uris)],
        check=True,
        timeout=DEADLINE_S,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_draft_and_its_file_are_there_after_the_client_was_killed(
    server: ServerProcess, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.txt"
    plan.write_text("the plan")
    copy_file(plan, tmp_path / "uris")
    folder = tmp_path / "client"
    options = ("--server", f"127.0.0.1:{server.port}", "--user", "alice", "--connect")
    with PlainPeer(server.port, "bob"), ClientProcess(folder, *options) as client:
        client.title_is("Twocans – alice")
        client.key("Down", "Return")
        client.write("half a sentence")
        client.key("ctrl+v")
        client.wait(lambda: drafts_in(folder) == [("bob", "half a sentence", str(plan))], "draft on disk")
        client.process.kill()
        client.process.wait()
    # Nobody is online now.
    with Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "Draft: half a sentence" in alice.drawn)
        alice.click_on("bob")
        alice.wait(lambda: alice.composer.get("1.0", "end-1c") == "half a sentence")
        assert alice.window.chat.composer.attachments.names == ["plan.txt"]
        alice.key("Return")
        alice.wait(lambda: len(alice.vm.bubbles) == 2)
        alice.wait(lambda: drafts_in(folder) == [])


def test_what_was_typed_last_is_there_after_the_window_was_closed(
    server: ServerProcess, tmp_path: Path
) -> None:
    with PlainPeer(server.port, "bob"):
        with Person(port=server.port, user="alice") as alice:
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            alice.write("typed at the last moment")
        with Person(port=server.port, user="alice") as alice:
            alice.wait(lambda: "Draft: typed at the last moment" in alice.drawn)
            alice.click_on("bob")
            alice.wait(lambda: alice.composer.get("1.0", "end-1c") == "typed at the last moment")
            alice.key("ctrl+a", "BackSpace")
            alice.wait(lambda: drafts_in(tmp_path / "client") == [])


def test_a_file_that_is_gone_meanwhile_is_told(server: ServerProcess, tmp_path: Path) -> None:
    plan = tmp_path / "plan.txt"
    plan.write_text("the plan")
    with PlainPeer(server.port, "bob"):
        with Person(port=server.port, user="alice") as alice:
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            alice.window.act(alice.vm.attach, [str(plan)])
        plan.unlink()
        with Person(port=server.port, user="alice") as alice:
            gone = "From your draft to bob: “plan.txt” is not there any more."
            alice.wait(lambda: gone in alice.labels)
            alice.wait(lambda: drafts_in(tmp_path / "client") == [])
