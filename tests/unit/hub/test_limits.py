"""The token bucket: what passes at once, and what passes in the long run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.hub.limits import TokenBucket


def test_burst_passes_at_once_and_the_next_has_to_wait() -> None:
    bucket = TokenBucket(rate=2.0, burst=4.0, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [0.0] * 4
    assert bucket.take(0.0) == pytest.approx(0.5)


def test_asking_again_after_the_wait_gets_through() -> None:
    bucket = TokenBucket(rate=2.0, burst=1.0, now=0.0)
    bucket.take(0.0)
    wait_s = bucket.take(0.1)
    assert bucket.take(0.1 + wait_s + 1e-9) == 0.0
    assert bucket.take(0.1 + wait_s + 1e-9) == pytest.approx(0.5)


def test_asking_in_vain_costs_nothing() -> None:
    bucket = TokenBucket(rate=1.0, burst=1.0, now=0.0)
    bucket.take(0.0)
    for tenth in range(1, 10):
        assert bucket.take(tenth / 10) > 0
    assert bucket.take(1.01) == 0.0


def test_long_pause_saves_up_no_more_than_the_burst() -> None:
    bucket = TokenBucket(rate=10.0, burst=3.0, now=0.0)
    for _ in range(3):
        bucket.take(0.0)
    assert [bucket.take(3600.0) for _ in range(3)] == [0.0] * 3
    assert bucket.take(3600.0) > 0


def test_rate_of_zero_lets_everything_through() -> None:
    bucket = TokenBucket(rate=0.0, burst=0.0, now=0.0)
    assert {bucket.take(0.0) for _ in range(1000)} == {0.0}


def test_burst_below_one_lets_single_things_through() -> None:
    bucket = TokenBucket(rate=0.01, burst=0.1, now=0.0)
    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) == pytest.approx(100.0)


@given(
    rate=st.floats(0.1, 1000),
    burst=st.floats(1, 100),
    pauses=st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_never_more_than_the_burst_and_the_rate_pass(rate: float, burst: float, pauses: list[float]) -> None:
    bucket = TokenBucket(rate=rate, burst=burst, now=0.0)
    now = 0.0
    passed = 0
    for pause in pauses:
        now += pause
        passed += bucket.take(now) == 0.0
        assert passed <= burst + rate * now + 1e-6


@given(rate=st.floats(0.1, 1000), burst=st.floats(1, 20), number=st.integers(1, 60))
def test_whoever_waits_as_told_gets_everything_through_at_the_rate(
    rate: float, burst: float, number: int
) -> None:
    bucket = TokenBucket(rate=rate, burst=burst, now=0.0)
    now = 0.0
    for _ in range(number):
        for _again in range(3):
            wait_s = bucket.take(now)
            if wait_s == 0.0:
                break
            now += wait_s + 1e-9  # a real clock moves on by something
        else:
            raise AssertionError("waiting as told was not enough")
    assert now <= number / rate + 1e-4
