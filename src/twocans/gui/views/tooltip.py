"""A little window with a text beside the pointer, shown when it rests."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui.platform.last_input import last_input
from twocans.gui.platform.screens import Box, beside, work_area_at
from twocans.gui.theme.theme import Theme

RESTS_MS: Final = 500
SHOWN_MS: Final = 6000
"""How long it stays where the pointer rests on."""


class Tooltip:
    """Goes after a while, at the next key, click or turn of the wheel, and when the pointer or the focus leaves.

    Args:
        widget: over which it appears, if its window has the focus.
        theme: the look.
        text: what it says, asked when it appears; nothing appears for "".
    """

    def __init__(self, widget: tk.Misc, theme: Theme, text: Callable[[], str]) -> None:
        self._widget, self._theme, self._text = widget, theme, text
        self._timer: str | None = None
        self._window: tk.Toplevel | None = None
        widget.bind("<Enter>", lambda _: self.rest(), add="+")
        for event in ("<Leave>", "<Destroy>"):
            widget.bind(event, lambda _: self.hide(), add="+")

    def rest(self) -> None:
        """The pointer is over something else now."""
        self.hide()
        last_input(self._widget).until_next(self.hide)
        self._timer = self._widget.after(RESTS_MS, self._show)

    def hide(self) -> None:
        """Take it away."""
        if self._timer is not None:
            self._widget.after_cancel(self._timer)
            self._timer = None
        if self._window is not None:
            self._window.destroy()
            self._window = None

    def _show(self) -> None:
        self._timer = None
        text = self._text()
        if not text or not last_input(self._widget).is_in_front(self._widget):
            return
        em = self._theme.em
        window = self._window = tk.Toplevel(self._widget)
        window.withdraw()
        window.overrideredirect(True)
        frame = ttk.Frame(window, style="Toast.TFrame", padding=(em(0.6), em(0.3)))
        frame.pack()
        ttk.Label(frame, text=text, style="Toast.TLabel", wraplength=em(24)).pack()
        window.update_idletasks()
        x, y = self._widget.winfo_pointerxy()
        pointer = Box(x, y - em(0.4), em(0.8), em(1.4))
        size = (window.winfo_reqwidth(), window.winfo_reqheight())
        left, top = beside(pointer, size, work_area_at(window, x, y))
        window.geometry(f"+{left}+{top}")
        window.deiconify()
        self._timer = self._widget.after(SHOWN_MS, self.hide)
