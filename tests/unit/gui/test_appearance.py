"""Colours, initials, lines of text, the tone: what needs no window."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from twocans.gui.platform import appearance
from twocans.gui.platform.sound import tone
from twocans.gui.theme.palette import DARK, LIGHT, Colours, avatar_colour, contrast, initials
from twocans.gui.theme.shapes import barred, crescent, disc, rounded, sign
from twocans.gui.theme.single_line import drawn

PAIRS = (
    *(("text", ground) for ground in ("base", "side", "chat", "soft", "hover", "selected", "found")),
    *(("muted", ground) for ground in ("base", "side", "chat", "soft", "hover", "selected")),
    *(("accent_text", ground) for ground in ("base", "side", "selected")),
    *(("on_accent", ground) for ground in ("accent", "accent_hover", "accent_pressed")),
    *(("danger", ground) for ground in ("base", "side", "chat", "selected")),
    ("warn_text", "warn_ground"),
    ("warn_text", "warn_soft"),
    *(("warn_text", ground) for ground in ("side", "hover", "selected")),
    ("toast_text", "toast_ground"),
)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_every_ground_that_it_stands_on(colours: Colours, text: str, ground: str) -> None:
    assert contrast(getattr(colours, text), getattr(colours, ground)) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_initials_and_the_dot_of_presence_can_be_seen(colours: Colours) -> None:
    assert all(contrast(ground, "#ffffff") >= 4.5 for ground in colours.avatars)
    for mark in (colours.online, colours.away, colours.busy):
        assert all(contrast(mark, ground) >= 3 for ground in (colours.side, colours.hover, colours.selected))


@pytest.mark.parametrize("diameter", [7, 9, 12, 15, 30])
def test_marks_of_presence_can_be_told_apart_without_colours(diameter: int) -> None:
    black, white = "#000000", "#ffffff"
    marks = [disc(diameter, black), crescent(diameter, black, white), barred(diameter, black, white)]
    shapes = [[pixel < 128 for pixel in mark.convert("L").tobytes()] for mark in marks]
    for one, other in itertools.combinations(shapes, 2):
        assert sum(a != b for a, b in zip(one, other, strict=True)) >= diameter * diameter * 0.06


def test_black_on_white_has_the_greatest_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


def test_somebody_always_has_the_same_colour() -> None:
    assert avatar_colour(LIGHT, "bob") == avatar_colour(LIGHT, "bob")
    assert len({avatar_colour(LIGHT, f"user{number}") for number in range(100)}) == len(LIGHT.avatars)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("bob", "B"), ("Carol-Anne", "CA"), ("a.b.c", "AC"), ("李小龙", "李"), ("-", "?"), ("7of9", "7")],
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("text", "reorders", "expected"),
    [
        ("plain", False, "plain"),
        ("שלום!", True, "שלום!"),
        ("שלום!", False, "!םולש"),
        ("a שלום b", False, "a םולש b"),
        ("two\nlines é", False, "two lines é"),
        ("می\u200cخ", False, "\ufea5\ufbfd\ufee3"),
        ("zero\u200bwidth", False, "zero\\u200bwidth"),
        ("a\u202eb", False, "a\\u202eb"),
        ("a\u202eb", True, "a\\u202eb"),
        ("\x1b[2J", True, "\\u001b[2J"),
    ],
)
def test_one_line_of_text_is_in_the_order_that_tk_needs(text: str, reorders: bool, expected: str) -> None:
    assert drawn(text, reorders=reorders, astral=True) == expected


def test_emoji_become_words_where_tk_cannot_draw_them() -> None:
    assert "🙂" not in drawn("fine 🙂", reorders=False, astral=False)


def test_shapes_have_transparent_corners_and_the_size_asked_for() -> None:
    image = rounded((20, 12), 6, "#ff0000", outline="#0000ff", width=2)
    assert image.size == (20, 12)
    corner, middle = image.getpixel((0, 0)), image.getpixel((10, 6))
    assert isinstance(corner, tuple)
    assert corner[3] < 64
    assert middle == (255, 0, 0, 255)
    assert sign(32).size == (32, 32)


def test_the_tone_is_short_and_soft() -> None:
    with wave.open(io.BytesIO(tone())) as file:
        assert file.getnframes() / file.getframerate() < 0.5
        frames = file.readframes(file.getnframes())
    samples = [int.from_bytes(frames[at : at + 2], "little", signed=True) for at in range(0, len(frames), 2)]
    assert 2000 < max(samples) < 16_000
    assert abs(samples[-1]) < 1000


def _script(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("gdbus", "gsettings", "dark"),
    [
        ("echo '(<<uint32 1>>,)'", "exit 1", True),
        ("echo '(<<uint32 2>>,)'", "echo \"'Yaru-dark'\"", False),
        ("exit 1", "echo \"'prefer-dark'\"", True),
        ("exit 1", "echo \"'default'\"", False),
        ("exit 1", "exit 1", None),
    ],
)
def test_a_linux_desktop_is_asked_for_its_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gdbus: str, gsettings: str, dark: bool | None
) -> None:
    _script(tmp_path, "gdbus", gdbus)
    _script(tmp_path, "gsettings", gsettings)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert appearance.prefers_dark() is dark


def test_a_desktop_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_arguments: object, **_options: object) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired("gdbus", 1)

    _script(tmp_path, "gdbus", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(subprocess, "run", hang)
    assert appearance.prefers_dark() is None


@pytest.mark.parametrize(("dpi", "scale"), [("192", 2.0), ("96", 1.0), ("none", None)])
def test_the_scale_of_a_linux_desktop_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dpi: str, scale: float | None
) -> None:
    _script(tmp_path, "xrdb", f"printf 'Xft.antialias:\\t1\\nXft.dpi:\\t{dpi}\\n'")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GDK_SCALE", raising=False)
    monkeypatch.delenv("QT_SCALE_FACTOR", raising=False)
    assert appearance.linux_scale() == scale
    monkeypatch.setenv("GDK_SCALE", "2")
    assert appearance.linux_scale() == 2.0
