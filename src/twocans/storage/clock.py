"""Decides if the wall clock can be trusted to delete by: a clock that is far ahead would delete everything."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

DAY_MS: Final = 24 * 60 * 60 * 1000
DOUBT_MS: Final = 7 * DAY_MS
"""A clock that has jumped ahead by more is doubted, and trusted again after running on for as long."""


class ClockRecord(Struct, frozen=True):
    """What is stored about the wall clock; all in Unix milliseconds, 0 for never.

    Attributes:
        seen_ms: the clock when it was last looked at.
        doubted_ms: the clock when it was first doubted.
    """

    seen_ms: int = 0
    doubted_ms: int = 0

    @property
    def doubted(self) -> bool:
        """True while nothing may be deleted by this clock."""
        return self.doubted_ms > 0

    @property
    def trusted_from_ms(self) -> int:
        """The clock from which on it is trusted again."""
        return self.doubted_ms + DOUBT_MS

    def at(self, now_ms: int) -> ClockRecord:
        """Return the record for a look at the clock that shows `now_ms`."""
        doubted_ms = self.doubted_ms
        if self.seen_ms and now_ms - self.seen_ms > DOUBT_MS:
            doubted_ms = now_ms
        elif now_ms < doubted_ms or now_ms >= doubted_ms + DOUBT_MS:
            doubted_ms = 0
        return ClockRecord(now_ms, doubted_ms)
