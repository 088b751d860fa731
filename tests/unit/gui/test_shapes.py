"""Shapes as pictures."""

from __future__ import annotations

from PIL import Image

from twocans.gui.theme.shapes import rounded, stretched


def test_stretched_picture_keeps_its_border_and_repeats_its_middle() -> None:
    small = rounded((22, 22), 9, "#c02040", outline="#203040", width=2)
    large = stretched(small, 9, (60, 33))
    assert large.size == (60, 33)
    for box, there in (
        ((0, 0, 9, 9), (0, 0, 9, 9)),
        ((13, 0, 22, 9), (51, 0, 60, 9)),
        ((0, 13, 9, 22), (0, 24, 9, 33)),
        ((13, 13, 22, 22), (51, 24, 60, 33)),
        ((0, 11, 9, 12), (0, 20, 9, 21)),
        ((11, 0, 12, 9), (30, 0, 31, 9)),
    ):
        assert large.crop(there).tobytes() == small.crop(box).tobytes()
    middle = large.crop((9, 9, 51, 24))
    assert middle.tobytes() == Image.new("RGBA", middle.size, "#c02040").tobytes()
