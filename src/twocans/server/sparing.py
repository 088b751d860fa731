"""A log that peers cannot flood: of what they cause, so many lines for each source and for all, and a count of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from twocans.hub.hub import EventLog
from twocans.hub.limits import TokenBucket
from twocans.server.transport import Cancellable, Timers


class Allowance(Struct, frozen=True):
    """How many events of one name are told one by one.

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
"""After this time it is told how many events were not; then twice as late each time, as long as there are more."""
LAST_COUNT_S: Final = HOUR_S


class SparingLog:
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
        self._untold: dict[str, Counter[str]] = {}
        """For each event, how many of each source were not told."""
        self._untold_since = 0.0
        self._period_s = FIRST_COUNT_S
        self._timer: Cancellable | None = None

    def __call__(self, event: str, /, **fields: object) -> None:
        """Log one event, or count it."""
        allowance = ALLOWANCES.get(event)
        source = _source(fields)
        if allowance is None or self._is_allowed((event, source, _reason(fields)), allowance):
            self._log(event, **fields)
            return
        if self._timer is None:
            self._untold_since = self._timers.time()
            self._timer = self._timers.call_later(self._period_s, self._period_is_over)
        counts = self._untold.setdefault(event, Counter())
        counts[source if source in counts or len(counts) < MAX_SOURCES else ""] += 1

    def tell_rest(self) -> None:
        """Tell how many were not told, and begin to count anew."""
        untold, self._untold = self._untold, {}
        seconds = round(self._timers.time() - self._untold_since)
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
        if not self._untold:
            self._timer = None
            self._period_s = FIRST_COUNT_S
            return
        self.tell_rest()
        # Somebody who goes on and on must not fill the log with counts either.
        self._period_s = min(2 * self._period_s, LAST_COUNT_S)
        self._untold_since = self._timers.time()
        self._timer = self._timers.call_later(self._period_s, self._period_is_over)

    def _is_allowed(self, key: tuple[str, str, str], allowance: Allowance) -> bool:
        now = self._timers.time()
        own = self._sources.pop(key, None)
        if own is None:
            own = TokenBucket(rate=allowance.per_source_per_s, burst=allowance.per_source, now=now)
        self._sources[key] = own
        if len(self._sources) > MAX_SOURCES:
            del self._sources[next(iter(self._sources))]
        event = key[0]
        overall = self._overall.get(event)
        if overall is None:
            overall = TokenBucket(rate=allowance.overall_per_s, burst=allowance.overall, now=now)
            self._overall[event] = overall
        if not own.available(now) or not overall.available(now):
            return False
        own.take(1)
        overall.take(1)
        return True


def _source(fields: Mapping[str, object]) -> str:
    """Return who has caused an event: a network address without its port, or a name."""
    address = fields.get("address")
    return str(fields.get("user", "")) if address is None else str(address).rpartition(":")[0]


def _reason(fields: Mapping[str, object]) -> str:
    return str(next((fields[name] for name in ("code", "why", "reason") if name in fields), ""))
