"""The server's key: the line at the first use, the dialog that shows it, and the question when it has changed."""

from __future__ import annotations

import contextlib
import tkinter as tk
from tkinter import ttk

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.state import KeyChange, KnownServer
from twocans.gui.views import keys
from twocans.gui.views.common import Act, Field, copy
from twocans.gui.views.dialogs import Dialog, text_width
from twocans.protocol.keys import KEY_CHARS, as_typed


class FirstUseView(ttk.Frame):
    """The line across the window at a new server: its key, to be compared."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm = theme, vm
        self._icon = ttk.Label(self, style="Base.TLabel")
        self._text = ttk.Label(self, style="Base.TLabel", justify="left")
        self._key = ttk.Label(self, style="Key.Base.TLabel")
        self._again = ttk.Label(self, style="Small.Base.TLabel", justify="left")
        self._close = ttk.Button(
            self,
            text="Close",
            style="Soft.TButton",
            command=lambda: act(vm.close_first_use),
            cursor="hand2",
        )
        self._rule = ttk.Frame(self, style="Rule.TFrame")
        self.bind("<Configure>", lambda _: self._wrap())
        self.restyle()

    def show(self) -> bool:
        """Show it as it is now; says whether there is anything to show."""
        server = self._vm.server
        if server is None or not self._vm.first_use:
            return False
        self._text.configure(
            text="First connection to this server. Compare its key with the one on the server's console:"
        )
        self._key.configure(text=server.readable)
        self._again.configure(
            text=f"You can find it later in the menu, under Security ({keys.COMMAND_SHOWN}I)."
        )
        return True

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em = self._theme.em
        self.columnconfigure(1, weight=1)
        self._icon.configure(image=self._theme.icon("shield-lock", 1.4, self._theme.colours.accent_text))
        self._icon.grid(row=0, column=0, rowspan=3, sticky="n", padx=(em(1.0), em(0.8)), pady=em(0.6))
        self._text.grid(row=0, column=1, sticky="w", pady=(em(0.5), 0))
        self._key.grid(row=1, column=1, sticky="w", pady=em(0.1))
        self._again.grid(row=2, column=1, sticky="w", pady=(0, em(0.5)))
        self._close.grid(row=0, column=2, rowspan=3, padx=em(0.8), pady=em(0.5))
        self._rule.configure(height=self._theme.pixel)
        self._rule.grid(row=4, column=0, columnspan=3, sticky="ew")
        self._wrap()

    def _wrap(self) -> None:
        em, width = self._theme.em, self.winfo_width()
        narrow = width < em(36)
        room = width - em(5 if narrow else 11)
        for label in (self._text, self._again):
            label.configure(wraplength=max(em(10), room))
        if narrow:
            self._close.grid(row=3, column=1, columnspan=2, rowspan=1, sticky="e", pady=(0, em(0.6)))
        else:
            self._close.grid(row=0, column=2, columnspan=1, rowspan=3, sticky="", pady=em(0.5))


class SecurityDialog(Dialog):
    """Which server this is, and by what it is known.

    Args:
        server: the server.
        connected: whether there is a connection to it now.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, server: KnownServer, *, connected: bool) -> None:
        super().__init__(parent, theme, "Security – Twocans")
        em, width = theme.em, text_width(self)
        place = server.address if server.name in {"", server.address} else f"{server.address} · {server.name}"
        now = (
            "Encrypted between you and the server."
            if connected
            else "There is none just now. The next one will be encrypted, too."
        )
        for row, (title, text) in enumerate((("Server", place), ("Connection", now))):
            _heading(self.body, title).grid(row=2 * row, column=0, columnspan=2, sticky="w")
            shown = theme.drawn(theme.elide(Face.BODY, text, width)) if title == "Server" else text
            _text(self.body, shown, width).grid(
                row=2 * row + 1, column=0, columnspan=2, sticky="w", pady=(em(0.15), em(0.9))
            )
        _heading(self.body, "The server's key").grid(row=4, column=0, columnspan=2, sticky="w")
        ttk.Label(self.body, text=server.readable, style="Key.Base.TLabel").grid(
            row=5, column=0, sticky="w", pady=em(0.3)
        )
        self._copy = ttk.Button(
            self.body,
            text="Copy",
            style="Soft.TButton",
            cursor="hand2",
            command=lambda: copy(self, self._copy, server.readable),
        )
        self._copy.grid(row=5, column=1, sticky="e", padx=(em(1.0), 0))
        explanation = (
            "It tells this server from every other. The server's console shows it when the server starts: "
            "if it is the same there, nobody between you and the server can read or change anything."
        )
        _text(self.body, explanation, width, style="Small.Base.TLabel").grid(
            row=6, column=0, columnspan=2, sticky="w", pady=(em(0.3), 0)
        )
        if server.problem:
            _text(self.body, server.problem, width, style="Error.Base.TLabel").grid(
                row=7, column=0, columnspan=2, sticky="w", pady=(em(0.9), 0)
            )
        done = ttk.Button(self.body, text="Done", style="Primary.TButton", command=self.destroy)
        done.grid(row=8, column=0, columnspan=2, sticky="e", pady=(em(1.3), 0))
        self.present(done)


class KeyChangedDialog(Dialog):
    """Asks what to do about a server with another key than before; the answer is no until somebody has brought its key.

    Nothing else can be done in the window meanwhile.

    Args:
        change: what has changed.
        vm: takes what is typed.
        act: carries intents.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, change: KeyChange, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, theme, "The server's key has changed – Twocans")
        self._vm, self._act = vm, act
        em, width = theme.em, text_width(self)
        self._title = ttk.Label(
            self.body,
            text=" Is this still your server?",
            style="Title.Base.TLabel",
            compound="left",
            image=theme.icon("shield-exclamation", 1.5, theme.colours.danger),
        )
        self._title.grid(row=0, column=0, sticky="w", pady=(0, em(0.7)))
        where = theme.drawn(theme.elide(Face.BODY, change.address, em(18)))
        for row, text in enumerate(
            (
                (
                    f"What answers at {where} has another key than the server that was there before. "
                    "Nothing was sent to it."
                ),
                (
                    "Either the server was set up anew, or somebody on the network pretends to be it in order to "
                    "read what you write."
                ),
                (
                    "Ask the person who runs the server, and not in this chat. If it was set up anew, have them read you "
                    "the key that its console shows now, and type that key here."
                ),
            ),
            1,
        ):
            _text(self.body, text, width).grid(row=row, column=0, sticky="w", pady=(0, em(0.6)))
        _heading(self.body, "The key before").grid(row=4, column=0, sticky="w", pady=(em(0.3), em(0.1)))
        ttk.Label(self.body, text=change.readable, style="Key.Base.TLabel").grid(row=5, column=0, sticky="w")
        _heading(self.body, "The key that the server's console shows now").grid(
            row=6, column=0, sticky="w", pady=(em(0.8), em(0.3))
        )
        self._key = Field(self.body, theme, icon="key")
        self._key.entry.configure(font=Face.KEY.value)
        keys.last(self._key.entry)
        self._key.grid(row=7, column=0, sticky="ew")
        self._error = _text(self.body, " ", width, style="Error.Base.TLabel")
        self._error.grid(row=8, column=0, sticky="w", pady=(em(0.2), 0))
        buttons = ttk.Frame(self.body, style="Base.TFrame")
        buttons.grid(row=9, column=0, sticky="e", pady=(em(0.7), 0))
        self._go = ttk.Button(buttons, text="Connect", style="Soft.TButton", command=self._accept)
        self._stay = ttk.Button(buttons, text="Do not connect", style="Primary.TButton", command=self._refuse)
        self._go.pack(side="left", padx=(0, em(0.6)))
        self._stay.pack(side="left")
        self._key.set(change.typed)
        self._key.text.trace_add("write", lambda *_: act(vm.type_key, self._key.text.get()))
        for sequence in ("<Return>", "<KP_Enter>"):
            self._key.entry.bind(sequence, lambda _: self._accept())
        self.bind("<Escape>", lambda _: self._refuse())
        self.protocol("WM_DELETE_WINDOW", self._refuse)
        self.bind("<Map>", lambda _: self._hold())
        self.show(change)
        self.present(self._stay)

    def show(self, change: KeyChange) -> None:
        """Show whether what was typed is the key."""
        self._go.state(["!disabled" if change.matches else "disabled"])
        complete = len(as_typed(change.typed)) >= KEY_CHARS
        wrong = complete and not change.matches
        self._key.set_invalid(wrong)
        self._error.configure(
            text="That is not the key of what answers there. Do not connect." if wrong else " "
        )

    def _accept(self) -> None:
        self._act(self._vm.accept_key)

    def _refuse(self) -> None:
        self._act(self._vm.refuse_key)

    def _hold(self) -> None:
        with contextlib.suppress(tk.TclError):  # it is out of sight, e.g. with the window itself
            self.grab_set()


def _heading(parent: tk.Misc, text: str) -> ttk.Label:
    return ttk.Label(parent, text=text, style="Strong.Base.TLabel")


def _text(parent: tk.Misc, text: str, width: int, *, style: str = "Base.TLabel") -> ttk.Label:
    return ttk.Label(parent, text=text, style=style, wraplength=width, justify="left")
