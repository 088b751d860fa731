"""Starting with the system: one entry in the place where each system keeps those of its user.

Whether it does is read from there, so what the user or the desktop changes in it counts.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import plistlib
import subprocess
import sys
import xml.parsers.expat
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

OPTIONS: Final = ("--connect", "--in-tray")
DESKTOP_FILE: Final = "twocans.desktop"
AGENT: Final = "org.twocans.client"
_VALUE: Final = "Twocans"
_RUN: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"
_APPROVED: Final = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
_SECTION: Final = "Desktop Entry"


class Entry(Protocol):
    """The place of one system. Every method may raise `OSError`."""

    def is_on(self) -> bool:
        """Whether the program starts with the system."""
        ...

    def turn_on(self) -> None:
        """Let it."""
        ...

    def turn_off(self) -> None:
        """Let it no longer; all else that starts with the system stays as it is."""
        ...


def entry() -> Entry:
    """The one for this system and this copy of the program."""
    if sys.platform == "win32":
        return RunKey(command())
    if sys.platform == "darwin":
        return LaunchAgent(Path.home(), command())
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    config = Path(folder) if Path(folder).is_absolute() else Path.home() / ".config"
    return DesktopEntry(config, command())


def command() -> tuple[str, ...]:
    """What starts the window as the user does, with the login and the place that it had last."""
    program = Path(__file__).resolve().parents[4] / "client_gui.py"
    if sys.platform == "win32":
        # It opens no console; what starts the program otherwise does.
        python = Path(sys.executable).with_name("pythonw.exe")
        return (str(python), "-I", "-m", "twocans.gui", *OPTIONS)
    if not program.exists():
        return (sys.executable, "-I", "-m", "twocans.gui", *OPTIONS)
    # Not the Python of .venv: the program sets that up anew when it has to, which its own Python could not.
    python = str(getattr(sys, "_base_executable", sys.executable))
    return (python, str(program), *OPTIONS)


class DesktopEntry:
    """A file in `autostart` (Desktop Application Autostart Specification 0.5; Desktop Entry Specification 1.5).

    Args:
        config: the folder of the user's settings.
        words: the command.
    """

    def __init__(self, config: Path, words: Sequence[str]) -> None:
        self.path = config / "autostart" / DESKTOP_FILE
        self._words = words

    def is_on(self) -> bool:
        """Whether the file is there, starts this copy of the program, and is not switched off."""
        parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
        try:
            parser.read_string(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        except (configparser.Error, UnicodeDecodeError):
            return False
        if not parser.has_section(_SECTION):
            return False
        said = parser[_SECTION]
        switched_off = said.get("Hidden") == "true" or said.get("X-GNOME-Autostart-enabled") == "false"
        return said.get("Exec") == self._exec and not switched_off

    def turn_on(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            f"[{_SECTION}]",
            "Type=Application",
            "Name=Twocans",
            "Comment=Chat on your own network",
            f"Exec={self._exec}",
            "Terminal=false",
        )
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def turn_off(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    @property
    def _exec(self) -> str:
        return " ".join(_quoted(word) for word in self._words)


class LaunchAgent:
    """A property list in `LaunchAgents` (launchd.plist(5)).

    Args:
        home: the user's folder.
        words: the command.
    """

    def __init__(self, home: Path, words: Sequence[str]) -> None:
        self.path = home / "Library" / "LaunchAgents" / f"{AGENT}.plist"
        self._words = list(words)

    def is_on(self) -> bool:
        """Whether the file is there and starts this copy of the program."""
        try:
            said: object = plistlib.loads(self.path.read_bytes())
        except FileNotFoundError:
            return False
        except (plistlib.InvalidFileException, xml.parsers.expat.ExpatError, ValueError):
            return False
        return (
            isinstance(said, dict)
            and said.get("ProgramArguments") == self._words
            and not said.get("Disabled")
        )

    def turn_on(self) -> None:
        """Write the file; the system reads it at the next login."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(
            plistlib.dumps({"Label": AGENT, "ProgramArguments": self._words, "RunAtLoad": True})
        )

    def turn_off(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


class RunKey:
    """A value under the user's `Run` key of the registry; the Task Manager switches it off in a key beside it.

    Args:
        words: the command.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._command = subprocess.list2cmdline(words)

    def is_on(self) -> bool:
        """Whether the value starts this copy of the program, and is not switched off."""
        if sys.platform != "win32":
            return False
        import winreg

        def value(path: str) -> object:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
                    found: object = winreg.QueryValueEx(key, _VALUE)[0]
                    return found
            except FileNotFoundError:
                return None

        approved = value(_APPROVED)
        switched_off = isinstance(approved, bytes) and bool(approved) and bool(approved[0] & 1)
        return value(_RUN) == self._command and not switched_off

    def turn_on(self) -> None:
        """Write the value."""
        if sys.platform == "win32":
            import winreg

            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, _RUN) as key:
                winreg.SetValueEx(key, _VALUE, 0, winreg.REG_SZ, self._command)
            self._forget(_APPROVED)

    def turn_off(self) -> None:
        """Remove the value."""
        self._forget(_RUN)
        self._forget(_APPROVED)

    def _forget(self, path: str) -> None:
        if sys.platform == "win32":
            import winreg

            with (
                contextlib.suppress(FileNotFoundError),
                winreg.OpenKey(winreg.HKEY_CURRENT_USER, path, 0, winreg.KEY_SET_VALUE) as key,
            ):
                winreg.DeleteValue(key, _VALUE)


def _quoted(word: str) -> str:
    """A word of a command line as it stands after `Exec=`: quoted, and then escaped as every value is."""
    inner = "".join(f"\\{char}" if char in '"`$\\' else char for char in word)
    return f'"{inner}"'.replace("\\", "\\\\").replace("%", "%%")
