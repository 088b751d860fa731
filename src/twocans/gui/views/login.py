"""The login: server, name, what else the server asks for, connect. What is wrong is told beside the field."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.effects import (
    Place,
)
from twocans.gui.viewmodel.state import Need
from twocans.gui.views.common import Act, Field
from twocans.gui.views.hosting import HostBar
from twocans.gui.views.nearby import ServerList
from twocans.gui.views.scrolled import Scrolled

_NEEDED: Final = {Need.INVITE: "Invite code", Need.SECRET: "Code or password"}
_MIDDLE: Final = 0.48
_EDGE_EM: Final = 0.6
_ABOVE_LIST_EM: Final = 0.2


class LoginView(ttk.Frame):
    """The login screen."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._dots = 0
        self._rows: list[tuple[tk.Widget, str, int, int]] = []
        self._scrolled = Scrolled(self, theme, middle=_MIDDLE)
        self._scrolled.pack(fill="both", expand=True)
        self._card = self._scrolled.inside
        self._sign = ttk.Label(self._card, style="Base.TLabel")
        self._title = ttk.Label(self._card, text="Twocans", style="Huge.Base.TLabel")
        self._subtitle = ttk.Label(
            self._card, text="Chat with everybody on your network", style="Muted.Base.TLabel"
        )
        self._message = ttk.Label(self._card, style="Error.Base.TLabel", anchor="center", justify="center")
        self._server_label = ttk.Label(self._card, text="Server", style="Strong.Base.TLabel")
        self._server = Field(self._card, theme, icon="hdd-network")
        self._server_error = ttk.Label(self._card, style="Error.Base.TLabel", justify="left")
        self._user_label = ttk.Label(self._card, text="Your name", style="Strong.Base.TLabel")
        self._user = Field(self._card, theme, icon="person")
        self._user_error = ttk.Label(self._card, style="Error.Base.TLabel", justify="left")
        self._secret_label = ttk.Label(self._card, style="Strong.Base.TLabel")
        self._secret = Field(self._card, theme, icon="key", secret=True)
        self._secret_error = ttk.Label(self._card, justify="left")
        self._connect = ttk.Button(self._card, style="Primary.TButton", command=self._press, cursor="hand2")
        self._busy = ttk.Label(self._card, style="Small.Base.TLabel", anchor="center")
        self._host = HostBar(self._card, theme, vm, act)
        self._servers = ServerList(self._card, theme, vm, act)
        self._server.set_placeholder("localhost or 192.168.1.5")
        self._user.set_placeholder("The name that others see")
        self._server.text.trace_add("write", lambda *_: act(vm.form.set_server, self._server.text.get()))
        self._user.text.trace_add("write", lambda *_: act(vm.form.set_user, self._user.text.get()))
        self._secret.text.trace_add("write", lambda *_: act(vm.form.set_secret, self._secret.text.get()))
        for field in (self._server, self._user, self._secret):
            for key in ("<Return>", "<KP_Enter>"):
                field.entry.bind(key, lambda _: act(vm.connect))
        self.bind("<Configure>", lambda _: self._wrap())
        self._card.bind("<Configure>", lambda _: self._fit(), add="+")
        self.restyle()

    def focus_on(self, place: Place) -> None:
        """Move the focus to a field."""
        widget: tk.Widget = {
            Place.SERVER: self._server.entry,
            Place.USER: self._user.entry,
            Place.SECRET: self._secret.entry,
        }.get(place, self._connect)
        widget.focus_set()
        if isinstance(widget, ttk.Entry):
            widget.selection_range(0, "end")
            widget.icursor("end")

    def show(self) -> None:
        """Show the form as it is now."""
        state = self._vm.form.state
        self._server.set(state.server)
        self._user.set(state.user)
        for field, label, error in (
            (self._server, self._server_error, state.server_error),
            (self._user, self._user_error, state.user_error),
        ):
            field.set_invalid(bool(error))
            label.configure(text=error)
            if error:
                label.grid()
            else:
                label.grid_remove()
            field.entry.state(["disabled" if state.connecting else "!disabled"])
        self._show_secret()
        self.show_host()
        self._message.configure(text=state.message)
        if state.message:
            self._message.grid()
        else:
            self._message.grid_remove()
        self._connect.configure(
            text="Cancel" if state.connecting else "Connect",
            style="Soft.TButton" if state.connecting else "Primary.TButton",
        )
        self._busy.configure(text=f"Connecting to {state.server.strip()} …" if state.connecting else " ")
        if state.connecting:
            self._connect.focus_set()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em = self._theme.em
        self._card.configure(padding=(em(1.5), em(_EDGE_EM)))
        self._scrolled.restyle()
        self._sign.configure(image=self._theme.sign(4.6))
        self._card.columnconfigure(0, weight=1)
        self._card.columnconfigure(1, minsize=em(21), weight=0)
        self._card.columnconfigure(2, weight=1)
        self._rows = [
            (self._sign, "", 0, em(0.4)),
            (self._title, "", 0, em(0.1)),
            (self._subtitle, "", 0, em(1.4)),
            (self._message, "ew", 0, em(1.0)),
            (self._server_label, "w", 0, em(0.35)),
            (self._server, "ew", 0, em(0.2)),
            (self._server_error, "w", em(0.1), em(0.2)),
            (self._user_label, "w", em(0.6), em(0.35)),
            (self._user, "ew", 0, em(0.2)),
            (self._user_error, "w", em(0.1), em(0.2)),
            (self._secret_label, "w", em(0.6), em(0.35)),
            (self._secret, "ew", 0, em(0.2)),
            (self._secret_error, "w", em(0.1), em(0.2)),
            (self._connect, "ew", em(1.1), em(0.5)),
            (self._busy, "ew", 0, 0),
            (self._host, "ew", em(0.1), em(0.5)),
            (self._servers, "ew", em(_ABOVE_LIST_EM), 0),
        ]
        for row, (widget, sticky, above, below) in enumerate(self._rows):
            widget.grid(row=row, column=1, sticky=sticky, pady=(above, below))
        self._server.restyle()
        self._user.restyle()
        self._secret.restyle()
        self._host.restyle()
        self._servers.restyle()
        self._wrap()
        self.show()

    def show_host(self) -> None:
        """The server of this computer, and what has room beside it."""
        self._host.show()
        self._show_servers()

    def _show_servers(self) -> None:
        """The servers to choose from, if there are any or could be."""
        self._servers.show()
        if self._servers.is_empty:
            self._servers.grid_remove()
        else:
            self._servers.grid()
        self._fit()

    def _show_secret(self) -> None:
        """The field for what the server asks for beside the name, if it does."""
        state = self._vm.form.state
        self._secret.set(state.secret)
        self._secret.set_invalid(bool(state.secret_error))
        self._secret.entry.state(["disabled" if state.connecting else "!disabled"])
        self._secret_error.configure(
            text=state.secret_error or state.secret_hint,
            style="Error.Base.TLabel" if state.secret_error else "Small.Base.TLabel",
        )
        if state.needs is not None:
            self._secret_label.configure(text=_NEEDED[state.needs])
        else:
            self._secret.conceal()
        for widget in (self._secret_label, self._secret, self._secret_error):
            if state.needs is None or (widget is self._secret_error and not widget.cget("text")):
                widget.grid_remove()
            else:
                widget.grid()

    def _fit(self) -> None:
        """Leave out the sign, then the title, in a window that has no room for them; the list has what is left, or scrolls."""
        room = self.winfo_height()
        if room <= 1:
            return
        ornaments = ((self._title, self._subtitle), (self._sign,))
        # Not asked of the card, which knows only later what its parts need by now.
        needed = {widget: widget.winfo_reqheight() + above + below for widget, _, above, below in self._rows}
        form = (
            one
            for one in needed
            if one.winfo_manager() and one not in {*ornaments[0], *ornaments[1], self._servers}
        )
        edges = 2 * self._theme.em(_EDGE_EM) + self._theme.em(_ABOVE_LIST_EM)
        room -= sum(needed[widget] for widget in form) + self._servers.above + edges
        fits = True
        for group in ornaments:
            height = sum(needed[widget] for widget in group)
            fits = fits and height <= room - self._servers.least
            room -= height if fits else 0
            for widget in group:
                if fits:
                    widget.grid()
                else:
                    widget.grid_remove()
        self._servers.fit(room)
        self._scrolled.arrange()

    def _wrap(self) -> None:
        width = min(self._theme.em(21), max(100, self.winfo_width() - self._theme.em(3.6)))
        self._card.columnconfigure(1, minsize=width)
        for label in (self._server_error, self._user_error, self._secret_error, self._message):
            label.configure(wraplength=width, font=Face.SMALL.value)
        self._host.wrap(width)
        self._servers.wrap(width)
        self._fit()

    def _press(self) -> None:
        self._act(self._vm.form.cancel if self._vm.form.state.connecting else self._vm.connect)
