"""Below the login form: the servers nearby, and those used before. A click or Enter on one connects."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from PIL import ImageTk

from twocans.gui.platform.last_input import INPUT_CHANGED, last_input
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.nearby import ServerRow
from twocans.gui.viewmodel.recent import Recent
from twocans.gui.viewmodel.state import Heading
from twocans.gui.views.common import Act
from twocans.gui.views.text_canvas import draw_line, one_line_of
from twocans.gui.views.tooltip import Tooltip

_ROW: Final = 3.4
_HEADING: Final = 2.3
_LEAST_ROWS: Final = 3.4
"""So many rows come before ornaments; the part of one shows that there are more."""


class ServerList(ttk.Frame):
    """The list: arrows move the cursor, Enter connects, Delete forgets a server that was used before.

    Args:
        parent: where it goes.
        theme: the look.
        vm: what is shown.
        act: carries intents.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._items: tuple[Heading | ServerRow, ...] = ()
        self._tops: list[int] = [0]
        self._selected: str | None = None
        self._hovered: str | None = None
        self._elided: set[str] = set()
        self._held: list[ImageTk.PhotoImage] = []  # Tk itself holds none
        self._room = 0
        self._heading = ttk.Label(self, text="Servers nearby", style="Strong.Base.TLabel")
        self._text = ttk.Label(self, style="Small.Base.TLabel", justify="left")
        self._canvas = tk.Canvas(
            self, highlightthickness=0, borderwidth=0, takefocus=True, width=1, height=0, yscrollincrement=1
        )
        self._bar = ttk.Scrollbar(self, style="Base.Vertical.TScrollbar", command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self._tooltip = Tooltip(self._canvas, theme, self._tip)
        self.columnconfigure(0, weight=1)
        self._heading.grid(row=0, column=0, sticky="w")
        self._text.grid(row=1, column=0, sticky="w")
        self._canvas.grid(row=2, column=0, sticky="ew")
        self._bar.grid(row=2, column=1, sticky="ns")
        self._bind()
        self.restyle()

    # --- showing ------------------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self._vm.nearby.is_looking and not self._vm.nearby.items

    @property
    def least(self) -> int:
        """How much of the list has to be seen, in pixels, before there is room for anything else."""
        return min(self._tops[-1], self._theme.em(_ROW * _LEAST_ROWS))

    @property
    def above(self) -> int:
        """What stands above the list, in pixels."""
        heading = self._heading.winfo_reqheight() + self._theme.em(0.3) if self._vm.nearby.is_looking else 0
        return heading + (self._text.winfo_reqheight() if self._vm.nearby.text else 0)

    def show(self) -> None:
        """Show the list as it is now; the cursor stays in view if it moved."""
        choice = self._vm.nearby
        before, self._selected = self._selected, choice.selected
        self._items = choice.items
        tops = [0]
        for item in self._items:
            tops.append(tops[-1] + self._theme.em(_HEADING if isinstance(item, Heading) else _ROW))
        self._tops = tops
        if choice.is_looking:
            self._heading.grid()
        else:
            self._heading.grid_remove()
        self.fit(self._room)
        if self._selected != before:
            self._reveal()

    def fit(self, room: int) -> None:
        """The list may be so high, in pixels; one row stays."""
        self._room = room
        total = self._tops[-1]
        height = min(total, max(room, self._theme.em(_ROW)))
        text = self._vm.nearby.text
        self._text.configure(text=text)
        _put(self._text, shown=bool(text))
        _put(self._canvas, shown=height > 0)
        _put(self._bar, shown=height < total)
        self._canvas.configure(height=height)
        self._draw()

    def wrap(self, width: int) -> None:
        """Lines may be so wide, in pixels."""
        self._text.configure(wraplength=width, font=Face.SMALL.value)

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        self._canvas.configure(background=self._theme.colours.base)
        self._heading.grid_configure(pady=(0, self._theme.em(0.3)))

    # --- inside: drawing ----------------------------------------------------------------------------------

    def _draw(self) -> None:
        canvas, theme = self._canvas, self._theme
        canvas.delete("all")
        self._elided.clear()
        self._held.clear()
        width = canvas.winfo_width()
        canvas.configure(scrollregion=(0, 0, width, self._tops[-1]))
        if width < 2:
            return
        for item, top in zip(self._items, self._tops, strict=False):
            if isinstance(item, Heading):
                canvas.create_text(
                    theme.em(0.1),
                    top + theme.em(_HEADING - 0.9),
                    text=item.text,
                    anchor="w",
                    fill=theme.colours.text,
                    font=Face.STRONG.value,
                )
            else:
                self._draw_row(item, top, width)

    def _draw_row(self, row: ServerRow, top: int, width: int) -> None:
        canvas, theme, c = self._canvas, self._theme, self._theme.colours
        em = theme.em
        height, radius = em(_ROW) - em(0.35), em(0.45)
        busy = self._vm.form.state.connecting
        ground = c.soft_hover if row.key == self._hovered and not busy else c.soft
        cursor = row.key == self._selected and last_input(canvas).shows_focus(canvas)
        if cursor:
            line = max(2, em(0.12))
            canvas.create_image(
                0, top, image=theme.rounded(width, height, radius, c.accent_text), anchor="nw"
            )
            inner = theme.rounded(width - 2 * line, height - 2 * line, radius - line, ground)
            canvas.create_image(line, top + line, image=inner, anchor="nw")
        else:
            canvas.create_image(0, top, image=theme.rounded(width, height, radius, ground), anchor="nw")
        left, right, middle = em(0.9), width - em(0.8), top + height // 2
        if isinstance(row.server, Recent):
            if cursor or row.key == self._hovered:
                image = theme.icon("x-lg", 0.8, c.muted)
                canvas.create_image(right, middle, image=image, anchor="e")
            right -= em(1.4)
        if row.online:
            colour = c.muted if busy else c.text
            item = canvas.create_text(
                right, middle, text=row.online, anchor="e", fill=colour, font=Face.SMALL.value
            )
            right = canvas.bbox(item)[0] - em(0.5)
        if row.invite:
            image = theme.icon("lock-fill", 0.85, c.muted)
            canvas.create_image(right, middle, image=image, anchor="e")
            right -= em(1.35)
        for text, face, y, fill in (
            (row.name, Face.STRONG, 0.32, c.muted if busy else c.text),
            (row.about, Face.SMALL, 0.69, c.muted),
        ):
            laid = one_line_of(text, theme, face, right - left)
            if laid.shown.text != text:
                self._elided.add(row.key)
            line_top = top + round(height * y) - theme.line(face) // 2
            self._held += draw_line(canvas, theme, laid, 0, left, line_top, face, fill)

    def _reveal(self) -> None:
        total, height = self._tops[-1], int(self._canvas.cget("height"))
        for index, item in enumerate(self._items):
            if isinstance(item, ServerRow) and item.key == self._selected and total:
                top, bottom = self._tops[index], self._tops[index + 1]
                if top < self._canvas.canvasy(0):
                    self._canvas.yview_moveto(top / total)
                elif bottom > self._canvas.canvasy(height):
                    self._canvas.yview_moveto((bottom - height) / total)

    # --- inside: keys and pointer -------------------------------------------------------------------------

    def _bind(self) -> None:
        canvas, choice, act = self._canvas, self._vm.nearby, self._act
        canvas.bind("<Configure>", lambda _: self._draw())
        for event in ("<FocusIn>", "<FocusOut>"):
            canvas.bind(event, lambda event: self._focused(gained=event.type is tk.EventType.FocusIn))
        canvas.bind(INPUT_CHANGED, lambda _: self._draw())
        for sequence, by in (("<Up>", -1), ("<Down>", 1), ("<Home>", -(10**6)), ("<End>", 10**6)):
            canvas.bind(sequence, lambda _, by=by: act(choice.move, by))  # type: ignore[misc]  # a default binds early
        for sequence in ("<Return>", "<KP_Enter>", "<space>"):
            canvas.bind(sequence, lambda _: act(choice.choose_selected))
        for sequence in ("<Delete>", "<BackSpace>"):
            canvas.bind(sequence, lambda _: act(choice.forget_selected))
        canvas.bind("<Button-1>", self._click)
        canvas.bind("<Motion>", lambda event: self._hover(self._row_at(event.y)))
        canvas.bind("<Leave>", lambda _: self._hover(None), add="+")
        canvas.bind("<MouseWheel>", lambda event: self._wheel(-1 if event.delta > 0 else 1))
        canvas.bind("<Button-4>", lambda _: self._wheel(-1))
        canvas.bind("<Button-5>", lambda _: self._wheel(1))

    def _row_at(self, y: int) -> ServerRow | None:
        at = self._canvas.canvasy(y)
        for index, item in enumerate(self._items):
            if self._tops[index] <= at < self._tops[index + 1]:
                return item if isinstance(item, ServerRow) else None
        return None

    def _focused(self, *, gained: bool) -> None:
        if gained and self._selected not in {row.key for row in self._vm.nearby.rows}:
            self._act(self._vm.nearby.move, 0)
        self._draw()

    def _click(self, event: tk.Event[tk.Canvas]) -> None:
        row = self._row_at(event.y)
        if row is None:
            return
        if isinstance(row.server, Recent) and event.x >= self._canvas.winfo_width() - self._theme.em(2.2):
            self._act(self._vm.nearby.forget, row.server)
        else:
            self._act(self._vm.nearby.choose, row.server)

    def _hover(self, row: ServerRow | None) -> None:
        key = row.key if row is not None else None
        if key != self._hovered:
            self._hovered = key
            self._canvas.configure(cursor="hand2" if key else "")
            self._tooltip.rest()
            self._draw()

    def _tip(self) -> str:
        row = next((row for row in self._vm.nearby.rows if row.key == self._hovered), None)
        if row is None:
            return ""
        lines = [self._theme.drawn(row.name), self._theme.drawn(row.about)] if row.key in self._elided else []
        if row.invite:
            lines.append("Newcomers need an invite.")
        if isinstance(row.server, Recent):
            lines.append("The cross, or Delete, forgets this server.")
        return "\n".join(lines)

    def _wheel(self, direction: int) -> None:
        if self._tops[-1] > int(self._canvas.cget("height")):
            self._canvas.yview_scroll(direction * self._theme.em(_ROW), "units")


def _put(widget: tk.Widget, *, shown: bool) -> None:
    if shown:
        widget.grid()
    else:
        widget.grid_remove()
