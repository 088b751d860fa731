"""What small windows over the main one have in common; the list of keys, and the question about a link."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui import keys
from twocans.gui.faces import Face
from twocans.gui.theme import Theme
from twocans.gui.transcript.destination import Destination

_LINK_EM: Final = 30


class Dialog(tk.Toplevel):
    """A window over the main one; Esc closes it."""

    def __init__(self, parent: tk.Tk, theme: Theme, title: str) -> None:
        super().__init__(parent)
        self.withdraw()
        self.title(title)
        self.theme = theme
        self.transient(parent)
        self.resizable(False, False)
        self.configure(background=theme.colours.base)
        self.body = ttk.Frame(self, style="Base.TFrame", padding=theme.em(1.4))
        self.body.pack(fill="both", expand=True)
        self.bind("<Escape>", lambda _: self.destroy())
        theme.on_change(self._recolour)

    def present(self, focus: tk.Widget) -> None:
        """Show it in the middle of the main window."""
        self.update_idletasks()
        parent = self.master
        x = parent.winfo_rootx() + (parent.winfo_width() - self.winfo_reqwidth()) // 2
        y = parent.winfo_rooty() + (parent.winfo_height() - self.winfo_reqheight()) // 3
        self.geometry(f"+{max(0, x)}+{max(0, y)}")
        self.deiconify()
        self.lift()
        focus.focus_set()

    def _recolour(self) -> None:
        if self.winfo_exists():
            self.configure(background=self.theme.colours.base)


class KeysDialog(Dialog):
    """The keys."""

    def __init__(self, parent: tk.Tk, theme: Theme) -> None:
        super().__init__(parent, theme, "Keys – Twocans")
        em = theme.em
        # All below each other, or in two columns where the screen is not high enough for that.
        needed = len(keys.TABLE) * (theme.line(Face.BODY) + 2 * em(0.12)) + em(8)
        high = needed <= self.winfo_screenheight()
        rows = len(keys.TABLE) if high else (len(keys.TABLE) + 1) // 2
        for number, key in enumerate(keys.TABLE):
            second, row = divmod(number, rows)
            ttk.Label(self.body, text=key.shown, style="Strong.Base.TLabel").grid(
                row=row, column=2 * second, sticky="w", padx=(em(2.0) * second, em(1.4)), pady=em(0.12)
            )
            ttk.Label(self.body, text=key.does, style="Base.TLabel").grid(
                row=row, column=2 * second + 1, sticky="w", pady=em(0.12)
            )
        close = ttk.Button(self.body, text="Done", style="Primary.TButton", command=self.destroy)
        close.grid(row=rows, column=0, columnspan=4, sticky="e", pady=(em(1.0), 0))
        self.present(close)


class LinkDialog(Dialog):
    """Asks whether to open a link whose text could be taken for another destination; at first, the answer is no.

    Args:
        where: where it leads.
        on_open: called if the user wants that.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, where: Destination, on_open: Callable[[], None]) -> None:
        super().__init__(parent, theme, "Open this link? – Twocans")
        em = theme.em
        width = em(_LINK_EM)
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
