"""The heights of all rows, estimated or measured: enough to place a scrollbar without laying anything out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_BLOCK: Final = 512


class Heights:
    """A sequence of heights with fast sums, that can grow at both ends.

    Sums are kept for blocks of rows. Rows are numbered from the first one there has ever been, so that adding
    rows in front moves no block.
    """

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights: list[int] = []
        self._first = 0
        self._sums: dict[int, int] = {}
        self.append(heights)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        self._sums[(index + self._first) // _BLOCK] += height - self._heights[index]
        self._heights[index] = height

    @property
    def total(self) -> int:
        """The height of all rows."""
        return sum(self._sums.values())

    def append(self, heights: Iterable[int]) -> None:
        """Adds rows at the end."""
        start = len(self._heights)
        self._heights.extend(heights)
        self._count_in(start, len(self._heights))

    def prepend(self, heights: Iterable[int]) -> None:
        """Adds rows in front."""
        before = len(self._heights)
        self._heights[:0] = heights
        added = len(self._heights) - before
        self._first -= added
        self._count_in(0, added)

    def before(self, index: int) -> int:
        """The height of all rows before `index`."""
        block = (index + self._first) // _BLOCK
        whole = sum(height for number, height in self._sums.items() if number < block)
        return whole + sum(self._heights[max(0, block * _BLOCK - self._first) : index])

    def find(self, y: float) -> tuple[int, float]:
        """The row at `y` from the top of all, and how far into it that is; the last row's end if beyond."""
        for block in sorted(self._sums):
            if y >= self._sums[block]:
                y -= self._sums[block]
                continue
            start = max(0, block * _BLOCK - self._first)
            for index in range(start, min(len(self._heights), (block + 1) * _BLOCK - self._first)):
                if y < self._heights[index]:
                    return index, max(0.0, y)
                y -= self._heights[index]
        last = len(self._heights) - 1
        return last, float(self._heights[last]) if last >= 0 else 0.0

    def _count_in(self, start: int, end: int) -> None:
        while start < end:
            block = (start + self._first) // _BLOCK
            stop = min(end, (block + 1) * _BLOCK - self._first)
            self._sums[block] = self._sums.get(block, 0) + sum(self._heights[start:stop])
            start = stop
