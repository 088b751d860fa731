"""The canvas and what is on it: keeps the drawn rows in step with the messages, the place and the selection.

Only rows in view are on the canvas. A change moves what stays, deletes what goes and draws what comes.
"""

from __future__ import annotations

import tkinter as tk
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

from twocans.gui.transcript.astral import draws_astral
from twocans.gui.transcript.canvas_row import ROW_TAG, CanvasRow, Marks
from twocans.gui.transcript.cards import Spot
from twocans.gui.transcript.dates import day_label, local_day
from twocans.gui.transcript.destination import destination
from twocans.gui.transcript.found import Words, spans
from twocans.gui.transcript.glyphs import shown
from twocans.gui.transcript.hits import Hit, hit_row
from twocans.gui.transcript.links import Link
from twocans.gui.transcript.model import Bubble, ViewState
from twocans.gui.transcript.overlay import Overlay
from twocans.gui.transcript.paint import Painter, lines_near
from twocans.gui.transcript.rows import Row, Rows
from twocans.gui.transcript.runs import RunPainter
from twocans.gui.transcript.selection import Selection
from twocans.gui.transcript.sprites import Sprites
from twocans.gui.transcript.store import Store
from twocans.gui.transcript.style import Fonts, Palette, font_pixels, metrics
from twocans.gui.transcript.thumbnails import Thumbnails
from twocans.gui.transcript.tip import Tip
from twocans.gui.transcript.viewport import Box, Place, Placed, Viewport


class View:
    """What the canvas shows.

    Args:
        now: the time in Unix seconds, for `Today`.
        on_arranged: called whenever rows have been placed anew.
        on_newest: called when the newest message is wanted, and it is not among those that are here.
    """

    def __init__(
        self,
        canvas: tk.Canvas,
        *,
        palette: Palette,
        fonts: Fonts,
        now: Callable[[], float],
        on_arranged: Callable[[], None],
        on_newest: Callable[[], None],
    ) -> None:
        self.canvas = canvas
        self.store = Store()
        self.selection = Selection(self.store.index_of)
        self.viewport = Viewport(self._measure)
        self.unread_from: str | None = None
        self.ahead = False
        self.found: Words = ()
        self.found_key: str | None = None
        self.unread = 0
        self._empty_text = ""
        self._now = now
        self._on_arranged = on_arranged
        self._on_newest = on_newest
        self._centre: str | None = None
        self._top: str | None = None
        self._art = Sprites(canvas)
        self._thumbnails = Thumbnails(
            canvas, on_ready=self._picture_ready, on_damaged=lambda _: self._picture_damaged()
        )
        self._pointed: tuple[str, Spot] | None = None
        self._keyed: tuple[str, Spot] | None = None
        self._drawn: dict[str, CanvasRow] = {}
        self._size = (1, 1)
        self._estimated_for = 1
        self._scroll_by = 0
        self._scheduled: str | None = None
        self._holders: list[int] = []
        self._apply_style(palette, fonts)

    # --- content ---------------------------------------------------------------------------------------

    def set(self, bubbles: Sequence[Bubble], place: ViewState) -> None:
        """Replaces all messages and goes to a place."""
        self.store.set(bubbles)
        self.selection.clear()
        self._scroll_by = 0
        self._centre = None
        self._rows.clear()
        self._estimate()
        index = None if place.key is None else self.store.index_of(place.key)
        self.viewport.place = None if index is None else Place(index, place.fraction, place.offset)
        self.schedule()

    def append(self, bubbles: Sequence[Bubble], *, follow: bool, hold: bool) -> None:
        """Adds newer messages; goes to the end if `follow`, even from elsewhere; stays at the place if `hold`."""
        self._flush_scroll()
        if hold:
            self.viewport.hold()
        added = self.store.append(bubbles)
        self.viewport.heights.append(self._rows.estimates(added))
        if follow:
            self.viewport.place = None
        self.schedule()

    def prepend(self, bubbles: Sequence[Bubble]) -> None:
        """Adds older messages; what is on screen stays where it is."""
        self._flush_scroll()
        added = self.store.prepend(bubbles)
        self.viewport.heights.prepend(self._rows.estimates(added))
        self.viewport.shift(len(added))
        self.schedule()

    def replace(self, key: str, bubble: Bubble) -> None:
        """Shows a message in another way."""
        if self.store.replace(key, bubble) is None:
            return
        if key != bubble.key:
            self.selection.rename(key, bubble.key)
            self._pointed, self._keyed = (
                (bubble.key, one[1]) if one is not None and one[0] == key else one
                for one in (self._pointed, self._keyed)
            )
            if self.unread_from == key:
                self.unread_from = bubble.key
        self.schedule()

    def set_empty_text(self, text: str) -> None:
        """The hint when there are no messages."""
        self._empty_text = text
        self.schedule()

    def restyle(self, palette: Palette, fonts: Fonts) -> None:
        """Takes on other colours and fonts, at the same place."""
        self._flush_scroll()
        self._forget_drawn()
        self._overlay.close()
        self.tip.hide()
        self._art.clear()
        self._apply_style(palette, fonts)
        self._estimate()
        self.refresh()

    def days_changed(self) -> None:
        """The day or the time zone is another one: times are drawn anew, and lines between days move."""
        self._flush_scroll()
        self._forget_drawn()
        self._rows.clear()
        self._estimate()
        self.schedule()

    # --- place -----------------------------------------------------------------------------------------

    def state(self) -> ViewState:
        """The place in view."""
        self._flush_scroll()
        self._go_to_top()
        place = self.viewport.place
        if place is None or not len(self.store):
            return ViewState()
        return ViewState(self.store[place.index].key, place.fraction, place.offset)

    def scroll(self, pixels: int) -> None:
        """Moves the view; many small moves at once cost as much as one."""
        self._scroll_by += pixels
        self._overlay.scrolled()
        self.schedule()

    def scroll_to(self, move: Callable[[], None]) -> None:
        """Moves the view by one of the viewport's methods."""
        self._flush_scroll()
        self._overlay.scrolled()
        if self._size[0] > 1:
            move()
        self.schedule()

    def jump(self) -> None:
        """Goes to the newest message."""
        if self.ahead:
            self._on_newest()
        else:
            self.scroll_to(self.viewport.to_bottom)

    def reveal(self, key: str) -> None:
        """Shows a message in the middle of the view."""
        self._flush_scroll()
        self._centre = key
        self.schedule()

    def reveal_on_top(self, key: str) -> None:
        """Shows a message at the top of the view, or the end if everything from there on fits."""
        self._flush_scroll()
        self._top = key
        self.schedule()

    def mark(self, words: Words, key: str | None) -> None:
        """Marks what a search has found: its words in all messages, and the one message that was chosen."""
        if (words, key) != (self.found, self.found_key):
            self.found, self.found_key = words, key
            self.schedule()

    def point(self, at: tuple[str, Spot] | None) -> None:
        """The pointer is on something that a file offers: the message's key, and what it is."""
        if at != self._pointed:
            self._pointed = at
            self.schedule()

    def choose(self, at: tuple[str, Spot] | None) -> None:
        """Enter would do something that a file offers: the message's key, and what it is."""
        if at != self._keyed:
            self._keyed = at
            self.schedule()

    @property
    def at_bottom(self) -> bool:
        """Whether the view follows the newest message."""
        return self.viewport.place is None

    @property
    def line_height(self) -> int:
        """The height of a line of text, in pixels."""
        return self._metrics.line

    # --- drawing ---------------------------------------------------------------------------------------

    def schedule(self) -> None:
        """Draws soon: once, however many changes there are until then."""
        if self._scheduled is None:
            self._scheduled = self.canvas.after_idle(self.refresh)

    def resize(self, width: int, height: int) -> None:
        """The canvas has another size."""
        self._flush_scroll()
        if width != self._size[0]:
            self._forget_drawn()
            self._rows.set_width(width)
        self._size = (width, height)
        self.viewport.height = height
        self.schedule()

    def estimate_again(self) -> None:
        """Guesses the heights of all rows for the width as it is now, if it has changed since the last time."""
        if self._estimated_for != self._size[0]:
            self._estimate()
            self.schedule()

    def close(self) -> None:
        """Cancels what was to be drawn."""
        if self._scheduled is not None:
            self.canvas.after_cancel(self._scheduled)
            self._scheduled = None
        self._overlay.cancel()
        self.tip.cancel()
        self._thumbnails.close()

    def refresh(self) -> None:
        """Draws what has changed."""
        if self._scheduled is not None:
            self.canvas.after_cancel(self._scheduled)
            self._scheduled = None
        width, height = self._size
        if width <= 1 or height <= 1:
            return
        self._flush_scroll()
        self._go_to_top()
        self._go_to_centre()
        self.viewport.arrange()
        self._sync(self.viewport.rows)
        self._show_overlay()
        self._on_arranged()

    def _go_to_centre(self) -> None:
        key, self._centre = self._centre, None
        index = None if key is None else self.store.index_of(key)
        if index is not None:
            self.viewport.centre(index)

    def _go_to_top(self) -> None:
        index = None if self._top is None else self.store.index_of(self._top)
        if self._size[0] > 1:
            self._top = None
            if index is not None:
                self.viewport.to_row(index)

    def _sync(self, placed: list[Placed]) -> None:
        wanted: dict[str, tuple[Placed, Row, tuple[int, int], Marks]] = {}
        for one in placed:
            row = self.row(one.index)
            lines = lines_near(row, one.body_top, self._size[1], self._metrics)
            wanted[row.bubble.key] = (one, row, lines, self._marks(row))
        self._thumbnails.on_screen(
            file.picture
            for _, row, _, _ in wanted.values()
            if (file := row.bubble.file) is not None and file.picture is not None
        )
        for key, drawn in list(self._drawn.items()):
            kept = wanted.get(key)
            if kept is None or kept[1] is not drawn.row or kept[2] != drawn.lines or kept[3] != drawn.marks:
                self.canvas.delete(*drawn.items)
                del self._drawn[key]
        moved = self._move({key: wanted[key][0].top for key in self._drawn})
        fresh = False
        for key, (one, row, lines, marks) in wanted.items():
            if key not in self._drawn:
                fresh = True
                # A bar that moves on elsewhere is no reason to take the tip away.
                moved = moved or key == self.tip.about
                self._drawn[key] = self._painter.draw(
                    row,
                    top=one.top,
                    width=self._size[0],
                    lines=lines,
                    marks=marks,
                    pill_height=self._rows.pill_height,
                )
        if fresh or moved:
            self._overlay.raise_()
            self.tip.raise_()
        if moved:
            self.tip.hide()

    def _move(self, tops: dict[str, int]) -> bool:
        """Moves drawn rows: all by what most of them have to move, then the others. Says whether one had to."""
        if not tops:
            return False
        moves = Counter(tops[key] - drawn.top for key, drawn in self._drawn.items())
        most = moves.most_common(1)[0][0]
        if most:
            self.canvas.move(ROW_TAG, 0, most)
        for key, drawn in self._drawn.items():
            rest = tops[key] - drawn.top - most
            if rest:
                for item in drawn.items:
                    self.canvas.move(item, 0, rest)
            drawn.top = tops[key]
        return len(moves) > 1 or most != 0

    def _show_overlay(self) -> None:
        width, height = self._size
        rows = self.viewport.rows
        self._overlay.show_empty("" if rows else self._empty_text, width, height)
        day, day_y = self._sticky_day(rows)
        self._overlay.show_day(day, day_y, width, self._rows.pill_height)
        far = bool(rows) and (
            rows[-1].index < len(self.store) - 1 or rows[-1].bottom - height > 2 * self._metrics.line
        )
        self._overlay.show_jump(
            shown=self.ahead or (not self.at_bottom and (far or self.unread > 0)),
            count=self.unread,
            width=width,
            height=height,
        )

    def _sticky_day(self, rows: list[Placed]) -> tuple[str, int]:
        """The day of the topmost message, and where its pill goes; no day if the row shows its own there."""
        gap = self._metrics.ems(0.4)
        if not rows:
            return "", gap
        y = gap
        for placed in rows:
            row = self.row(placed.index)
            if row.context.day:
                pill = placed.top + row.day_y
                if placed is rows[0]:
                    if pill + self._rows.pill_height > 0:
                        return "", y
                else:
                    y = min(gap, pill - self._rows.pill_height - gap)
                    break
        bubble = self.store[rows[0].index]
        return day_label(local_day(bubble.at_ms), self.today()), y

    def today(self) -> date:
        """The local day now."""
        return local_day(int(self._now() * 1000))

    def _marks(self, row: Row) -> Marks:
        """What is marked in a row, as positions in what is shown."""
        text = row.text.shown
        span = self.selection.span(row.bubble)
        return Marks(
            span=None if span is None else (text.from_message(span[0]), text.from_message(span[1])),
            found=tuple(
                (text.from_message(start), text.from_message(end))
                for start, end in spans(row.bubble.text, self.found)
            ),
            chosen=row.bubble.key == self.found_key,
            pointed=_of(row, self._pointed),
            keyed=_of(row, self._keyed),
        )

    def _picture_ready(self, path: str) -> None:
        """A picture has come that rows on screen have left room for."""
        for key, drawn in list(self._drawn.items()):
            if drawn.awaits == path:
                self.canvas.delete(*drawn.items)
                del self._drawn[key]
        self.schedule()

    def _picture_damaged(self) -> None:
        """There is none where room was left for one."""
        for drawn in self._drawn.values():
            if drawn.awaits:
                self._rows.forget(drawn.row.bubble.key)
        self.schedule()

    def _forget_drawn(self) -> None:
        self.canvas.delete(ROW_TAG)
        self._drawn.clear()

    def _flush_scroll(self) -> None:
        if self._scroll_by:
            pixels, self._scroll_by = self._scroll_by, 0
            self.viewport.scroll(pixels)

    # --- measuring -------------------------------------------------------------------------------------

    def row(self, index: int) -> Row:
        """The row of a message, laid out."""
        bubble = self.store[index]
        return self._rows.row(
            bubble,
            self.store[index - 1] if index > 0 else None,
            self.store[index + 1] if index + 1 < len(self.store) else None,
            divider=bubble.key == self.unread_from,
        )

    def overlay_at(self, x: int, y: int) -> bool:
        """Whether the button to the newest message is there."""
        return self._overlay.jump_at(x, y)

    def hit(self, x: int, y: int) -> Hit | None:
        """What is at a point of the canvas; None if there are no messages."""
        rows = self.viewport.rows
        if not rows:
            return None
        placed = next((row for row in rows if y < row.bottom), rows[-1])
        return hit_row(self.row(placed.index), placed, x, y, self._metrics)

    def show_tip(self, key: str, link: Link, line_at: int | None = None) -> None:
        """Shows where a link of a message leads, at the line of it that is at this height, or else at its first."""
        placed = next((one for one in self.viewport.rows if self.store[one.index].key == key), None)
        if placed is None:
            return
        row, m = self.row(placed.index), self._metrics
        x, y = row.x + row.text_x, placed.body_top + row.text_y
        number = row.text.line_of(link.start) if line_at is None else (line_at - y) // m.line
        number = max(0, min(number, len(row.text.lines) - 1))
        spans_ = row.text.spans(number, link.start, link.end)
        x += row.text.line_x(number, row.text_width) + (spans_[0][0] if spans_ else 0)
        y += number * m.line
        self.tip.show(key, destination(link.target), x, y, y + m.line)

    def show_name(self, key: str) -> None:
        """Shows the whole name of a file beside the part of it that is written."""
        placed = next((one for one in self.viewport.rows if self.store[one.index].key == key), None)
        if placed is None:
            return
        row = self.row(placed.index)
        if row.card is not None and row.bubble.file is not None and row.card.elided:
            y = placed.body_top + row.text_y
            name = shown(row.bubble.file.name, astral=draws_astral(self.canvas)).text
            self.tip.say(key, name, row.x + row.text_x, y, y + self._metrics.line)

    def spots(self, bubble: Bubble) -> tuple[Spot, ...]:
        """What the file of a message offers."""
        index = self.store.index_of(bubble.key)
        card = None if index is None else self.row(index).card
        return () if card is None else card.spots

    def links(self, bubble: Bubble) -> tuple[Link, ...]:
        """The links of a message, with positions in what is shown."""
        index = self.store.index_of(bubble.key)
        return () if index is None else self.row(index).text.links

    def _measure(self, index: int) -> Box:
        return self.row(index).box

    def _estimate(self) -> None:
        self._estimated_for = self._size[0]
        self.viewport.set_heights(self._rows.estimates(self.store.all))

    def _apply_style(self, palette: Palette, fonts: Fonts) -> None:
        canvas = self.canvas
        self._metrics = metrics(canvas, fonts)
        self.viewport.padding = self._metrics.ems(0.7)
        texts = RunPainter(canvas, fonts.text, self._metrics.em)
        small = RunPainter(canvas, fonts.small, round(font_pixels(canvas, fonts.small.actual()["size"])))
        # Tk loads a font anew for every measurement, at a millisecond each, unless something uses it.
        canvas.delete(*self._holders)
        self._holders = [
            canvas.create_text(0, 0, font=font, state="hidden")
            for font in (fonts.text, fonts.small, fonts.label)
        ]
        self._rows = Rows(
            self._metrics,
            texts.ruler,
            small.ruler,
            today=self.today,
            astral=draws_astral(canvas),
            picture_size=self._thumbnails.size,
        )
        self._rows.set_width(self._size[0])
        self._painter = Painter(
            canvas,
            self._art,
            palette=palette,
            fonts=fonts,
            texts=texts,
            small=small,
            metrics=self._metrics,
            thumbnails=self._thumbnails,
        )
        self._overlay = Overlay(
            canvas,
            self._art,
            self._painter,
            palette=palette,
            fonts=fonts,
            metrics=self._metrics,
            on_jump=self.jump,
        )
        self.tip = Tip(canvas, self._art, palette=palette, fonts=fonts, metrics=self._metrics)


def _of(row: Row, at: tuple[str, Spot] | None) -> Spot | None:
    """What stands out among what the file of a row offers, if it still does."""
    if at is None or row.card is None or at[0] != row.bubble.key or at[1] not in row.card.spots:
        return None
    return at[1]
