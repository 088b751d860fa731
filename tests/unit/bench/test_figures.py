"""Medians, ratios, and the rule that tells when the load generator was the limit."""

from __future__ import annotations

import pytest

from bench.figures import (
    Better,
    best_of_yardsticks,
    generator_limited,
    middle,
    of,
    percentile,
    ratio,
    yardstick_limited,
)
from tests.unit.bench.runs import run

CASE = "pairs, 1 under way"


def test_median_takes_no_notice_of_runs_that_lack_the_figure() -> None:
    runs = [run("plain", per_s=10), run("plain", per_s=30), run("plain", per_s=20), run("plain")]
    assert middle(runs, "per_s") == 20
    assert middle(runs, "latency_us_p99") is None


def test_runs_are_chosen_by_case_and_subject() -> None:
    runs = [run("plain", case="a"), run("plain", case="b"), run("json", case="a")]
    assert of(runs, case="a", subject="plain") == [runs[0]]
    assert of(runs, case="a") == [runs[0], runs[2]]
    assert of(runs) == runs


def test_best_is_the_highest_of_rates_and_the_lowest_of_costs_and_never_ours_or_that_of_nats() -> None:
    runs = [run("ngircd", x=5), run("inspircd", x=7), run("nats", x=100), run("plain", x=1)]
    assert best_of_yardsticks(runs, "x", Better.HIGHER) == 7
    assert best_of_yardsticks(runs, "x", Better.LOWER) == 5
    assert best_of_yardsticks([runs[2], runs[3]], "x", Better.LOWER) is None


def test_ratio_compares_within_a_turn_so_that_a_machine_that_slows_down_does_not_count() -> None:
    speeds = {1: 1.0, 2: 0.5, 3: 0.1}
    runs = [run("plain", turn, per_s=150 * speed) for turn, speed in speeds.items()]
    runs += [run("ngircd", turn, per_s=100 * speed) for turn, speed in speeds.items()]
    runs += [run("inspircd", turn, per_s=90 * speed) for turn, speed in speeds.items()]
    assert ratio(runs, "plain", "per_s", Better.HIGHER, case=CASE) == pytest.approx(1.5)


def test_ratio_takes_the_better_peer_of_each_turn() -> None:
    runs = [
        run("plain", 1, per_s=100),
        run("ngircd", 1, per_s=200),
        run("inspircd", 1, per_s=50),
        run("plain", 2, per_s=100),
        run("ngircd", 2, per_s=50),
        run("inspircd", 2, per_s=400),
        run("plain", 3, per_s=100),
        run("inspircd", 3, per_s=100),
    ]
    assert ratio(runs, "plain", "per_s", Better.HIGHER, case=CASE) == pytest.approx(0.5)


def test_there_is_no_ratio_without_peers_nor_to_nothing() -> None:
    assert ratio([run("plain", per_s=1)], "plain", "per_s", Better.HIGHER, case=CASE) is None
    idle = [run("plain", cpu=0.0), run("ngircd", cpu=0.0)]
    assert ratio(idle, "plain", "cpu", Better.LOWER, case=CASE) is None


@pytest.mark.parametrize(
    ("server", "generator", "limited"),
    [(80.0, 99.0, True), (99.0, 99.0, False), (80.0, 60.0, False), (97.0, 100.0, False), (96.9, 95.0, True)],
)
def test_generator_was_the_limit_when_it_was_busy_and_the_server_was_not(
    server: float, generator: float, *, limited: bool
) -> None:
    runs = [run("plain", server_cpu_percent=server, generator_cpu_percent=generator)]
    assert generator_limited(runs) is limited


def test_one_odd_turn_does_not_make_the_generator_the_limit() -> None:
    runs = [
        run("plain", 1, server_cpu_percent=99, generator_cpu_percent=60),
        run("plain", 2, server_cpu_percent=99, generator_cpu_percent=60),
        run("plain", 3, server_cpu_percent=50, generator_cpu_percent=99),
    ]
    assert not generator_limited(runs)
    assert not generator_limited([run("plain")])


def test_only_the_best_peer_counts_for_whether_the_generator_limited_the_peers() -> None:
    slow = run("ngircd", per_s=10, server_cpu_percent=50, generator_cpu_percent=99)
    fast = run("inspircd", per_s=20, server_cpu_percent=99, generator_cpu_percent=60)
    assert not yardstick_limited([slow, fast], "per_s", Better.HIGHER)
    assert yardstick_limited([slow], "per_s", Better.HIGHER)
    assert yardstick_limited([slow, fast], "per_s", Better.LOWER)
    assert not yardstick_limited([], "per_s", Better.LOWER)


def test_percentile_is_a_value_that_was_there() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.5) == 51
    assert percentile(values, 0.95) == 96
    assert percentile([3.0], 0.95) == 3.0
