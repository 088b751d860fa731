"""Results as Markdown: medians, ratios to the servers written in C, and who was the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bench.figures import (
    SERVER_BUSY_PERCENT,
    Better,
    generator_limited,
    middle,
    of,
    ratio,
    yardstick_limited,
)
from bench.plan import PLAN, Column, Measurement
from bench.records import Measured, Results, Run, Setting
from bench.subjects import SUBJECTS

LEGEND: Final = (
    "All figures are medians. `×` is the ratio to the better of ngIRCd and InspIRCd, formed in each turn by itself, and"
    " then the median of these; for messages/s more is better, for CPU and milliseconds less is. Where the load"
    " generator was the limit, a server's messages/s could be more than they are: then the ratio is only a bound (`≥`, or"
    " `≤` if that holds for the other side, `–` if for both), and the CPU for each message is what is to be compared."
)
_NONE: Final = "–"


def render(results: Results, pictures: Mapping[str, str]) -> str:
    """All tables, in the plan's order; `pictures` are the addresses of the plots, by measurement."""
    parts = [LEGEND]
    for name, entry in PLAN.items():
        if measured := results.measurements.get(name):
            parts.append(section(entry, measured, pictures.get(name, "")))
    return "\n\n".join(parts) + "\n"


def section(entry: Measurement, measured: Measured, picture: str = "") -> str:
    """One measurement: its heading, its tables, what failed, and where it was measured."""
    parts = [f"### {entry.title}", entry.about]
    runs = measured.runs
    if not entry.cases:
        parts.append(_actions(entry, runs))
    elif entry.x_axis:
        parts += [_curve(entry, column, runs) for column in entry.columns]
    else:
        parts += [f"**{case.name}**\n\n{_case(entry, case.name, runs)}" for case in entry.cases]
    if picture:
        parts.append(f"![{entry.title}]({picture})")
    if troubles := _troubles(runs):
        parts.append("What went wrong:\n\n" + "\n".join(f"- {line}" for line in troubles))
    parts.append(_where(measured.setting, in_seconds=bool(entry.cases)))
    return "\n\n".join(parts)


def label(subject: str) -> str:
    """A server's name in tables."""
    return SUBJECTS[subject].label if subject in SUBJECTS else subject


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---", *["---:"] * (len(head) - 1)]) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def number(value: float | None, column: Column) -> str:
    """A figure in the unit of its column."""
    return _NONE if value is None else f"{value * column.scale:,.{column.digits}f}"


def _case(entry: Measurement, case: str, runs: list[Run]) -> str:
    everywhere = of(runs, case=case)
    columns = [column for column in entry.columns if middle(everywhere, column.figure) is not None]
    head = ["server"]
    for column in columns:
        head += [column.heading] if column.better is None else [column.heading, "×"]
    limits = any(column.rate for column in columns)
    if limits:
        head.append("limit")
    rows = []
    for subject in dict.fromkeys(run.subject for run in everywhere):
        own = of(everywhere, subject=subject)
        row = [label(subject)]
        for column in columns:
            row.append(number(middle(own, column.figure), column))
            if column.better is not None:
                compared = runs if entry.across else everywhere
                row.append(_ratio(compared, own, case, column, column.better))
        if limits:
            row.append(_limit(own))
        rows.append(row)
    return table(head, rows)


def _ratio(compared: list[Run], own: list[Run], case: str, column: Column, better: Better) -> str:
    value = ratio(compared, own[0].subject, column.figure, better, case=case)
    if value is None:
        return _NONE
    text = f"{value:.2f}"
    if not column.rate:
        return text
    bounds = generator_limited(own), yardstick_limited(compared, column.figure, better)
    match bounds:
        case (True, True):
            return _NONE
        case (True, False):
            return f"≥ {text}"
        case (False, True):
            return f"≤ {text}"
        case _:
            return text


def _limit(runs: list[Run]) -> str:
    if generator_limited(runs):
        return "load generator: compare the CPU"
    busy = middle(runs, "server_cpu_percent")
    return "server" if busy is not None and busy >= SERVER_BUSY_PERCENT else "neither is busy"


def _curve(entry: Measurement, column: Column, runs: list[Run]) -> str:
    rows = []
    marked = False
    for subject in dict.fromkeys(run.subject for run in runs):
        row = [label(subject)]
        for case in entry.cases:
            own = of(runs, case=case.name, subject=subject)
            limited = column.rate and generator_limited(own)
            marked |= limited
            row.append(number(middle(own, column.figure), column) + (" °" if limited else ""))
        rows.append(row)
    text = f"**{column.heading}, by {entry.x_axis}**\n\n" + table(
        ["server", *(case.name for case in entry.cases)], rows
    )
    return text + ("\n\n° The load generator was the limit." if marked else "")


def _actions(entry: Measurement, runs: list[Run]) -> str:
    columns = [column for column in entry.columns if middle(runs, column.figure) is not None]
    rows = [
        [case, *(number(middle(of(runs, case=case), column.figure), column) for column in columns)]
        for case in dict.fromkeys(run.case for run in runs)
    ]
    return table(["", *(column.heading for column in columns)], rows)


def _troubles(runs: list[Run]) -> list[str]:
    troubles: dict[str, int] = {}
    for run in runs:
        if run.failed:
            line = f"{label(run.subject)}, {run.case}: {run.failed}"
            troubles[line] = troubles.get(line, 0) + 1
    return [f"{line} ({count} times)" if count > 1 else line for line, count in troubles.items()]


def _where(setting: Setting, *, in_seconds: bool) -> str:
    each = f" of {setting.seconds:g} s" if in_seconds else ""
    turns = "1 turn" if setting.turns == 1 else f"{setting.turns} turns"
    machine = ", ".join(
        (setting.machine["processor"], f"{setting.machine['cores']} cores", setting.machine["kernel"])
    )
    versions = "; ".join(f"{name} {version}" for name, version in setting.versions.items())
    lines = [f"<sub>{setting.date}, {turns}{each}. {machine}. {versions}.", *setting.left_out]
    return " ".join(lines) + "</sub>"
