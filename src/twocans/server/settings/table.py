"""What is in force, written down for people: `server.py config`."""

from __future__ import annotations

from collections.abc import Iterator

from twocans.protocol.text import spelled_out_line
from twocans.server.settings.model import fields, says, shown
from twocans.server.settings.sources import InForce

_HEAD = ("setting", "value", "unit", "from")


def table(in_force: InForce) -> Iterator[str]:
    """The lines that tell of every setting its value, unit and origin, and at the end which file is looked for."""
    rows = [_HEAD] + [
        (
            name,
            spelled_out_line(shown(name, value := getattr(in_force.settings, name))),
            says(name).unit if isinstance(value, int | float) else "",
            spelled_out_line(in_force.origins.get(name, "default")),
        )
        for name in fields()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield f"Configuration file: {spelled_out_line(str(in_force.file))}."
