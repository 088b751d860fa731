"""Right-to-left text: the order on screen, checked against another implementation, and joined letters."""

import unicodedata

import pytest
from bidi import get_display
from hypothesis import given, settings
from hypothesis import strategies as st

from twocans.gui.transcript import arabic, bidi

ALPHABET = "abc אבג ערب جح 123 ٤٥ +-.,:/$%()[]<>!?_é漢\u0301\u05b0\u064b\u200f\u200e\u200d"
# The other implementation leaves it to the font to turn brackets round, and puts what has no picture elsewhere.
_SAME = str.maketrans({"(": ")", "[": "]", "<": ">", "\u200d": None})


def on_screen(text: str, base: int) -> str:
    levels = bidi.levels(text, base)
    return "".join(
        bidi.mirrored(text[start:end])[::-1] if level % 2 else text[start:end]
        for start, end, level in bidi.visual_runs(text, levels, 0, len(text), base)
    )


@settings(max_examples=2000)
@given(st.text(alphabet=ALPHABET, min_size=1, max_size=16), st.sampled_from([0, 1]))
def test_order_on_screen_is_that_of_unicode(text: str, base: int) -> None:
    expected = get_display(text, base_dir="R" if base else "L")
    assert on_screen(text, base).translate(_SAME) == expected.translate(_SAME)


@pytest.mark.parametrize(
    ("text", "base", "expected"),
    [
        ("שלום hello", 1, "hello םולש"),
        ("hello שלום", 0, "hello םולש"),
        ("ב-18:30 (בבית)", 1, "(תיבב) 18:30-ב"),
        ("abc (אבג) def", 0, "abc (גבא) def"),
        ("שלום (abc) def", 1, "def (abc) םולש"),
        ("ע 1-2", 1, "1-2 ע"),
        ("ع 1-2", 1, "2-1 ع"),
    ],
)
def test_known_sentences_read_right(text: str, base: int, expected: str) -> None:
    assert on_screen(text, base) == expected


@given(st.text(alphabet=ALPHABET, max_size=24), st.sampled_from([0, 1]))
def test_runs_hold_every_character_once(text: str, base: int) -> None:
    runs = bidi.visual_runs(text, bidi.levels(text, base), 0, len(text), base)
    assert sorted(index for start, end, _ in runs for index in range(start, end)) == list(range(len(text)))


@pytest.mark.parametrize(
    ("text", "level"), [("abc", 0), ("אב", 1), ("12 א", 1), ("… (x", 0), ("", 0), ("مر", 1)]
)
def test_paragraph_goes_the_way_of_its_first_letter(text: str, level: int) -> None:
    assert bidi.base_level(text) == level


def test_letters_join() -> None:
    names = [unicodedata.name(char)[-13:] for char in arabic.shape("مرحبا")]
    assert [name.split()[-2] for name in names] == ["INITIAL", "FINAL", "INITIAL", "MEDIAL", "FINAL"]


def test_lam_and_alef_become_one_sign_that_keeps_both_places() -> None:
    assert arabic.shape("لا") == ["ﻻ", ""]
    assert arabic.shape("بلا")[1:] == ["ﻼ", ""]


def test_zero_width_non_joiner_parts_letters_and_vowel_signs_do_not() -> None:
    assert arabic.shape("ب\u200cب") == ["ﺏ", "\u200c", "ﺏ"]
    assert arabic.shape("ب\u064eب") == ["ﺑ", "\u064e", "ﺐ"]


@given(st.text(alphabet="مرحبالدیگ\u064e\u200c\u200dx ", max_size=20))
def test_shaping_keeps_every_place(text: str) -> None:
    assert len(arabic.shape(text)) == len(text)
