"""Draws one row on the canvas. Of a message that is higher than the view only the lines near it are drawn.

What is in the bubble of a file is drawn by `paint_card`.
"""

from __future__ import annotations

import tkinter as tk
from tkinter.font import Font
from typing import Final

from PIL import ImageTk

from twocans.gui.transcript.canvas_row import ROW_TAG, CanvasRow, Colours, Marks
from twocans.gui.transcript.layout import Run, TextLayout
from twocans.gui.transcript.model import Status
from twocans.gui.transcript.paint_card import CardPainter
from twocans.gui.transcript.rows import DIVIDER, MARGIN, MARK_WIDTH, NOTE_GAP, PAD_X, PAD_Y, Metrics, Row
from twocans.gui.transcript.runs import RunPainter
from twocans.gui.transcript.sprites import Sprites
from twocans.gui.transcript.style import Fonts, Palette
from twocans.gui.transcript.thumbnails import Thumbnails

_SLAB_LINES: Final = 32  # lines of a high message come and go by that many


def lines_near(row: Row, body_top: int, view_height: int, metrics: Metrics) -> tuple[int, int]:
    """The lines of a row to draw for a view of that height: all of them if there are few."""
    count = len(row.text.lines)
    if count <= 2 * _SLAB_LINES:
        return 0, count
    first = max(0, -body_top // metrics.line)
    last = max(0, (view_height - body_top) // metrics.line) + 1
    return first // _SLAB_LINES * _SLAB_LINES, min(count, (last // _SLAB_LINES + 1) * _SLAB_LINES)


class Painter:
    """Draws rows in one style."""

    def __init__(
        self,
        canvas: tk.Canvas,
        art: Sprites,
        *,
        palette: Palette,
        fonts: Fonts,
        texts: RunPainter,
        small: RunPainter,
        metrics: Metrics,
        thumbnails: Thumbnails,
    ) -> None:
        self._canvas = canvas
        self._art = art
        self._palette = palette
        self._fonts = fonts
        self._texts = texts
        self._small = small
        self._metrics = metrics
        self._card = CardPainter(
            canvas, art, fonts=fonts, small=small, metrics=metrics, thumbnails=thumbnails
        )
        p = palette
        # On one's own bubbles no red could be read.
        self._own = Colours(
            p.own, p.own_text, p.own_muted, p.own_link, p.own_selection, p.own_found, p.own_text
        )
        self._other = Colours(
            p.other, p.other_text, p.other_muted, p.other_link, p.other_selection, p.other_found, p.danger
        )

    def draw(
        self,
        row: Row,
        *,
        top: int,
        width: int,
        lines: tuple[int, int],
        marks: Marks,
        pill_height: int,
    ) -> CanvasRow:
        """Draws a row.

        Args:
            top: pixels from the top of the view to the row's.
            width: of the view, in pixels.
            lines: the first line to draw, and the one after the last.
            marks: what stands out, as positions in what is shown.
        """
        drawn = CanvasRow(row, lines, marks, top)
        if row.context.day:
            self._pill(drawn, row.context.day, width // 2, top + row.day_y, pill_height)
        if row.context.divider:
            self._divider(drawn, width, top + row.divider_y + pill_height // 2)
        body_top = top + row.box.head
        if row.sender_y:
            self._sender(drawn, width, top + row.sender_y)
        if marks.chosen:
            edge = self._metrics.ems(0.3)
            self._rectangle(
                drawn, 0, body_top - edge, width, row.box.body + 2 * edge, self._palette.found_ground
            )
        colours = self._own if row.bubble.own else self._other
        self._body(drawn, colours, body_top)
        if row.card is not None:
            self._card.draw(drawn, row.card, colours, body_top)
        self._text(drawn, colours, body_top)
        if lines[1] == len(row.text.lines):
            self._meta(drawn, colours, body_top)
            if row.note is not None:
                self._note(drawn, row.note, body_top + row.box.body + self._metrics.ems(NOTE_GAP))
        return drawn

    def day_pill(
        self, text: str, x: int, y: int, height: int, *tags: str
    ) -> tuple[int, int, ImageTk.PhotoImage]:
        """Draws a day's pill with its middle at `x`; returns the two items, and the picture to be held."""
        width = self._fonts.label.measure(text) + 2 * self._metrics.ems(0.8)
        picture = self._art.pill(width, height, self._palette.pill)
        plate = self._canvas.create_image(x - width // 2, y, image=picture, anchor="nw", tags=tags)
        label = self._canvas.create_text(
            x, y + height // 2, text=text, font=self._fonts.label, fill=self._palette.pill_text, tags=tags
        )
        return plate, label, picture

    def _pill(self, drawn: CanvasRow, text: str, x: int, y: int, height: int) -> None:
        plate, label, picture = self.day_pill(text, x, y, height, ROW_TAG)
        drawn.items += (plate, label)
        drawn.pictures.append(picture)

    def _divider(self, drawn: CanvasRow, width: int, y: int) -> None:
        m, colour = self._metrics, self._palette.accent
        half = self._fonts.label.measure(DIVIDER) // 2 + m.ems(0.6)
        margin, middle = m.ems(MARGIN), width // 2
        thickness = m.ems(0.07)
        for start, end in ((margin, middle - half), (middle + half, width - margin)):
            if end > start:
                drawn.items.append(
                    self._canvas.create_line(start, y, end, y, fill=colour, width=thickness, tags=ROW_TAG)
                )
        drawn.items.append(
            self._canvas.create_text(
                middle, y, text=DIVIDER, font=self._fonts.label, fill=colour, tags=ROW_TAG
            )
        )

    def _sender(self, drawn: CanvasRow, width: int, y: int) -> None:
        own = drawn.row.bubble.own
        inset = self._metrics.ems(1.1)
        drawn.items.append(
            self._canvas.create_text(
                width - inset if own else inset,
                y,
                text=drawn.row.bubble.sender,
                anchor="ne" if own else "nw",
                font=self._fonts.label,
                fill=self._palette.muted,
                tags=ROW_TAG,
            )
        )

    def _body(self, drawn: CanvasRow, colours: Colours, top: int) -> None:
        """The bubble: a polygon without its corners, and a picture for each corner."""
        row, m = drawn.row, self._metrics
        round_, tight = min(m.ems(1.05), row.box.body // 2), m.ems(0.3)
        own, context = row.bubble.own, row.context
        ground = self._palette.found_ground if drawn.marks.chosen else self._palette.background
        radii = {"nw": round_, "ne": round_, "se": round_, "sw": round_}
        if not context.first:
            radii["ne" if own else "nw"] = tight
        if not context.last:
            radii["se" if own else "sw"] = tight
        left, right = row.x, row.x + row.width
        bottom = top + row.box.body
        pad = m.ems(PAD_Y)
        first, last = drawn.lines
        if first > 0:
            top += pad + first * m.line
            radii["nw"] = radii["ne"] = 0
        if last < len(row.text.lines):
            bottom = top + (last - first) * m.line + (0 if first else pad)
            radii["sw"] = radii["se"] = 0
        nw, ne, se, sw = radii["nw"], radii["ne"], radii["se"], radii["sw"]
        outline = (
            (left, top + nw), (left + nw, top + nw), (left + nw, top),
            (right - ne, top), (right - ne, top + ne), (right, top + ne),
            (right, bottom - se), (right - se, bottom - se), (right - se, bottom),
            (left + sw, bottom), (left + sw, bottom - sw), (left, bottom - sw),
        )  # fmt: skip
        drawn.items.append(self._canvas.create_polygon(*outline, fill=colours.fill, outline="", tags=ROW_TAG))
        for side, radius, x, y in (
            ("nw", nw, left, top),
            ("ne", ne, right - ne, top),
            ("se", se, right - se, bottom - se),
            ("sw", sw, left, bottom - sw),
        ):
            if radius:
                picture = self._art.corner(side, radius, colours.fill, ground)
                self._image(drawn, x, y, picture)

    def _text(self, drawn: CanvasRow, colours: Colours, body_top: int) -> None:
        row, m = drawn.row, self._metrics
        x, y = row.x + row.text_x, body_top + row.text_y
        first, last = drawn.lines
        for span in drawn.marks.found:
            self._marked(drawn, row.text, span, x, y, colours.found)
        if drawn.marks.span is not None:
            self._marked(drawn, row.text, drawn.marks.span, x, y, colours.selection)
        plain: list[str] = []
        plain_from = first
        # Lines of plain text become one item, which Tk draws with the same line height.
        for number in range(first, last):
            runs = row.text.runs(number)
            if len(runs) <= 1 and not row.text.has_rtl and not (runs and (runs[0].link or runs[0].emoji)):
                if not plain:
                    plain_from = number
                plain.append(runs[0].drawn if runs else "")
                continue
            self._plain(drawn, x, y + plain_from * m.line, plain, colours.text)
            plain = []
            left = x + row.text.line_x(number, row.text_width)
            line_y = y + number * m.line
            for run in runs:
                colour = colours.link if run.link else colours.text
                self._run(drawn, self._texts, left + run.x, line_y, run, colour)
                if run.link:
                    self._underline(drawn, left + run.x, line_y, run.width, self._fonts.text, colour)
        self._plain(drawn, x, y + plain_from * m.line, plain, colours.text)

    def _plain(self, drawn: CanvasRow, x: int, y: int, lines: list[str], colour: str) -> None:
        if lines:
            drawn.items.append(
                self._canvas.create_text(
                    x, y, text="\n".join(lines), anchor="nw", font=self._fonts.text, fill=colour, tags=ROW_TAG
                )
            )

    def _run(self, drawn: CanvasRow, painter: RunPainter, x: int, y: int, run: Run, colour: str) -> None:
        drawn.add(*painter.draw(self._canvas, x, y, run, colour, ROW_TAG))

    def _underline(self, drawn: CanvasRow, x: int, y: int, width: int, font: Font, colour: str) -> None:
        y += font.metrics("ascent") + self._metrics.ems(0.09)
        self._rectangle(drawn, x, y, width, self._metrics.ems(0.06), colour)

    def _rectangle(self, drawn: CanvasRow, x: int, y: int, width: int, height: int, colour: str) -> None:
        drawn.items.append(
            self._canvas.create_rectangle(x, y, x + width, y + height, fill=colour, outline="", tags=ROW_TAG)
        )

    def _marked(
        self, drawn: CanvasRow, text: TextLayout, span: tuple[int, int], x: int, y: int, colour: str
    ) -> None:
        start, end = span
        line_height = self._metrics.line
        for number in range(*drawn.lines):
            line = text.lines[number]
            if line.end < start or line.start > end:
                continue
            left = x + text.line_x(number, drawn.row.text_width)
            spans = text.spans(number, start, end)
            if not spans and start <= line.start < end:  # an empty line inside the selection
                spans = [(0, self._metrics.ems(0.4))]
            for span_x, width in spans:
                line_y = y + number * line_height
                self._rectangle(drawn, left + span_x, line_y, width, line_height, colour)

    def _meta(self, drawn: CanvasRow, colours: Colours, body_top: int) -> None:
        """The time, and how far the message has got."""
        row, m = drawn.row, self._metrics
        x, y = row.x + row.time_x, body_top + row.time_y
        drawn.items.append(
            self._canvas.create_text(
                x, y, text=row.time, anchor="nw", font=self._fonts.small, fill=colours.muted, tags=ROW_TAG
            )
        )
        status = row.bubble.status
        if status is Status.NONE:
            return
        width = m.ems(MARK_WIDTH)
        colour = self._palette.read if status is Status.READ else colours.muted
        if status is Status.FAILED:
            colour = colours.text
        picture = self._art.mark(status, width, colour, colours.fill)
        right = row.x + row.width - m.ems(PAD_X)
        self._image(drawn, right - width, y + (m.small_line - picture.height()) // 2, picture)

    def _note(self, drawn: CanvasRow, note: TextLayout, y: int) -> None:
        row, m = drawn.row, self._metrics
        colour = self._palette.danger if row.bubble.status is Status.FAILED else self._palette.muted
        for number, line in enumerate(note.lines):
            left = row.note_x(line.width, m)
            line_y = y + number * m.small_line
            for run in note.runs(number):
                self._run(drawn, self._small, left + run.x, line_y, run, colour)
                if run.link:
                    self._underline(drawn, left + run.x, line_y, run.width, self._fonts.small, colour)

    def _image(self, drawn: CanvasRow, x: int, y: int, picture: ImageTk.PhotoImage) -> None:
        drawn.items.append(self._canvas.create_image(x, y, image=picture, anchor="nw", tags=ROW_TAG))
        drawn.pictures.append(picture)
