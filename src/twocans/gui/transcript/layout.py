"""Where everything in a message is: its lines, the pieces of each line, and the characters in them.

Works with any way of measuring text. Lines are found for the whole message at once; what a line looks like in
detail is worked out only for lines that are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twocans.gui.transcript import arabic, bidi
from twocans.gui.transcript.breaking import SPACES, Line, break_paragraph
from twocans.gui.transcript.glyphs import (
    Shown,
    is_mark,
    next_boundary,
    previous_boundary,
    without_undrawn,
)
from twocans.gui.transcript.links import Link
from twocans.gui.transcript.ruler import Ruler


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one direction, `x` pixels from the line's left end; `drawn` is ready for Tk.

    An emoji that is drawn as a picture is a piece by itself, and `drawn` is what it is made of.
    """

    start: int
    end: int
    x: int
    width: int
    drawn: str
    rtl: bool
    link: Link | None
    emoji: bool = False


@dataclass(slots=True)
class TextLayout:
    """A message broken into lines no wider than asked for.

    Attributes:
        width: that of the widest line, in pixels.
        links: with positions in what is shown.
        paragraphs: where each begins.
    """

    shown: Shown
    lines: list[Line]
    width: int
    links: tuple[Link, ...]
    paragraphs: list[int]
    has_rtl: bool
    ruler: Ruler
    _levels: dict[int, tuple[int, list[int]]] = field(default_factory=dict)

    def is_rtl(self, number: int) -> bool:
        """Whether the line belongs to a right-to-left paragraph, which is aligned to the right."""
        return self.has_rtl and self._paragraph_levels(self.lines[number].paragraph)[0] == 1

    def line_x(self, number: int, width: int) -> int:
        """Where the line starts in a column of `width` pixels."""
        return width - self.lines[number].width if self.is_rtl(number) else 0

    def runs(self, number: int) -> list[Run]:
        """The line's pieces from left to right, as they are drawn."""
        line = self.lines[number]
        text, end = self.shown.text, line.end
        while end > line.start and text[end - 1] in SPACES:
            end -= 1
        runs: list[Run] = []
        x = 0
        for start, stop, level in self._directions(line, end):
            pieces = self._split(start, stop)
            for first, last, link, emoji in reversed(pieces) if level % 2 else pieces:
                drawn = (
                    self.shown.text[first:last] if emoji else self._drawn(first, last, rtl=bool(level % 2))
                )
                width = self.ruler.drawn_width(drawn, emoji=emoji)
                runs.append(Run(first, last, x, width, drawn, bool(level % 2), link, emoji))
                x += width
        return runs

    def index_at(self, number: int, x: int) -> int:
        """The position in what is shown nearest to `x` pixels from the line's left end."""
        runs = self.runs(number)
        line = self.lines[number]
        if not runs:
            return line.start
        if x <= 0:
            return line.start if not self.is_rtl(number) else self._line_stop(line)
        for run in runs:
            if x < run.x + run.width:
                return self._index_in(run, x - run.x)
        return self._line_stop(line) if not self.is_rtl(number) else line.start

    def link_at(self, number: int, x: int) -> Link | None:
        """The link under `x` pixels from the line's left end."""
        for run in self.runs(number):
            if run.x <= x < run.x + run.width:
                return run.link
        return None

    def spans(self, number: int, start: int, end: int) -> list[tuple[int, int]]:
        """Where the part of the line between two positions is, as (x, width) in pixels from its left end."""
        spans = []
        for run in self.runs(number):
            first, last = max(start, run.start), min(end, run.end)
            if first < last:
                a, b = self._x_in(run, first), self._x_in(run, last)
                spans.append((run.x + min(a, b), abs(b - a)))
        return spans

    def line_of(self, index: int) -> int:
        """The line that the position is in."""
        low, high = 0, len(self.lines) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.lines[middle].start <= index:
                low = middle
            else:
                high = middle - 1
        return low

    def _line_stop(self, line: Line) -> int:
        end = line.end
        while end > line.start and self.shown.text[end - 1] in SPACES:
            end -= 1
        return end

    def _paragraph_levels(self, paragraph: int) -> tuple[int, list[int]]:
        known = self._levels.get(paragraph)
        if known is None:
            text = self._paragraph_text(paragraph)
            base = bidi.base_level(text)
            known = self._levels[paragraph] = (base, bidi.levels(text, base))
        return known

    def _paragraph_text(self, paragraph: int) -> str:
        start = self.paragraphs[paragraph]
        following = self.paragraphs[paragraph + 1 : paragraph + 2]
        return self.shown.text[start : following[0] - 1 if following else len(self.shown.text)]

    def _directions(self, line: Line, end: int) -> Sequence[tuple[int, int, int]]:
        if line.start >= end:
            return ()
        if not self.has_rtl:
            return ((line.start, end, 0),)
        base, levels = self._paragraph_levels(line.paragraph)
        offset = self.paragraphs[line.paragraph]
        text = self._paragraph_text(line.paragraph)
        runs = bidi.visual_runs(text, levels, line.start - offset, end - offset, base)
        return [(start + offset, stop + offset, level) for start, stop, level in runs]

    def _split(self, start: int, end: int) -> list[tuple[int, int, Link | None, bool]]:
        """Pieces that are drawn in one style."""
        return [
            (a, b, link, emoji)
            for first, last, link in self._split_at_links(start, end)
            for a, b, emoji in self.ruler.split(self.shown.text, first, last)
        ]

    def _split_at_links(self, start: int, end: int) -> list[tuple[int, int, Link | None]]:
        if not self.links:
            return [(start, end, None)]
        pieces: list[tuple[int, int, Link | None]] = []
        for link in self.links:
            if link.end <= start or link.start >= end:
                continue
            first, last = max(link.start, start), min(link.end, end)
            if start < first:
                pieces.append((start, first, None))
            pieces.append((first, last, link))
            start = last
        if start < end:
            pieces.append((start, end, None))
        return pieces

    def _drawn(self, start: int, end: int, *, rtl: bool) -> str:
        text = self.shown.text[start:end]
        if text.isascii() and not rtl:
            return text
        if self.ruler.reorders:
            # Marks of the direction at both ends keep punctuation there on its side.
            return f"\u200f{text}\u200f" if rtl else text
        if not rtl:
            return without_undrawn(text)
        return without_undrawn("".join(_turned(arabic.shape(bidi.mirrored(text)))))

    def _x_in(self, run: Run, index: int) -> int:
        """Pixels from the run's left end to the position."""
        if index <= run.start:
            before = 0
        elif index >= run.end:
            before = run.width
        elif run.emoji:  # within one there is nothing
            before = 0
        else:
            text = self.shown.text[run.start : run.end]
            if run.rtl and not self.ruler.reorders:
                piece = "".join(arabic.shape(text)[: index - run.start])
            else:
                piece = text[: index - run.start]
            if not self.ruler.reorders:
                piece = without_undrawn(piece)
            before = self.ruler.drawn_width(piece, emoji=False)
        return run.width - before if run.rtl else before

    def _index_in(self, run: Run, x: int) -> int:
        low, high = run.start, run.end
        wanted = run.width - x if run.rtl else x
        while low < high:
            middle = (low + high + 1) // 2
            at = self._x_in(run, middle)
            if (run.width - at if run.rtl else at) <= wanted:
                low = middle
            else:
                high = middle - 1
        text = self.shown.text
        low = max(previous_boundary(text, low), run.start)
        following = min(next_boundary(text, low), run.end)
        nearer = abs(self._x_in(run, following) - x) < abs(self._x_in(run, low) - x)
        return following if nearer else low


def _turned(drawn: list[str]) -> list[str]:
    """Characters in the opposite order, but every mark still after its letter (L3): Xft draws it over that."""
    result: list[str] = []
    end = len(drawn)
    for start in range(len(drawn) - 1, -1, -1):
        if start == 0 or not drawn[start] or not is_mark(drawn[start]):
            result.extend(drawn[start:end])
            end = start
    return result


def lay_out(shown: Shown, links: tuple[Link, ...], width: int, ruler: Ruler) -> TextLayout:
    """Breaks `shown` into lines of at most `width` pixels (a single character may be wider).

    Args:
        links: those of the message itself; their positions are translated to what is shown.
    """
    if shown.origin is not None:
        links = tuple(
            Link(shown.from_message(link.start), shown.from_message(link.end), link.target) for link in links
        )
    lines: list[Line] = []
    paragraphs: list[int] = []
    start = 0
    for number, paragraph in enumerate(shown.text.split("\n")):
        paragraphs.append(start)
        end = start + len(paragraph)
        lines += break_paragraph(shown.text, start, end, number=number, width=width, ruler=ruler)
        start = end + 1
    return TextLayout(
        shown=shown,
        lines=lines,
        width=max(line.width for line in lines),
        links=links,
        paragraphs=paragraphs,
        has_rtl=bidi.has_rtl(shown.text),
        ruler=ruler,
    )
