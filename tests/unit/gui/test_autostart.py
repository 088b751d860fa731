"""The entry that starts the program with the system: written, read back from there, and removed."""

from __future__ import annotations

import plistlib
import subprocess
import sys
from pathlib import Path

import pytest

from twocans.gui.platform import autostart
from twocans.gui.platform.autostart import DesktopEntry, LaunchAgent

WORDS = ("/opt/my python/bin/python3", '/home/a b/"100%" $HOME `x` \\n/client_gui.py', "--connect")


def entries(folder: Path) -> list[DesktopEntry | LaunchAgent]:
    return [DesktopEntry(folder / "config", WORDS), LaunchAgent(folder / "home", WORDS)]


@pytest.mark.parametrize("number", [0, 1])
def test_the_entry_is_on_once_written_and_removed_alone(tmp_path: Path, number: int) -> None:
    entry = entries(tmp_path)[number]
    assert not entry.is_on()
    entry.turn_on()
    other = entry.path.with_name("other")
    other.write_text("of another program")
    assert entry.is_on()
    entry.turn_off()
    assert not entry.is_on()
    assert list(entry.path.parent.iterdir()) == [other]
    entry.turn_off()


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_an_entry_that_the_desktop_has_switched_off_is_off_and_can_be_turned_on(
    tmp_path: Path, line: str
) -> None:
    entry = DesktopEntry(tmp_path, WORDS)
    entry.turn_on()
    with entry.path.open("a") as file:
        file.write(f"{line}\n")
    assert not entry.is_on()
    entry.turn_on()
    assert entry.is_on()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"no section", b"[Desktop Entry]\nExec=other\n", b"<plist"]
)
@pytest.mark.parametrize("number", [0, 1])
def test_an_entry_that_starts_something_else_or_nothing_is_off(
    tmp_path: Path, number: int, content: bytes
) -> None:
    entry = entries(tmp_path)[number]
    entry.turn_on()
    entry.path.write_bytes(content)
    assert not entry.is_on()


def test_the_entry_of_a_copy_that_was_moved_is_off(tmp_path: Path) -> None:
    DesktopEntry(tmp_path, WORDS).turn_on()
    assert not DesktopEntry(tmp_path, ("python3", "/elsewhere/client_gui.py")).is_on()


def test_what_stands_in_the_file_comes_apart_into_the_same_words(tmp_path: Path) -> None:
    entry = DesktopEntry(tmp_path, WORDS)
    entry.turn_on()
    (line,) = [line for line in entry.path.read_text().splitlines() if line.startswith("Exec=")]
    assert "%" not in line.replace("%%", "")  # one alone would stand for a file
    value = line.removeprefix("Exec=").replace("\\\\", "\\").replace("%%", "%")
    # What the specification lets stand within quotes means the same to a shell.
    printed = subprocess.run(
        ["sh", "-c", f'for word in {value}; do printf "%s\\0" "$word"; done'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert tuple(printed.removesuffix("\0").split("\0")) == WORDS


def test_the_agent_of_a_mac_starts_the_same_words_at_the_login(tmp_path: Path) -> None:
    agent = LaunchAgent(tmp_path, WORDS)
    agent.turn_on()
    said = plistlib.loads(agent.path.read_bytes())
    assert (said["ProgramArguments"], said["RunAtLoad"]) == (list(WORDS), True)


def test_this_copy_is_started_with_the_last_login_and_in_the_tray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    entry = autostart.entry()
    entry.turn_on()
    text = (tmp_path / "autostart" / "twocans.desktop").read_text()
    program = Path(__file__).parents[3] / "client_gui.py"
    assert f'"{program}" "--connect" "--in-tray"' in text
    python = autostart.command()[0]
    assert subprocess.run([python, "--version"], capture_output=True, check=True).stdout
    assert Path(python).parent != Path(sys.prefix) / "bin"


def test_program_without_its_starter_is_started_isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert autostart.command()[1:4] == ("-I", "-m", "twocans.gui")
