"""Above the composer: the draft as it will look, where Tk's own field cannot show it so.

On X11, Tk draws one glyph a character, from left to right, in every field. So right-to-left text stands there backwards and
unjoined, and emoji of several characters fall apart. On Windows and macOS the system draws the field.
"""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript import bidi
from twocans.gui.views.text_canvas import TextCanvas

MAX_LINES: Final = 3
"""The last ones are shown, where one writes most of the time."""


class PreviewView(ttk.Frame):
    """Shown only for a draft that needs it."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent, style="Chat.TFrame")
        self._theme = theme
        self._label = ttk.Label(self, style="Small.Chat.TLabel", text="Preview")
        self._text = TextCanvas(self, theme)
        self._label.pack(side="left", anchor="n", padx=(0, theme.em(0.6)))
        self._x11 = str(self.tk.call("tk", "windowingsystem")) == "x11"

    @property
    def text(self) -> str:
        """What is previewed."""
        return self._text.text

    def show(self, draft: str, width: int) -> bool:
        """Show a draft within `width` pixels. False if the field itself shows it right."""
        end = "\n".join(draft.split("\n")[-MAX_LINES:])
        if not self._x11 or not (bidi.has_rtl(end) or self._falls_apart(end)):
            return False
        theme, c = self._theme, self._theme.colours
        self._text.show(
            end,
            width=width - self._label.winfo_reqwidth() - theme.em(0.6),
            colour=c.text,
            ground=c.chat,
            max_lines=MAX_LINES,
        )
        if bidi.base_level(end):
            self._text.pack(side="right")
        else:
            self._text.pack(side="left")
        return True

    def _falls_apart(self, text: str) -> bool:
        pieces = self._theme.painter(Face.BODY).ruler.split(text, 0, len(text))
        return any(emoji and end - start > 1 for start, end, emoji in pieces)
