"""What small windows over the main one have in common; the list of keys, and the question about a link."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui.platform.last_input import last_input
from twocans.gui.platform.screens import Box, fit, frame_size, work_area_at
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.destination import Destination
from twocans.gui.views import keys
from twocans.gui.views.scrolled import Scrolled

WIDTH_EM: Final = 30
_SIDES_EM: Final = 5
"""What a dialog's borders take at least, so that it fits on a small screen."""


class Dialog(tk.Toplevel):
    """A window over the main one; Esc closes it. What does not fit on the screen is scrolled.

    What is in it belongs into `body`, and what is to stay in view into `footer`.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, title: str) -> None:
        super().__init__(parent)
        self.withdraw()
        self.title(title)
        self.theme = theme
        middle = parent.winfo_rootx() + parent.winfo_width() // 2, parent.winfo_rooty()
        self.area = work_area_at(parent, *middle)
        """Where it has to be."""
        self.transient(parent)
        self.resizable(False, False)
        self.configure(background=theme.colours.base)
        pad = theme.em(1.4)
        self.footer = ttk.Frame(self, style="Base.TFrame", padding=(pad, 0, pad, pad))
        self._scrolled = Scrolled(self, theme)
        self.body = self._scrolled.inside
        self.body.configure(padding=pad)
        self._scrolled.pack(fill="both", expand=True)
        self._presented = False
        self.body.bind("<Configure>", lambda _: self._fit_screen(), add="+")
        self.bind("<Configure>", self._resized, add="+")
        self.bind("<Escape>", lambda _: self.destroy())
        theme.on_change(self._recolour)

    def present(self, focus: tk.Widget) -> None:
        """Show it in the middle of the main window."""
        last_input(self).dismiss()
        if self.footer.winfo_children():
            self.footer.pack(side="bottom", fill="x", before=self._scrolled)
        self.update_idletasks()
        self._presented = True
        self._fit_screen()
        self.update_idletasks()
        parent = self.master
        x = parent.winfo_rootx() + (parent.winfo_width() - self.winfo_reqwidth()) // 2
        y = parent.winfo_rooty() + (parent.winfo_height() - self.winfo_reqheight()) // 3
        self._move(x, y)
        self.deiconify()
        self.lift()
        # Tk puts off the focus on a widget that is not mapped yet; a key that is pressed meanwhile would be lost.
        self.update_idletasks()
        focus.focus_set()

    def _fit_screen(self) -> None:
        """The window grows and shrinks with what is in it, up to the size of the screen."""
        if self._presented:
            footer = self.footer.winfo_reqheight() if self.footer.winfo_manager() else 0
            frame = frame_size(self, self.theme.em(1))
            self._scrolled.set_limit(self.area.width - frame[0], self.area.height - frame[1] - footer)

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self and self.winfo_rooty() + event.height > self.area.bottom:
            place = Box.parse(self.geometry())
            if place is not None:
                self._move(place.left, place.top)

    def _move(self, x: int, y: int) -> None:
        size = Box(x, y, self.winfo_reqwidth(), self.winfo_reqheight())
        place = fit(size, [self.area], frame=frame_size(self, self.theme.em(1)))
        self.geometry(f"+{place.left}+{place.top}")

    def _recolour(self) -> None:
        if self.winfo_exists():
            self.configure(background=self.theme.colours.base)
            self._scrolled.restyle()


def text_width(dialog: Dialog) -> int:
    """How wide lines of text in a dialog are, in pixels."""
    return min(dialog.theme.em(WIDTH_EM), dialog.area.width - dialog.theme.em(_SIDES_EM))


class KeysDialog(Dialog):
    """The keys."""

    def __init__(self, parent: tk.Tk, theme: Theme) -> None:
        super().__init__(parent, theme, "Keys – Twocans")
        em = theme.em
        keys_wide = max(theme.measure(Face.STRONG, key.shown) for key in keys.TABLE) + em(1.4)
        text_wide = max(theme.measure(Face.BODY, key.does) for key in keys.TABLE)
        room = self.area.width - em(_SIDES_EM)
        # All below each other, or in two columns where the screen is wide enough for that, but not as high.
        needed = len(keys.TABLE) * (theme.line(Face.BODY) + 2 * em(0.12)) + em(8)
        single = needed <= self.area.height or 2 * (keys_wide + text_wide) + em(2.0) > room
        rows = len(keys.TABLE) if single else (len(keys.TABLE) + 1) // 2
        for number, key in enumerate(keys.TABLE):
            second, row = divmod(number, rows)
            ttk.Label(self.body, text=key.shown, style="Strong.Base.TLabel").grid(
                row=row, column=2 * second, sticky="nw", padx=(em(2.0) * second, em(1.4)), pady=em(0.12)
            )
            ttk.Label(
                self.body,
                text=key.does,
                style="Base.TLabel",
                wraplength=max(em(8), min(text_wide, room - keys_wide)),
                justify="left",
            ).grid(row=row, column=2 * second + 1, sticky="w", pady=em(0.12))
        close = ttk.Button(self.footer, text="Done", style="Primary.TButton", command=self.destroy)
        close.pack(side="right")
        self.present(close)


class LinkDialog(Dialog):
    """Asks whether to open a link whose text could be taken for another destination; at first, the answer is no.

    Args:
        where: where it leads.
        on_open: called if the user wants that.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, where: Destination, on_open: Callable[[], None]) -> None:
        super().__init__(parent, theme, "Open this link? – Twocans")
        em, width = theme.em, text_width(self)
        ttk.Label(self.body, text="This link leads to", style="Base.TLabel").grid(row=0, column=0, sticky="w")
        place = ttk.Frame(self.body, style="Base.TFrame")
        place.grid(row=1, column=0, sticky="w", padx=(em(0.12), 0), pady=(em(0.2), 0))
        ttk.Label(place, text=where.scheme, style="Muted.Base.TLabel", padding=0, borderwidth=0).pack(
            side="left", anchor="n"
        )
        # A host has no spaces to break it at, so it is broken here.
        host = theme.wrap(Face.STRONG, where.host, width - theme.measure(Face.BODY, where.scheme))
        ttk.Label(place, text=host, style="Strong.Base.TLabel", padding=0, borderwidth=0).pack(
            side="left", anchor="n"
        )
        if where.rest not in {"", "/"}:
            rest = theme.elide(Face.SMALL, where.rest, width)
            ttk.Label(self.body, text=rest, style="Small.Base.TLabel").grid(row=2, column=0, sticky="w")
        for row, warning in enumerate(where.warnings, 3):
            ttk.Label(
                self.body, text=theme.drawn(warning), style="Base.TLabel", wraplength=width, justify="left"
            ).grid(row=row, column=0, sticky="w", pady=(em(0.8), 0))
        buttons = ttk.Frame(self.body, style="Base.TFrame")
        buttons.grid(row=9, column=0, sticky="e", pady=(em(1.3), 0))
        leave = ttk.Button(buttons, text="Do not open", style="Primary.TButton", command=self.destroy)
        go = ttk.Button(buttons, text="Open", style="Soft.TButton", command=lambda: self._open(on_open))
        go.pack(side="left", padx=(0, em(0.6)))
        leave.pack(side="left")
        for button in (leave, go):
            button.bind("<Left>", lambda _: go.focus_set())
            button.bind("<Right>", lambda _: leave.focus_set())
        self.present(leave)

    def _open(self, on_open: Callable[[], None]) -> None:
        self.destroy()
        on_open()
