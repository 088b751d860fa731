"""Which rows are in view, and where. Rows are placed from one that is known to be on screen, up and down.

So nothing above or below ever has to be measured, and what is looked at stays where it is when rows are added,
change their height or are broken anew for another width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twocans.gui.transcript.heights import Heights


@dataclass(frozen=True, slots=True)
class Box:
    """The heights of a row's parts in pixels: what is above the bubble, the bubble, and what is below."""

    head: int
    body: int
    tail: int

    @property
    def height(self) -> int:
        """The height of the row."""
        return self.head + self.body + self.tail


@dataclass(frozen=True, slots=True)
class Placed:
    """A row in view; pixels from the top of the view, which may be negative."""

    index: int
    top: int
    body_top: int
    body_bottom: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Place:
    """What the view holds on to: the point at `fraction` of a bubble's height is at `offset` pixels."""

    index: int
    fraction: float
    offset: int


class Viewport:
    """The window on the rows.

    Attributes:
        heights: of all rows, estimated; corrected here as rows are measured.
        height: of the view, in pixels.
        place: what is held on to; None for the end, wherever that comes to be.
        rows: those in view after the last `arrange`, from top to bottom.
        padding: pixels kept free above the first and below the last row.
    """

    def __init__(self, measure: Callable[[int], Box]) -> None:
        self._measure = measure
        self.heights = Heights()
        self.height = 1
        self.padding = 0
        self.place: Place | None = None
        self.rows: list[Placed] = []

    def set_heights(self, heights: Iterable[int]) -> None:
        """Other rows, or other guesses of their heights."""
        self.heights = Heights(heights)
        self.rows = []

    def arrange(self) -> list[Placed]:
        """Places the rows anew around `place`, without leaving a gap at either end.

        `place` itself stays as it is if it can: so it does not drift while the window changes its size.
        """
        count = len(self.heights)
        if not count:
            self.place = None
            self.rows = []
            return self.rows
        if self.place is not None:
            index = min(self.place.index, count - 1)
            box = self._box(index)
            self._fill(index, self.place.offset - round(self.place.fraction * box.body))
            first, last = self.rows[0], self.rows[-1]
            if first.index == 0 and first.top > self.padding:
                self._fill(0, self.padding + self._box(0).head)
                self.place = self._pinned()
                last = self.rows[-1]
            if last.index == count - 1 and last.bottom <= self.height - self.padding:
                self.place = None
        if self.place is None:
            box = self._box(count - 1)
            self._fill(count - 1, self.height - self.padding - box.tail - box.body)
        return self.rows

    def scroll(self, pixels: int) -> None:
        """Moves the view down (up if negative), at most to either end."""
        if not self.rows:
            return
        pinned = self._pinned()
        self._go(Place(pinned.index, pinned.fraction, pinned.offset - pixels))

    def to_top(self) -> None:
        """Shows the first row."""
        self._go(Place(0, 0.0, 1 << 24))  # as far down as can be: arranging corrects that

    def to_bottom(self) -> None:
        """Shows the last row, and stays there when rows are added."""
        self.place = None
        self.arrange()

    def to_fraction(self, fraction: float) -> None:
        """Shows what is at `fraction` of the whole height, as far as that is known."""
        if not len(self.heights):
            return
        total = self.heights.total + 2 * self.padding
        if fraction <= 0:
            self.to_top()
        elif fraction * total + self.height >= total:
            self.to_bottom()
        else:
            index, within = self.heights.find(fraction * total - self.padding)
            box = self._box(index)
            into = min(int(within), box.height)
            self._go(Place(index, 0.0, box.head - into))

    def hold(self) -> None:
        """Stays where the view is, even at the end, when rows are added."""
        if self.place is None and self.rows:
            self.place = self._pinned()

    def centre(self, index: int) -> None:
        """Shows a row in the middle of the view; its beginning if it is too high."""
        box = self._box(index)
        self._go(Place(index, 0.0, max(box.head + self.padding, (self.height - box.body) // 2)))

    def to_row(self, index: int) -> None:
        """Shows a row at the top of the view, or the end if everything from there on fits."""
        self._go(Place(index, 0.0, self._box(index).head + self.padding))

    def ends_in_view(self) -> tuple[int, int] | None:
        """The first and the last row of which the end is in view; one that fills the view counts as well."""
        whole = [row.index for row in self.rows if row.body_bottom <= self.height or row.body_top <= 0]
        return (whole[0], whole[-1]) if whole else None

    def reveal(self, index: int) -> None:
        """Moves the view as little as possible to show a row; its beginning if it is too high."""
        placed = next((row for row in self.rows if row.index == index), None)
        if placed is None:
            below = bool(self.rows) and index > self.rows[-1].index
            box = self._box(index)
            room = self.height - self.padding
            self._go(Place(index, 0.0, max(box.head, room - box.body - box.tail) if below else box.head))
        elif placed.bottom > self.height and placed.body_top > 0:
            self.scroll(min(placed.bottom - self.height + self.padding, placed.body_top))
        elif placed.body_top < 0:
            self.scroll(placed.body_top - self.padding)

    def shift(self, rows: int) -> None:
        """Rows were added in front: the same ones stay in view."""
        if self.place is not None:
            self.place = Place(self.place.index + rows, self.place.fraction, self.place.offset)

    def scrollbar(self) -> tuple[float, float]:
        """The part of the whole height that is in view, as a scrollbar wants it."""
        total = self.heights.total + 2 * self.padding
        if not self.rows or total <= self.height:
            return 0.0, 1.0
        size = self.height / total
        if self.place is None:
            return 1.0 - size, 1.0
        first = self.rows[0]
        above = self.heights.before(first.index) + self.padding - first.top
        start = min(max(above / total, 0.0), 1.0 - size)
        return start, start + size

    def _go(self, place: Place) -> None:
        self.place = place
        self.arrange()
        if self.place is not None:
            self.place = self._pinned()

    def _pinned(self) -> Place:
        row = next((row for row in self.rows if row.bottom > 0), self.rows[-1])
        body = max(1, row.body_bottom - row.body_top)
        if row.body_top < 0:
            return Place(row.index, -row.body_top / body, 0)
        return Place(row.index, 0.0, row.body_top)

    def _box(self, index: int) -> Box:
        box = self._measure(index)
        if box.height != self.heights[index]:
            self.heights[index] = box.height
        return box

    def _fill(self, index: int, body_top: int) -> None:
        """Places one row, then those above and below it until the view is full."""
        count = len(self.heights)
        rows = [_placed(index, self._box(index), body_top)]
        while rows[-1].bottom < self.height and rows[-1].index + 1 < count:
            index = rows[-1].index + 1
            box = self._box(index)
            rows.append(_placed(index, box, rows[-1].bottom + box.head))
        rows.reverse()
        while rows[-1].top > 0 and rows[-1].index > 0:
            index = rows[-1].index - 1
            box = self._box(index)
            rows.append(_placed(index, box, rows[-1].top - box.tail - box.body))
        rows.reverse()
        self.rows = [row for row in rows if row.bottom > 0 and row.top < self.height] or [
            min(rows, key=lambda row: abs(row.top))
        ]


def _placed(index: int, box: Box, body_top: int) -> Placed:
    bottom = body_top + box.body + box.tail
    return Placed(index, body_top - box.head, body_top, body_top + box.body, bottom)
