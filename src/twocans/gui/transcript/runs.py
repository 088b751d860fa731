"""Draws the pieces of a line on a canvas: text, and emoji as pictures on the same base line."""

from __future__ import annotations

import tkinter as tk
from tkinter.font import Font

from PIL import ImageTk

from twocans.gui.transcript.emoji import EmojiPictures, emoji_font
from twocans.gui.transcript.layout import Run
from twocans.gui.transcript.ruler import Ruler


class RunPainter:
    """Draws in one font.

    Args:
        canvas: a widget of the window in which is drawn.
        font: of the text.
        size: of the text, in pixels.
    """

    def __init__(self, canvas: tk.Misc, font: Font, size: int) -> None:
        self._canvas = canvas
        self._font = font
        self._size = size
        self._pictures: EmojiPictures | None = None
        self._without = False  # no font has them
        reorders = canvas.tk.call("tk", "windowingsystem") != "x11"
        self.ruler = Ruler(font.measure, reorders=reorders, measure_emoji=self._emoji_width)
        """Measures what is drawn here."""

    def draw(
        self, canvas: tk.Canvas, x: int, y: int, run: Run, colour: str, tag: str = ""
    ) -> tuple[int, ImageTk.PhotoImage | None]:
        """Draw a piece with its top left corner at a point; the item, and the picture in it, to be held with it."""
        emoji = self._emoji() if run.emoji else None
        if emoji is not None:
            picture = emoji.picture(run.drawn)
            drop = self._font.metrics("ascent") - emoji.ascent
            item = canvas.create_image(x, y + drop, image=picture, anchor="nw", tags=tag)
            return item, picture
        item = canvas.create_text(x, y, text=run.drawn, anchor="nw", font=self._font, fill=colour, tags=tag)
        return item, None

    def _emoji_width(self, text: str) -> int:
        emoji = self._emoji()
        return emoji.width(text) if emoji is not None else 0

    def _emoji(self) -> EmojiPictures | None:
        """The pictures; the font is looked for when the first emoji comes."""
        if self._pictures is None and not self._without:
            font = emoji_font()
            self._without = font is None
            self._pictures = EmojiPictures(self._canvas, font, self._size) if font is not None else None
        return self._pictures
