"""Below the login form: the servers nearby. A click or Enter on one connects."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from twocans.gui.faces import Face
from twocans.gui.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.nearby import MAX_SHOWN, ServerRow
from twocans.gui.views.common import Act

_LEAST_CHARS: Final = 3


class NearbyView(ttk.Frame):
    """The list."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._limit = MAX_SHOWN
        self._width = 0
        self._shown: tuple[ServerRow, ...] = ()
        self._heading = ttk.Label(self, text="Servers nearby", style="Strong.Base.TLabel")
        self._rows = [
            ttk.Button(
                self,
                style="Soft.TButton",
                cursor="hand2",
                command=lambda number=number: self._choose(number),  # type: ignore[misc]  # a default binds early
            )
            for number in range(MAX_SHOWN)
        ]
        for row in self._rows:
            for key in ("<Return>", "<KP_Enter>"):
                row.bind(key, lambda event: event.widget.invoke())
        self._text = ttk.Label(self, style="Small.Base.TLabel", justify="left")
        self.columnconfigure(0, weight=1)
        self._heading.grid(row=0, column=0, sticky="w")
        self._text.grid(row=MAX_SHOWN + 1, column=0, sticky="w")

    def show(self) -> None:
        """Show what is nearby now."""
        choice, em = self._vm.nearby, self._theme.em
        state = "disabled" if self._vm.form.state.connecting else "!disabled"
        self._shown = choice.rows[: self._limit]
        for number, button in enumerate(self._rows):
            button.state([state])
            if number < len(self._shown):
                row = self._shown[number]
                button.configure(text=self._fitted(row))
                button.grid(row=number + 1, column=0, sticky="ew", pady=(em(0.3), 0))
            else:
                button.grid_remove()
        text = choice.text(self._limit)
        self._text.configure(text=text)
        if text:
            self._text.grid(pady=(em(0.3), 0))
        else:
            self._text.grid_remove()

    def wrap(self, width: int) -> None:
        """Lines may be so wide, in pixels."""
        self._width = width
        self._text.configure(wraplength=width, font=Face.SMALL.value)
        if self._vm.nearby.is_looking:
            self.show()

    def fit(self, spare: int) -> bool:
        """Show one row more where there is so much room left, in pixels, or one less where it is negative; says if so."""
        row = self._rows[0].winfo_reqheight() + self._theme.em(0.3)
        limit = self._limit
        if spare < 0:
            # Without any row there is none to leave out, now or when there are some.
            limit = len(self._shown) - 1 if self._shown else limit
        elif spare > row + self._theme.em(2) and limit < min(MAX_SHOWN, len(self._vm.nearby.rows)):
            limit += 1
        changed, self._limit = limit != self._limit, limit
        if changed and self._vm.nearby.is_looking:
            self.show()
        return changed

    def _fitted(self, row: ServerRow) -> str:
        """What stands on a button; of a name that is too long the end is left out."""
        room = self._width - self._theme.em(2.5)
        name, text = row.name, f"{row.name} · {row.about}"
        while len(name) > _LEAST_CHARS and self._theme.measure(Face.BODY, text) > room:
            name = name[:-1]
            text = f"{name.rstrip()}… · {row.about}"
        return text

    def _choose(self, number: int) -> None:
        # The list may have changed since it was drawn, but not what stands on the button.
        if number < len(self._shown):
            self._act(self._vm.nearby.choose, self._shown[number].server)
