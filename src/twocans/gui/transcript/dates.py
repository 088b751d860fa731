"""Days and times as the transcript shows them, in local time."""

from __future__ import annotations

import sys
import time
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LAST_MS: Final = 253_370_764_800_000  # the year 9999: what a peer claims beyond is shown as that


def _bounded(at_ms: int) -> int:
    return min(max(at_ms, 86_400_000), _LAST_MS)


@lru_cache(maxsize=4096)
def _local(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60)


def follow_time_zone() -> bool:
    """Take on the system's time zone, which may have changed; return True if it has.

    C's `localtime_r`, which Python asks, keeps to the zone that it read first until `tzset` is called.
    """
    before = _zone()
    if sys.platform != "win32":
        time.tzset()
    if _zone() == before:
        return False
    _local.cache_clear()
    return True


def _zone() -> tuple[object, ...]:
    return (*time.tzname, time.timezone, time.altzone, time.localtime().tm_gmtoff)


def local_time(at_ms: int) -> datetime:
    """The local time, without seconds, of a moment in Unix milliseconds."""
    return _local(_bounded(at_ms) // 60_000)


def local_moment(at_ms: int) -> datetime:
    """The local time, with its zone, of a moment in Unix milliseconds."""
    return datetime.fromtimestamp(_bounded(at_ms) / 1000).astimezone()


def local_day(at_ms: int) -> date:
    """The local day of a moment in Unix milliseconds."""
    return local_time(at_ms).date()


def clock_time(at_ms: int) -> str:
    """`09:05` for a moment in Unix milliseconds."""
    return f"{local_time(at_ms):%H:%M}"


def day_label(day: date, today: date) -> str:
    """A day as people say it: Today, Yesterday, the weekday within a week, then the full date."""
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if today - timedelta(days=7) < day < today:
        return _DAYS[day.weekday()]
    return f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"
