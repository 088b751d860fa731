"""Statements for many rows: each row once, in order, in as few statements as fit."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.storage.sqlite.rows import MOST_ROWS, Value, in_pieces

INSERT = "INSERT INTO pair SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"


def inserted(rows: list[tuple[int, str]]) -> tuple[list[tuple[int, str]], int]:
    """The rows as they come into a table, and in how many statements."""
    values: list[Value] = [value for row in rows for value in row]
    before = list(values)
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE pair(number, text)")
        statements = 0
        for statement, piece in in_pieces(INSERT, values, columns=2):
            database.execute(statement, piece)
            statements += 1
        assert values == before
        found = database.execute("SELECT number, text FROM pair ORDER BY rowid").fetchall()
    database.close()
    return found, statements


@given(number=st.integers(0, 3 * MOST_ROWS))
def test_any_number_of_rows_goes_in_whole_and_in_order(number: int) -> None:
    rows = [(n, f"text {n}") for n in range(number)]
    assert inserted(rows) == (rows, -(-number // MOST_ROWS))


@pytest.mark.parametrize("number", [1, 9, 11, MOST_ROWS - 1, MOST_ROWS, MOST_ROWS + 1])
def test_number_between_two_sizes_leaves_no_row_of_nothing(number: int) -> None:
    assert len(inserted([(n, "") for n in range(number)])[0]) == number
