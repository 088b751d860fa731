"""Measures text as it will be drawn, and remembers the widths of words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twocans.gui.transcript import arabic
from twocans.gui.transcript.glyphs import split_emoji, without_undrawn

MAX_WIDTHS: Final = 20_000
"""Widths kept; when there are more, all are forgotten, which costs a few milliseconds once in a while."""
MAX_WORD_CHARS: Final = 64
"""Longer pieces are rarely seen twice."""


class Ruler:
    """Measures pieces of text.

    Args:
        measure: the width of a string in pixels.
        reorders: whether the system itself orders and joins right-to-left text; X11 does not.
        measure_emoji: the width of emoji in pixels, if they have a font of their own.
    """

    def __init__(
        self,
        measure: Callable[[str], int],
        *,
        reorders: bool,
        measure_emoji: Callable[[str], int] | None = None,
    ) -> None:
        self._measure = measure
        self._measure_emoji = measure_emoji or measure
        self.reorders = reorders
        self.has_emoji_font = measure_emoji is not None
        self._widths: dict[str, int] = {}

    def width(self, text: str, *, keep: bool = True) -> int:
        """The width of a piece of a message, in pixels. `keep` if it may be asked for again."""
        known = self._widths.get(text)
        if known is not None:
            return known
        if text.isascii():
            width = self._measure(text)
        elif self.has_emoji_font:
            pieces = split_emoji(text, 0, len(text))
            width = sum(self._piece_width(text[start:end], emoji=emoji) for start, end, emoji in pieces)
        else:
            width = self._piece_width(text, emoji=False)
        if keep and len(text) <= MAX_WORD_CHARS:
            if len(self._widths) >= MAX_WIDTHS:
                self._widths.clear()
            self._widths[text] = width
        return width

    def drawn_width(self, drawn: str, *, emoji: bool) -> int:
        """The width of text that is ready to be drawn."""
        return self._measure_emoji(drawn) if emoji else self._measure(drawn)

    def _piece_width(self, text: str, *, emoji: bool) -> int:
        if not self.reorders:
            text = without_undrawn("".join(arabic.shape(text)) if arabic.has_arabic(text) else text)
        return self.drawn_width(text, emoji=emoji)
