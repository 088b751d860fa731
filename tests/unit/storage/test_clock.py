"""A clock that jumps ahead is doubted for a week, whatever it shows meanwhile."""

from __future__ import annotations

import pytest

from twocans.storage.clock import DAY_MS, DOUBT_MS, ClockRecord

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize("passed_ms", [0, DAY_MS, DOUBT_MS, -400 * DAY_MS], ids=str)
def test_clock_that_goes_on_or_back_is_trusted(passed_ms: int) -> None:
    assert ClockRecord(NOW_MS).at(NOW_MS + passed_ms) == ClockRecord(NOW_MS + passed_ms)


def test_first_look_without_any_message_is_trusted() -> None:
    assert not ClockRecord().at(NOW_MS).doubted


def test_clock_that_jumps_ahead_is_doubted_until_it_has_run_for_a_week() -> None:
    record = ClockRecord(NOW_MS)
    ahead_ms = NOW_MS + 60 * DAY_MS
    for hour in range(7 * 24):
        record = record.at(ahead_ms + hour * 3_600_000)
        assert record.doubted
        assert record.trusted_from_ms == ahead_ms + DOUBT_MS
    assert not record.at(ahead_ms + DOUBT_MS).doubted


def test_clock_that_is_set_right_is_trusted_at_once() -> None:
    doubted = ClockRecord(NOW_MS).at(NOW_MS + 60 * DAY_MS)
    assert not doubted.at(NOW_MS + 1000).doubted


def test_clock_that_jumps_again_is_doubted_for_another_week() -> None:
    once = ClockRecord(NOW_MS).at(NOW_MS + 60 * DAY_MS)
    twice = once.at(NOW_MS + 400 * DAY_MS)
    assert twice.trusted_from_ms == NOW_MS + 400 * DAY_MS + DOUBT_MS
