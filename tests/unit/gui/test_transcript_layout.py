"""Lines of a message: nothing is lost, everything fits, and every character can be pointed at."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.gui.transcript.glyphs import MAX_MARKS, is_boundary, shown
from twocans.gui.transcript.layout import TextLayout, lay_out
from twocans.gui.transcript.links import find_links
from twocans.gui.transcript.ruler import MAX_WIDTHS, Ruler
from twocans.protocol.text import acting

CHAR = 10
TEXTS = st.text(alphabet="ab c  -/.\n漢、「אب1(é\u0301👩\u200d🇩\t\u202e", max_size=60)


def measure(text: str) -> int:
    """Like a font whose letters are equally wide, and whose marks have no width."""
    return sum(0 if unicodedata.category(char) in {"Mn", "Cf"} else CHAR for char in text)


def laid(text: str, width: int = 100, *, reorders: bool = False) -> TextLayout:
    return lay_out(shown(text), find_links(text), width, Ruler(measure, reorders=reorders))


def lines(text: str, width: int = 100) -> list[str]:
    layout = laid(text, width)
    return [layout.shown.text[line.start : line.end] for line in layout.lines]


@given(TEXTS, st.integers(10, 200))
def test_lines_hold_the_whole_text_and_fit(text: str, width: int) -> None:
    layout = laid(text, width)
    drawn = layout.shown.text
    assert "".join(drawn[line.start : line.end] for line in layout.lines) == drawn.replace("\n", "")
    for number, line in enumerate(layout.lines):
        cluster = [i for i in range(line.start + 1, line.end) if is_boundary(drawn, i)]
        assert (
            line.width <= width
            or not drawn[line.start : line.end].strip()
            or not cluster
            or line.width <= 2 * width
        )
        runs = layout.runs(number)
        assert sum(run.width for run in runs) == line.width
        assert [run.x for run in runs] == [sum(run.width for run in runs[:i]) for i in range(len(runs))]


@given(TEXTS, st.booleans())
def test_pointing_at_a_character_finds_it(text: str, reorders: bool) -> None:
    layout = laid(text, reorders=reorders)
    for number, line in enumerate(layout.lines):
        for index in range(line.start, line.end):
            if not (is_boundary(layout.shown.text, index) and is_boundary(layout.shown.text, index + 1)):
                continue
            for x, width in layout.spans(number, index, index + 1):
                if width == CHAR:
                    found = {layout.index_at(number, x + 2), layout.index_at(number, x + width - 2)}
                    assert found == {index, index + 1}


@given(TEXTS)
def test_positions_lead_back_to_the_message(text: str) -> None:
    what = shown(text)
    for index in range(len(what.text) + 1):
        assert 0 <= what.to_message(index) <= len(text)
        assert what.from_message(what.to_message(index)) <= index
    assert what.to_message(len(what.text)) == len(text)


def test_breaks_between_words_and_leaves_no_space_at_the_start() -> None:
    assert lines("hello brave new world") == ["hello ", "brave new ", "world"]


def test_long_word_is_cut_and_what_follows_stays_on_its_line() -> None:
    assert lines("a" * 25 + " bc") == ["a" * 10, "a" * 10, "a" * 5 + " bc"]


def test_link_is_cut_after_a_mark_if_possible() -> None:
    assert lines("http://abc.de/fghijk", 160) == ["http://abc.de/", "fghijk"]


def test_cjk_breaks_between_letters_but_not_before_closing_marks() -> None:
    assert lines("漢字漢字漢字漢字漢字、漢字") == ["漢字漢字漢字漢字漢", "字、漢字"]
    assert lines("漢字漢字漢字漢字漢「字」") == ["漢字漢字漢字漢字漢", "「字」"]


def test_hyphenated_words_break_after_the_hyphen() -> None:
    assert lines("well-known-to us") == ["well-", "known-to ", "us"]


def test_line_breaks_are_kept_empty_lines_too() -> None:
    assert lines("a\n\nb\n") == ["a", "", "b", ""]


def test_right_to_left_paragraph_is_aligned_to_the_right() -> None:
    layout = laid("שלום\nabc")
    assert [layout.line_x(number, 100) for number in (0, 1)] == [60, 0]


def test_right_to_left_text_is_turned_only_where_the_system_does_not() -> None:
    assert laid("שלום").runs(0)[0].drawn == "םולש"
    assert laid("שלום", reorders=True).runs(0)[0].drawn == "\u200fשלום\u200f"


def test_marks_stay_with_their_letter_when_turned() -> None:
    assert laid("ש\u05b8ל").runs(0)[0].drawn == "לש\u05b8"


def test_link_is_a_run_of_its_own_on_every_line() -> None:
    layout = laid("see http://abc.de/fghijk ok", 160)
    links = [[run.drawn for run in layout.runs(n) if run.link] for n in range(len(layout.lines))]
    assert links == [[], ["http://abc.de/"], ["fghijk"]]
    assert layout.link_at(1, 20) == layout.link_at(2, 20)
    assert layout.link_at(2, 75) is None


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u202a", "\u2069", "\ufeff", "\u00ad"])
def test_characters_that_turn_the_text_round_or_hide_are_spelled_out(char: str) -> None:
    made = shown(f"a{char}b")
    assert made.text == f"a\\u{ord(char):04x}b"
    assert (made.from_message(1), made.from_message(2)) == (1, 7)
    assert [made.to_message(index) for index in range(9)] == [0, 1, 1, 1, 1, 1, 1, 2, 3]


@given(text=st.text(st.characters()))
def test_what_is_drawn_holds_nothing_that_acts(text: str) -> None:
    assert acting(shown(text).text) == []


def test_control_characters_are_seen() -> None:
    assert shown("a\x07\x1b\x7f\x85").text == "a\\u0007\\u001b\\u007f\\u0085"


def test_piled_up_marks_are_cut_short() -> None:
    for letter, mark in (("e", "\u0301"), ("ก", "\u0e49"), ("ا", "\u064b"), ("ש", "\u05b8"), ("x", "\u0489")):
        assert shown(letter + mark * 50).text == letter + mark * MAX_MARKS


def test_emoji_become_names_where_they_cannot_be_drawn() -> None:
    assert shown("hi 😀👍🏽", astral=False).text == "hi :grinning_face::thumbs_up_sign:"


def test_lone_surrogate_is_not_handed_to_the_system() -> None:
    assert shown("a\ud83db").text == "a\\ud83db"


def test_a_family_and_a_flag_are_one_character_each() -> None:
    text = "👩\u200d👩\u200d👧🇩🇪🇫🇷e\u0301"
    assert [i for i in range(len(text) + 1) if is_boundary(text, i)] == [0, 5, 7, 9, 11]


def test_widths_kept_are_bounded() -> None:
    asked: list[str] = []

    def count(text: str) -> int:
        asked.append(text)
        return 1

    ruler = Ruler(count, reorders=False)
    for number in range(MAX_WIDTHS + 1):
        ruler.width(str(number))
    ruler.width(str(MAX_WIDTHS))
    assert len(asked) == MAX_WIDTHS + 1
    ruler.width("0")
    assert asked[-1] == "0"


@pytest.mark.parametrize(
    "text", ["a" * 16_384, "word " * 3_276, "\n" * 16_383, "漢" * 5_461, "שלום " * 1_800]
)
def test_longest_message_is_laid_out(text: str) -> None:
    layout = laid(text, 500)
    assert layout.lines[-1].end == len(text)
    assert len(layout.lines) == text.count("\n") + 1 or len(layout.lines) > 100


def test_emoji_are_pictures_and_nothing_else_is() -> None:
    ruler = Ruler(measure, reorders=False, measure_emoji=lambda _: 2 * CHAR)
    layout = lay_out(shown("a 1 ❤️ 👍🏽 ☎ b"), (), 500, ruler)
    runs = layout.runs(0)
    assert [run.drawn for run in runs if run.emoji] == ["❤️", "👍🏽"]
    assert layout.width == sum(run.width for run in runs) == 9 * CHAR + 2 * 2 * CHAR


def test_signs_of_colour_fonts_become_names_where_such_fonts_end_the_program() -> None:
    assert shown("ok ✅", astral=False).text == "ok :white_heavy_check_mark:"
    assert shown("漢 → ©", astral=False).text == "漢 → ©"
