"""The search in messages, in place of the list of people: a field, and what was found. Only rows on screen are drawn."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from PIL import ImageTk

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.glyphs import shown
from twocans.gui.transcript.layout import TextLayout, lay_out
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.finder import Found
from twocans.gui.views.common import Act, Field, icon_button
from twocans.gui.views.text_canvas import draw_line

_LINES: Final = 2
_WHEEL_EM: Final = 3.0
_GAP: Final = 0.35
_INSET: Final = 0.6


class FinderView(ttk.Frame):
    """Arrows move the cursor, Enter shows the message in its chat, Esc ends the search."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._top = ttk.Frame(self, style="Side.TFrame")
        self._back = icon_button(
            self._top, theme, style="IconSide", tip="End the search (Esc)", command=lambda: act(vm.end_search)
        )
        self._title = ttk.Label(self._top, style="Strong.Side.TLabel")
        self._field = Field(self, theme, style="Pill", icon="search")
        self._field.set_placeholder("Search messages")
        self._list = _FoundList(self, theme, vm, act)
        self._field.text.trace_add("write", lambda *_: act(vm.type_to_find, self._field.text.get()))
        entry = self._field.entry
        entry.bind("<Down>", lambda _: act(vm.move_found, 1))
        entry.bind("<Up>", lambda _: act(vm.move_found, -1))
        entry.bind("<Next>", lambda _: act(vm.move_found, self._list.page))
        entry.bind("<Prior>", lambda _: act(vm.move_found, -self._list.page))
        for sequence in ("<Return>", "<KP_Enter>"):
            entry.bind(sequence, lambda _: act(vm.open_found))
        self.bind("<Configure>", lambda _: self._show_title())
        self.restyle()

    @property
    def field(self) -> ttk.Entry:
        """Where the words are typed."""
        return self._field.entry

    @property
    def canvas(self) -> tk.Canvas:
        """Where the results are drawn."""
        return self._list.canvas

    def focus_field(self) -> None:
        """Move the focus to the field."""
        self._field.entry.focus_set()
        self._field.entry.selection_range(0, "end")

    def show(self) -> None:
        """The search as it is now."""
        self._field.set(self._vm.finder.query)
        self._show_title()
        self._list.show()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em = self._theme.em
        self._top.pack(fill="x", padx=em(0.4), pady=(em(0.8), em(0.5)))
        self._back.configure(image=self._theme.icon("arrow-left", 1.2, self._theme.colours.text))
        self._back.pack(side="left")
        self._title.pack(side="left", padx=(em(0.4), 0), fill="x", expand=True)
        self._field.pack(fill="x", padx=em(0.8), pady=(0, em(0.4)))
        self._list.pack(fill="both", expand=True, pady=(0, em(0.2)))
        self._field.restyle()
        self._list.restyle()

    def _show_title(self) -> None:
        width = max(self._theme.em(8), self.winfo_width() - self._theme.em(5))
        title = self._theme.elide(Face.STRONG, self._vm.finder.title, width)
        self._title.configure(text=self._theme.drawn(title))


class _FoundList(ttk.Frame):
    """The results, newest first, and below them what is to be told."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._offset = 0
        self._selected = 0
        self._hovered: int | None = None
        self._held: list[ImageTk.PhotoImage] = []  # Tk itself holds none
        self.canvas = tk.Canvas(self, highlightthickness=0, borderwidth=0, takefocus=True)
        self._bar = ttk.Scrollbar(self, style="Side.Vertical.TScrollbar", command=self._scroll)
        self.canvas.pack(side="left", fill="both", expand=True)
        self._bind()

    @property
    def page(self) -> int:
        """How many results are in view."""
        return max(1, self.canvas.winfo_height() // self._row_height - 1)

    def show(self) -> None:
        """Show the results as they are now; the cursor stays in view if it moved."""
        selected = self._vm.finder.selected
        if selected != self._selected:
            self._selected = selected
            top = selected * self._row_height
            height = self.canvas.winfo_height()
            self._offset = max(min(self._offset, top), top + self._row_height - height)
        self._draw()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        self.canvas.configure(background=self._theme.colours.side)
        self._draw()

    # --- inside: drawing ----------------------------------------------------------------------------------

    @property
    def _row_height(self) -> int:
        theme = self._theme
        return theme.line(Face.STRONG) + _LINES * theme.line(Face.SMALL) + theme.em(1.2)

    @property
    def _total(self) -> int:
        hint = self._theme.em(4) if self._vm.finder.hint else 0
        return len(self._vm.finder) * self._row_height + hint

    def _draw(self) -> None:
        canvas, theme, finder = self.canvas, self._theme, self._vm.finder
        canvas.delete("all")
        self._held.clear()
        width, height, row = canvas.winfo_width(), canvas.winfo_height(), self._row_height
        if width < 2 or not finder.active:
            return
        self._offset = max(0, min(self._offset, self._total - height))
        first = self._offset // row
        last = min(len(finder), (self._offset + height) // row + 1)
        for index in range(first, last):
            self._draw_row(finder.row(index), index, index * row - self._offset, width)
        if finder.hint:
            canvas.create_text(
                width // 2,
                len(finder) * row - self._offset + theme.em(1.2),
                text=theme.drawn(finder.hint),
                width=width - theme.em(3),
                fill=theme.colours.muted,
                font=Face.BODY.value,
                justify="center",
                anchor="n",
            )
        if self._total > height:
            if not self._bar.winfo_ismapped():
                self._bar.pack(side="right", fill="y", before=canvas)
            self._bar.set(self._offset / self._total, (self._offset + height) / self._total)
        elif self._bar.winfo_ismapped():
            self._bar.pack_forget()
        if finder.more and last >= len(finder) - 3:
            canvas.after_idle(lambda: self._act(self._vm.more_found))

    def _draw_row(self, found: Found, index: int, top: int, width: int) -> None:
        canvas, theme, c = self.canvas, self._theme, self._theme.colours
        em = theme.em
        finder = self._vm.finder
        cursor = index == finder.selected
        chosen = finder.chosen is not None and finder.chosen.id == found.id
        ground = c.selected if chosen else c.hover if index == self._hovered else c.side
        gap, radius = em(_GAP), em(0.55)
        box_width, box_height = max(8, width - 2 * gap), self._row_height - em(0.1)
        if cursor:
            outline = theme.rounded(box_width, box_height, radius, c.accent_text)
            canvas.create_image(gap, top, image=outline, anchor="nw")
            line = max(2, em(0.12))
            inner = theme.rounded(box_width - 2 * line, box_height - 2 * line, radius - line, ground)
            canvas.create_image(gap + line, top + line, image=inner, anchor="nw")
        elif ground != c.side:
            canvas.create_image(
                gap, top, image=theme.rounded(box_width, box_height, radius, ground), anchor="nw"
            )
        left, right = gap + em(_INSET), width - gap - em(_INSET)
        y = top + em(0.5)
        name = found.peer
        if finder.peer is not None:
            name = "You" if found.own else found.peer
        elif found.own:
            name = f"You to {found.peer}"
        canvas.create_text(right, y, text=found.when, anchor="ne", fill=c.muted, font=Face.SMALL.value)
        room = right - left - theme.measure(Face.SMALL, found.when) - em(0.6)
        canvas.create_text(
            left,
            y,
            text=theme.drawn(theme.elide(Face.STRONG, name, room)),
            anchor="nw",
            fill=c.text,
            font=Face.STRONG.value,
        )
        self._draw_snippet(found, left, y + theme.line(Face.STRONG) + em(0.1), right - left)

    def _draw_snippet(self, found: Found, left: int, top: int, width: int) -> None:
        canvas, theme, c = self.canvas, self._theme, self._theme.colours
        text = self._lay_out(found.text, width)
        line_height = theme.line(Face.SMALL)
        for number in range(min(_LINES, len(text.lines))):
            x, y = left + text.line_x(number, width), top + number * line_height
            for start, end in found.marks:
                first, last = text.shown.from_message(start), text.shown.from_message(end)
                for span_x, span_width in text.spans(number, first, last):
                    canvas.create_rectangle(
                        x + span_x,
                        y,
                        x + span_x + span_width,
                        y + line_height,
                        fill=c.found,
                        outline="",
                        tags=("found",),
                    )
            self._held += draw_line(canvas, theme, text, number, x, y, Face.SMALL, c.text)

    def _lay_out(self, text: str, width: int) -> TextLayout:
        theme = self._theme
        return lay_out(
            shown(text, astral=theme.astral), (), max(theme.em(4), width), theme.painter(Face.SMALL).ruler
        )

    # --- inside: keys and pointer -------------------------------------------------------------------------

    def _bind(self) -> None:
        canvas, vm, act = self.canvas, self._vm, self._act
        canvas.bind("<Configure>", lambda _: self._draw())
        for sequence, by in (("<Up>", -1), ("<Down>", 1), ("<Home>", -(10**6)), ("<End>", 10**6)):
            canvas.bind(sequence, lambda _, by=by: act(vm.move_found, by))  # type: ignore[misc]  # a default binds early
        canvas.bind("<Prior>", lambda _: act(vm.move_found, -self.page))
        canvas.bind("<Next>", lambda _: act(vm.move_found, self.page))
        for sequence in ("<Return>", "<KP_Enter>", "<space>"):
            canvas.bind(sequence, lambda _: act(vm.open_found))
        canvas.bind("<Button-1>", self._click)
        canvas.bind("<Motion>", lambda event: self._hover(self._index_at(event.y)))
        canvas.bind("<Leave>", lambda _: self._hover(None))
        canvas.bind("<MouseWheel>", lambda event: self._wheel(-1 if event.delta > 0 else 1))
        canvas.bind("<Button-4>", lambda _: self._wheel(-1))
        canvas.bind("<Button-5>", lambda _: self._wheel(1))

    def _index_at(self, y: int) -> int | None:
        index = (y + self._offset) // self._row_height
        return index if 0 <= index < len(self._vm.finder) else None

    def _click(self, event: tk.Event[tk.Canvas]) -> None:
        self.canvas.focus_set()
        index = self._index_at(event.y)
        if index is not None:
            self._act(self._vm.open_found, index)

    def _hover(self, index: int | None) -> None:
        if index != self._hovered:
            self._hovered = index
            self.canvas.configure(cursor="hand2" if index is not None else "")
            self._draw()

    def _wheel(self, direction: int) -> None:
        self._offset += direction * self._theme.em(_WHEEL_EM)
        self._draw()

    def _scroll(self, kind: str, amount: str, unit: str = "") -> None:
        if kind == "moveto":
            self._offset = round(float(amount) * self._total)
        else:
            step = self.canvas.winfo_height() if unit == "pages" else self._row_height
            self._offset += round(float(amount)) * step
        self._draw()
