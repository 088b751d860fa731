"""A log that peers cannot flood: of what they cause, so many lines for each source and for all, and a count of the rest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from msgspec import Struct

from twocans.hub.hub import EventLog
from twocans.hub.limits import TokenBucket
from twocans.server.connection.transport import Cancellable, Timers


class Allowance(Struct, frozen=True):
    """The number of events of one name that are told one by one.

    Args:
        per_source: of one source and for one reason, after a pause.
        per_source_per_s: of one source and for one reason in the long run.
        overall: of all sources together, after a pause.
        overall_per_s: of all together in the long run.
    """

    per_source: int
    per_source_per_s: float
    overall: int
    overall_per_s: float

    @property
    def share(self) -> float:
        """The part of the overall allowance that one source may take, for all reasons together."""
        return max(MAX_SHARE, self.per_source / self.overall)


MAX_SHARE: Final = 0.25
"""The part of what is told of all sources that is told of one, unless its allowance for one reason is larger."""


HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S

FOR_STRANGERS: Final = Allowance(20, 6 / DAY_S, 200, 40 / DAY_S)
"""For what takes no name to cause, and for what is kept for long: see `log.SECURITY`."""
FOR_DEVICES: Final = Allowance(20, 6 / DAY_S, 500, 40 / DAY_S)
"""For devices, since each newcomer adds one."""
FOR_PEOPLE: Final = Allowance(1000, 600 / HOUR_S, 2000, 1800 / HOUR_S)
"""For coming and going, which the console shows whenever people do that."""

ALLOWANCES: Final[Mapping[str, Allowance]] = {
    "connection_refused": FOR_STRANGERS,
    "name_refused": FOR_STRANGERS,
    "never_registered": FOR_STRANGERS,
    "request_malformed": FOR_STRANGERS,
    "device_added": FOR_DEVICES,
    "device_cut_off": FOR_STRANGERS,
    "password_changed": FOR_STRANGERS,
    # A fault or a full disk may be met with each request.
    "internal_error": FOR_STRANGERS,
    "storage_error": FOR_STRANGERS,
    "user_registered": FOR_PEOPLE,
    "user_joined": FOR_PEOPLE,
    "user_left": FOR_PEOPLE,
    "session_closed": FOR_PEOPLE,
    "file_stored": FOR_PEOPLE,
}
"""The events that peers cause; others are always told."""
MAX_SOURCES: Final = 10_000
"""Of how many sources it is known how much they cause; of more, those that came first are forgotten."""
FIRST_COUNT_S: Final = 60.0
"""After this time it is told how many events were not; then twice as late each time."""
LAST_COUNT_S: Final = HOUR_S
"""The longest such time."""
QUIET_S: Final = 6 * HOUR_S
"""After so long without a count the next one is told after the first time again."""


class ThrottledLog:
    """Passes events on.

    Args:
        log: where they go.
        timers: clock and timers.
    """

    def __init__(self, log: EventLog, *, timers: Timers) -> None:
        self._log = log
        self._timers = timers
        self._overall: dict[str, TokenBucket] = {}
        self._sources: dict[tuple[str, str, str], TokenBucket] = {}
        """By event, source and reason: a flood of one kind hides no other."""
        self._shares: dict[tuple[str, str], TokenBucket] = {}
        """By event and source: a flood of one source for many reasons hides no other source."""
        self._untold: dict[str, Counter[str]] = {}
        """For each event, how many of each source were not told."""
        self._untold_since = 0.0
        self._counted_at = -math.inf
        self._period_s = FIRST_COUNT_S
        self._timer: Cancellable | None = None

    def __call__(self, event: str, /, **fields: object) -> None:
        """Log one event, or count it."""
        allowance = ALLOWANCES.get(event)
        source = _source(fields)
        if allowance is None or self._is_allowed(event, source, _reason(fields), allowance):
            self._log(event, **fields)
            return
        if self._timer is None:
            self._untold_since = self._timers.time()
            if self._untold_since - self._counted_at >= QUIET_S:
                self._period_s = FIRST_COUNT_S
            self._timer = self._timers.call_later(self._period_s, self._period_is_over)
        counts = self._untold.setdefault(event, Counter())
        counts[source if source in counts or len(counts) < MAX_SOURCES else ""] += 1

    def tell_rest(self) -> None:
        """Tell how many were not told, and begin to count anew."""
        untold, self._untold = self._untold, {}
        now = self._timers.time()
        seconds = round(now - self._untold_since)
        if untold:
            self._counted_at = now
        for event, counts in untold.items():
            ((source, _),) = counts.most_common(1)
            self._log(
                "more_of_them",
                what=event,
                number=counts.total(),
                source=source,
                sources=len(counts),
                seconds=seconds,
            )
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _period_is_over(self) -> None:
        self._timer = None
        if not self._untold:
            return
        self.tell_rest()
        # Somebody who goes on and on, or at intervals, must not fill the log with counts either.
        self._period_s = min(2 * self._period_s, LAST_COUNT_S)
        self._untold_since = self._timers.time()
        self._timer = self._timers.call_later(self._period_s, self._period_is_over)

    def _is_allowed(self, event: str, source: str, reason: str, allowance: Allowance) -> bool:
        now = self._timers.time()
        buckets = (
            _recent(
                self._sources,
                (event, source, reason),
                lambda: TokenBucket(rate=allowance.per_source_per_s, burst=allowance.per_source, now=now),
            ),
            _recent(
                self._shares,
                (event, source),
                lambda: TokenBucket(
                    rate=allowance.overall_per_s * allowance.share,
                    burst=allowance.overall * allowance.share,
                    now=now,
                ),
            ),
            _recent(
                self._overall,
                event,
                lambda: TokenBucket(rate=allowance.overall_per_s, burst=allowance.overall, now=now),
            ),
        )
        if not all(bucket.available(now) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.take(1)
        return True


_Key = TypeVar("_Key")


def _recent(buckets: dict[_Key, TokenBucket], key: _Key, make: Callable[[], TokenBucket]) -> TokenBucket:
    """Return a bucket, made if need be, as the one that is forgotten last."""
    bucket = buckets[key] = buckets.pop(key) if key in buckets else make()
    if len(buckets) > MAX_SOURCES:
        del buckets[next(iter(buckets))]
    return bucket


def _source(fields: Mapping[str, object]) -> str:
    """Return the network address that has caused an event, without its port; "" if none has."""
    return str(fields.get("address", "")).rpartition(":")[0]


def _reason(fields: Mapping[str, object]) -> str:
    return str(next((fields[name] for name in ("code", "why", "reason") if name in fields), ""))
