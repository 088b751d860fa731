"""Results as pictures: bars for what is compared at one size, curves for what changes with size."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import generator_limited, middle, of
from bench.plan import PLAN, Column, Measurement
from bench.records import Results, Run
from bench.tables import label, number

_COLOURS: Final = {
    "plain": "#1b6ca8",
    "json": "#38a3d1",
    "thread": "#8fc1de",
    "process": "#0b7a5c",
    "process-plain": "#45b08c",
    "power": "#9bd4bd",
    "ngircd": "#c8553d",
    "inspircd": "#e39b4b",
    "nats": "#8d8d99",
}
_INK: Final = "#26323c"
_FAINT: Final = "#dfe4e8"
_DPI: Final = 130
_MOST_COLUMNS: Final = 3
_LINEAR_RANGE: Final = 50
"""Values further apart than so many times are drawn on a logarithmic axis: as dots, for a bar would have no foot."""


def draw(results: Results, folder: Path) -> list[str]:
    """Write a picture for each measurement that has one; returns the names of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, entry in PLAN.items():
        measured = results.measurements.get(name)
        if measured is None or not entry.cases or not any(run.figures for run in measured.runs):
            continue
        figure = _curves(entry, measured.runs) if entry.x_axis else _bars(entry, measured.runs)
        file = f"{name}.png"
        # Without the version of matplotlib, the same figures give the same file.
        figure.savefig(folder / file, dpi=_DPI, facecolor="white", metadata={"Software": None})
        names.append(file)
    return names


def _bars(entry: Measurement, runs: list[Run]) -> Figure:
    """A row for each case, a column for each figure that is compared, a bar for each server."""
    cases = [case.name for case in entry.cases if of(runs, case=case.name)]
    there = [column for column in entry.columns if middle(runs, column.figure) is not None]
    columns = ([column for column in there if column.better] or there)[:_MOST_COLUMNS]
    counts = [len({run.subject for run in of(runs, case=case)}) for case in cases]
    figure = Figure(figsize=(4.1 * len(columns) + 1.6, sum(0.34 * n + 1.05 for n in counts) + 0.5))
    grid = figure.subplots(
        len(cases),
        len(columns),
        squeeze=False,
        gridspec_kw={"height_ratios": [n + 1.2 for n in counts]},
    )
    for row, case in enumerate(cases):
        for position, column in enumerate(columns):
            axes = grid[row][position]
            _draw_bars(axes, of(runs, case=case), column, named=position == 0)
            if position == 0:
                axes.set_title(case, loc="left", fontsize=10, fontweight="bold", color=_INK)
    _finish(figure, entry)
    return figure


def _draw_bars(axes: Axes, runs: list[Run], column: Column, *, named: bool) -> None:
    subjects = list(dict.fromkeys(run.subject for run in runs))
    values = [middle(of(runs, subject=subject), column.figure) for subject in subjects]
    scaled = [0.0 if value is None else value * column.scale for value in values]
    places = range(len(subjects))
    colours = [_COLOURS.get(subject, _INK) for subject in subjects]
    wide = [value for value in scaled if value > 0]
    logarithmic = bool(wide) and max(wide) > _LINEAR_RANGE * min(wide)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(min(wide) / 2, max(wide) * 6)
        axes.scatter([value or float("nan") for value in scaled], places, color=colours, s=46)
    else:
        axes.barh(places, scaled, color=colours, height=0.72)
        axes.set_xlim(0, max([*wide, 0.1]) * 1.32)
        axes.locator_params(axis="x", nbins=5)
    for place, subject, value in zip(places, subjects, values, strict=True):
        text = number(value, column)
        if column.rate and generator_limited(of(runs, subject=subject)):
            text += " °"
        shown = scaled[place] if scaled[place] > 0 or not logarithmic else min(wide) / 2
        axes.annotate(
            text,
            (shown, place),
            xytext=(7 if logarithmic else 4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=_INK,
        )
    axes.set_yticks(list(places), [label(subject) for subject in subjects] if named else [])
    axes.set_ylim(len(subjects) - 0.4, -0.6)  # the first on top
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(_tick)
    axes.set_xlabel(column.heading + (" (logarithmic)" if logarithmic else ""), fontsize=9, color=_INK)
    _plain_look(axes, grid_along="x")


def _curves(entry: Measurement, runs: list[Run]) -> Figure:
    """A picture for each figure, a line for each server."""
    figure = Figure(figsize=(5.6 * len(entry.columns) + 0.4, 4.6))
    grid = figure.subplots(1, len(entry.columns), squeeze=False)
    for axes, column in zip(grid[0], entry.columns, strict=True):
        for subject in dict.fromkeys(run.subject for run in runs):
            _draw_line(axes, entry, of(runs, subject=subject), subject, column)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([case.x for case in entry.cases], [case.name for case in entry.cases])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(_tick)
        axes.set_xlabel(entry.x_axis, fontsize=9, color=_INK)
        axes.set_ylabel(column.heading, fontsize=9, color=_INK)
        _ticks(axes)
        _plain_look(axes, grid_along="both")
    grid[0][0].legend(fontsize=8, frameon=False)
    _finish(figure, entry)
    return figure


def _draw_line(axes: Axes, entry: Measurement, runs: list[Run], subject: str, column: Column) -> None:
    points: list[tuple[float, float]] = []
    for case in entry.cases:
        value = middle(of(runs, case=case.name), column.figure)
        if value is not None:
            points.append((case.x, value * column.scale))
    axes.plot(
        [x for x, _ in points],
        [y for _, y in points],
        color=_COLOURS.get(subject, _INK),
        marker="o",
        markersize=4.5,
        linewidth=1.8,
        label=label(subject),
    )


def _tick(value: float, _position: object) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _ticks(axes: Axes) -> None:
    """Marks at 1, 2 and 5 of every power of ten in sight."""
    low, high = axes.get_ylim()
    marks = [digit * 10.0**power for power in range(-3, 9) for digit in (1, 2, 5)]
    axes.set_yticks([mark for mark in marks if low <= mark <= high])
    axes.set_ylim(low, high)


def _plain_look(axes: Axes, *, grid_along: str) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_FAINT)
    axes.tick_params(colors=_INK, labelsize=8, length=0)
    axes.set_axisbelow(True)
    for axis, along in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        if grid_along in (along, "both"):
            axis.grid(visible=True, color=_FAINT, linewidth=0.8)


def _finish(figure: Figure, entry: Measurement) -> None:
    figure.suptitle(entry.title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=_INK)
    if any(column.rate for column in entry.columns) and not entry.x_axis:
        figure.text(0.99, 0.005, "° the load generator was the limit", ha="right", fontsize=7, color=_INK)
    figure.tight_layout(rect=(0, 0.01, 1, 0.99))
