"""Times as the operator reads them."""

from __future__ import annotations

import sys
import time


def moment(at_ms: int) -> str:
    """A time of today as hours and minutes, of another day with its date; `at_ms` is in Unix milliseconds."""
    follow_time_zone()
    at = time.localtime(at_ms / 1000)
    today = time.localtime()
    return time.strftime("%H:%M" if at[:3] == today[:3] else "%Y-%m-%d %H:%M", at)


def format_date(at_ms: object) -> str:
    """Return the day of a time, as in 2026-11-29; `at_ms` is in Unix milliseconds, as a field of an event."""
    follow_time_zone()
    return time.strftime("%Y-%m-%d", time.localtime(int(str(at_ms)) / 1000))


def follow_time_zone() -> None:
    """Take on the system's time zone; without it, times stay in the zone that was in force when the server started."""
    if sys.platform != "win32":
        time.tzset()
