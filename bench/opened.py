"""The window with 100,000 messages as a measurement: runs `bench.window` on a screen in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.display import display
from bench.figures import percentile
from bench.processes import ROOT, BenchFailed, environment
from bench.records import Run
from bench.window import Figure


def measure(python: Path, turns: int, tell: Callable[[str], None], *, messages: int = 100_000) -> list[Run]:
    """Open the window once in each turn.

    Raises:
        BenchFailed: there is no Xvfb, or the window fails.
    """
    runs = []
    with display() as screen:
        for turn in range(1, turns + 1):
            done = subprocess.run(
                [str(python), "-m", "bench.window", "--json", "--messages", str(messages)],
                cwd=ROOT,
                env=environment({"DISPLAY": screen}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
            if done.returncode != 0:
                raise BenchFailed(f"The window failed: {done.stderr.decode(errors='replace')[-500:]}")
            figures = msgspec.json.decode(done.stdout, type=list[Figure])
            runs += [
                Run(case=figure.what, subject="window", turn=turn, figures=_numbers(figure))
                for figure in figures
            ]
            tell(f"turn {turn} of {turns}")
    return runs


def _numbers(figure: Figure) -> dict[str, float]:
    if not figure.times_ms:
        return {"mib": figure.mib}
    return {
        "median_ms": percentile(figure.times_ms, 0.5),
        "p95_ms": percentile(figure.times_ms, 0.95),
        "worst_ms": max(figure.times_ms),
    }
