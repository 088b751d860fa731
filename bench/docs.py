"""Puts the tables into `docs/performance.md`, between two marker comments; what stands around them is left alone."""

from __future__ import annotations

from typing import Final

BEGIN: Final = "<!-- tables: made by python -m bench, not by hand -->"
END: Final = "<!-- end of tables -->"


class MarkersMissing(Exception):
    """The document has no place for the tables."""


def with_tables(document: str, tables: str) -> str:
    """The document with these tables in the place of those it had.

    Raises:
        MarkersMissing: the two markers are not there, once each and in order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in before + after:
        raise MarkersMissing(f"The document needs the line {BEGIN!r} and, after it, {END!r}, once each.")
    return f"{before}{BEGIN}\n\n{tables.strip()}\n\n{END}{after}"
