"""How long to wait before the next attempt to connect: growing pauses, with jitter."""

from __future__ import annotations

from random import Random


class Backoff:
    """Pauses that double from `first_s` to `most_s`, each cut by chance to between half of it and all of it.

    The chance keeps the clients of a server that restarts from all coming back in the same moment.
    """

    def __init__(self, *, first_s: float, most_s: float, random: Random) -> None:
        self._first_s = first_s
        self._most_s = max(first_s, most_s)
        self._next_s = first_s
        self._random = random

    def next_s(self) -> float:
        """The next pause, in seconds."""
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, self._most_s)
        return pause_s * self._random.uniform(0.5, 1.0)

    def connected_for(self, duration_s: float) -> None:
        """A connection lasted `duration_s` seconds.

        Pauses start anew only after one that outlasted the next pause: a server that lets everybody in and
        drops them again is not besieged.
        """
        if duration_s >= self._next_s:
            self._next_s = self._first_s
