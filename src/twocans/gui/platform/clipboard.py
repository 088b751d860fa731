"""Hands text to the clipboard, and on X11 to whoever pastes with the middle button."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable


class Clipboard:
    """The clipboard, and the PRIMARY selection of X11.

    Args:
        selected: gives what is selected when somebody asks for it.
    """

    def __init__(self, owner: tk.Misc, selected: Callable[[], str]) -> None:
        self._owner = owner
        self._selected = selected
        self._offered = ""
        self._x11 = owner.tk.call("tk", "windowingsystem") == "x11"
        if self._x11:
            # For this type, Tk itself offers UTF8_STRING as well, in the right encoding.
            owner.selection_handle(self._give, selection="PRIMARY", type="STRING")

    def put(self, text: str) -> None:
        """Puts text on the clipboard."""
        self._owner.clipboard_clear()
        self._owner.clipboard_append(_encodable(text))

    def offer_selection(self) -> None:
        """Offers what is selected now to the middle button."""
        if self._x11 and self._selected():
            self._owner.selection_own(selection="PRIMARY")

    def _give(self, offset: str, length: str) -> str:
        """A piece of the text. Tk asks for one after the other, and counts in UTF-16 units as it stores text."""
        start, size = int(offset), int(length)
        if start == 0:
            self._offered = _encodable(self._selected())
        units = self._offered.encode("utf-16-le")
        return units[2 * start : 2 * (start + size)].decode("utf-16-le", "ignore")


def _encodable(text: str) -> str:
    """`text` without lone halves of surrogate pairs, which no other program could take."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
