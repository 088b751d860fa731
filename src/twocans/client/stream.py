"""The events that a program has not taken yet. Whoever fills it slows down by its length."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from twocans.client.events import Event


class EventStream:
    """Events in order, each given out once.

    Args:
        on_taken: called after an event was taken.
    """

    def __init__(self, on_taken: Callable[[], None]) -> None:
        self.ended = False
        self._events: deque[Event] = deque()
        self._came = asyncio.Event()
        self._on_taken = on_taken

    def __len__(self) -> int:
        return len(self._events)

    def put(self, events: Iterable[Event]) -> None:
        """Add events."""
        self._events.extend(events)
        if self._events:
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
        event = self._events.popleft()
        self._on_taken()
        return event
