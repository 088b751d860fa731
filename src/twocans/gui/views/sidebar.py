"""The left side: who one is, the menu, the search, the list."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.views.common import Act, Avatar, Field, icon_button
from twocans.gui.views.do_not_disturb import quiet_menu
from twocans.gui.views.finder import FinderView
from twocans.gui.views.focus import has_focus
from twocans.gui.views.menus import show_under
from twocans.gui.views.people import PeopleList
from twocans.gui.views.tooltip import Tooltip
from twocans.protocol.messages import Status
from twocans.protocol.names import key_of


class Sidebar(ttk.Frame):
    """Oneself on top, apart from the others; then the search and the list. A search in messages stands in their place."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, menu: Callable[[tk.Widget], None]
    ) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._usual = ttk.Frame(self, style="Side.TFrame")
        self.finder = FinderView(self, theme, vm, act)
        self._top = ttk.Frame(self._usual, style="Side.TFrame")
        self._avatar = Avatar(self._top, theme, ground="side")
        self._names = ttk.Frame(self._top, style="Side.TFrame")
        self._names.bind("<Configure>", lambda _: self.show_me())
        self._name = ttk.Label(self._names, style="Title.Side.TLabel")
        self._status = ttk.Label(self._names, style="Small.Side.TLabel", justify="left")
        self.menu_button = icon_button(
            self._top, theme, style="IconSide", tip="Menu (F10)", command=lambda: menu(self.menu_button)
        )
        self.bell_button = ttk.Button(
            self._top,
            style="IconSide.TButton",
            cursor="hand2",
            command=lambda: show_under(quiet_menu(self, theme, vm, act), self.bell_button),
        )
        Tooltip(
            self.bell_button, theme, lambda: "Do not disturb is on" if vm.quiet.is_on else "Do not disturb"
        )
        self._search = Field(self._usual, theme, style="Pill", icon="search")
        self._search.set_placeholder("Search people")
        self.people = PeopleList(self._usual, theme, vm, act, self._typed)
        self._search.text.trace_add("write", lambda *_: act(vm.search, self._search.text.get()))
        entry = self._search.entry
        entry.bind("<Down>", lambda _: act(vm.move, 1))
        entry.bind("<Up>", lambda _: act(vm.move, -1))
        for sequence in ("<Return>", "<KP_Enter>"):
            entry.bind(sequence, lambda _: act(vm.open_selected))
        self.restyle()

    def focus_search(self) -> None:
        """Move the focus to the search."""
        self._search.entry.focus_set()
        self._search.entry.selection_range(0, "end")

    @property
    def searching(self) -> bool:
        """Whether the focus is in the search."""
        return has_focus(self._search.entry)

    def show_me(self) -> None:
        """Who one is, and whether there is a connection."""
        self._avatar.show(key_of(self._vm.me), self._vm.me)
        width = max(self._theme.em(4), self._names.winfo_width())
        self._name.configure(text=self._theme.drawn(self._theme.elide(Face.TITLE, self._vm.me, width)))
        quiet, c = self._vm.quiet, self._theme.colours
        status = "you are online" if self._vm.connected else "not connected"
        if self._vm.connected and self._vm.absence.status is Status.AWAY:
            status = "you are shown as away"
        if quiet.is_on:
            status = f"do not disturb until {quiet.until}"
        self._status.configure(text=status, wraplength=width)
        bell, colour = ("bell-slash-fill", c.accent_text) if quiet.is_on else ("bell", c.text)
        self.bell_button.configure(image=self._theme.icon(bell, 1.1, colour))

    def show_people(self) -> None:
        """The list as it is now."""
        self._search.set(self._vm.query)
        self.people.show()

    def show_finder(self) -> None:
        """The search in messages, if there is one."""
        shown, hidden = (self.finder, self._usual) if self._vm.finder.active else (self._usual, self.finder)
        hidden.pack_forget()
        shown.pack(fill="both", expand=True)
        self.finder.show()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em = self._theme.em
        self._top.pack(fill="x", padx=em(0.9), pady=(em(0.8), em(0.6)))
        self._avatar.pack(side="left")
        self.menu_button.configure(
            image=self._theme.icon("three-dots-vertical", 1.1, self._theme.colours.text)
        )
        self.menu_button.pack(side="right")
        self.bell_button.pack(side="right")
        self._names.pack(side="left", padx=(em(0.7), 0), fill="x", expand=True)
        self._name.pack(anchor="w")
        self._status.pack(anchor="w")
        self._search.pack(fill="x", padx=em(0.8), pady=(0, em(0.4)))
        self.people.pack(fill="both", expand=True, pady=(0, em(0.2)))
        self._avatar.restyle()
        self._search.restyle()
        self.people.restyle()
        self.finder.restyle()
        self.show_finder()
        self.show_me()

    def _typed(self, letter: str) -> None:
        self._search.entry.focus_set()
        self._search.entry.insert("end", letter)
        self._search.entry.icursor("end")
