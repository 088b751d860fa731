"""Somebody's text in a widget of its own: broken into lines, in the right order, emoji in colour."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from PIL import ImageTk

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.glyphs import Shown, previous_boundary, shown
from twocans.gui.transcript.layout import TextLayout, lay_out

_ANY_WIDTH: Final = 1 << 20


class TextCanvas(tk.Canvas):
    """As large as the text in it.

    Args:
        face: the font.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, face: Face = Face.BODY) -> None:
        super().__init__(parent, highlightthickness=0, borderwidth=0, width=1, height=1)
        self._theme, self._face = theme, face
        self._pictures: list[ImageTk.PhotoImage] = []
        self.text = ""
        """What it says."""

    def show(
        self, text: str | Shown, *, width: int, colour: str, ground: str, max_lines: int | None = None
    ) -> None:
        """Show a text in lines of at most `width` pixels; of more than `max_lines`, the last ones."""
        line_height = self._theme.line(self._face)
        what = shown(text, astral=self._theme.astral) if isinstance(text, str) else text
        self.text = what.text
        layout = lay_out(what, (), max(line_height, width), self._theme.painter(self._face).ruler)
        first = 0 if max_lines is None else max(0, len(layout.lines) - max_lines)
        self._pictures.clear()
        self.delete("all")
        self.configure(
            background=ground, width=layout.width, height=(len(layout.lines) - first) * line_height
        )
        for number in range(first, len(layout.lines)):
            x = layout.line_x(number, layout.width)
            y = (number - first) * line_height
            self._pictures += draw_line(self, self._theme, layout, number, x, y, self._face, colour)


def draw_line(
    canvas: tk.Canvas, theme: Theme, layout: TextLayout, number: int, x: int, y: int, face: Face, colour: str
) -> list[ImageTk.PhotoImage]:
    """Draw a line of a text with its top left corner at a point; its pictures, to be held as long as it is there."""
    painter = theme.painter(face)
    drawn = [painter.draw(canvas, x + run.x, y, run, colour) for run in layout.runs(number)]
    return [picture for _, picture in drawn if picture is not None]


def one_line_of(text: str, theme: Theme, face: Face, width: int) -> TextLayout:
    """As much of a text as fits into one line of `width` pixels, ending in an ellipsis where it does not."""
    ruler = theme.painter(face).ruler
    line = shown(text, astral=theme.astral).text.replace("\n", " ")
    if ruler.width(line, keep=False) > width:
        low, high = 0, len(line)
        while low < high:
            middle = (low + high + 1) // 2
            if ruler.width(line[:middle].rstrip() + "…", keep=False) <= width:
                low = middle
            else:
                high = middle - 1
        head = line[: previous_boundary(line, low)].rstrip()
        line = f"{head}…" if head else ""
    return lay_out(Shown(line, None), (), _ANY_WIDTH, ruler)
