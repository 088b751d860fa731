"""Statements for many rows at once: few calls of SQLite, each of which gives the interpreter's lock away. And messages
from rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, TypeAlias

from twocans.protocol.messages import FileRef, Message

Value: TypeAlias = int | str | None

# A statement is prepared once for each size. What is missing to the next size is filled with rows of NULL.
_SIZES: Final = (
    *(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64),
    *(80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512),
)
MOST_ROWS: Final = _SIZES[-1]
"""How many rows go into one statement; more at once gain nothing."""


def in_pieces(template: str, values: list[Value], *, columns: int) -> Iterator[tuple[str, list[Value]]]:
    """The statements and their values for so many rows.

    Args:
        template: the statement with `{rows}` for the rows; it has to pass over rows that hold nothing but NULL.
        values: of all rows, one row after another; not changed.
        columns: how many values make a row.
    """
    number = len(values) // columns
    for start in range(0, number, MOST_ROWS):
        rows = min(number - start, MOST_ROWS)
        size = _SIZES[bisect_left(_SIZES, rows)]
        piece = values if rows == number else values[start * columns : (start + rows) * columns]
        if size > rows:
            piece = piece + [None] * ((size - rows) * columns)
        yield _statement(template, size, columns), piece


def message_of(row: tuple[Any, ...]) -> Message:
    """The message that a row of `said` holds: id, at, sender_name, recipient_name, text, cid, file."""
    if row[-1] is None:
        return Message(*row)
    id_, at, sender, recipient, text, cid, file = row
    hash_, size = file.split()
    return Message(id_, at, sender, recipient, text, cid, FileRef(hash_, int(size)))


@lru_cache(maxsize=256)
def _statement(template: str, size: int, columns: int) -> str:
    row = f"({','.join('?' * columns)})"
    return template.format(rows=",".join([row] * size))
