"""Draws what is in the bubble of a file, but for its name, which is drawn as the text of every message."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from PIL import ImageColor, ImageTk

from twocans.gui.transcript.canvas_row import ROW_TAG, CanvasRow, Colours
from twocans.gui.transcript.cards import INSET, Area, CardLayout, Thumbnail
from twocans.gui.transcript.file_icons import kind_of
from twocans.gui.transcript.rows import Metrics
from twocans.gui.transcript.runs import RunPainter
from twocans.gui.transcript.sprites import Sprites
from twocans.gui.transcript.style import Fonts
from twocans.gui.transcript.thumbnails import Thumbnails

PICTURE_RADIUS: Final = 0.75
_PLATE: Final = 0.12  # how much of the text's colour is in what lies behind signs and buttons
_POINTED: Final = 0.22
_TRACK: Final = 0.2


class CardPainter:
    """Draws cards in one style."""

    def __init__(
        self,
        canvas: tk.Canvas,
        art: Sprites,
        *,
        fonts: Fonts,
        small: RunPainter,
        metrics: Metrics,
        thumbnails: Thumbnails,
    ) -> None:
        self._canvas = canvas
        self._art = art
        self._fonts = fonts
        self._small = small
        self._metrics = metrics
        self._thumbnails = thumbnails

    def draw(self, drawn: CanvasRow, card: CardLayout, colours: Colours, top: int) -> None:
        """Draws a card on its bubble, whose top is at `top` pixels."""
        file, left = drawn.row.bubble.file, drawn.row.x
        if file is None:
            return
        if card.picture is not None and file.picture is not None:
            self._picture(drawn, card.picture, file.picture, colours, left, top)
        if card.icon is not None:
            colour = colours.danger if file.failed else colours.link
            plate = blend(colours.fill, colour, _PLATE)
            sign = self._art.file(
                kind_of(file.name), card.icon.width, colour, plate, colours.fill, failed=file.failed
            )
            self._image(drawn, left + card.icon.x, top + card.icon.y, sign)
        self._detail(drawn, card, colours.danger if file.failed else colours.muted, left, top)
        if card.bar is not None and file.fraction is not None:
            self._bar(drawn, card.bar, file.fraction, colours, left, top)
        self._buttons(drawn, card, colours, left, top)

    def _picture(
        self, drawn: CanvasRow, area: Area, path: str, colours: Colours, left: int, top: int
    ) -> None:
        radius = self._metrics.ems(PICTURE_RADIUS)
        x, y, size = left + area.x, top + area.y, (area.width, area.height)
        picture = self._thumbnails.get(path, size, radius, colours.fill)
        if picture is None:
            drawn.awaits = path
            picture = self._art.plate(
                *size, min(radius, *(side // 2 for side in size)), blend(colours.fill, colours.text, _PLATE)
            )
        self._image(drawn, x, y, picture)
        ring = colours.text if drawn.marks.keyed is Thumbnail.PICTURE else None
        if drawn.marks.pointed is Thumbnail.PICTURE or ring:
            self._frame(drawn, x, y, size, ring or blend(colours.fill, colours.link, 0.5))

    def _frame(self, drawn: CanvasRow, x: int, y: int, size: tuple[int, int], colour: str) -> None:
        """A line around the picture, in the space that is left beside it."""
        line = max(2, self._metrics.ems(INSET) // 2)
        edge = line // 2
        drawn.items.append(
            self._canvas.create_rectangle(
                x - edge,
                y - edge,
                x + size[0] + edge - 1,
                y + size[1] + edge - 1,
                outline=colour,
                width=line,
                tags=ROW_TAG,
            )
        )

    def _detail(self, drawn: CanvasRow, card: CardLayout, colour: str, left: int, top: int) -> None:
        for number, _ in enumerate(card.detail.lines):
            x = left + card.name_x + card.detail.line_x(number, card.name_width)
            y = top + card.detail_y + number * self._metrics.small_line
            for run in card.detail.runs(number):
                drawn.add(*self._small.draw(self._canvas, x + run.x, y, run, colour, ROW_TAG))

    def _bar(
        self, drawn: CanvasRow, bar: Area, fraction: float, colours: Colours, left: int, top: int
    ) -> None:
        half = bar.height / 2
        y, start, end = top + bar.y + half, left + bar.x + half, left + bar.x + bar.width - half
        filled = start + (end - start) * min(1.0, max(0.0, fraction))
        for stop, colour in (
            (end, blend(colours.fill, colours.link, _TRACK)),
            (filled, colours.link),
        ):
            if stop > start:
                drawn.items.append(
                    self._canvas.create_line(
                        start, y, stop, y, width=bar.height, capstyle="round", fill=colour, tags=ROW_TAG
                    )
                )

    def _buttons(self, drawn: CanvasRow, card: CardLayout, colours: Colours, left: int, top: int) -> None:
        m = self._metrics
        for action, area in card.buttons:
            part = _POINTED if drawn.marks.pointed is action else _PLATE
            plate = self._art.button(
                area.width,
                area.height,
                blend(colours.fill, colours.link, part),
                colours.text if drawn.marks.keyed is action else None,
                max(1, m.ems(0.12)),
                colours.fill,
            )
            self._image(drawn, left + area.x, top + area.y, plate)
            drawn.items.append(
                self._canvas.create_text(
                    left + area.x + area.width // 2,
                    top + area.y + area.height // 2,
                    text=action.value,
                    font=self._fonts.small,
                    fill=colours.link,
                    tags=ROW_TAG,
                )
            )

    def _image(self, drawn: CanvasRow, x: int, y: int, picture: ImageTk.PhotoImage) -> None:
        drawn.items.append(self._canvas.create_image(x, y, image=picture, anchor="nw", tags=ROW_TAG))
        drawn.pictures.append(picture)


def blend(ground: str, colour: str, part: float) -> str:
    """`ground` with so much of another colour in it; both as `#rrggbb`."""
    pairs = zip(ImageColor.getrgb(ground), ImageColor.getrgb(colour), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)
