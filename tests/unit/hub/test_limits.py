"""The token bucket: what passes at once, and what passes in the long run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.hub.limits import TokenBucket


def test_burst_passes_at_once_and_the_next_has_to_wait() -> None:
    bucket = TokenBucket(rate=2.0, burst=4.0, now=0.0)
    assert bucket.available(0.0) == 4
    bucket.take(4)
    assert bucket.available(0.0) == 0
    assert bucket.wait_s() == pytest.approx(0.5)


def test_asking_in_vain_costs_nothing() -> None:
    bucket = TokenBucket(rate=1.0, burst=1.0, now=0.0)
    bucket.take(1)
    for tenth in range(1, 10):
        assert bucket.available(tenth / 10) == 0
    assert bucket.available(1.01) == 1


def test_long_pause_saves_up_no_more_than_the_burst() -> None:
    bucket = TokenBucket(rate=10.0, burst=3.0, now=0.0)
    bucket.take(3)
    assert bucket.available(3600.0) == 3


def test_what_was_too_much_keeps_the_next_waiting_but_not_for_ever() -> None:
    bucket = TokenBucket(rate=1.0, burst=4.0, now=0.0)
    bucket.take(1_000_000)
    assert bucket.available(4.0) == 0
    assert bucket.available(8.0) == 4


def test_burst_below_one_lets_single_things_through() -> None:
    bucket = TokenBucket(rate=0.01, burst=0.1, now=0.0)
    assert bucket.available(0.0) == 1
    bucket.take(1)
    assert bucket.available(0.0) == 0
    assert bucket.wait_s() == pytest.approx(100.0)


@given(
    rate=st.floats(0.1, 1000),
    burst=st.floats(1, 100),
    asked=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), min_size=1, max_size=200),
)
def test_never_more_than_the_burst_and_the_rate_pass(
    rate: float, burst: float, asked: list[tuple[float, int]]
) -> None:
    bucket = TokenBucket(rate=rate, burst=burst, now=0.0)
    now = 0.0
    passed = 0
    for pause, wanted in asked:
        now += pause
        count = min(wanted, bucket.available(now))
        bucket.take(count)
        passed += count
        assert passed <= burst + rate * now + 1e-6


@given(rate=st.floats(0.1, 1000), burst=st.floats(1, 20), number=st.integers(1, 60))
def test_whoever_waits_as_told_gets_everything_through_at_the_rate(
    rate: float, burst: float, number: int
) -> None:
    bucket = TokenBucket(rate=rate, burst=burst, now=0.0)
    now = 0.0
    for _ in range(number):
        for _again in range(3):
            if bucket.available(now) > 0:
                bucket.take(1)
                break
            now += bucket.wait_s() + 1e-9  # a real clock moves on by something
        else:
            raise AssertionError("waiting as told was not enough")
    assert now <= number / rate + 1e-4
