"""A font in the place of the system's emoji: machines have different ones, or none."""

from __future__ import annotations

import pytest
from PIL import ImageFont

from twocans.gui.transcript import runs
from twocans.gui.transcript.emoji import EmojiFont


def any_font() -> EmojiFont:
    """A font that comes with Pillow. It has no emoji, but a box for each."""
    font = ImageFont.load_default(109)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return EmojiFont(font)


def use_any_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw emoji as pictures in every window from here on."""
    font = any_font()
    monkeypatch.setattr(runs, "emoji_font", lambda: font)
