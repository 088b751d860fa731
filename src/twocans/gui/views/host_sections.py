"""Parts of the window about one's own server: how others join, and its log."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.qr import qr_code
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.views import keys
from twocans.gui.views.common import Act, Field, copy

CODE_EM: Final = 13
_LEAST_CODE_EM: Final = 8
_AROUND_CODE_EM: Final = 14
"""The height above and below the code, the window's frame and its buttons included."""
_LOG_LINES: Final = 9
_NOBODY: Final = "Nobody else can connect: this computer is in no network, or the server listens on it alone."


class JoinSection(ttk.Frame):
    """The addresses for others, each with a button that copies it, and a QR code.

    Args:
        parent: where it goes.
        theme: the look.
        vm: what is shown.
        act: carries intents.
        width: of the section, in pixels.
        wide: true if the code has room beside the addresses.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, *, width: int, wide: bool
    ) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._places: tuple[str, ...] | None = None
        em = theme.em
        side = width - em(CODE_EM + 1.6) if wide else width
        self._side = ttk.Frame(self, style="Base.TFrame")
        self._code = ttk.Frame(self, style="Base.TFrame")
        self._side.grid(row=0, column=0, sticky="new")
        self._code.grid(
            row=0 if wide else 1,
            column=1 if wide else 0,
            sticky="ne" if wide else "n",
            padx=(em(1.6) if wide else 0, 0),
            pady=(0 if wide else em(0.6), 0),
        )
        self.columnconfigure(0, weight=1)
        self._heading = ttk.Label(self._side, style="Strong.Base.TLabel", wraplength=side, justify="left")
        self._rows = ttk.Frame(self._side, style="Base.TFrame")
        self._hint = ttk.Label(self._side, style="Small.Base.TLabel", wraplength=side, justify="left")
        self._heading.pack(anchor="w", pady=(0, em(0.4)))
        self._rows.pack(fill="x")
        self._hint.pack(anchor="w", pady=(em(0.2), 0))
        self._picture = ttk.Label(self._code, style="Base.TLabel", anchor="center")
        self._copy_link = ttk.Button(
            self._code,
            text="Copy link",
            style="Soft.TButton",
            cursor="hand2",
            command=lambda: copy(self, self._copy_link, vm.hosting.link),
        )
        self._picture.pack()
        self._copy_link.pack(pady=(em(0.4), 0))

    def show(self) -> None:
        """Show the addresses and the code as they are now."""
        hosting = self._vm.hosting
        if hosting.places != self._places:
            self._places = hosting.places
            self._fill()
        link = hosting.link
        if not link:
            self._code.grid_remove()
            return
        em = self._theme.em
        # On a small screen it has to fit at once: nobody scrolls while they hold a camera.
        width = min(em(CODE_EM), max(em(_LEAST_CODE_EM), self.winfo_screenheight() - em(_AROUND_CODE_EM)))
        self._picture.configure(image=self._theme.picture(("qr", link, width), lambda: qr_code(link, width)))
        self._hint.configure(
            text=f"The QR code and the link hold {hosting.place} and the server's key. Scan the code, or paste "
            "the link as the server."
        )
        self._code.grid()

    def _fill(self) -> None:
        places = self._places or ()
        for child in self._rows.winfo_children():
            child.destroy()
        self._rows.configure(height=1)  # Tk leaves a frame as high as it was when its last row goes
        self._heading.configure(text="Others can join with" if places else _NOBODY)
        if not places:
            self._hint.configure(text="")
        for number, place in enumerate(places):
            field = Field(self._rows, self._theme, icon="hdd-network")
            field.set(place)
            field.entry.configure(state="readonly")
            keys.last(field.entry)
            field.entry.bind("<FocusIn>", self._choosing(place), add="+")
            button = ttk.Button(self._rows, text="Copy", style="Soft.TButton", cursor="hand2", width=7)
            button.configure(command=_copying(self, button, place))
            below = self._theme.em(0.4)
            field.grid(row=number, column=0, sticky="ew", pady=(0, below))
            button.grid(row=number, column=1, padx=(self._theme.em(0.5), 0), pady=(0, below))
        self._rows.columnconfigure(0, weight=1)

    def _choosing(self, place: str) -> Callable[[object], None]:
        return lambda _: self._act(self._vm.hosting.choose, place)


class LogSection(ttk.Frame):
    """The end of the server's log, with buttons that copy it and open its folder."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm = theme, vm
        self._shown = ""
        em, c = theme.em, theme.colours
        heading = ttk.Frame(self, style="Base.TFrame")
        heading.pack(fill="x", pady=(0, em(0.4)))
        ttk.Label(heading, text="Its log", style="Strong.Base.TLabel").pack(side="left")
        folder = ttk.Button(
            heading,
            text="Open folder",
            style="Soft.TButton",
            cursor="hand2",
            command=lambda: act(vm.hosting.open_folder),
        )
        copying = ttk.Button(heading, text="Copy log", style="Soft.TButton", cursor="hand2")
        copying.configure(command=lambda: copy(self, copying, vm.hosting.log))
        folder.pack(side="right")
        copying.pack(side="right", padx=(0, em(0.5)))
        copying.lower(folder)  # so that Tab goes from left to right
        frame = ttk.Frame(self, style="Base.TFrame")
        frame.pack(fill="x")
        log = self._log = tk.Text(
            frame,
            height=_LOG_LINES,
            width=10,
            wrap="word",
            font=Face.SMALL.value,
            background=c.side,
            foreground=c.text,
            selectbackground=c.accent,
            selectforeground=c.on_accent,
            highlightthickness=theme.pixel,
            highlightbackground=c.border,
            highlightcolor=c.accent_text,
            borderwidth=0,
            padx=em(0.6),
            pady=em(0.4),
            takefocus=True,
            state="disabled",
        )
        bar = ttk.Scrollbar(frame, style="Base.Vertical.TScrollbar", command=log.yview)
        log.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        log.pack(side="left", fill="both", expand=True)
        log.bind("<Button-1>", lambda _: log.focus_set())
        # A text that cannot be written in keeps Tab for itself all the same.
        for sequence, way in (("<Tab>", log.tk_focusNext), ("<Shift-Tab>", log.tk_focusPrev)):
            log.bind(sequence, lambda _, way=way: _go(way))  # type: ignore[misc]  # a default binds early

    def show(self) -> None:
        """Show what is in the log; its end stays in view unless somebody has scrolled away from it."""
        log, text = self._log, self._vm.hosting.log
        if text == self._shown:
            return
        at_end = log.yview()[1] >= 1.0
        top = log.index("@0,0")
        log.configure(state="normal")
        if text.startswith(self._shown):
            log.insert("end", self._drawn(text[len(self._shown) :]))
        else:
            log.delete("1.0", "end")
            log.insert("1.0", self._drawn(text))
        log.configure(state="disabled")
        self._shown = text
        log.see("end" if at_end else top)

    def _drawn(self, text: str) -> str:
        return "\n".join(self._theme.drawn(line) for line in text.split("\n"))


def _copying(widget: tk.Misc, button: ttk.Button, text: str) -> Callable[[], None]:
    return lambda: copy(widget, button, text)


def _go(way: Callable[[], tk.Misc | None]) -> str:
    following = way()
    if following is not None:
        following.focus_set()
    return "break"
