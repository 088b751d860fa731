"""What is an emoji, and which font it is drawn with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest
from wcwidth import iter_graphemes

from tests.support.fonts import EveryEmoji, plain_font
from twocans.gui.transcript import emoji as emoji_module
from twocans.gui.transcript import glyphs
from twocans.gui.transcript.emoji import MAX_CHARS, _opened, _paths, emoji_font
from twocans.gui.transcript.glyphs import is_boundary, shown, split_emoji
from twocans.gui.transcript.layout import lay_out
from twocans.gui.transcript.ruler import Ruler

FAMILY = "👨\u200d👩\u200d👧"
KISS = "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏿"
GERMANY, FRANCE = "🇩🇪", "🇫🇷"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
THUMB, KEYCAP, HEART, PIRATES = "👍🏽", "1\ufe0f\u20e3", "❤\ufe0f", "🏴\u200d☠\ufe0f"
INDEX = "☝🏽"
ALL = (
    FAMILY,
    KISS,
    GERMANY,
    FRANCE,
    ENGLAND,
    THUMB,
    KEYCAP,
    HEART,
    PIRATES,
    INDEX,
    "😀",
    "©\ufe0f",
    "#\ufe0f\u20e3",
)


def emoji_in(text: str) -> list[str]:
    return [text[start:end] for start, end, emoji in split_emoji(text, 0, len(text), lambda _: True) if emoji]


@pytest.mark.parametrize("emoji", ALL)
def test_an_emoji_is_one_piece_however_many_characters_it_is_made_of(emoji: str) -> None:
    assert list(iter_graphemes(emoji)) == [emoji]
    assert emoji_in(f"a {emoji}b") == [emoji]
    assert emoji_in(emoji * 3) == [emoji] * 3
    assert not any(is_boundary(emoji, index) for index in range(1, len(emoji)))


def test_neighbours_are_pieces_of_their_own() -> None:
    text = "".join(ALL)
    assert emoji_in(text) == list(ALL)
    assert list(iter_graphemes(text)) == list(ALL)


@pytest.mark.parametrize("text", ["❤", "☎", "©", "1", "#", "😀\ufe0e", "🇩", "漢字", "é", "שלום", "abc"])
def test_what_is_meant_as_text_stays_text(text: str) -> None:
    assert emoji_in(text) == []


def test_what_the_font_does_not_have_stays_text() -> None:
    text = f"a{FAMILY}b{THUMB}"
    pieces = split_emoji(text, 0, len(text), lambda emoji: emoji == THUMB)
    assert [text[start:end] for start, end, _ in pieces] == [f"a{FAMILY}b", THUMB]


def test_a_sequence_that_the_font_lacks_is_drawn_by_its_parts() -> None:
    text = f"a{FAMILY}b"
    pieces = split_emoji(text, 0, len(text), lambda emoji: emoji != FAMILY)
    assert [(text[start:end], emoji) for start, end, emoji in pieces] == [
        ("a", False), ("👨\u200d", True), ("👩\u200d", True), ("👧", True), ("b", False)
    ]  # fmt: skip
    font = plain_font()
    assert font.width("👨\u200d", 16) == font.width("👨", 16) > 0
    assert font.width(FAMILY, 16) == 0


def test_a_message_of_flags_only_takes_time_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    looked_for = glyphs._regional_starts.__wrapped__

    def counted(text: str) -> tuple[int, ...]:
        searched.append(text)
        return looked_for(text)

    monkeypatch.setattr(glyphs, "_regional_starts", lru_cache(counted))
    text = "🇩" * 4001
    boundaries = [index for index in range(len(text) + 1) if glyphs.is_boundary(text, index)]
    assert boundaries == [*range(0, 4001, 2), 4001]
    assert searched == [text]
    assert glyphs.is_boundary(f"a{GERMANY}b{GERMANY}{FRANCE}", 6)


def test_lines_break_between_emoji_and_never_within_one() -> None:
    font = EveryEmoji()
    ruler = Ruler(lambda text: 10 * len(text), reorders=False, measure_emoji=lambda one: font.width(one, 16))
    text = (FAMILY + GERMANY + THUMB + KEYCAP) * 10
    layout = lay_out(shown(text), (), 60, ruler)
    assert len(layout.lines) > 5
    for number, line in enumerate(layout.lines):
        assert is_boundary(text, line.start)
        assert "".join(run.drawn for run in layout.runs(number)) == text[line.start : line.end]
        assert line.width == sum(run.width for run in layout.runs(number)) <= 60


def test_a_place_within_an_emoji_cannot_be_pointed_at() -> None:
    ruler = Ruler(lambda text: 10 * len(text), reorders=False, measure_emoji=lambda _: 20)
    layout = lay_out(shown(f"a{FAMILY}b"), (), 500, ruler)
    end = 1 + len(FAMILY)
    places = [layout.index_at(0, x) for x in range(42)]
    assert set(places) == {0, 1, end, end + 1}
    assert (places[18], places[22]) == (1, end)
    assert layout.spans(0, 1, end) == [(10, 20)]


def test_emoji_among_right_to_left_letters_keep_their_parts_in_order() -> None:
    ruler = Ruler(lambda text: 10 * len(text), reorders=False, measure_emoji=lambda _: 20)
    text = f"שלום {FAMILY} עולם {GERMANY}"
    runs = lay_out(shown(text), (), 500, ruler).runs(0)
    assert [run.drawn for run in runs if run.emoji] == [GERMANY, FAMILY]


def test_a_sequence_longer_than_any_emoji_is_not_measured() -> None:
    font = plain_font()
    assert font.width("\u200d".join(["👩"] * MAX_CHARS), 16) == 0
    assert font.width("👩", 16) > 0


def test_sizes_follow_the_text() -> None:
    font = plain_font()
    small, large = font.draw("W", 16), font.draw("W", 32)
    assert small.width == font.width("W", 16)
    assert abs(large.width - 2 * small.width) <= 1
    assert abs(large.height - 2 * small.height) <= 1
    assert 0 < font.ascent(16) < small.height


def test_a_font_without_colours_or_none_at_all_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    assert _opened(str(broken)) is None
    assert _opened(str(tmp_path / "missing.ttf")) is None
    plain = next(Path(sys.prefix).rglob("DejaVuSans.ttf"), None)
    if plain is not None:
        assert _opened(str(plain)) is None
    monkeypatch.setattr(emoji_module, "_paths", lambda: iter([str(broken)]))
    emoji_font.cache_clear()
    assert emoji_font() is None
    emoji_font.cache_clear()


def test_the_desktop_is_asked_for_its_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform in {"win32", "darwin"}:
        return
    program = tmp_path / "fc-match"
    program.write_text("#!/bin/sh\necho /fonts/chosen.ttf\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(_paths()) == ["/fonts/chosen.ttf"]
    program.write_text("#!/bin/sh\nexit 1\n")
    assert list(_paths()) == []


def test_emoji_come_in_colour_from_the_fonts_of_this_machine() -> None:
    font = emoji_font()
    if shutil.which("fc-list") is not None:
        command = ["fc-list", ":color=true:charset=1f600"]
        installed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert font is not None or "NotoColorEmoji" not in installed
    if font is not None:
        assert font.width(FAMILY, 100) == font.width("😀", 100)  # one glyph, not three
        red, green, blue, _ = font.draw("❤\ufe0f", 64).resize((1, 1)).tobytes()
        assert red > green
        assert red > blue
