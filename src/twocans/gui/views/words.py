"""Word boundaries for the keys that delete a word, and positions as Tk counts them."""

from __future__ import annotations

import unicodedata
from enum import Enum

from twocans.gui.transcript.glyphs import next_boundary, previous_boundary


class _Kind(Enum):
    SPACE = "space"
    WORD = "word"
    SIGN = "sign"


def word_start(text: str, index: int) -> int:
    """The start of the word before `index`, over the spaces between. A run of other signs counts as a word."""
    start = index
    while start > 0 and _kind(text[start - 1]) is _Kind.SPACE:
        start -= 1
    if start > 0:
        kind = _kind(text[start - 1])
        while start > 0 and _kind(text[start - 1]) is kind:
            start -= 1
    return previous_boundary(text, start)


def word_end(text: str, index: int) -> int:
    """The end of the word after `index`, over the spaces between. A run of other signs counts as a word."""
    end = index
    while end < len(text) and _kind(text[end]) is _Kind.SPACE:
        end += 1
    if end < len(text):
        kind = _kind(text[end])
        while end < len(text) and _kind(text[end]) is kind:
            end += 1
    return end if end == len(text) else next_boundary(text, end - 1)


def tk_length(text: str, *, wide: bool) -> int:
    """The number of positions that `text` takes in a widget. Unless `wide`, Tk counts UTF-16 units."""
    return len(text) if wide or text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _kind(char: str) -> _Kind:
    if char.isspace():
        return _Kind.SPACE
    # Marks and joiners belong to words: a letter with its accent is not two words.
    if char.isalnum() or char == "_" or unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"}:
        return _Kind.WORD
    return _Kind.SIGN
