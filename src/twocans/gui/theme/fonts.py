"""The named fonts of the window."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Face(StrEnum):
    """The named fonts."""

    BODY = "TwocansBody"
    STRONG = "TwocansStrong"
    SMALL = "TwocansSmall"
    SMALL_STRONG = "TwocansSmallStrong"
    TITLE = "TwocansTitle"
    HUGE = "TwocansHuge"
    KEY = "TwocansKey"
    CODE = "TwocansCode"


FACES: Final = {
    Face.BODY: (1.0, "normal"),
    Face.STRONG: (1.0, "bold"),
    Face.SMALL: (0.87, "normal"),
    Face.SMALL_STRONG: (0.82, "bold"),
    Face.TITLE: (1.2, "bold"),
    Face.HUGE: (1.9, "bold"),
    Face.KEY: (1.15, "normal"),
    Face.CODE: (2.4, "bold"),
}
MONOSPACED: Final = frozenset({Face.KEY, Face.CODE})
"""Of these, the signs are compared and typed."""
