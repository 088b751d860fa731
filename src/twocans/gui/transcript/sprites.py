"""Small pictures with smooth edges, which the canvas itself cannot draw: corners, ticks, pills, the round button.

Corners and ticks are opaque on their known background, which Tk draws much faster than transparent pictures.
"""

from __future__ import annotations

import tkinter as tk
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageColor, ImageDraw, ImageTk

from twocans.gui.transcript.file_icons import Kind, draw_failed, draw_kind
from twocans.gui.transcript.model import Status

MAX_PICTURES: Final = 256
_OVERSAMPLING: Final = 6


class Sprites:
    """Makes pictures on demand and keeps those used last."""

    def __init__(self, master: tk.Misc) -> None:
        self._master = master
        self._kept: OrderedDict[tuple[object, ...], ImageTk.PhotoImage] = OrderedDict()

    def clear(self) -> None:
        """Forgets all pictures: the colours or the sizes have changed. None may be on the canvas any more."""
        self._kept.clear()

    def corner(self, side: str, radius: int, fill: str, background: str) -> ImageTk.PhotoImage:
        """A quarter of a disc; `side` is nw, ne, sw or se."""

        def draw(pen: ImageDraw.ImageDraw, scale: int) -> None:
            size = 2 * radius * scale
            left = -radius * scale if "e" in side else 0
            top = -radius * scale if "s" in side else 0
            pen.ellipse((left, top, left + size - 1, top + size - 1), fill=fill)

        return self._picture(("corner", side, radius, fill, background), (radius, radius), background, draw)

    def mark(self, status: Status, width: int, colour: str, background: str) -> ImageTk.PhotoImage:
        """How far a message has got: a clock, one tick, two, or an exclamation mark."""
        height = max(1, round(width * 0.72))

        def draw(pen: ImageDraw.ImageDraw, scale: int) -> None:
            w, h = width * scale, height * scale
            line = max(scale, round(w * 0.085))
            match status:
                case Status.WAITING:
                    left = w - h
                    pen.ellipse((left, 0, w - 1, h - 1), outline=colour, width=line)
                    middle = (left + h / 2, h / 2)
                    pen.line(
                        [(middle[0], h * 0.22), middle, (left + h * 0.7, h * 0.6)], colour, line, "curve"
                    )
                case Status.SENT:
                    _tick(pen, w * 0.38, w, h, colour, line)
                case Status.DELIVERED | Status.READ:
                    # Colour alone would not tell the two apart for everybody.
                    stroke = round(line * 1.6) if status is Status.READ else line
                    _tick(pen, w * 0.38, w, h, colour, stroke)
                    _tick(pen, 0, w, h, colour, stroke)
                case Status.FAILED:
                    left = w - h
                    pen.ellipse((left, 0, w - 1, h - 1), fill=colour)
                    centre, half = left + h / 2, h * 0.075
                    pen.rounded_rectangle((centre - half, h * 0.2, centre + half, h * 0.56), half, background)
                    pen.ellipse(
                        (centre - half * 1.1, h * 0.66, centre + half * 1.1, h * 0.66 + half * 2.2),
                        background,
                    )
                case Status.NONE:
                    pass

        return self._picture(("mark", status, width, colour, background), (width, height), background, draw)

    def file(
        self, kind: Kind, size: int, colour: str, plate: str, background: str, *, failed: bool
    ) -> ImageTk.PhotoImage:
        """The sign of a file on its plate; an exclamation mark if it has failed."""

        def draw(pen: ImageDraw.ImageDraw, scale: int) -> None:
            side = size * scale
            pen.rounded_rectangle((0, 0, side - 1, side - 1), side * 0.22, fill=plate)
            if failed:
                draw_failed(pen, side, colour)
            else:
                draw_kind(pen, kind, side, colour, plate)

        key = ("file", kind, size, colour, plate, background, failed)
        return self._picture(key, (size, size), background, draw)

    def button(
        self, width: int, height: int, fill: str, ring: str | None, thickness: int, background: str
    ) -> ImageTk.PhotoImage:
        """The plate of a button within a bubble, with a ring if it has the keyboard."""

        def draw(pen: ImageDraw.ImageDraw, scale: int) -> None:
            box = (0, 0, width * scale - 1, height * scale - 1)
            pen.rounded_rectangle(
                box, height * scale * 0.32, fill=fill, outline=ring, width=thickness * scale if ring else 0
            )

        key = ("button", width, height, fill, ring, thickness, background)
        return self._picture(key, (width, height), background, draw)

    def pill(self, width: int, height: int, fill: str) -> ImageTk.PhotoImage:
        """A plate with round ends, to lie over anything."""

        def draw(pen: ImageDraw.ImageDraw, scale: int) -> None:
            box = (0, 0, width * scale - 1, height * scale - 1)
            pen.rounded_rectangle(box, height * scale / 2, fill=fill)

        return self._picture(("pill", width, height, fill), (width, height), None, draw)

    def plate(self, width: int, height: int, radius: int, fill: str) -> ImageTk.PhotoImage:
        """A plate with round corners, to lie over anything."""

        def draw(pen: ImageDraw.ImageDraw, scale: int) -> None:
            box = (0, 0, width * scale - 1, height * scale - 1)
            pen.rounded_rectangle(box, radius * scale, fill=fill)

        return self._picture(("plate", width, height, radius, fill), (width, height), None, draw)

    def jump(self, size: int, fill: str, edge: str, colour: str) -> ImageTk.PhotoImage:
        """The round button with an arrow down, to lie over anything."""

        def draw(pen: ImageDraw.ImageDraw, scale: int) -> None:
            s = size * scale
            pen.ellipse((0, 0, s - 1, s - 1), fill=fill, outline=edge, width=max(scale, s // 36))
            arrow = [(s * 0.33, s * 0.44), (s * 0.5, s * 0.61), (s * 0.67, s * 0.44)]
            _stroke(pen, arrow, colour, max(scale, round(s * 0.06)))

        return self._picture(("jump", size, fill, edge, colour), (size, size), None, draw)

    def _picture(
        self,
        key: tuple[object, ...],
        size: tuple[int, int],
        background: str | None,
        draw: Callable[[ImageDraw.ImageDraw, int], None],
    ) -> ImageTk.PhotoImage:
        picture = self._kept.get(key)
        if picture is None:
            large = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
            if background is None:
                image = Image.new("RGBA", large, (0, 0, 0, 0))
            else:
                image = Image.new("RGB", large, ImageColor.getrgb(background))
            draw(ImageDraw.Draw(image), _OVERSAMPLING)
            # Transparent pixels are averaged with their colour weighed by opacity, so edges get no dark rim.
            image = image.resize(size, Image.Resampling.BOX)
            picture = ImageTk.PhotoImage(image, master=self._master)
            self._kept[key] = picture
            if len(self._kept) > MAX_PICTURES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return picture


def _tick(pen: ImageDraw.ImageDraw, left: float, w: int, h: int, colour: str, line: int) -> None:
    reach = w * 0.62
    points = [
        (left + line / 2, h * 0.56),
        (left + reach * 0.36, h - line),
        (left + reach - line / 2, line / 2 + h * 0.06),
    ]
    _stroke(pen, points, colour, line)


def _stroke(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: str, line: int) -> None:
    pen.line(points, fill=colour, width=line, joint="curve")
    for x, y in (points[0], points[-1]):
        pen.ellipse((x - line / 2, y - line / 2, x + line / 2, y + line / 2), fill=colour)
