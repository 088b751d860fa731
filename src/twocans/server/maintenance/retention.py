"""When messages lose their text: at the start and every hour, in slices with pauses; how is the storage's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from twocans.hub.hub import EventLog
from twocans.storage.clock import DAY_MS, ClockRecord

EVERY_S: Final = 3600.0
"""How long after one round the next begins."""
PAUSE_S: Final = 0.05
"""How long writers have the disk for themselves between two slices."""


class Clearable(Protocol):
    """A storage that can take the text from old messages."""

    clock: ClockRecord
    """When old messages were last looked for; if none were, the time of the newest message."""

    def keep_clock(self, clock: ClockRecord) -> None:
        """Store another record of the clock."""
        ...

    def clear_slice(self, before_ms: int, *, on_cleared: Callable[[int], None]) -> None:
        """Take it from some messages sent before that time, and tell from how many; 0 if there are no more."""
        ...


class Timer(Protocol):
    """What has been put off and can be called off."""

    def cancel(self) -> None:
        """Call it off."""
        ...


class Retention:
    """Keeps messages for so many days.

    Args:
        storage: where they are.
        keep_days: how long a message keeps its text.
        wall_ms: the time, in Unix milliseconds.
        call_later: runs a callback after so many seconds.
        log: told how many messages a round has cleared, if any, and when the clock begins to be doubted.
    """

    def __init__(
        self,
        storage: Clearable,
        *,
        keep_days: int,
        wall_ms: Callable[[], int],
        call_later: Callable[[float, Callable[[], None]], Timer],
        log: EventLog,
    ) -> None:
        self._storage = storage
        self._keep_days = keep_days
        self._wall_ms = wall_ms
        self._call_later = call_later
        self._log = log
        self._cleared = 0
        self._told_ms = 0
        self._timer: Timer | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin the first round."""
        self._next_round()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _next_round(self) -> None:
        clock = self._storage.clock.at(self._wall_ms())
        self._storage.keep_clock(clock)
        if clock.doubted:
            if clock.doubted_ms != self._told_ms:
                self._told_ms = clock.doubted_ms
                self._log("clock_doubted", clock=clock.seen_ms, trusted_from=clock.trusted_from_ms)
            self._timer = self._call_later(EVERY_S, self._next_round)
        else:
            self._next_slice()

    def _next_slice(self) -> None:
        before_ms = self._wall_ms() - self._keep_days * DAY_MS
        self._storage.clear_slice(before_ms, on_cleared=self._slice_done)

    def _slice_done(self, number: int) -> None:
        self._cleared += number
        if not number and self._cleared:
            self._log("messages_cleared", number=self._cleared, keep_days=self._keep_days)
            self._cleared = 0
        if not self._stopped:
            next_, delay_s = (self._next_slice, PAUSE_S) if number else (self._next_round, EVERY_S)
            self._timer = self._call_later(delay_s, next_)
