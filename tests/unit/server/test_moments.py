"""How times read."""

from __future__ import annotations

import re
import time

from twocans.server.moments import moment


def test_today_is_read_as_the_time_and_another_day_with_its_date() -> None:
    assert re.fullmatch(r"\d\d:\d\d", moment(time.time_ns() // 1_000_000))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", moment(1_000_000_000_000))
