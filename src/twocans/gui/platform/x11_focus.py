"""The keyboard focus of the whole display: Tk is told of no change while a menu holds the keyboard, least of all on Wayland."""

from __future__ import annotations

import tkinter as tk

from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError, XError


class DisplayFocus:
    """Tells when another program has got the focus. Never fails: without an answer, none has.

    Args:
        widget: any one of this program.
    """

    def __init__(self, widget: tk.Misc) -> None:
        self._own = widget.winfo_id()
        self._display: Display | None = None
        try:
            self._display = Display(widget.winfo_screen().rpartition(".")[0] or None)
        except (DisplayError, OSError):
            return
        self._first = self._window()

    def close(self) -> None:
        """Ask no more."""
        if self._display is not None:
            self._display.close()
            self._display = None

    def is_elsewhere(self) -> bool:
        """True if the focus has gone to another program since this was made."""
        now = self._window()
        if self._display is None or now == self._first:
            return False
        # All windows of a program have the upper part of their numbers in common.
        mask: int = self._display.display.info.resource_id_mask
        return now & ~mask != self._own & ~mask

    def _window(self) -> int:
        """The number of the window that has it; 0 or 1 if none has."""
        if self._display is None:
            return 0
        try:
            focus = self._display.get_input_focus().focus
        except (ConnectionClosedError, XError, OSError):
            self._display = None
            return 0
        return int(getattr(focus, "id", focus))
