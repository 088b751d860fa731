"""The pauses between attempts."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.client.backoff import Backoff
from twocans.client.timing import Timers


class Dice(Random):
    """Chance that repeats itself for the same seed."""


@given(st.integers(min_value=0, max_value=2**32))
def test_pauses_double_up_to_the_longest_and_keep_to_their_upper_half(seed: int) -> None:
    backoff = Backoff(first_s=0.5, most_s=30.0, random=Dice(seed))
    for full in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0):
        assert full / 2 <= backoff.next_s() <= full


def test_clients_of_one_server_do_not_all_wait_equally_long() -> None:
    pauses = {Backoff(first_s=8.0, most_s=30.0, random=Dice(seed)).next_s() for seed in range(50)}
    assert len(pauses) == 50
    assert max(pauses) - min(pauses) > 2.0


@pytest.mark.parametrize(("lasted_s", "longest"), [(7.9, 8.0), (8.0, 0.5)])
def test_only_a_connection_that_outlasts_the_next_pause_starts_them_anew(
    lasted_s: float, longest: float
) -> None:
    backoff = Backoff(first_s=0.5, most_s=30.0, random=Dice(1))
    for _ in range(4):
        backoff.next_s()
    backoff.connected_for(lasted_s)
    assert longest / 2 <= backoff.next_s() <= longest


@given(st.integers(min_value=0, max_value=2**32))
def test_a_server_that_is_back_after_a_minute_is_found_within_seconds(seed: int) -> None:
    timers = Timers()
    backoff = Backoff(first_s=timers.retry_first, most_s=timers.retry_max, random=Dice(seed))
    gone_s = 0.0
    while gone_s < 60.0:
        gone_s += backoff.next_s()
    assert gone_s <= 65.0
