"""A slim scrollbar with a round thumb and no arrows, the same under every ttk theme."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from itertools import count
from tkinter import ttk
from typing import Final

from PIL import Image, ImageColor, ImageDraw, ImageTk

_STYLE: Final = "Transcript.Vertical.TScrollbar"
_serials: Final = count()


class SlimScrollbar(ttk.Scrollbar):
    """A vertical scrollbar in the transcript's colours."""

    def __init__(self, parent: tk.Misc, *, command: Callable[..., None]) -> None:
        super().__init__(parent, orient="vertical", takefocus=False)
        self.configure(command=command)
        self._pictures: list[ImageTk.PhotoImage] = []

    def restyle(self, *, background: str, thumb: str, active: str, width: int) -> None:
        """Takes on colours; `width` is that of the thumb, in pixels."""
        # A ttk element cannot be changed once made, so every look gets elements of its own name.
        look = f"Transcript{next(_serials)}"
        pictures = [self._thumb(colour, background, width) for colour in (thumb, active)]
        trough = ImageTk.PhotoImage(Image.new("RGB", (width + 4, 8), background), master=self)
        style = ttk.Style(self)
        style.element_create(f"{look}.trough", "image", trough, sticky="nswe", border=2)
        style.element_create(
            f"{look}.thumb",
            "image",
            pictures[0],
            ("pressed", pictures[1]),
            ("active", pictures[1]),
            border=(0, width),
            sticky="ns",
        )
        name = f"{look}.{_STYLE}"
        style.layout(
            name,
            [(f"{look}.trough", {"sticky": "ns", "children": [(f"{look}.thumb", {"sticky": "nswe"})]})],
        )
        self.configure(style=name)
        self._pictures = [*pictures, trough]

    def _thumb(self, colour: str, background: str, width: int) -> ImageTk.PhotoImage:
        scale = 6
        size = (width + 4, 3 * width)
        image = Image.new("RGB", (size[0] * scale, size[1] * scale), ImageColor.getrgb(background))
        box = (2 * scale, 0, (width + 2) * scale - 1, size[1] * scale - 1)
        ImageDraw.Draw(image).rounded_rectangle(box, width * scale / 2, fill=colour)
        return ImageTk.PhotoImage(image.resize(size, Image.Resampling.BOX), master=self)
