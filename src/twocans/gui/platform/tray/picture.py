"""The picture in the tray: the program's sign, and over it how many messages are unread."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw, ImageFont

from twocans.gui.theme.shapes import disc, sign

_LARGE: Final = 4
"""It is drawn so many times larger, and then made smaller."""
_MOST: Final = 9
_FRONT: Final = ("#3451d1", "#6b7280")
_BACK: Final = ("#8ea2ff", "#a8b0bd")
_BADGE: Final = ("#d6293e", "#6b7280")


def picture(size: int, unread: int, *, dimmed: bool) -> Image.Image:
    """A square of `size` pixels; the count is 9+ beyond nine, so that it can be read."""
    image = sign(size, front=_FRONT[dimmed], back=_BACK[dimmed])
    if not unread:
        return image
    side = size * _LARGE
    diameter = round(side * 0.62)
    badge = disc(diameter, _BADGE[dimmed], ring="#ffffff", ring_width=side * 0.03)
    text = str(unread) if unread <= _MOST else f"{_MOST}+"
    font = ImageFont.load_default(size=diameter * (0.78 if len(text) == 1 else 0.6))
    ImageDraw.Draw(badge).text((diameter / 2, diameter / 2), text, fill="#ffffff", font=font, anchor="mm")
    whole = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    whole.alpha_composite(badge, (side - diameter, side - diameter))
    image.alpha_composite(whole.resize((size, size), Image.Resampling.LANCZOS))
    return image
