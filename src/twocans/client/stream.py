"""The events that a program has not taken yet. Whoever fills it slows down by its length."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from twocans.client.events import Event, MessageReceived, TransferMoved

MAX_MOVES_APART: Final = 200
"""With so many events not taken yet, one of a transfer that has moved again is replaced, whatever it tells."""

CHARS_APIECE: Final = 1000
"""A message counts as one event more for each so many characters of its text."""


def weight(event: Event) -> int:
    """Return for how many events one counts: memory is taken by texts, and not by their number."""
    return 1 + len(event.message.text) // CHARS_APIECE if isinstance(event, MessageReceived) else 1


class _Moved:
    """A place in the order for the newest event of one transfer."""

    __slots__ = ("event",)

    def __init__(self, event: TransferMoved) -> None:
        self.event = event


class EventStream:
    """Events in order, each given out once.

    Args:
        on_taken: called after an event was taken.
    """

    def __init__(self, on_taken: Callable[[], None]) -> None:
        self.ended = False
        self.load = 0
        """The number of waiting events; those with long texts count as several."""
        self._events: deque[Event | _Moved] = deque()
        self._moved: dict[str, _Moved] = {}
        self._came = asyncio.Event()
        self._on_taken = on_taken

    def __len__(self) -> int:
        return len(self._events)

    def put(self, events: Iterable[Event]) -> None:
        """Add events."""
        for event in events:
            self._events.append(event)
            self.load += weight(event)
        if self._events:
            self._came.set()

    def put_moved(self, event: TransferMoved) -> None:
        """Add what may come often: one that nobody has taken yet, in the same state, gives its place to a newer one."""
        if self.ended:
            return
        moved = self._moved.get(event.transfer.id)
        if moved is not None and (
            moved.event.transfer.state is event.transfer.state or len(self._events) >= MAX_MOVES_APART
        ):
            moved.event = event
            return
        self._moved[event.transfer.id] = moved = _Moved(event)
        self._events.append(moved)
        self.load += 1
        self._came.set()

    def end(self) -> None:
        """Nothing will be added; what is there is still given out."""
        self.ended = True
        self._came.set()

    async def take(self) -> Event | None:
        """The next event, as soon as there is one; None after the last."""
        while not self._events:
            if self.ended:
                return None
            self._came.clear()
            await self._came.wait()
        taken = self._events.popleft()
        self.load -= 1 if isinstance(taken, _Moved) else weight(taken)
        self._on_taken()
        if not isinstance(taken, _Moved):
            return taken
        if self._moved.get(taken.event.transfer.id) is taken:
            del self._moved[taken.event.transfer.id]
        return taken.event
