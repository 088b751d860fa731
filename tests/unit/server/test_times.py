"""How times read."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import datetime, timedelta

from tests.support.process import START_S, environment
from twocans.server.operator.times import moment

PROGRAM = """
import io, os, sys
from twocans.server.operator.log import _now
from twocans.server.operator.times import format_date, moment
NEW_YEAR_MS = 1_767_225_600_000 - 1
print(moment(NEW_YEAR_MS), format_date(NEW_YEAR_MS), _now({})["time"])
os.environ["TZ"] = "XJT-9"
print(moment(NEW_YEAR_MS), format_date(NEW_YEAR_MS), _now({})["time"])
"""


def test_today_is_read_as_the_time_and_another_day_with_its_date() -> None:
    assert re.fullmatch(r"\d\d:\d\d", moment(time.time_ns() // 1_000_000))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", moment(1_000_000_000_000))


def test_times_follow_a_time_zone_that_changes_while_the_server_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment({"TZ": "UTC"}),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=True,
    )
    (before, then) = (line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert (before[0], then[0]) == ("2025-12-31 23:59 2025-12-31", "2026-01-01 08:59 2026-01-01")
    stamps = [datetime.fromisoformat(before[1]), datetime.fromisoformat(then[1])]
    assert [stamp.utcoffset() for stamp in stamps] == [timedelta(0), timedelta(hours=9)]
    assert stamps[1] - stamps[0] < timedelta(minutes=1)
