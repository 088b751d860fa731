"""The icon in the desktop's tray: what it needs from the program, and which kind of tray the system has."""

from __future__ import annotations

import sys
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

NO_TRAY: Final = "Your desktop shows no tray icons, so a closed window could not be found again."
NO_TRAY_ON_MACOS: Final = "Not on macOS: use “Hide Twocans” there, and click its icon in the Dock to go on."

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the icon's menu: one to choose, one with more `below`, or a line if it has no text."""

    text: str = ""
    do: Callable[[], object] | None = None
    below: tuple[Entry, ...] = ()
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What is to be seen of the program.

    Args:
        unread: how many messages have not been seen.
        dimmed: whether nothing is to disturb, or there is no connection.
        tip: what the icon says when the pointer rests on it.
        menu: the entries of its menu.
    """

    unread: int
    dimmed: bool
    tip: str
    menu: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the program does about its icon; all of it is called in Tk's thread.

    Args:
        open: the icon was clicked.
        popup: its menu is wanted, at a place on the screen; not called where the system shows that itself.
        moved: the icon is there now, or is there no longer.
    """

    open: Callable[[], object]
    popup: Callable[[int, int], object]
    moved: Callable[[], object]


class Tray(Protocol):
    """The icon, or that there is none."""

    @property
    def problem(self) -> str:
        """Why nobody can see an icon, as a sentence; "" if one is there."""
        ...

    def show(self, sight: Sight) -> None:
        """Show the icon so."""
        ...

    def close(self) -> None:
        """Take it away for good."""
        ...


class NoTray:
    """There is none.

    Args:
        problem: why.
    """

    def __init__(self, problem: str) -> None:
        self._problem = problem

    @property
    def problem(self) -> str:
        """Why there is none."""
        return self._problem

    def show(self, sight: Sight) -> None:
        """Nothing can be shown."""

    def close(self) -> None:
        """Nothing is there."""


def make_tray(root: tk.Tk, answers: Answers) -> Tray:
    """The icon for this system; it comes to be seen when there is a tray and `show` has been called."""
    if sys.platform == "win32":
        from twocans.gui.platform.tray.windows import WindowsTray

        return WindowsTray(root, answers)
    if sys.platform == "darwin":
        return NoTray(NO_TRAY_ON_MACOS)
    from Xlib.error import DisplayError, XError

    from twocans.gui.platform.tray.x11 import X11Tray

    try:
        return X11Tray(root, answers)
    except (DisplayError, XError, OSError) as error:
        log.warning("tray_unavailable", reason=f"{type(error).__name__}: {error}")
        return NoTray(NO_TRAY)
