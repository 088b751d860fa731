"""What is at a point of a row: the nearest character, a link, what a file offers, the offer to try again."""

from __future__ import annotations

from dataclasses import dataclass

from twocans.gui.transcript.cards import Spot
from twocans.gui.transcript.links import Link
from twocans.gui.transcript.model import Bubble
from twocans.gui.transcript.rows import NOTE_GAP, Metrics, Row
from twocans.gui.transcript.viewport import Placed


@dataclass(frozen=True, slots=True)
class Hit:
    """What is at a point: the nearest message and the nearest position in it, and what is exactly there."""

    bubble: Bubble
    index: int
    in_bubble: bool
    link: Link | None
    retry: bool
    spot: Spot | None = None
    elided: bool = False  # a file's name of which a part is left out


def hit_row(row: Row, placed: Placed, x: int, y: int, metrics: Metrics) -> Hit:
    """What is at a point of the view that is nearest to `row`."""
    text = row.text
    text_x = x - row.x - row.text_x
    number = (y - placed.body_top - row.text_y) // metrics.line
    link: Link | None = None
    if number < 0:
        index = 0
    elif number >= len(text.lines):
        index = len(text.shown.text)
    else:
        line_x = text_x - text.line_x(number, row.text_width)
        index = text.index_at(number, line_x)
        link = text.link_at(number, line_x)
    card = row.card
    return Hit(
        bubble=row.bubble,
        index=text.shown.to_message(index),
        in_bubble=placed.body_top <= y < placed.body_bottom and row.x <= x < row.x + row.width,
        link=link,
        retry=_is_retry(row, placed, x, y, metrics),
        spot=None if card is None else card.spot_at(x - row.x, y - placed.body_top),
        elided=card is not None and card.elided and number == 0 and 0 <= text_x < text.width,
    )


def _is_retry(row: Row, placed: Placed, x: int, y: int, metrics: Metrics) -> bool:
    if row.note is None or y < placed.body_bottom:
        return False
    number = (y - placed.body_bottom - metrics.ems(NOTE_GAP)) // metrics.small_line
    if not 0 <= number < len(row.note.lines):
        return False
    left = row.note_x(row.note.lines[number].width, metrics)
    return row.note.link_at(number, x - left) is not None
