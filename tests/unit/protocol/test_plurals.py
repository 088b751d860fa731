"""Numbers of things in sentences."""

from __future__ import annotations

import pytest

from twocans.protocol.plurals import counted


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (12345, "12,345 files")]
)
def test_noun_follows_the_number(number: int, told: str) -> None:
    assert counted(number, "file") == told


def test_noun_may_have_a_plural_of_its_own() -> None:
    assert [counted(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]
