"""What lies over the rows: the day while scrolling, the button to the newest message, the hint if there is none."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from PIL import ImageTk

from twocans.gui.transcript.paint import Painter
from twocans.gui.transcript.rows import Metrics
from twocans.gui.transcript.sprites import Sprites
from twocans.gui.transcript.style import Fonts, Palette

DAY_STAYS_MS: Final = 1400
JUMP_TAG: Final = "jump"
_DAY_TAG: Final = "day"
_EMPTY_TAG: Final = "empty"
_MOST_COUNTED: Final = 99


class Overlay:
    """Keeps the items that do not move with the rows."""

    def __init__(
        self,
        canvas: tk.Canvas,
        art: Sprites,
        painter: Painter,
        *,
        palette: Palette,
        fonts: Fonts,
        metrics: Metrics,
        on_jump: Callable[[], None],
    ) -> None:
        self._canvas = canvas
        self._art = art
        self._painter = painter
        self._palette = palette
        self._fonts = fonts
        self._metrics = metrics
        self._pictures: dict[str, list[ImageTk.PhotoImage]] = {}
        self._day: tuple[str, int, int] | None = None
        self._jump: tuple[int, int, int] | None = None
        self._hide: str | None = None
        canvas.tag_bind(JUMP_TAG, "<Button-1>", lambda _event: on_jump())

    def close(self) -> None:
        """Takes everything off the canvas."""
        self.cancel()
        self._canvas.delete(_DAY_TAG, JUMP_TAG, _EMPTY_TAG)
        self._day = self._jump = None
        self._pictures.clear()

    def scrolled(self) -> None:
        """The view was scrolled by hand: the day is shown for a while."""
        self.cancel()
        self._hide = self._canvas.after(DAY_STAYS_MS, self._hide_day)

    def show_day(self, text: str, y: int, width: int, height: int) -> None:
        """Shows the day of the topmost message if the view was scrolled just now; nothing if `text` is empty."""
        if not text or self._hide is None:
            self._drop_day()
            return
        if self._day is not None and self._day[0] == text and self._day[2] == width:
            self._canvas.move(_DAY_TAG, 0, y - self._day[1])
        else:
            self._drop_day()
            *_items, picture = self._painter.day_pill(text, width // 2, y, height, _DAY_TAG)
            self._pictures[_DAY_TAG] = [picture]
        self._day = (text, y, width)

    def show_jump(self, *, shown: bool, count: int, width: int, height: int) -> None:
        """Shows the button at the lower right, with the number of new messages below, or takes it away."""
        wanted = (count, width, height) if shown else None
        if wanted == self._jump:
            return
        self._jump = wanted
        self._canvas.delete(JUMP_TAG)
        self._pictures.pop(JUMP_TAG, None)
        if not shown:
            return
        m, p = self._metrics, self._palette
        size = m.ems(2.4)
        x, y = width - size - m.ems(0.8), height - size - m.ems(0.8)
        disc = self._art.jump(size, p.other, p.pill, p.other_text)
        self._canvas.create_image(x, y, image=disc, anchor="nw", tags=JUMP_TAG)
        self._pictures[JUMP_TAG] = [disc]
        if count:
            text = str(count) if count <= _MOST_COUNTED else f"{_MOST_COUNTED}+"
            badge_height = m.small_line + m.ems(0.05)
            badge_width = max(badge_height, self._fonts.label.measure(text) + m.ems(0.7))
            badge = self._art.pill(badge_width, badge_height, p.accent)
            middle, top = x + size // 2, y - badge_height // 2
            self._canvas.create_image(middle - badge_width // 2, top, image=badge, anchor="nw", tags=JUMP_TAG)
            self._canvas.create_text(
                middle,
                top + badge_height // 2,
                text=text,
                font=self._fonts.label,
                fill=p.accent_text,
                tags=JUMP_TAG,
            )
            self._pictures[JUMP_TAG].append(badge)

    def jump_at(self, x: int, y: int) -> bool:
        """Whether the button is there."""
        if self._jump is None:
            return False
        left, top, right, bottom = self._canvas.bbox(JUMP_TAG)
        return left <= x < right and top <= y < bottom

    def show_empty(self, text: str, width: int, height: int) -> None:
        """Shows a hint in the middle; none if `text` is empty."""
        self._canvas.delete(_EMPTY_TAG)
        if text:
            self._canvas.create_text(
                width // 2,
                height // 2,
                text=text,
                width=max(1, min(width - 2 * self._metrics.ems(1.5), self._metrics.ems(28))),
                justify="center",
                font=self._fonts.text,
                fill=self._palette.muted,
                tags=_EMPTY_TAG,
            )

    def raise_(self) -> None:
        """Puts everything over the rows drawn since."""
        self._canvas.tag_raise(_DAY_TAG)
        self._canvas.tag_raise(JUMP_TAG)

    def _hide_day(self) -> None:
        self._hide = None
        self._drop_day()

    def _drop_day(self) -> None:
        if self._day is not None:
            self._canvas.delete(_DAY_TAG)
            self._pictures.pop(_DAY_TAG, None)
            self._day = None

    def cancel(self) -> None:
        """Cancels what was to happen later."""
        if self._hide is not None:
            self._canvas.after_cancel(self._hide)
            self._hide = None
