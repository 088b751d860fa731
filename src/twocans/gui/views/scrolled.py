"""A frame that is as high as what is in it, or as high as there is room, and can then be scrolled."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from twocans.gui.theme import Theme

_WHEEL_EM: Final = 3.0


class Scrolled(ttk.Frame):
    """What goes into it belongs into `inside`; whatever there gets the focus is brought into view.

    Args:
        parent: where it goes.
        theme: the look.
    """

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme = theme
        self._canvas = tk.Canvas(self, highlightthickness=0, borderwidth=0, takefocus=False)
        self._bar = ttk.Scrollbar(self, style="Side.Vertical.TScrollbar", command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self.inside = ttk.Frame(self._canvas, style="Base.TFrame", padding=(0, 0, theme.em(0.7), 0))
        self._canvas.create_window(0, 0, window=self.inside, anchor="nw")
        self._canvas.pack(side="left", fill="both", expand=True)
        window = self.winfo_toplevel()
        window.bind("<FocusIn>", self._focused, add="+")
        window.bind("<MouseWheel>", lambda event: self._wheel(event, -1 if event.delta > 0 else 1), add="+")
        window.bind("<Button-4>", lambda event: self._wheel(event, -1), add="+")
        window.bind("<Button-5>", lambda event: self._wheel(event, 1), add="+")

    def fit(self, most: int) -> None:
        """Take the size of what is inside, up to a height of `most` pixels."""
        self.inside.update_idletasks()
        width, height = self.inside.winfo_reqwidth(), self.inside.winfo_reqheight()
        self._canvas.configure(
            width=width,
            height=min(height, most),
            scrollregion=(0, 0, width, height),
            background=self._theme.colours.base,
        )
        if height > most:
            self._bar.pack(side="right", fill="y", before=self._canvas)
        else:
            self._bar.pack_forget()
            self._canvas.yview_moveto(0)

    @property
    def _is_scrollable(self) -> bool:
        return bool(self._bar.winfo_ismapped())

    def _wheel(self, event: tk.Event[tk.Misc], direction: int) -> None:
        """Scroll, unless the pointer is over a text that scrolls by itself."""
        over = event.widget
        if self._is_scrollable and not (isinstance(over, tk.Text) and over.yview() != (0.0, 1.0)):
            step = direction * self._theme.em(_WHEEL_EM)
            self._canvas.yview_moveto((self._canvas.canvasy(0) + step) / self.inside.winfo_reqheight())

    def _focused(self, event: tk.Event[tk.Misc]) -> None:
        widget = event.widget
        if not self._is_scrollable or not str(widget).startswith(f"{self.inside}."):
            return
        top = widget.winfo_rooty() - self.inside.winfo_rooty()
        bottom = top + widget.winfo_height()
        shown, height, gap = self._canvas.canvasy(0), self._canvas.winfo_height(), self._theme.em(1.5)
        if top - gap < shown:
            self._canvas.yview_moveto(max(0, top - gap) / self.inside.winfo_reqheight())
        elif bottom + gap > shown + height:
            # Of what is higher than there is room, the top is shown.
            shown = min(bottom + gap - height, max(0, top - gap))
            self._canvas.yview_moveto(shown / self.inside.winfo_reqheight())
