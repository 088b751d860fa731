"""Breaks a paragraph into lines: as many words in each as fit. Where words may be cut, and where not, is said here.

A small part of UAX #14: breaks at spaces and after hyphens in words, between CJK letters but not before their
closing marks, and anywhere in what is longer than a line, if possible after a mark such as `/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from twocans.gui.transcript.glyphs import is_boundary, next_boundary, previous_boundary
from twocans.gui.transcript.ruler import Ruler

SPACES: Final = frozenset(" \u200b\u2003\u3000")
_LONG_WORD_CHARS: Final = 512  # of a longer word only this much is measured if that is too wide already

_CJK: Final = (
    "\u2e80-\u2fff\u3003-\u303f\u3040-\u30ff\u3100-\u312f\u3190-\ua4cf\uf900-\ufaff"
    "\ufe30-\ufe4f\uff00-\uffef\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_TOKEN: Final = re.compile(rf"[ \u200b\u2003\u3000]+|[{_CJK}]|[^ \u200b\u2003\u3000{_CJK}]+")
_NOT_FIRST: Final = frozenset(
    "、。，．・：；？！」』）】〕〉》｝］ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々〜…‥%),.:;?!]}\u200d\ufe0f"
)
_NOT_LAST: Final = frozenset("「『（【〔〈《｛［([{\u200d")
_HYPHEN_BREAK: Final = re.compile(r"(?<=[^\W\d_])[-\u2010\u2013\u2014](?=[^\W\d_])")
_SOFT_BREAK: Final = re.compile(r"[/?&=#._\-,;:+%~]+")


@dataclass(frozen=True, slots=True)
class Line:
    """The characters from `start` to `end`; `width` in pixels without the spaces at the end."""

    start: int
    end: int
    width: int
    paragraph: int


def break_paragraph(text: str, start: int, end: int, *, number: int, width: int, ruler: Ruler) -> list[Line]:
    """The lines of the paragraph `text[start:end]`, at least one, of at most `width` pixels.

    A line is wider only if it holds a single character that is.
    """
    lines: list[Line] = []
    line_start, x, solid_x = start, 0, 0  # solid_x: without the spaces at the end
    for first, last in _pieces(text, start, end):
        if text[first] in SPACES:
            x += ruler.width(text[first:last])
            continue
        word_start = first
        word_width = _width(text, first, last, width, ruler)
        if x + word_width > width and line_start < first:
            lines.append(Line(line_start, first, solid_x, number))
            line_start, x = first, 0
        while x + word_width > width:
            cut, cut_width = _fitting(text, word_start, last, width, ruler)
            if cut >= last:
                break
            lines.append(Line(line_start, cut, cut_width, number))
            line_start = word_start = cut
            word_width = _width(text, cut, last, width, ruler)
        x += word_width
        solid_x = x
    lines.append(Line(line_start, end, solid_x, number))
    return lines


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """What may not be broken, alternating with spaces: words, parts of hyphenated words, single CJK letters."""
    pieces: list[tuple[int, int]] = []
    glued = False
    for match in _TOKEN.finditer(text, start, end):
        first, last = match.span()
        char = text[first]
        if char in SPACES:
            pieces.append((first, last))
            glued = False
            continue
        before = text[first - 1] if first > start else " "
        if pieces and before not in SPACES and (glued or char in _NOT_FIRST or not is_boundary(text, first)):
            first = pieces.pop()[0]
        glued = text[last - 1] in _NOT_LAST
        if "-" in text[first:last] or not text[first:last].isascii():
            for hyphen in _HYPHEN_BREAK.finditer(text, first, last):
                pieces.append((first, hyphen.end()))
                first = hyphen.end()
        pieces.append((first, last))
    return pieces


def _width(text: str, start: int, end: int, limit: int, ruler: Ruler) -> int:
    """The width of a word; of a very long one perhaps only the first part's, if that is over the limit."""
    if end - start > _LONG_WORD_CHARS:
        width = ruler.width(text[start : start + _LONG_WORD_CHARS])
        if width > limit:
            return width
    return ruler.width(text[start:end])


def _fitting(text: str, start: int, end: int, width: int, ruler: Ruler) -> tuple[int, int]:
    """How far a word fits into `width` pixels, and how wide that is; at least one character always does."""
    low, high = start + 1, end
    if end - start > _LONG_WORD_CHARS and ruler.width(text[start : start + _LONG_WORD_CHARS]) > width:
        high = start + _LONG_WORD_CHARS
    while low < high:
        middle = (low + high + 1) // 2
        if ruler.width(text[start:middle], keep=False) <= width:
            low = middle
        else:
            high = middle - 1
    cut = previous_boundary(text, low)
    if cut <= start:
        cut = next_boundary(text, start)
    elif cut < end:
        soft = None
        for match in _SOFT_BREAK.finditer(text, start + 1, cut):
            soft = match.end()
        if soft is not None and soft - start > (cut - start) // 2:
            cut = soft
    return cut, ruler.width(text[start:cut])
