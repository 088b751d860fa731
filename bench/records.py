"""What was measured, as it is kept in `results.json`: every single run, and on what machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

RESULTS_FILE: Final = "results.json"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        case: which of the measurement's cases.
        subject: the name of the server, or of what else was measured.
        turn: which time round, from 1; the runs of one turn followed one another.
        figures: what came out, by name; units are in the names.
        failed: why there are none, or what makes them doubtful; empty if all went well.
    """

    case: str
    subject: str
    turn: int
    figures: dict[str, float]
    failed: str = ""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where, when and with what something was measured.

    Attributes:
        date: day and time, UTC.
        machine: processor, cores, kernel.
        versions: of everything that takes part, by name.
        seconds: how long each run was measured.
        turns: how often each was run.
        left_out: servers that are not installed, and other things that could not be measured, with the reason.
    """

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    seconds: float
    turns: int
    left_out: list[str] = []


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """All runs of one measurement."""

    setting: Setting
    runs: list[Run]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All measurements by name; a later run of some of them replaces these and leaves the others."""

    measurements: dict[str, Measured] = {}


def load(folder: Path) -> Results:
    """The results in a folder; empty ones if there are none."""
    try:
        return msgspec.json.decode((folder / RESULTS_FILE).read_bytes(), type=Results)
    except FileNotFoundError:
        return Results()


def save(folder: Path, results: Results) -> None:
    """Write results into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (folder / RESULTS_FILE).write_bytes(text + b"\n")
