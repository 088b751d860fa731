"""The messages of one transcript in order, found by key, growing at both ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twocans.gui.transcript.model import Bubble


class Store:
    """A sequence of bubbles without two of the same key."""

    def __init__(self) -> None:
        self._bubbles: list[Bubble] = []
        # Rows are numbered from the first one there has ever been, so rows added in front renumber none.
        self._numbers: dict[str, int] = {}
        self._first = 0

    def __len__(self) -> int:
        return len(self._bubbles)

    def __getitem__(self, index: int) -> Bubble:
        return self._bubbles[index]

    @property
    def all(self) -> Sequence[Bubble]:
        """All bubbles, oldest first."""
        return self._bubbles

    def index_of(self, key: str) -> int | None:
        """Where the bubble with that key is; None if it is not there."""
        number = self._numbers.get(key)
        return None if number is None else number - self._first

    def set(self, bubbles: Iterable[Bubble]) -> None:
        """Replaces all."""
        self._bubbles = []
        self._numbers = {}
        self._first = 0
        self.append(bubbles)

    def append(self, bubbles: Iterable[Bubble]) -> list[Bubble]:
        """Adds newer ones; returns those whose key was not there yet."""
        added = self._unknown(bubbles)
        start = self._first + len(self._bubbles)
        self._bubbles += added
        self._numbers.update((bubble.key, start + place) for place, bubble in enumerate(added))
        return added

    def prepend(self, bubbles: Iterable[Bubble]) -> list[Bubble]:
        """Adds older ones; returns those whose key was not there yet."""
        added = self._unknown(bubbles)
        self._bubbles[:0] = added
        self._first -= len(added)
        self._numbers.update((bubble.key, self._first + place) for place, bubble in enumerate(added))
        return added

    def replace(self, key: str, bubble: Bubble) -> int | None:
        """Puts a bubble, perhaps of another key, in the place of one; returns where, None if it is not there."""
        index = self.index_of(key)
        if index is None or (bubble.key != key and bubble.key in self._numbers):
            return None
        self._bubbles[index] = bubble
        del self._numbers[key]
        self._numbers[bubble.key] = index + self._first
        return index

    def _unknown(self, bubbles: Iterable[Bubble]) -> list[Bubble]:
        unique = {bubble.key: bubble for bubble in bubbles}
        if self._numbers:
            return [bubble for key, bubble in unique.items() if key not in self._numbers]
        return list(unique.values())
