"""The people who are connected to one's own server, a row each, with a menu of what can be done about them."""

from __future__ import annotations

import contextlib
import sys
import tkinter as tk
from tkinter import ttk
from typing import Final, Literal

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.operating_rows import PersonRow
from twocans.gui.views.common import Act, presence_mark
from twocans.gui.views.menus import new_menu, show_under
from twocans.gui.views.tooltip import Tooltip

_CONTEXT_CLICKS: Final = ("<Button-2>", "<Control-Button-1>") if sys.platform == "darwin" else ("<Button-3>",)


class PeopleRows(ttk.Frame):
    """The rows; those of people who stay keep their place and the focus.

    Args:
        parent: where it goes.
        theme: the look.
        vm: what is shown.
        act: carries intents.
        width: of a row, in pixels.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm, self._act, self._width = theme, vm, act, width
        self._rows: dict[str, _Row] = {}

    def show(self, people: tuple[PersonRow, ...]) -> None:
        """Show these."""
        names = {person.name for person in people}
        gone = [name for name in self._rows if name not in names]
        focused = self._focused() if gone else None
        for name in gone:
            self._rows.pop(name).destroy()
        self.configure(height=1)  # Tk leaves a frame as high as it was when its last row goes
        for number, person in enumerate(people):
            row = self._rows.get(person.name)
            if row is None:
                row = self._rows[person.name] = _Row(self, self._theme, self._vm, self._act, self._width)
                self._bind_keys(row)
            row.show(person)
            row.grid(row=number, column=0, sticky="ew")
        self.columnconfigure(0, weight=1)
        self._rows = {person.name: self._rows[person.name] for person in people}
        if focused is not None and self._focused() is None and self._rows:
            rows = list(self._rows.values())
            rows[min(focused, len(rows) - 1)].button.focus_set()

    def _bind_keys(self, row: _Row) -> None:
        for sequence, by in (("<Up>", -1), ("<Down>", 1)):
            row.button.bind(sequence, lambda _, by=by: self._step(row, by))  # type: ignore[misc]  # a default binds early

    def _step(self, row: _Row, by: int) -> str:
        rows = list(self._rows.values())
        rows[max(0, min(len(rows) - 1, rows.index(row) + by))].button.focus_set()
        return "break"

    def _focused(self) -> int | None:
        focus = str(self.tk.call("focus"))
        return next(
            (number for number, row in enumerate(self._rows.values()) if focus == str(row.button)), None
        )


class _Row(ttk.Frame):
    """One person."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm, self._act, self._width = theme, vm, act, width
        self._person: PersonRow | None = None
        em = theme.em
        self._mark = ttk.Label(self, style="Base.TLabel", width=0)
        self._name = ttk.Label(self, style="Strong.Base.TLabel")
        self._lines = ttk.Label(self, style="Small.Base.TLabel", justify="left")
        self.button = ttk.Button(self, style="IconBase.TButton", cursor="hand2", command=self._show_menu)
        self.button.configure(image=theme.icon("three-dots-vertical", 1.1, theme.colours.text))
        Tooltip(self.button, theme, lambda: "Kick, ban, codes")
        self._mark.grid(row=0, column=0, padx=(0, em(0.6)), pady=(em(0.3), 0))
        self._name.grid(row=0, column=1, sticky="w", pady=(em(0.3), 0))
        self._lines.grid(row=1, column=1, sticky="w", pady=(0, em(0.3)))
        self.button.grid(row=0, column=2, rowspan=2, padx=(em(0.5), 0))
        self.columnconfigure(1, weight=1)
        for widget in (self, self._mark, self._name, self._lines, self.button):
            for sequence in _CONTEXT_CLICKS:
                widget.bind(sequence, lambda event: self._show_menu(event.x_root, event.y_root))
        for sequence in ("<Menu>", "<Shift-F10>"):
            with contextlib.suppress(tk.TclError):  # a display may not know the key
                self.button.bind(sequence, lambda _: self._show_menu())

    def show(self, person: PersonRow) -> None:
        """Show somebody as they are now."""
        if person == self._person:
            return
        self._person = person
        theme, em = self._theme, self._theme.em
        mark = presence_mark(theme, person.presence, em(0.75), theme.colours.base)
        self._mark.configure(image="" if mark is None else mark)
        room = self._width - em(5)
        suffix = " (you)" if person.is_me else ""
        name = theme.elide(Face.STRONG, person.name, room - theme.measure(Face.STRONG, suffix))
        self._name.configure(text=theme.drawn(name) + suffix)
        lines = [theme.drawn(theme.elide(Face.SMALL, line, room)) for line in person.lines]
        self._lines.configure(text="\n".join(lines))

    def _show_menu(self, x: int | None = None, y: int | None = None) -> str:
        person, operating = self._person, self._vm.operating
        if person is None:
            return "break"
        menu = new_menu(self, self._theme)
        owned: Literal["normal", "disabled"] = "normal" if person.owned else "disabled"
        if not person.is_me:
            menu.add_command(label="Kick …", command=lambda: self._act(operating.ask_kick, person.name))
            menu.add_command(label="Ban …", command=lambda: self._act(operating.ask_ban, person.name))
            menu.add_separator()
            menu.add_command(
                label="Give a code …",
                state=owned,
                command=lambda: self._act(operating.ask_code, person.name),
            )
            menu.add_command(
                label="Free the name …",
                state=owned,
                command=lambda: self._act(operating.ask_free, person.name),
            )
        menu.add_command(label="Devices …", command=lambda: self._act(operating.show_name, person.name))
        if x is None or y is None:
            show_under(menu, self.button)
        else:
            menu.tk_popup(x, y)
        return "break"
