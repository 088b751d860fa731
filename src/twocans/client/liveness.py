"""Whether the server at the other end of a connection is still there, by the clock."""

from __future__ import annotations

from enum import Enum

from twocans.client.settings import Clock, Timers


class Due(Enum):
    """What the time has come for."""

    NOTHING = "nothing"
    PING = "ping"
    DEAD = "dead"


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

    def heard(self) -> None:
        """The server has sent something."""
        self._heard_at = self._clock()

    def listen(self, *, again: bool) -> None:
        """Reading is suspended, or goes on `again`: silence in between is not the server's."""
        self._listening = again
        self.heard()

    def check(self) -> Due:
        """What to do now; a PING counts as sent."""
        now = self._clock()
        if self._listening and now >= self._heard_at + self._timers.dead_after:
            return Due.DEAD
        if now < self._ping_at():
            return Due.NOTHING
        self._pinged_at = now
        return Due.PING

    def next_at(self) -> float:
        """When `check` will have something, by the clock."""
        ping_at = self._ping_at()
        return min(ping_at, self._heard_at + self._timers.dead_after) if self._listening else ping_at

    def _ping_at(self) -> float:
        # Who does not listen cannot answer the server's PING; one's own keeps the connection alive.
        last = max(self._heard_at, self._pinged_at) if self._listening else self._pinged_at
        return last + self._timers.ping_after
