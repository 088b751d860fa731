"""Watches by the clock that the server of a connection is still there, and that it sends what was missed."""

from __future__ import annotations

import math
from enum import Enum

from twocans.client.timing import Clock, Timers


class Due(Enum):
    """What the time has come for."""

    NOTHING = "nothing"
    PING = "ping"
    DEAD = "dead"
    STUCK = "stuck"


class Liveness:
    """One connection's silence, from now on.

    After a sleep of the machine the clock has jumped and the silence counts, so a connection that did not
    outlive it is given up at once and not after another round of questions.
    """

    def __init__(self, timers: Timers, clock: Clock) -> None:
        self._timers = timers
        self._clock = clock
        self._listening = True
        self._heard_at = self._pinged_at = clock()
        self._progressed_at: float | None = None

    def heard(self) -> None:
        """The server has sent a whole frame that means something."""
        self._heard_at = self._clock()

    def catching_up(self) -> None:
        """From now on the server sends what was missed."""
        self._heard_at = self._progressed_at = self._clock()

    def progressed(self) -> None:
        """Something of what was missed has come."""
        if self._progressed_at is not None:
            self._progressed_at = self._clock()

    def caught_up(self) -> None:
        """Nothing is missing any more."""
        self._progressed_at = None

    def listen(self, *, again: bool) -> None:
        """Reading is suspended, or goes on `again`: silence in between is not the server's."""
        self._listening = again
        self.heard()
        self.progressed()

    def check(self) -> Due:
        """What to do now; a PING counts as sent."""
        now = self._clock()
        if self._listening and now >= self._heard_at + self._timers.dead_after:
            return Due.DEAD
        if self._listening and now >= self._stuck_at():
            return Due.STUCK
        if now < self._ping_at():
            return Due.NOTHING
        self._pinged_at = now
        return Due.PING

    def next_at(self) -> float:
        """When `check` will have something, by the clock."""
        ping_at = self._ping_at()
        if not self._listening:
            return ping_at
        return min(ping_at, self._heard_at + self._timers.dead_after, self._stuck_at())

    def _stuck_at(self) -> float:
        return math.inf if self._progressed_at is None else self._progressed_at + self._timers.catch_up

    def _ping_at(self) -> float:
        # Who does not listen cannot answer the server's PING; one's own keeps the connection alive.
        last = max(self._heard_at, self._pinged_at) if self._listening else self._pinged_at
        return last + self._timers.ping_after
