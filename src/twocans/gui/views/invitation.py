"""The address to tell others, in place of a chat while nobody else is at the host's server."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.views.common import Act, copy


class Invitation(ttk.Frame):
    """The address, with buttons that copy it and show the QR code.

    Args:
        parent: where it goes.
        theme: the look.
        vm: what is shown.
        act: carries intents.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Chat.TFrame")
        self._theme, self._vm = theme, vm
        self._shown = ""
        self._before = ttk.Label(self, text="Others can join with", style="Muted.Chat.TLabel")
        self._address = ttk.Label(self, style="Chat.TLabel")
        self._buttons = ttk.Frame(self, style="Chat.TFrame")
        self._code = ttk.Button(
            self._buttons,
            text="Show QR code",
            style="SoftChat.TButton",
            cursor="hand2",
            command=lambda: act(vm.hosting.open),
        )
        self._copy = ttk.Button(
            self._buttons,
            text="Copy address",
            style="SoftChat.TButton",
            cursor="hand2",
            command=lambda: copy(self, self._copy, vm.invitation),
        )
        for widget in (self._before, self._address, self._buttons):
            widget.pack()
        self._copy.pack(side="left")
        self._code.pack(side="left")
        self.restyle()

    def show(self) -> None:
        """Show the address as it is now."""
        if self._vm.invitation != self._shown:
            self._shown = self._vm.invitation
            self._address.configure(text=self._shown)
            self._copy.configure(text="Copy address")

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        self._address.configure(font=Face.HUGE.value)
        self._address.pack_configure(pady=self._theme.em(0.3))
        self._code.pack_configure(padx=(self._theme.em(0.6), 0))
