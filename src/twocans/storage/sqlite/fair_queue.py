"""Fair queueing: among people who wait, the one who has been served least comes first."""

from __future__ import annotations

import heapq
from collections import deque
from typing import Generic, TypeVar

_T = TypeVar("_T")


class _Line(Generic[_T]):
    """The jobs of one person, oldest first, and the person's place in the order of all."""

    __slots__ = ("jobs", "served_s", "serving", "tag_s")

    def __init__(self, tag_s: float) -> None:
        self.jobs: deque[_T] = deque()
        self.tag_s = tag_s
        self.served_s = 0.0
        self.serving = False


class FairQueue(Generic[_T]):
    """Start-time fair queueing (Goyal, Vin and Cheng, 1996) with equal weights. Not safe for use by several threads.

    Each person has a tag, which grows by the time that the person's jobs have taken; the least tag is next. The tag of
    a person who has not waited starts at that of the job served last, so nobody saves up time. Among equal
    tags, whoever has been served less comes first. One job of a person is served at a time.
    """

    def __init__(self) -> None:
        self._lines: dict[int, _Line[_T]] = {}
        self._waiting: list[tuple[float, float, int, int]] = []
        self._serving = 0
        self._now_s = 0.0
        self._arrivals = 0

    def __bool__(self) -> bool:
        """True if a job can be taken."""
        return bool(self._waiting)

    def put(self, person: int, job: _T) -> None:
        """Add a job behind the person's others."""
        line = self._lines.get(person)
        if line is None:
            line = self._lines[person] = _Line(self._now_s)
        line.jobs.append(job)
        if not line.serving and len(line.jobs) == 1:
            self._wait(person, line)

    def take(self) -> tuple[int, _T]:
        """Return the next job and its person, who waits until `done`."""
        self._now_s, _, _, person = heapq.heappop(self._waiting)
        line = self._lines[person]
        line.serving = True
        self._serving += 1
        return person, line.jobs.popleft()

    def done(self, person: int, took_s: float, *, again: _T | None = None) -> None:
        """Charge a person for a job that was taken; `again` puts it behind the person's others."""
        line = self._lines[person]
        line.serving = False
        line.tag_s += took_s
        line.served_s += took_s
        self._serving -= 1
        if again is not None:
            line.jobs.append(again)
        if line.jobs:
            self._wait(person, line)
        elif not self._waiting and not self._serving:
            # Nobody waits, so nobody has an advantage to make up for.
            self._lines.clear()

    def clear(self) -> list[_T]:
        """Remove all jobs that wait, and return them."""
        jobs = [job for line in self._lines.values() for job in line.jobs]
        for line in self._lines.values():
            line.jobs.clear()
        self._waiting.clear()
        return jobs

    def _wait(self, person: int, line: _Line[_T]) -> None:
        line.tag_s = max(line.tag_s, self._now_s)
        self._arrivals += 1
        heapq.heappush(self._waiting, (line.tag_s, line.served_s, self._arrivals, person))
