"""Emoji as pictures in colour: each as it is meant, however many characters it is made of.

Tk draws one glyph a character on X11, so that a family falls apart into its members, and has no colours on Windows. Pillow
draws them with the system's own font instead. macOS draws them well by itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tkinter as tk
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageTk, features

from twocans.gui.transcript.glyphs import without_undrawn

MAX_BYTES: Final = 4 * 1024 * 1024
"""Of the pictures that are kept of one size."""
MAX_CHARS: Final = 32
"""A longer sequence is no emoji of any font; it is drawn character by character."""
MAX_WIDTHS: Final = 8192

_SIZES: Final = (109, 136, 128, 160, 96, 64)
"""Fonts of bitmaps have one size only: 109 pixels in Noto Color Emoji."""
_PROBE: Final = "\U0001f600"
_JOINER: Final = "\u200d"
_WIDEST: Final = 1.5
"""How many times as wide as others an emoji is that was joined from several."""
_ANSWER_S: Final = 2.0
_QUERIES: Final = (
    ("fc-match", ("-f", "%{file}\n", "emoji")),
    ("fc-list", ("-f", "%{file}\n", ":color=true:charset=1f600")),
)


class EmojiFont:
    """Measures and draws emoji. Sizes are those of the text around, in pixels.

    Args:
        font: one with glyphs in colour.
    """

    def __init__(self, font: ImageFont.FreeTypeFont) -> None:
        self._font = font
        # Without this library Pillow puts glyphs beside each other, and would draw what only joins them.
        self._shapes = font.layout_engine == ImageFont.Layout.RAQM
        self._ascent, self._descent = font.getmetrics()
        self._lengths: dict[str, float] = {}

    def width(self, emoji: str, size: int) -> int:
        """How wide an emoji is, in pixels; 0 if the font does not have it."""
        length = self._lengths.get(emoji)
        if length is None:
            if len(self._lengths) >= MAX_WIDTHS:
                self._lengths.clear()
            length = self._lengths[emoji] = self._length(emoji)
        return round(length * size / self._font.size)

    def ascent(self, size: int) -> int:
        """How far a picture reaches above the base line, in pixels."""
        return round(self._ascent * size / self._font.size)

    def draw(self, emoji: str, size: int) -> Image.Image:
        """An emoji that the font has, on nothing."""
        large = (max(1, self.width(emoji, round(self._font.size))), self._ascent + self._descent)
        image = Image.new("RGBA", large, (0, 0, 0, 0))
        ImageDraw.Draw(image).text((0, 0), self._text(emoji), font=self._font, embedded_color=True)
        height = max(1, round(large[1] * size / self._font.size))
        return image.resize(
            (max(1, self.width(emoji, size)), height), Image.Resampling.LANCZOS, reducing_gap=3.0
        )

    def _length(self, emoji: str) -> float:
        if len(emoji) > MAX_CHARS:
            return 0.0
        text = self._text(emoji)
        length = float(self._font.getlength(text))
        if _JOINER in emoji and length > _WIDEST * self._font.getlength(_PROBE):
            return 0.0  # the font has the parts only
        _, top, _, bottom = self._font.getbbox(text)
        return length if top < bottom else 0.0

    def _text(self, emoji: str) -> str:
        return emoji if self._shapes else without_undrawn(emoji)


class EmojiPictures:
    """Makes pictures on demand, for one size at a time, and keeps those used last within `MAX_BYTES`.

    Args:
        master: a widget of the window.
        font: draws them.
        size: the size of the text around, in pixels.
    """

    def __init__(self, master: tk.Misc, font: EmojiFont, size: int) -> None:
        self._master = master
        self._font = font
        self._size = size
        self._kept: OrderedDict[str, ImageTk.PhotoImage] = OrderedDict()
        self.bytes = 0
        """Of the pictures that are kept."""

    @property
    def ascent(self) -> int:
        """How far a picture reaches above the base line, in pixels."""
        return self._font.ascent(self._size)

    def width(self, emoji: str) -> int:
        """How wide an emoji is, in pixels; 0 if there is no picture of it."""
        return self._font.width(emoji, self._size)

    def picture(self, emoji: str) -> ImageTk.PhotoImage:
        """The picture of an emoji. Who draws it has to hold it: it may not be kept here, and Tk holds none."""
        picture = self._kept.get(emoji)
        if picture is None:
            picture = ImageTk.PhotoImage(self._font.draw(emoji, self._size), master=self._master)
            self._kept[emoji] = picture
            self.bytes += _bytes_of(picture)
            while self.bytes > MAX_BYTES and len(self._kept) > 1:
                self.bytes -= _bytes_of(self._kept.popitem(last=False)[1])
        self._kept.move_to_end(emoji)
        return picture


@lru_cache(maxsize=1)
def emoji_font() -> EmojiFont | None:
    """The system's font of emoji in colour; None if it has none that Pillow can draw, or draws them by itself."""
    for path in _paths():
        font = _opened(path)
        if font is not None:
            return font
    return None


def _opened(path: str) -> EmojiFont | None:
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    for size in _SIZES:
        try:
            font = EmojiFont(ImageFont.truetype(path, size, layout_engine=engine))
            # Some formats of colours are unknown to Pillow, which then draws nothing, or in white.
            if font.width(_PROBE, size) and _has_colours(font.draw(_PROBE, size)):
                return font
        except (OSError, ValueError):
            continue
    return None


def _has_colours(image: Image.Image) -> bool:
    red, _, blue, _ = image.split()
    return ImageChops.difference(red, blue).getbbox() is not None


def _paths() -> Iterator[str]:
    if sys.platform == "win32":
        yield str(Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts" / "seguiemj.ttf")
    elif sys.platform != "darwin":
        for name, arguments in _QUERIES:
            yield from _answer(name, arguments)


def _answer(name: str, arguments: tuple[str, ...]) -> list[str]:
    """The lines that a program of fontconfig says."""
    program = shutil.which(name)
    if program is None:
        return []
    try:
        process = subprocess.run(  # noqa: S603  no shell, and nothing in it comes from outside
            [program, *arguments],
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return os.fsdecode(process.stdout).splitlines()


def _bytes_of(picture: ImageTk.PhotoImage) -> int:
    return 4 * picture.width() * picture.height()
