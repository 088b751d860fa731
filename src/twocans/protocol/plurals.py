"""Numbers of things in sentences for people."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, as in "1 file" and "2,000 files".

    Args:
        number: how many there are.
        one: the noun for one of them.
        many: the noun for several; by default with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
