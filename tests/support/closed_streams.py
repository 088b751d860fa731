"""Programs that start with standard streams closed, as init scripts start them. POSIX only."""

from __future__ import annotations

from itertools import chain, combinations
from typing import Final

ALL: Final = (0, 1, 2)
COMBINATIONS: Final = tuple(chain.from_iterable(combinations(ALL, count) for count in (1, 2, 3)))
"""Every choice of descriptors that are closed."""
NULL_STREAMS: Final = """
import os
def on_null_device():
    null = os.stat(os.devnull).st_rdev
    return [number for number in range(3) if os.fstat(number).st_rdev == null]
"""
"""Source of a function that returns which standard streams are the null device; fails if one is closed."""


def closing(closed: tuple[int, ...]) -> list[str]:
    """Return what is put before a command to close descriptors."""
    return ["sh", "-c", 'exec "$@" ' + " ".join(f"{number}>&-" for number in closed), "sh"]


def name(closed: tuple[int, ...]) -> str:
    """Name a combination for the name of a test."""
    return "+".join(("stdin", "stdout", "stderr")[number] for number in closed)
