"""A log that strangers cannot flood: of what anybody can cause, a few lines a second, and how many there were besides."""

from __future__ import annotations

from collections import Counter
from typing import Final

from twocans.hub.hub import EventLog
from twocans.server.transport import Timers

TOLD_PER_S: Final = 5
"""How many of such events of one kind are told one by one within a second; the others are counted."""
BY_STRANGERS: Final = frozenset(
    {"connection_refused", "name_refused", "never_registered", "request_malformed"}
)
"""What it takes no name to cause."""


class SparingLog:
    """Passes events on.

    Args:
        log: where they go.
        timers: clock and timers.
    """

    def __init__(self, log: EventLog, *, timers: Timers) -> None:
        self._log = log
        self._timers = timers
        self._counts: Counter[str] = Counter()

    def __call__(self, event: str, /, **fields: object) -> None:
        """Log one event, or count it."""
        if event in BY_STRANGERS:
            if not self._counts:
                self._timers.call_later(1.0, self.tell_rest)
            self._counts[event] += 1
            if self._counts[event] > TOLD_PER_S:
                return
        self._log(event, **fields)

    def tell_rest(self) -> None:
        """Tell how many were not told, and begin to count anew."""
        counts, self._counts = self._counts, Counter()
        for event, number in counts.items():
            if number > TOLD_PER_S:
                self._log("more_of_them", what=event, number=number - TOLD_PER_S)
