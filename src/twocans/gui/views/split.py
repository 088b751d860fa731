"""Two panes: side by side in a wide window, one at a time in a narrow one."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui.theme.theme import Theme

NARROW_EM: Final = 40
"""Below this width, 640 px at the usual size, there is room for one pane only."""
_SIDE: Final = 0.34
_SIDE_LEAST_EM: Final = 16
_SIDE_MOST_EM: Final = 24


class Split(ttk.Frame):
    """Places the panes; which of them a narrow window shows is asked from outside.

    Args:
        parent: where it goes.
        theme: the look.
        on_narrow: told when the window becomes narrow or wide.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, on_narrow: Callable[[bool], None]) -> None:
        super().__init__(parent, style="Chat.TFrame")
        self._theme, self._on_narrow = theme, on_narrow
        self._rule = ttk.Frame(self, style="Rule.TFrame")
        self._panes: tuple[tk.Widget, tk.Widget] | None = None
        self._second = False
        self.narrow = False
        self.bind("<Configure>", lambda _: self.arrange())

    def set_panes(self, first: tk.Widget, second: tk.Widget) -> None:
        """The list and the chat."""
        self._panes = (first, second)
        self.arrange()

    def show_second(self, second: bool) -> None:
        """Which pane a narrow window shows."""
        if second != self._second:
            self._second = second
            self.arrange()

    def arrange(self) -> None:
        """Place the panes for the width that there is."""
        if self._panes is None:
            return
        em, width = self._theme.em, self.winfo_width()
        if width < 2:
            return
        narrow = width < em(NARROW_EM)
        if narrow != self.narrow:
            self.narrow = narrow
            self._on_narrow(narrow)
        first, second = self._panes
        if narrow:
            self._rule.place_forget()
            shown, hidden = (second, first) if self._second else (first, second)
            hidden.place_forget()
            shown.place(x=0, y=0, width=width, relheight=1)
            return
        side = max(em(_SIDE_LEAST_EM), min(em(_SIDE_MOST_EM), round(width * _SIDE)))
        line = self._theme.pixel
        first.place(x=0, y=0, width=side, relheight=1)
        self._rule.place(x=side, y=0, width=line, relheight=1)
        second.place(x=side + line, y=0, width=width - side - line, relheight=1)
