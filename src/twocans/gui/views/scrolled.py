"""A frame that can be scrolled where there is no room for all that is in it."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from twocans.gui.platform.last_input import last_input
from twocans.gui.theme.theme import Theme
from twocans.gui.views.focus import has_focus_within

_WHEEL_EM: Final = 3.0


class Scrolled(ttk.Frame):
    """What goes into it belongs into `inside`; whatever there gets the focus is brought into view.

    Args:
        parent: where it goes.
        theme: the look.
        middle: for a frame whose size comes from outside: what is inside is as wide as that, and stands so far down, 0 to
            1, where there is room left. None for a frame that takes the size of what is inside, see `set_limit`.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, *, middle: float | None = None) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._middle = theme, middle
        self._limit: tuple[int, int] | None = None
        self._planned: str | None = None
        self._arranged: tuple[int, ...] = ()
        self._focus_moved = False
        self._canvas = tk.Canvas(
            self, highlightthickness=0, borderwidth=0, takefocus=False, width=1, height=1
        )
        self._down = ttk.Scrollbar(self, style="Base.Vertical.TScrollbar", command=self._canvas.yview)
        self._across = ttk.Scrollbar(
            self, style="Base.Horizontal.TScrollbar", orient="horizontal", command=self._canvas.xview
        )
        self._canvas.configure(yscrollcommand=self._down.set, xscrollcommand=self._across.set)
        self.inside = ttk.Frame(self._canvas, style="Base.TFrame")
        self._item = self._canvas.create_window(0, 0, window=self.inside, anchor="nw")
        for widget in (self, self.inside):
            widget.bind("<Configure>", lambda _: self.arrange())
        window = self.winfo_toplevel()
        window.bind("<FocusIn>", self._focused, add="+")
        window.bind("<Configure>", self._moved, add="+")
        self.bind("<Destroy>", self._destroyed)
        window.bind("<MouseWheel>", lambda event: self._wheel(event, -1 if event.delta > 0 else 1), add="+")
        window.bind("<Button-4>", lambda event: self._wheel(event, -1), add="+")
        window.bind("<Button-5>", lambda event: self._wheel(event, 1), add="+")
        self.restyle()

    def restyle(self) -> None:
        """Colours have changed."""
        self._canvas.configure(background=self._theme.colours.base)

    def set_limit(self, width: int, height: int) -> None:
        """Take the size of what is inside, up to this one in pixels."""
        self._limit = (width, height)
        self.arrange()

    def arrange(self) -> None:
        """Find out what there is room for, and keep what has the focus in view, as soon as nothing else is to be done.

        Not at once: Tk tells of new sizes in the midst of placing and drawing, and forgets what is asked of it then.
        """
        if self._planned is None:
            self._planned = self.after_idle(self._arrange)

    def _arrange(self) -> None:
        self._planned = None
        width, height = self.inside.winfo_reqwidth(), self.inside.winfo_reqheight()
        room = self._limit or (self.winfo_width(), self.winfo_height())
        bar = self._down.winfo_reqwidth()
        down = height > room[1]
        across = width > room[0] - (bar if down else 0)
        down = down or (across and height > room[1] - bar)
        seen = (room[0] - (bar if down else 0), room[1] - (bar if across else 0))
        if self._limit is not None:
            seen = (min(width, seen[0]), min(height, seen[1]))
            self.configure(width=seen[0] + (bar if down else 0), height=seen[1] + (bar if across else 0))
        self._canvas.place(x=0, y=0, width=seen[0], height=seen[1])
        _put(self._down, shown=down, x=seen[0], y=0, width=bar, height=seen[1])
        _put(self._across, shown=across, x=0, y=seen[1], width=seen[0], height=bar)
        top = 0
        if self._middle is not None:
            width = max(width, seen[0])
            self._canvas.itemconfigure(self._item, width=width)
            top = max(0, round((seen[1] - height) * self._middle))
        self._canvas.coords(self._item, 0, top)
        self._canvas.configure(scrollregion=(0, 0, width, max(height, seen[1] if top else 0)))
        if not down:
            self._canvas.yview_moveto(0)
        if not across:
            self._canvas.xview_moveto(0)
        if self._focus_moved or (width, height, *room) != self._arranged:
            # At no other time: it would take back what the wheel has done.
            self._reveal_focus()
        self._focus_moved, self._arranged = False, (width, height, *room)

    def show_top(self) -> None:
        """Scroll back to where it begins."""
        self._canvas.yview_moveto(0)
        self._canvas.xview_moveto(0)

    def _wheel(self, event: tk.Event[tk.Misc], direction: int) -> None:
        path = str(event.widget)
        if not path.startswith(f"{self}.") or not self._is_nearest(event.widget):
            return
        # A list or a text within has its own idea of the wheel, if there is more of it than is in view.
        if event.widget is not self._canvas and self.tk.call("winfo", "class", path) in {"Canvas", "Text"}:
            seen = [float(part) for part in self.tk.splitlist(self.tk.call(path, "yview"))]
            if seen != [0.0, 1.0]:
                return
        step = direction * self._theme.em(_WHEEL_EM)
        self._canvas.yview_moveto((self._canvas.canvasy(0) + step) / self.inside.winfo_reqheight())

    def _destroyed(self, _event: tk.Event[tk.Misc]) -> None:
        if self._planned is not None:
            self.after_cancel(self._planned)
            self._planned = None

    def _is_nearest(self, widget: tk.Misc | None) -> bool:
        """Whether this is the innermost frame around a widget that can be scrolled."""
        while widget is not None and not (isinstance(widget, Scrolled) and widget._down.winfo_ismapped()):
            widget = widget.master
        return widget is self

    def _focused(self, event: tk.Event[tk.Misc]) -> None:
        if str(event.widget).startswith(f"{self.inside}."):
            self._reveal(event.widget)

    def _moved(self, event: tk.Event[tk.Misc]) -> None:
        """What has the focus may have got another place."""
        focus, path = str(self.tk.call("focus")), str(event.widget)
        if path.startswith(f"{self.inside}.") and f"{focus}.".startswith(f"{path}."):
            self._focus_moved = True
            self.arrange()

    def _reveal_focus(self) -> None:
        if has_focus_within(self.inside):
            focus = self.focus_get()
            if focus is not None:
                self._reveal(focus)

    def _reveal(self, widget: tk.Misc) -> None:
        inside, canvas = self.inside, self._canvas
        # What is clicked on stays where it is if all of it is in view; keys bring some of what is beside it along.
        gap = self._theme.em(1.5) if last_input(self).by_key else 0
        left, top = widget.winfo_rootx() - inside.winfo_rootx(), widget.winfo_rooty() - inside.winfo_rooty()
        for bar, first, extent, seen, room, whole, move in (
            (
                self._down,
                top,
                widget.winfo_height(),
                canvas.canvasy(0),
                canvas.winfo_height(),
                inside.winfo_reqheight(),
                canvas.yview_moveto,
            ),
            (
                self._across,
                left,
                widget.winfo_width(),
                canvas.canvasx(0),
                canvas.winfo_width(),
                inside.winfo_reqwidth(),
                canvas.xview_moveto,
            ),
        ):
            if not bar.winfo_ismapped():
                continue
            space = min(gap, max(0, (room - extent) // 2))
            if first - space < seen:
                move(max(0, first - space) / whole)
            elif first + extent + space > seen + room:
                move(max(0, min(first, first + extent + space - room)) / whole)


def _put(bar: ttk.Scrollbar, *, shown: bool, x: int, y: int, width: int, height: int) -> None:
    if shown:
        bar.place(x=x, y=y, width=width, height=height)
    else:
        bar.place_forget()
