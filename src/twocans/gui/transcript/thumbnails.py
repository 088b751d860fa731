"""The small pictures of files: decoded on another thread, and the latest of them kept, up to so many pixels."""

from __future__ import annotations

import tkinter as tk
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from PIL import Image, ImageDraw, ImageTk

from twocans.gui.backend import pictures
from twocans.gui.backend.decoding import Decoder
from twocans.gui.backend.pictures import Size

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of decoded pictures that are kept, at four bytes a pixel."""
_MAX_SIZES: Final = 4096
_PAPER: Final = "#ffffff"  # behind what is transparent
_OVERSAMPLING: Final = 4

Key = tuple[str, Size, int, str]


@dataclass(slots=True)
class _OnScreen:
    """Shared with the other thread: replaced as a whole, never changed."""

    paths: frozenset[str] = field(default_factory=frozenset)


class Thumbnails:
    """Small pictures on demand.

    Args:
        master: the widget that shows them.
        on_ready: called when one has come that was not there, with its path; it is there when asked for again.
        on_damaged: called when one could not be decoded, with its path; from then on it has no size.
    """

    def __init__(
        self, master: tk.Misc, *, on_ready: Callable[[str], None], on_damaged: Callable[[str], None]
    ) -> None:
        self._master = master
        self._on_ready = on_ready
        self._on_damaged = on_damaged
        self._decoder = Decoder(master)
        self._sizes: OrderedDict[str, Size | None] = OrderedDict()
        self._kept: OrderedDict[Key, ImageTk.PhotoImage] = OrderedDict()
        self._kept_bytes = 0
        self._pending: set[Key] = set()
        self._on_screen = _OnScreen()

    def size(self, path: str) -> Size | None:
        """How large the picture at a path is, in pixels; None if it cannot be shown."""
        if path not in self._sizes:
            self._sizes[path] = pictures.size_of(path)
            if len(self._sizes) > _MAX_SIZES:
                self._sizes.popitem(last=False)
        return self._sizes[path]

    def get(self, path: str, size: Size, radius: int, ground: str) -> ImageTk.PhotoImage | None:
        """The picture in a box of pixels with round corners on a ground; None if it is not here yet."""
        key = (path, size, radius, ground)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        elif key not in self._pending:
            self._pending.add(key)
            self._decoder.ask(partial(_decode, key, self._on_screen), partial(self._take, key))
        return kept

    def on_screen(self, paths: Iterable[str]) -> None:
        """Only these are of use now; others that wait are not decoded."""
        self._on_screen.paths = frozenset(paths)

    def close(self) -> None:
        """Decode no more."""
        self._decoder.close()

    def _take(self, key: Key, image: Image.Image | bool) -> None:
        self._pending.discard(key)
        path = key[0]
        if isinstance(image, Image.Image):
            self._kept[key] = ImageTk.PhotoImage(image, master=self._master)
            self._kept_bytes += _bytes(key)
            while self._kept_bytes > MAX_BYTES and len(self._kept) > 1:
                self._kept_bytes -= _bytes(self._kept.popitem(last=False)[0])
            self._on_ready(path)
        elif not image:
            self._sizes[path] = None
            self._on_damaged(path)
        elif path in self._on_screen.paths:
            self._on_ready(path)  # it is wanted again: whoever asks now gets it


def _decode(key: Key, on_screen: _OnScreen) -> Image.Image | bool:
    """In the other thread: the picture, False if it is damaged, True if it is not wanted any more."""
    path, size, radius, ground = key
    if path not in on_screen.paths:
        return True
    image = pictures.load(path, size)
    return False if image is None else _framed(image, size, radius, ground)


def _bytes(key: Key) -> int:
    width, height = key[1]
    return width * height * 4


def _framed(image: Image.Image, size: Size, radius: int, ground: str) -> Image.Image:
    """The picture in the middle of its box, opaque, with the ground in the corners."""
    if image.size != size and all(abs(a - b) <= 1 for a, b in zip(image.size, size, strict=True)):
        image = image.resize(size)  # what rounding left
    framed = Image.new("RGB", size, _PAPER)
    place = ((size[0] - image.width) // 2, (size[1] - image.height) // 2)
    framed.paste(image, place, image if image.mode == "RGBA" else None)
    large = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
    mask = Image.new("L", large, 0)
    box = (0, 0, large[0] - 1, large[1] - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * _OVERSAMPLING, fill=255)
    result = Image.new("RGB", size, ground)
    result.paste(framed, mask=mask.resize(size, Image.Resampling.BOX))
    return result
