"""The list of people. Only the rows on screen are drawn, so a thousand people cost as much as ten."""

from __future__ import annotations

import contextlib
import sys
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from PIL import ImageTk

from twocans.gui.platform.last_input import INPUT_CHANGED, last_input
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.presentation import STATUS
from twocans.gui.viewmodel.state import Heading, People, Presence, Row
from twocans.gui.views.common import Act, draw_avatar, presence_mark
from twocans.gui.views.do_not_disturb import add_mute
from twocans.gui.views.keys import typed_text
from twocans.gui.views.menus import new_menu
from twocans.gui.views.text_canvas import draw_line, one_line_of
from twocans.gui.views.tooltip import Tooltip

_ROW: Final = 3.9
_HEADING: Final = 2.1
_WHEEL_EM: Final = 3.0
_CONTEXT_CLICKS: Final = ("<Button-2>", "<Control-Button-1>") if sys.platform == "darwin" else ("<Button-3>",)


class PeopleList(ttk.Frame):
    """The list: arrows move the cursor, Enter opens, letters go to the search.

    Args:
        parent: where it goes.
        theme: the look.
        vm: what is shown.
        act: carries intents.
        type_to_search: takes a letter that was typed here.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, type_to_search: Callable[[str], None]
    ) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._theme, self._vm, self._act, self._type = theme, vm, act, type_to_search
        self._people = People()
        self._tops: list[int] = [0]
        self._offset = 0
        self._hovered: str | None = None
        self._elided: set[str] = set()
        self._held: list[ImageTk.PhotoImage] = []  # Tk itself holds none
        self._canvas = tk.Canvas(self, highlightthickness=0, borderwidth=0, takefocus=True)
        self._bar = ttk.Scrollbar(self, style="Side.Vertical.TScrollbar", command=self._scroll)
        self._canvas.pack(side="left", fill="both", expand=True)
        self._tooltip = Tooltip(self._canvas, theme, self._tip)
        self._bind()
        self.restyle()

    # --- showing ------------------------------------------------------------------------------------------

    def focus_list(self) -> None:
        """Move the focus here."""
        self._canvas.focus_set()

    def show(self) -> None:
        """Show the list as it is now; the cursor stays in view if it moved."""
        before = self._people.selected
        self._people = self._vm.people
        self._measure()
        if self._people.selected != before:
            self._reveal(self._people.selected)
        self._draw()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        self._canvas.configure(background=self._theme.colours.side)
        self._measure()
        self._draw()

    @property
    def shown_names(self) -> tuple[str, ...]:
        """Who is in the list, in its order."""
        return tuple(row.name for row in self._people.rows)

    # --- inside: geometry ---------------------------------------------------------------------------------

    def _measure(self) -> None:
        row, heading = self._theme.em(_ROW), self._theme.em(_HEADING)
        tops, top = [], 0
        for item in self._people.items:
            tops.append(top)
            top += heading if isinstance(item, Heading) else row
        self._tops = [*tops, top]
        self._clamp()

    def _clamp(self) -> None:
        most = max(0, self._tops[-1] - self._canvas.winfo_height())
        self._offset = max(0, min(most, self._offset))

    def _visible(self) -> range:
        height = self._canvas.winfo_height()
        first = 0
        count = len(self._people.items)
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if self._tops[middle + 1] <= self._offset:
                low = middle + 1
            else:
                high = middle
        first = low
        last = first
        while last < count and self._tops[last] < self._offset + height:
            last += 1
        return range(first, last)

    def _reveal(self, key: str | None) -> None:
        height = self._canvas.winfo_height()
        for index, item in enumerate(self._people.items):
            if isinstance(item, Row) and item.key == key:
                top, bottom = self._tops[index], self._tops[index + 1]
                if index and isinstance(self._people.items[index - 1], Heading):
                    top = self._tops[index - 1]
                if top < self._offset:
                    self._offset = top
                elif bottom > self._offset + height:
                    self._offset = bottom - height
                self._clamp()
                return

    def _row_at(self, y: int) -> Row | None:
        for index in self._visible():
            if self._tops[index] <= y + self._offset < self._tops[index + 1]:
                item = self._people.items[index]
                return item if isinstance(item, Row) else None
        return None

    # --- inside: drawing ----------------------------------------------------------------------------------

    def _draw(self) -> None:
        canvas, theme, c = self._canvas, self._theme, self._theme.colours
        canvas.delete("all")
        self._elided.clear()
        self._held.clear()
        width, height = canvas.winfo_width(), canvas.winfo_height()
        if width < 2:
            return
        for index in self._visible():
            item, top = self._people.items[index], self._tops[index] - self._offset
            if isinstance(item, Heading):
                canvas.create_text(
                    theme.em(1.0),
                    top + theme.em(1.25),
                    text=item.text,
                    anchor="w",
                    fill=c.muted,
                    font=Face.SMALL_STRONG.value,
                )
            else:
                self._draw_row(item, top, width)
        if self._people.empty:
            canvas.create_text(
                width // 2,
                theme.em(3),
                text=theme.drawn(self._people.empty),
                width=width - theme.em(3),
                fill=c.muted,
                font=Face.BODY.value,
                justify="center",
                anchor="n",
            )
        total = self._tops[-1]
        if total > height:
            if not self._bar.winfo_ismapped():
                self._bar.pack(side="right", fill="y", before=self._canvas)
            self._bar.set(self._offset / total, (self._offset + height) / total)
        elif self._bar.winfo_ismapped():
            self._bar.pack_forget()

    def _draw_row(self, row: Row, top: int, width: int) -> None:
        canvas, theme, c = self._canvas, self._theme, self._theme.colours
        em = theme.em
        height = em(_ROW)
        opened = self._vm.chats.open is not None and self._vm.chats.open.key == row.key
        cursor = row.key == self._people.selected and last_input(canvas).shows_focus(canvas)
        ground = c.selected if opened else c.hover if row.key == self._hovered else c.side
        gap = em(0.35)
        box_width, box_height = max(8, width - 2 * gap), height - em(0.1)
        radius = em(0.55)
        if cursor:
            canvas.create_image(
                gap, top, image=theme.rounded(box_width, box_height, radius, c.accent_text), anchor="nw"
            )
            line = max(2, em(0.12))
            inner = theme.rounded(box_width - 2 * line, box_height - 2 * line, radius - line, ground)
            canvas.create_image(gap + line, top + line, image=inner, anchor="nw")
        elif ground != c.side:
            canvas.create_image(
                gap, top, image=theme.rounded(box_width, box_height, radius, ground), anchor="nw"
            )
        size = em(2.7)
        left = em(0.9)
        avatar_top = top + (box_height - size) // 2
        self._draw_face(row, left, avatar_top, size, ground)
        text_left = left + size + em(0.75)
        right = width - gap - em(0.7)
        name_y, preview_y = top + round(box_height * 0.33), top + round(box_height * 0.69)
        name_right, preview_right = right, right
        if row.when:
            canvas.create_text(right, name_y, text=row.when, anchor="e", fill=c.muted, font=Face.SMALL.value)
            name_right -= theme.measure(Face.SMALL, row.when) + em(0.6)
        if row.unread:
            preview_right -= self._draw_badge(row, right, preview_y) + em(0.5)
        preview = "typing …" if row.typing else row.preview
        if not preview:
            name_y = top + box_height // 2
            if row.unread:
                name_right = min(name_right, preview_right)
        marks = []
        if row.unencrypted:
            marks.append(("unlock-fill", c.warn_text, "lock"))
        if row.muted:
            marks.append(("bell-slash", c.muted, "muted"))
        shown = theme.elide(Face.STRONG, row.name, name_right - text_left - em(1.3) * len(marks))
        if shown != row.name:
            self._elided.add(row.key)
        absent = row.presence in {Presence.OFFLINE, Presence.UNKNOWN}
        name = canvas.create_text(
            text_left,
            name_y,
            text=theme.drawn(shown),
            anchor="w",
            fill=c.muted if absent and not row.unread else c.text,
            font=Face.STRONG.value,
        )
        for number, (sign, colour, tag) in enumerate(marks):
            left_of_mark = canvas.bbox(name)[2] + em(0.35) + number * em(1.3)
            image = theme.icon(sign, 0.9, colour)
            canvas.create_image(left_of_mark, name_y, image=image, anchor="w", tags=(tag,))
        if preview:
            colour = (
                c.accent_text if row.typing else c.danger if row.draft else c.text if row.unread else c.muted
            )
            laid = one_line_of(preview, theme, Face.SMALL, preview_right - text_left)
            line_top = preview_y - theme.line(Face.SMALL) // 2
            self._held += draw_line(canvas, theme, laid, 0, text_left, line_top, Face.SMALL, colour)

    def _draw_face(self, row: Row, left: int, top: int, size: int, ground: str) -> None:
        canvas, theme, c = self._canvas, self._theme, self._theme.colours
        if row.presence is Presence.SERVER:
            canvas.create_image(left, top, image=theme.disc(size, c.accent), anchor="nw")
            icon = theme.icon("megaphone", 1.3, c.on_accent)
            canvas.create_image(left + size // 2, top + size // 2, image=icon)
            return
        draw_avatar(canvas, theme, left, top, size, key=row.key, name=row.name, tag="face")
        image = presence_mark(theme, row.presence, theme.em(0.95), ground, theme.em(0.15))
        if image is not None:
            canvas.create_image(
                left + size + theme.em(0.1),
                top + size + theme.em(0.1),
                image=image,
                anchor="se",
                tags=("presence",),
            )

    def _draw_badge(self, row: Row, right: int, y: int) -> int:
        theme, c = self._theme, self._theme.colours
        ground, front = (c.muted, c.side) if row.muted else (c.accent, c.on_accent)
        text = str(row.unread) if row.unread < 1000 else "999+"
        height = theme.em(1.3)
        width = max(height, theme.measure(Face.SMALL_STRONG, text) + theme.em(0.75))
        image = theme.rounded(width, height, height // 2, ground)
        self._canvas.create_image(right, y, image=image, anchor="e")
        self._canvas.create_text(right - width // 2, y, text=text, fill=front, font=Face.SMALL_STRONG.value)
        return width

    # --- inside: keys and pointer -------------------------------------------------------------------------

    def _bind(self) -> None:
        canvas, vm, act = self._canvas, self._vm, self._act
        canvas.bind("<Configure>", lambda _: self._resized())
        for event in ("<FocusIn>", "<FocusOut>"):
            canvas.bind(event, lambda event: self._focused(gained=event.type is tk.EventType.FocusIn))
        canvas.bind(INPUT_CHANGED, lambda _: self._draw())
        for sequence, by in (("<Up>", -1), ("<Down>", 1), ("<Home>", -(10**6)), ("<End>", 10**6)):
            canvas.bind(sequence, lambda _, by=by: act(vm.move, by))  # type: ignore[misc]  # a default binds early
        canvas.bind("<Prior>", lambda _: act(vm.move, -self._page()))
        canvas.bind("<Next>", lambda _: act(vm.move, self._page()))
        for sequence in ("<Return>", "<KP_Enter>", "<space>"):
            canvas.bind(sequence, lambda _: act(vm.open_selected))
        canvas.bind("<Key>", self._letter)
        canvas.bind("<Button-1>", self._click)
        for sequence in _CONTEXT_CLICKS:
            canvas.bind(sequence, self._context_click)
        for sequence in ("<Menu>", "<Shift-F10>"):
            with contextlib.suppress(tk.TclError):  # a display may not know the key
                canvas.bind(sequence, self._context_key)
        canvas.bind("<Motion>", lambda event: self._hover(self._row_at(event.y)))
        canvas.bind("<Leave>", lambda _: self._hover(None), add="+")
        canvas.bind("<MouseWheel>", lambda event: self._wheel(-1 if event.delta > 0 else 1))
        canvas.bind("<Button-4>", lambda _: self._wheel(-1))
        canvas.bind("<Button-5>", lambda _: self._wheel(1))

    def _page(self) -> int:
        return max(1, self._canvas.winfo_height() // self._theme.em(_ROW) - 1)

    def _resized(self) -> None:
        self._clamp()
        self._draw()

    def _focused(self, *, gained: bool) -> None:
        if gained and self._people.selected is None and self._people.rows:
            self._act(self._vm.move, 1)
        self._draw()

    def _click(self, event: tk.Event[tk.Canvas]) -> None:
        row = self._row_at(event.y)
        if row is None:
            self._canvas.focus_set()
        else:
            self._act(self._vm.open, row.name)

    def _context_click(self, event: tk.Event[tk.Canvas]) -> None:
        row = self._row_at(event.y)
        if row is not None:
            self._show_menu(row, event.x_root, event.y_root)

    def _context_key(self, _event: tk.Event[tk.Canvas]) -> str:
        self._reveal(self._people.selected)
        self._draw()
        for index in self._visible():
            item = self._people.items[index]
            if isinstance(item, Row) and item.key == self._people.selected:
                middle = (self._tops[index] + self._tops[index + 1]) // 2 - self._offset
                x, y = self._canvas.winfo_rootx(), self._canvas.winfo_rooty()
                self._show_menu(item, x + self._theme.em(4), y + middle)
        return "break"

    def _show_menu(self, row: Row, x: int, y: int) -> None:
        self._act(self._vm.select, row.key)
        menu = new_menu(self, self._theme)
        menu.add_command(label="Open", command=lambda: self._act(self._vm.open, row.name))
        menu.add_separator()
        add_mute(menu, self._vm, self._act, row.name)
        menu.tk_popup(x, y)

    def _letter(self, event: tk.Event[tk.Canvas]) -> None:
        text = typed_text(event)
        if text:
            self._type(text)

    def _hover(self, row: Row | None) -> None:
        key = row.key if row is not None else None
        if key != self._hovered:
            self._hovered = key
            self._canvas.configure(cursor="hand2" if key else "")
            self._tooltip.rest()
            self._draw()

    def _tip(self) -> str:
        row = next((row for row in self._people.rows if row.key == self._hovered), None)
        if row is None:
            return ""
        lines = [self._theme.drawn(row.name)] if row.key in self._elided else []
        if row.presence in {Presence.AWAY, Presence.BUSY}:
            lines.append(STATUS[row.presence].capitalize())
        if row.unencrypted:
            lines.append("Not encrypted: others on the network can read what you write to each other.")
        return "\n".join(lines)

    def _wheel(self, direction: int) -> None:
        self._scroll_to(self._offset + direction * self._theme.em(_WHEEL_EM))

    def _scroll(self, kind: str, amount: str, unit: str = "") -> None:
        if kind == "moveto":
            self._scroll_to(round(float(amount) * self._tops[-1]))
        elif unit == "pages":
            self._scroll_to(self._offset + round(float(amount)) * self._canvas.winfo_height())
        else:
            self._scroll_to(self._offset + round(float(amount)) * self._theme.em(_ROW))

    def _scroll_to(self, offset: int) -> None:
        before, self._offset = self._offset, offset
        self._clamp()
        if self._offset != before:
            self._draw()
