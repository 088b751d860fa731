"""Word boundaries for the keys that delete a word."""

from __future__ import annotations

import pytest

from twocans.gui.views.words import tk_length, word_end, word_start


@pytest.mark.parametrize(
    ("text", "index", "start"),
    [
        ("hello world", 11, 6),
        ("hello world  ", 13, 6),
        ("hello world", 6, 0),
        ("hello world", 8, 6),
        ("really?!", 8, 6),
        ("don't", 5, 4),
        ("snake_case9", 11, 0),
        ("café crème", 10, 5),
        ("one\ntwo", 7, 4),
        ("ok 👍🏽", 5, 3),
        ("👨\u200d👩\u200d👧", 5, 0),
        ("", 0, 0),
        ("   ", 3, 0),
    ],
)
def test_a_word_starts_after_what_separates_it(text: str, index: int, start: int) -> None:
    assert word_start(text, index) == start


@pytest.mark.parametrize(
    ("text", "index", "end"),
    [
        ("hello world", 0, 5),
        ("hello world", 5, 11),
        ("hello world", 2, 5),
        ("?! yes", 0, 2),
        ("👨\u200d👩\u200d👧 x", 0, 5),
        ("naïve", 0, 5),
        ("e\u0301t", 0, 3),
        ("", 0, 0),
        ("   ", 0, 3),
    ],
)
def test_a_word_ends_before_what_separates_it(text: str, index: int, end: int) -> None:
    assert word_end(text, index) == end


def test_tk_counts_an_emoji_once_or_twice() -> None:
    assert tk_length("a👍b", wide=True) == 3
    assert tk_length("a👍b", wide=False) == 4
