"""Fonts in the place of the system's emoji: machines have different ones, or none."""

from __future__ import annotations

import pytest
from PIL import Image, ImageFont

from twocans.gui.transcript import runs
from twocans.gui.transcript.emoji import EmojiFont


def plain_font() -> EmojiFont:
    """A font that comes with Pillow. It has no emoji, but a box for each character."""
    font = ImageFont.load_default(109)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return EmojiFont(font)


class EveryEmoji(EmojiFont):
    """A font that has all emoji; each looks the same."""

    def __init__(self) -> None:
        font = ImageFont.load_default(109)
        assert isinstance(font, ImageFont.FreeTypeFont)
        super().__init__(font)

    def width(self, emoji: str, size: int) -> int:
        return size

    def draw(self, emoji: str, size: int) -> Image.Image:
        return Image.new("RGBA", (size, size), "#ffcc00")


def use_every_emoji(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw emoji as pictures in every window from here on."""
    monkeypatch.setattr(runs, "emoji_font", EveryEmoji)
