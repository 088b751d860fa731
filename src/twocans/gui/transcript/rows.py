"""Lays out one row of the transcript: a bubble, what stands above it, and the note below it. In pixels, no Tk.

What is in the bubble of a file is laid out by `cards`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from twocans.gui.transcript.cards import CardLayout, PictureSize, lay_out_card
from twocans.gui.transcript.dates import clock_time, day_label, local_day
from twocans.gui.transcript.glyphs import shown
from twocans.gui.transcript.layout import TextLayout, lay_out
from twocans.gui.transcript.links import Link, find_links
from twocans.gui.transcript.model import Bubble, FileCard, Status
from twocans.gui.transcript.ruler import Ruler
from twocans.gui.transcript.viewport import Box

GROUP_MS: Final = 5 * 60_000
"""Messages of one sender that follow within this time stand close together."""
MAX_KEPT_ROWS: Final = 1024
MAX_KEPT_LINES: Final = 65_536
PAD_X: Final = 0.8
"""Between a bubble's edge and its text, in em; likewise the others."""
PAD_Y: Final = 0.45
MARGIN: Final = 0.75
NOTE_GAP: Final = 0.15
NOTE_INSET: Final = 0.3
MARK_WIDTH: Final = 1.15
RETRY: Final = "Try again"
RETRY_TARGET: Final = "retry"
DIVIDER: Final = "New messages"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Sizes in pixels. `em` is the text's font size; `line` and `small_line` are the heights of a line."""

    em: int
    line: int
    small_line: int

    def ems(self, number: float) -> int:
        """That many em, rounded, at least one pixel."""
        return max(1, round(self.em * number))


@dataclass(frozen=True, slots=True)
class Context:
    """What a row's shape depends on beside its own message."""

    day: str  # of the pill above, if any
    divider: bool
    first: bool  # in its group
    last: bool


@dataclass(slots=True)
class Row:
    """A row; `y` positions of what is above the bubble are from the row's top, others from the bubble's.

    The text of a file is its name; `card` has all the rest of it.
    """

    bubble: Bubble
    context: Context
    box: Box
    x: int
    width: int
    text: TextLayout
    text_x: int  # from the bubble's left edge
    text_y: int
    text_width: int
    time: str
    time_x: int
    time_y: int
    day_y: int
    divider_y: int
    sender_y: int
    note: TextLayout | None
    card: CardLayout | None = None

    def note_x(self, width: int, metrics: Metrics) -> int:
        """Where a line of the note starts: at the bubble's outer edge."""
        inset = metrics.ems(NOTE_INSET)
        return self.x + self.width - inset - width if self.bubble.own else self.x + inset


@dataclass(frozen=True, slots=True)
class _Body:
    """What is in a bubble, in pixels from its top left corner."""

    text: TextLayout
    text_x: int
    text_y: int
    text_width: int
    width: int
    height: int
    time_x: int
    time_y: int
    card: CardLayout | None = None


class Rows:
    """Lays rows out and keeps those used last.

    Args:
        today: the local day now.
        astral: whether Tk can draw emoji.
        picture_size: how large the picture of a file is.
    """

    def __init__(
        self,
        metrics: Metrics,
        text: Ruler,
        small: Ruler,
        *,
        today: Callable[[], date],
        astral: bool,
        picture_size: PictureSize,
    ) -> None:
        self.metrics = metrics
        self._text = text
        self._small = small
        self._today = today
        self._astral = astral
        self._picture_size = picture_size
        self._width = 1
        self._kept: OrderedDict[str, Row] = OrderedDict()
        self._kept_lines = 0
        self._mark_width = metrics.ems(MARK_WIDTH)

    def set_width(self, width: int) -> None:
        """Everything is laid out for another width, in pixels, as it is asked for."""
        if width != self._width:
            self._width = width
            self.clear()

    def clear(self) -> None:
        """Forgets all rows."""
        self._kept.clear()
        self._kept_lines = 0

    def forget(self, key: str) -> None:
        """Lays the row of a message out anew when it is asked for."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._kept_lines -= len(kept.text.lines)

    @property
    def column(self) -> int:
        """The greatest width of a message's text, in pixels."""
        m = self.metrics
        room = self._width - 2 * m.ems(MARGIN)
        widest = min(m.ems(36), round(room * 0.75) if room > m.ems(24) else room - m.ems(2))
        return max(m.ems(4), widest - 2 * m.ems(PAD_X))

    def estimates(self, bubbles: Iterable[Bubble]) -> list[int]:
        """The heights of rows in pixels, guessed from the lengths of their texts."""
        m = self.metrics
        per_line = max(1, self.column * 2 // m.em)
        line, one_line = m.line, m.line + 2 * m.ems(PAD_Y) + m.ems(0.4)
        card = one_line + m.small_line + m.ems(2)
        picture = m.ems(12)
        return [
            one_line + (len(bubble.text) // per_line + bubble.text.count("\n")) * line
            if bubble.file is None
            else card + (picture if bubble.file.picture is not None else 0)
            for bubble in bubbles
        ]

    def row(self, bubble: Bubble, previous: Bubble | None, following: Bubble | None, *, divider: bool) -> Row:
        """The row of `bubble` between its neighbours; `divider` tells that unread messages begin here."""
        day = local_day(bubble.at_ms)
        new_day = previous is None or local_day(previous.at_ms) != day
        context = Context(
            day=day_label(day, self._today()) if new_day else "",
            divider=divider,
            first=new_day or divider or previous is None or not _together(previous, bubble),
            last=following is None or not _together(bubble, following) or local_day(following.at_ms) != day,
        )
        kept = self._kept.get(bubble.key)
        if kept is not None:
            self._kept.move_to_end(bubble.key)
            if kept.bubble == bubble and kept.context == context:
                return kept
        same_text = kept is not None and kept.card is None and kept.bubble.text == bubble.text
        row = self._compose(bubble, context, kept.text if kept is not None and same_text else None)
        self._keep(row)
        return row

    def _lay_out(self, message: str) -> TextLayout:
        return lay_out(shown(message, astral=self._astral), find_links(message), self.column, self._text)

    def _compose(self, bubble: Bubble, context: Context, text: TextLayout | None) -> Row:
        m = self.metrics
        y = m.ems(0.7) if context.first else m.ems(0.16)
        day_y = divider_y = sender_y = 0
        if context.day:
            day_y = y = m.ems(0.8)
            y += self.pill_height + m.ems(0.7)
        if context.divider:
            divider_y = y
            y += self.pill_height + m.ems(0.5)
        if context.first and bubble.sender:
            sender_y = y
            y += m.small_line + m.ems(0.15)

        time = clock_time(bubble.at_ms)
        time_width = self._small.width(time)
        if bubble.status is not Status.NONE:
            time_width += m.ems(0.25) + self._mark_width
        body = (
            self._card(bubble.file, time_width)
            if bubble.file is not None
            else self._text_body(text or self._lay_out(bubble.text), time_width)
        )
        margin = m.ems(MARGIN)
        note = self._note(bubble)
        return Row(
            bubble=bubble,
            context=context,
            box=Box(y, body.height, len(note.lines) * m.small_line + m.ems(0.25) if note else 0),
            x=self._width - margin - body.width if bubble.own else margin,
            width=body.width,
            text=body.text,
            text_x=body.text_x,
            text_y=body.text_y,
            text_width=body.text_width,
            time=time,
            time_x=body.time_x,
            time_y=body.time_y,
            day_y=day_y,
            divider_y=divider_y,
            sender_y=sender_y,
            note=note,
            card=body.card,
        )

    def _text_body(self, text: TextLayout, time_width: int) -> _Body:
        m = self.metrics
        pad_x, pad_y = m.ems(PAD_X), m.ems(PAD_Y)
        last = len(text.lines) - 1
        beside = text.lines[last].width + m.ems(0.8) + time_width
        inside = beside <= self.column and not text.is_rtl(last)
        text_width = max(text.width, beside if inside else time_width)
        height = len(text.lines) * m.line + 2 * pad_y
        if not inside:
            height += m.small_line - m.ems(0.1)
        width = text_width + 2 * pad_x
        return _Body(
            text=text,
            text_x=pad_x,
            text_y=pad_y,
            text_width=text_width,
            width=width,
            height=height,
            time_x=width - pad_x - time_width,
            time_y=height - pad_y - m.small_line + m.ems(0.12),
        )

    def _card(self, file: FileCard, time_width: int) -> _Body:
        card = lay_out_card(
            file,
            column=self.column,
            metrics=self.metrics,
            text=self._text,
            small=self._small,
            picture_size=self._picture_size,
            time_width=time_width,
            astral=self._astral,
        )
        return _Body(
            text=card.name,
            text_x=card.name_x,
            text_y=card.name_y,
            text_width=card.name_width,
            width=card.width,
            height=card.height,
            time_x=card.time_x,
            time_y=card.time_y,
            card=card,
        )

    @property
    def pill_height(self) -> int:
        """The height of a day's pill, in pixels."""
        return self.metrics.small_line + self.metrics.ems(0.4)

    def _note(self, bubble: Bubble) -> TextLayout | None:
        note = " ".join(bubble.note.split())
        links: tuple[Link, ...] = ()
        if bubble.status is Status.FAILED:
            note = f"{note or 'Not sent.'}  {RETRY}"
            links = (Link(len(note) - len(RETRY), len(note), RETRY_TARGET),)
        if not note:
            return None
        return lay_out(shown(note, astral=self._astral), links, self.column, self._small)

    def _keep(self, row: Row) -> None:
        replaced = self._kept.pop(row.bubble.key, None)
        if replaced is not None:
            self._kept_lines -= len(replaced.text.lines)
        self._kept[row.bubble.key] = row
        self._kept_lines += len(row.text.lines)
        while len(self._kept) > 1 and (len(self._kept) > MAX_KEPT_ROWS or self._kept_lines > MAX_KEPT_LINES):
            _, oldest = self._kept.popitem(last=False)
            self._kept_lines -= len(oldest.text.lines)


def _together(earlier: Bubble, later: Bubble) -> bool:
    return (
        earlier.own == later.own
        and earlier.sender == later.sender
        and not earlier.note
        and earlier.status is not Status.FAILED
        and 0 <= later.at_ms - earlier.at_ms < GROUP_MS
    )
