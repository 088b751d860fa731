"""What runs amount to: medians, ratios to the servers written in C, and who was the limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from statistics import median
from typing import Final

from bench.records import Run

YARDSTICKS: Final = ("ngircd", "inspircd")
"""The servers whose best figure is 1."""

SERVER_BUSY_PERCENT: Final = 97.0
GENERATOR_BUSY_PERCENT: Final = 95.0


class Better(Enum):
    """Which way a figure is good."""

    HIGHER = "higher"
    LOWER = "lower"


def of(runs: Iterable[Run], *, case: str | None = None, subject: str | None = None) -> list[Run]:
    """Those runs that belong to a case and a subject."""
    return [run for run in runs if case in (None, run.case) and subject in (None, run.subject)]


def middle(runs: Iterable[Run], figure: str) -> float | None:
    """The median of a figure; None if no run has it."""
    values = [run.figures[figure] for run in runs if figure in run.figures]
    return median(values) if values else None


def best_of_yardsticks(runs: Iterable[Run], figure: str, better: Better) -> float | None:
    """The best figure of the servers written in C; None if none of them was run."""
    values = [run.figures[figure] for run in runs if run.subject in YARDSTICKS and figure in run.figures]
    if not values:
        return None
    return max(values) if better is Better.HIGHER else min(values)


def ratio(runs: Sequence[Run], subject: str, figure: str, better: Better, *, case: str) -> float | None:
    """How many times the best of the yardsticks: taken in each turn by itself, then the median.

    A machine that slows down from one turn to the next so slows both down. `runs` are those to compare with as well:
    of one case, or of all where a yardstick needs a case of its own.
    """
    ratios = []
    for run in of(runs, case=case, subject=subject):
        best = best_of_yardsticks((other for other in runs if other.turn == run.turn), figure, better)
        if best and figure in run.figures:
            ratios.append(run.figures[figure] / best)
    return median(ratios) if ratios else None


def generator_limited(runs: Sequence[Run]) -> bool:
    """Whether the load generator, not the server, was the limit: then messages/s say nothing of the server."""
    server, generator = middle(runs, "server_cpu_percent"), middle(runs, "generator_cpu_percent")
    if server is None or generator is None:
        return False
    return server < SERVER_BUSY_PERCENT and generator >= GENERATOR_BUSY_PERCENT


def yardstick_limited(runs: Sequence[Run], figure: str, better: Better) -> bool:
    """Whether the generator was the limit of that yardstick whose median is the best."""
    best: tuple[float, bool] | None = None
    for name in YARDSTICKS:
        for case in dict.fromkeys(run.case for run in of(runs, subject=name)):
            own = of(runs, case=case, subject=name)
            value = middle(own, figure)
            if value is None:
                continue
            ahead = best is None or (value > best[0] if better is Better.HIGHER else value < best[0])
            if ahead:
                best = value, generator_limited(own)
    return best is not None and best[1]


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which a part of all lies; `values` must not be empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
