"""Faults of the programs, as they may be logged."""

from __future__ import annotations

import traceback


def places(error: BaseException) -> str:
    """Return the traceback of an error and of those that led to it, without their texts, which may repeat anybody."""
    pieces = []
    seen: BaseException | None = error
    while seen is not None:
        pieces.append("".join(traceback.format_tb(seen.__traceback__)) + type(seen).__name__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\nin the course of which:\n".join(reversed(pieces))
