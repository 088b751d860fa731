"""A time zone that changes while the window is open."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.gui.transcript_window import Window, opened
from twocans.gui.transcript import widget
from twocans.gui.transcript.dates import follow_time_zone
from twocans.gui.transcript.model import Bubble, Status

TOKYO = "XJT-9"


def at(day: int, hour: int) -> int:
    return int(datetime(2026, 5, day, hour, 30, tzinfo=UTC).timestamp() * 1000)


def bubble(key: str, at_ms: int) -> Bubble:
    return Bubble(key=key, own=False, text=key, at_ms=at_ms, status=Status.NONE, note="", file=None)


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    follow_time_zone()  # the one of the tests
    monkeypatch.setattr(widget, "_DAY_CHECK_MS", 20)
    with opened() as one:
        yield one
    monkeypatch.undo()
    os.environ["TZ"] = "UTC"
    follow_time_zone()


def test_times_and_days_follow_a_time_zone_that_changes(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.now = at(5, 9) / 1000
    window.show(bubble("late", at(4, 20)), bubble("early", at(5, 2)))
    window.until(lambda: {"Yesterday", "Today", "20:30", "02:30"} <= window.text_items().keys())
    monkeypatch.setenv("TZ", TOKYO)
    window.until(lambda: {"05:30", "11:30"} <= window.text_items().keys())
    # There it is the same day.
    assert "Yesterday" not in window.text_items()
    assert "Today" in window.text_items()
    assert time.tzname[0] == "XJT"


def test_a_time_zone_that_stays_changes_nothing() -> None:
    follow_time_zone()
    assert not follow_time_zone()
