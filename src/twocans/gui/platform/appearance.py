"""Asks the system how things should look: dark or light, and how large. Never fails; what is unknown is None."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from typing import Final

_ANSWER_S: Final = 1.0


def prefers_dark() -> bool | None:
    """Whether the desktop is dark; None if it does not say. May take a second: not for the window's thread."""
    if sys.platform == "win32":
        return _windows_dark()
    if sys.platform == "darwin":
        answer = _run("defaults", "read", "-g", "AppleInterfaceStyle")
        return answer is not None and answer.strip() == "Dark"
    return _freedesktop_dark()


def prefers_dark_soon(seconds: float) -> bool | None:
    """The same, but None if the desktop takes longer than so many seconds to say."""
    answers: list[bool | None] = []
    asking = threading.Thread(target=lambda: answers.append(prefers_dark()), daemon=True)
    asking.start()
    asking.join(seconds)
    return answers[0] if answers else None


def linux_scale() -> float | None:
    """How much larger than at 96 dots an inch the desktop draws, 1.0 or more; None if it does not say."""
    for variable in ("GDK_SCALE", "QT_SCALE_FACTOR"):
        factor = _number(os.environ.get(variable))
        if factor is not None and factor > 1:
            return factor
    answer = _run("xrdb", "-query")
    for line in (answer or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Xft.dpi":
            dpi = _number(value)
            return dpi / 96 if dpi else None
    return None


def _windows_dark() -> bool | None:
    if sys.platform != "win32":
        return None
    import winreg

    path = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
            value, _ = winreg.QueryValueEx(key, "AppsUseLightTheme")
    except OSError:
        return None
    return value == 0


def _freedesktop_dark() -> bool | None:
    """The portal's answer (0 none, 1 dark, 2 light), or else that of GNOME's settings."""
    answer = _run(
        "gdbus",
        "call",
        "--session",
        "--timeout=1",
        "--dest=org.freedesktop.portal.Desktop",
        "--object-path=/org/freedesktop/portal/desktop",
        "--method=org.freedesktop.portal.Settings.Read",
        "org.freedesktop.appearance",
        "color-scheme",
    )
    if answer is not None:
        for value, dark in (("uint32 1", True), ("uint32 2", False)):
            if value in answer:
                return dark
    answer = _run("gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
    if answer is not None and "dark" in answer:
        return True
    answer = _run("gsettings", "get", "org.gnome.desktop.interface", "gtk-theme")
    if answer is not None:
        return "dark" in answer.casefold()
    return None


def _run(command: str, *arguments: str) -> str | None:
    found = shutil.which(command)
    if found is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  no shell, and nothing in it comes from outside
            [found, *arguments],
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
