"""What is selected: part of one message, or several whole messages. Positions are those of the message itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from twocans.gui.transcript.model import Bubble

_WORD: Final = re.compile(r"\w+|\s+|[^\w\s]+")


class Unit(Enum):
    """What a drag grows the selection by: one click, two, three."""

    CHARACTER = auto()
    WORD = auto()
    MESSAGE = auto()


@dataclass(frozen=True, slots=True)
class _Mark:
    key: str
    start: int
    end: int


class Selection:
    """The selection of one transcript.

    Args:
        index_of: the place of a message in the transcript by its key; None if it is gone.
    """

    def __init__(self, index_of: Callable[[str], int | None]) -> None:
        self._index_of = index_of
        self._anchor: _Mark | None = None
        self._head: _Mark | None = None
        self._unit = Unit.CHARACTER

    def clear(self) -> None:
        """Nothing is selected."""
        self._anchor = self._head = None

    def start(self, bubble: Bubble, index: int, unit: Unit) -> None:
        """Begins at a position of a message."""
        self._unit = unit
        self._anchor = self._head = self._mark(bubble, index)

    def extend(self, bubble: Bubble, index: int) -> None:
        """Goes on to a position, perhaps of another message."""
        if self._anchor is None:
            self.start(bubble, index, Unit.CHARACTER)
        else:
            self._head = self._mark(bubble, index)

    def select(self, first: Bubble, last: Bubble) -> None:
        """Selects whole messages."""
        self.start(first, 0, Unit.MESSAGE)
        self.extend(last, len(last.text))

    def rename(self, old: str, new: str) -> None:
        """A message has another key from now on."""
        self._anchor, self._head = (
            replace(mark, key=new) if mark is not None and mark.key == old else mark
            for mark in (self._anchor, self._head)
        )

    @property
    def head_key(self) -> str | None:
        """The message at which the selection was last moved; None if nothing is selected."""
        if self._head is None or self._anchor is None:
            return None
        empty = self._anchor == self._head and self._head.start == self._head.end
        return None if empty and self._unit is not Unit.MESSAGE else self._head.key

    def span(self, bubble: Bubble) -> tuple[int, int] | None:
        """The part of a message that is selected, start and end; None if nothing of it is."""
        if self._anchor is None or self._head is None:
            return None
        if self._anchor.key == self._head.key:
            if bubble.key != self._anchor.key:
                return None
            start = min(self._anchor.start, self._head.start)
            end = min(max(self._anchor.end, self._head.end), len(bubble.text))
            return (start, end) if start < end else None
        bounds = self._bounds()
        index = self._index_of(bubble.key)
        if bounds is None or index is None or not bounds[0] <= index <= bounds[1]:
            return None
        return 0, len(bubble.text)

    def text(self, bubbles: Sequence[Bubble]) -> str:
        """What is selected, messages separated by line breaks."""
        bounds = self._bounds()
        if bounds is None:
            return ""
        first, last = bounds
        if first == last:
            span = self.span(bubbles[first])
            return bubbles[first].text[span[0] : span[1]] if span else ""
        return "\n".join(bubble.text for bubble in bubbles[first : last + 1])

    def _bounds(self) -> tuple[int, int] | None:
        if self._anchor is None or self._head is None:
            return None
        a, b = self._index_of(self._anchor.key), self._index_of(self._head.key)
        if a is None or b is None:
            return None
        return min(a, b), max(a, b)

    def _mark(self, bubble: Bubble, index: int) -> _Mark:
        match self._unit:
            case Unit.CHARACTER:
                return _Mark(bubble.key, index, index)
            case Unit.WORD:
                start, end = word_at(bubble.text, index)
                return _Mark(bubble.key, start, end)
            case Unit.MESSAGE:
                return _Mark(bubble.key, 0, len(bubble.text))


def word_at(text: str, index: int) -> tuple[int, int]:
    """The start and end of the word, or of the spaces or signs, at a position."""
    line = text.rfind("\n", 0, index) + 1
    for match in _WORD.finditer(text, line):
        if match.end() > index:
            return match.start(), match.end()
    return len(text), len(text)
