"""Opening files, folders and links with the system's programs, which may fail, hang or be missing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from twocans.gui.platform import opening
from twocans.gui.platform.opening import LINK_NOT_OPENED, open_file, open_folder, open_link, show_in_folder

LINK = "https://example.org/?x=1"
DEADLINE_S = 30.0


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the system's place, which writes down what it is to open, and fails for what is called bad."""
    told = tmp_path / "told"
    put_opener(tmp_path, f'echo "$1" > {told}\ncase "$1" in *bad*) exit 4;; esac\n', monkeypatch)
    return told


def put_opener(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(opening, "SETTLE_S", DEADLINE_S)


def test_a_file_is_opened_or_shown_in_its_folder(tmp_path: Path, opener: Path) -> None:
    file = tmp_path / "a file.pdf"
    file.touch()
    assert asyncio.run(open_file(file)) == ""
    assert opener.read_text() == f"{file}\n"
    assert asyncio.run(show_in_folder(file)) == ""
    assert opener.read_text() == f"{tmp_path}\n"


def test_a_folder_and_a_link_are_opened(tmp_path: Path, opener: Path) -> None:
    assert asyncio.run(open_folder(tmp_path)) == ""
    assert opener.read_text() == f"{tmp_path.as_uri()}\n"
    assert asyncio.run(open_link(LINK)) == ""
    assert opener.read_text() == f"{LINK}\n"


def test_what_cannot_be_opened_is_told(tmp_path: Path, opener: Path) -> None:
    bad = tmp_path / "bad.pdf"
    gone = "bad.pdf is no longer there."
    assert (asyncio.run(open_file(bad)), asyncio.run(show_in_folder(bad))) == (gone, gone)
    bad.touch()
    assert (
        asyncio.run(open_file(bad))
        == f"bad.pdf could not be opened: no program for it was found. It is in {tmp_path}."
    )
    folder = tmp_path / "bad folder"
    folder.mkdir()
    assert (
        asyncio.run(open_folder(folder)) == f"No program to show folders was found. The folder is {folder}."
    )
    (folder / "a.pdf").touch()
    assert (
        asyncio.run(show_in_folder(folder / "a.pdf"))
        == f"No program to show folders was found. a.pdf is in {folder}."
    )
    assert asyncio.run(open_link(f"{LINK}&bad")) == LINK_NOT_OPENED


def test_without_any_opener_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    file = tmp_path / "a.pdf"
    file.touch()
    assert asyncio.run(open_file(file)).startswith("a.pdf could not be opened")
    assert asyncio.run(open_link(LINK)) == LINK_NOT_OPENED


def test_the_browser_that_the_user_names_comes_first(
    tmp_path: Path, opener: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, script = tmp_path / "noted", tmp_path / "browser"
    script.write_text(f'#!{sys.executable}\nimport sys\nopen({str(noted)!r}, "w").write(sys.argv[1])\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    assert asyncio.run(open_link(LINK)) == ""
    assert noted.read_text() == LINK
    assert not opener.exists()


def test_an_opener_that_runs_on_is_detached_and_reaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, fifo = tmp_path / "started", tmp_path / "fifo"
    os.mkfifo(fifo)
    put_opener(tmp_path, f"echo $$ > {started}\nread line < {fifo}\n", monkeypatch)
    monkeypatch.setattr(opening, "SETTLE_S", 0.0)
    file = tmp_path / "a.pdf"
    file.touch()
    assert asyncio.run(open_file(file)) == ""
    until(lambda: started.exists() and started.read_text())
    pid = int(started.read_text())
    try:
        assert os.getsid(pid) == pid
        streams = {str(Path(f"/proc/{pid}/fd/{number}").readlink()) for number in range(1, 3)}
        assert streams == {"/dev/null"}
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{pid}").exists())


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
