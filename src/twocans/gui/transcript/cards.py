"""Lays out the card of a file within its bubble: picture, sign, name, detail, bar and buttons. In pixels, no Tk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from twocans.gui.transcript.glyphs import Shown, next_boundary, previous_boundary, shown
from twocans.gui.transcript.layout import TextLayout, lay_out
from twocans.gui.transcript.model import FileAction, FileCard
from twocans.gui.transcript.ruler import Ruler

if TYPE_CHECKING:
    from twocans.gui.transcript.rows import Metrics

WIDTH: Final = 20.0
"""Of what is in a card without a picture, in em; likewise the others."""
PICTURE_WIDTH: Final = 22.0
PICTURE_HEIGHT: Final = 16.5
SMALLEST: Final = 3.0
"""A smaller picture stands in a box of this side, so that it can be clicked."""
INSET: Final = 0.35
"""Between a bubble's edge and the picture."""
PAD_X: Final = 0.8
PAD_Y: Final = 0.55
ICON: Final = 2.5
BAR: Final = 0.3
BUTTON_PAD: Final = 0.6

_MAX_NAME_CHARS: Final = 255
_MAX_SUFFIX_CHARS: Final = 12
_TAIL_CHARS: Final = 5  # before the suffix
_MAX_DETAIL_CHARS: Final = 300

PictureSize: TypeAlias = Callable[[str], tuple[int, int] | None]
"""Width and height of the picture at a path, in pixels; None if it cannot be shown."""


class Thumbnail(Enum):
    """The picture of a card, as something to be clicked."""

    PICTURE = "picture"


Spot: TypeAlias = FileAction | Thumbnail
"""What can be clicked on a card."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a bubble, from its top left corner."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether a point is in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass(slots=True)
class CardLayout:
    """Where everything on a card is; the name is laid out as the row's text, at `name_x` and `name_y`."""

    name: TextLayout
    name_x: int
    name_y: int
    name_width: int
    elided: bool
    width: int
    height: int
    picture: Area | None
    icon: Area | None
    detail: TextLayout
    detail_y: int
    bar: Area | None
    buttons: tuple[tuple[FileAction, Area], ...]
    time_x: int
    time_y: int

    @property
    def spots(self) -> tuple[Spot, ...]:
        """What can be clicked, in order."""
        picture: tuple[Spot, ...] = () if self.picture is None else (Thumbnail.PICTURE,)
        return (*picture, *(action for action, _ in self.buttons))

    def area(self, spot: Spot) -> Area | None:
        """Where something that can be clicked is."""
        if isinstance(spot, Thumbnail):
            return self.picture
        return next((area for action, area in self.buttons if action is spot), None)

    def spot_at(self, x: int, y: int) -> Spot | None:
        """What can be clicked at a point of the bubble."""
        for spot in self.spots:
            area = self.area(spot)
            if area is not None and area.holds(x, y):
                return spot
        return None


def lay_out_card(
    card: FileCard,
    *,
    column: int,
    metrics: Metrics,
    text: Ruler,
    small: Ruler,
    picture_size: PictureSize,
    time_width: int,
    astral: bool,
) -> CardLayout:
    """The card in a column of so many pixels, with room for the time."""
    m = metrics
    pad_x, pad_y, gap = m.ems(PAD_X), m.ems(PAD_Y), m.ems(0.65)
    inner = min(column, m.ems(WIDTH))
    picture = _picture(card, column + 2 * (pad_x - m.ems(INSET)), m, picture_size)
    if picture is not None:
        inner = max(min(inner, m.ems(14)), picture.width + 2 * (m.ems(INSET) - pad_x))
        picture = Area((inner + 2 * pad_x - picture.width) // 2, picture.y, picture.width, picture.height)
    top = pad_y if picture is None else picture.y + picture.height + m.ems(0.4)
    icon = None if picture is not None else Area(pad_x, top, m.ems(ICON), m.ems(ICON))
    left = pad_x if icon is None else icon.x + icon.width + gap
    room = max(1, pad_x + inner - left)
    full = shown(card.name[:_MAX_NAME_CHARS].replace("\n", " "), astral=astral)
    fitted = elided(full, room, text)
    detail_text = " ".join(card.detail[:_MAX_DETAIL_CHARS].split())
    detail = lay_out(shown(detail_text, astral=astral), (), room, small)
    detail_y = top + m.line
    y = detail_y + len(detail.lines) * m.small_line
    bar = None
    if card.fraction is not None:
        bar = Area(left, y + m.ems(0.35), room, m.ems(BAR))
        y = bar.y + bar.height
    if icon is not None:
        y = max(y, icon.y + icon.height)
    buttons, buttons_bottom, end = _buttons(card.actions, pad_x, y + m.ems(0.5), inner, m, small)
    y = buttons_bottom if buttons else y
    right = pad_x + inner
    if buttons and end + m.ems(0.8) + time_width <= right:
        time_y = y - (buttons[-1][1].height + m.small_line) // 2
    elif (
        not buttons
        and bar is None
        and y <= detail_y + len(detail.lines) * m.small_line + m.ems(0.2)
        and left + detail.lines[-1].width + m.ems(0.8) + time_width <= right
        and not detail.is_rtl(len(detail.lines) - 1)
    ):
        time_y = detail_y + (len(detail.lines) - 1) * m.small_line
    else:
        time_y = y + m.ems(0.15)
        y = time_y + m.small_line - m.ems(0.2)
    return CardLayout(
        name=lay_out(fitted, (), max(room, text.width(fitted.text, keep=False)), text),
        name_x=left,
        name_y=top,
        name_width=room,
        elided=fitted is not full,
        width=inner + 2 * pad_x,
        height=y + pad_y,
        picture=picture,
        icon=icon,
        detail=detail,
        detail_y=detail_y,
        bar=bar,
        buttons=buttons,
        time_x=right - time_width,
        time_y=time_y,
    )


def elided(full: Shown, width: int, ruler: Ruler) -> Shown:
    """As much of a name as fits into `width` pixels: its end stays, which says what kind of file it is."""
    text = full.text
    if ruler.width(text, keep=False) <= width:
        return full
    stem, dot, suffix = text.rpartition(".")
    if not dot or not stem or len(suffix) > _MAX_SUFFIX_CHARS:
        stem = text
    tail = previous_boundary(text, max(0, len(stem) - _TAIL_CHARS))
    while tail < len(text) and ruler.width("…" + text[tail:], keep=False) > width:
        tail = next_boundary(text, tail)
    low, high = 0, tail
    while low < high:
        middle = (low + high + 1) // 2
        if ruler.width(text[:middle] + "…" + text[tail:], keep=False) <= width:
            low = middle
        else:
            high = middle - 1
    head = previous_boundary(text, low)
    origin = full.origin or tuple(range(len(text) + 1))
    return Shown(f"{text[:head]}…{text[tail:]}", (*origin[:head], origin[head], *origin[tail:]))


def _picture(card: FileCard, room: int, m: Metrics, picture_size: PictureSize) -> Area | None:
    size = None if card.picture is None else picture_size(card.picture)
    if size is None:
        return None
    widest, highest = min(room, m.ems(PICTURE_WIDTH)), m.ems(PICTURE_HEIGHT)
    factor = min(1.0, widest / max(1, size[0]), highest / max(1, size[1]))
    least = min(widest, m.ems(SMALLEST))
    width = min(widest, max(least, round(size[0] * factor)))
    height = max(least, round(size[1] * factor))
    return Area(0, m.ems(INSET), width, height)


def _buttons(
    actions: tuple[FileAction, ...], left: int, top: int, room: int, m: Metrics, small: Ruler
) -> tuple[tuple[tuple[FileAction, Area], ...], int, int]:
    """The buttons in lines, where they end, and where the last line does."""
    height, gap = m.small_line + m.ems(0.4), m.ems(0.35)
    x, y = left, top
    placed: list[tuple[FileAction, Area]] = []
    for action in actions:
        width = small.width(action.value) + 2 * m.ems(BUTTON_PAD)
        if x > left and x + width > left + room:
            x, y = left, y + height + gap
        placed.append((action, Area(x, y, width, height)))
        x += width + gap
    return tuple(placed), y + height, x - gap
