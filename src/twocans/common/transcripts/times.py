"""When something was said, in a time zone that is named."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

_LATEST_MS: Final = 253_402_128_000_000
"""The last day but one that a `datetime` holds; a clock that was far off must not stop an export."""


def moment(at_ms: int, zone: tzinfo | None) -> datetime:
    """A time in Unix milliseconds, to the second, in a zone; None for the one of this computer."""
    seconds = min(max(at_ms, 0), _LATEST_MS) // 1000
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone)


def zone_name(now: datetime, zone: tzinfo | None) -> str:
    """What the zone is called, in winter and in summer if that differs: `CET/CEST`."""
    names = [datetime(now.year, month, 1, tzinfo=UTC).astimezone(zone).tzname() for month in (1, 7)]
    return "/".join(dict.fromkeys(name for name in names if name))
