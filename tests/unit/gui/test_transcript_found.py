"""Where a search's words are marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.gui.transcript.found import spans, words_of


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("the river is frozen", "riv", ["riv"]),
        ("The RIVER, the river!", "river", ["RIVER", "river"]),
        ("Zoë saw a café", "zoe cafe", ["Zoë", "café"]),
        ("Zoe\u0308 here", "zoë", ["Zoe\u0308"]),
        ("drive arrives", "riv", []),
        ("snake_case words", "case", ["case"]),
        ('a "quoted" NEAR(x)', 'near "quo', ["quo", "NEAR"]),
        ("你好 world", "你", ["你"]),
        ("anything", "", []),
        ("anything", "?!", []),
        ("Straße", "strasse", ["Straße"]),
        ("abcabc abc", "abc ab", ["abc", "abc"]),
    ],
)
def test_beginnings_of_words_are_marked_whatever_their_case_and_accents(
    text: str, query: str, marked: list[str]
) -> None:
    assert [text[start:end] for start, end in spans(text, words_of(query))] == marked


@given(st.text(max_size=60), st.text(max_size=10))
def test_marks_are_inside_the_text_in_order_and_apart(text: str, query: str) -> None:
    end_before = 0
    for start, end in spans(text, words_of(query)):
        assert end_before <= start < end <= len(text)
        end_before = end
