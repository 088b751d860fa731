"""Runs for tests, made up."""

from __future__ import annotations

from bench.records import Measured, Run, Setting


def run(
    subject: str, turn: int = 1, *, case: str = "pairs, 1 under way", failed: str = "", **figures: float
) -> Run:
    """One run with these figures."""
    return Run(case=case, subject=subject, turn=turn, figures=figures, failed=failed)


def measured(*runs: Run, left_out: list[str] | None = None) -> Measured:
    """A measurement with these runs."""
    setting = Setting(
        date="2026-01-02 03:04 UTC",
        machine={"processor": "Abacus", "cores": "2", "kernel": "Linux 6.1"},
        versions={"Twocans": "abc1234", "SQLite": "3.40.1"},
        seconds=2.0,
        turns=3,
        left_out=left_out or [],
    )
    return Measured(setting=setting, runs=list(runs))
