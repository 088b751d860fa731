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
        measure_emoji: the width of an emoji's picture in pixels, 0 if there is none; None if there are no pictures.
    """

    def __init__(
        self,
        measure: Callable[[str], int],
        *,
        reorders: bool,
        measure_emoji: Callable[[str], int] | None = None,
    ) -> None:
        self._measure = measure
        self._measure_emoji = measure_emoji
        self.reorders = reorders
        self._widths: dict[str, int] = {}

    def width(self, text: str, *, keep: bool = True) -> int:
        """The width of a piece of a message, in pixels. `keep` if it may be asked for again."""
        known = self._widths.get(text)
        if known is not None:
            return known
        if text.isascii():
            width = self._measure(text)
        else:
            pieces = self.split(text, 0, len(text))
            width = sum(self._piece_width(text[start:end], emoji=emoji) for start, end, emoji in pieces)
        if keep and len(text) <= MAX_WORD_CHARS:
            if len(self._widths) >= MAX_WIDTHS:
                self._widths.clear()
            self._widths[text] = width
        return width

    def split(self, text: str, start: int, end: int) -> list[tuple[int, int, bool]]:
        """The pieces of `text[start:end]`: every emoji that is drawn as a picture (True), and what is between."""
        measure = self._measure_emoji
        if measure is None:
            return [(start, end, False)]
        return split_emoji(text, start, end, lambda emoji: measure(emoji) > 0)

    def drawn_width(self, drawn: str, *, emoji: bool) -> int:
        """The width of text that is ready to be drawn, or of the picture of an emoji."""
        return (
            self._measure_emoji(drawn) if emoji and self._measure_emoji is not None else self._measure(drawn)
        )

    def _piece_width(self, text: str, *, emoji: bool) -> int:
        if not self.reorders and not emoji:
            text = without_undrawn("".join(arabic.shape(text)) if arabic.has_arabic(text) else text)
        return self.drawn_width(text, emoji=emoji)
