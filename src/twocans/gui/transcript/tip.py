"""The tip that says where a link leads, beside the link: scheme and host stand out, the rest is small. Or a whole name."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter.font import Font
from typing import Final

from PIL import ImageTk

from twocans.gui.platform.last_input import last_input
from twocans.gui.transcript.destination import Destination
from twocans.gui.transcript.rows import Metrics
from twocans.gui.transcript.sprites import Sprites
from twocans.gui.transcript.style import Fonts, Palette

TIP_TAG: Final = "tip"
RESTS_MS: Final = 450
"""How long the pointer rests on a link before the tip comes."""
SHOWN_MS: Final = 8000
"""How long it stays then; a host is read letter by letter."""
_WIDEST: Final = 30  # em
_PAD: Final = 0.6
_GAP: Final = 0.25


class Tip:
    """Draws the tip over the rows, one at a time."""

    def __init__(
        self, canvas: tk.Canvas, art: Sprites, *, palette: Palette, fonts: Fonts, metrics: Metrics
    ) -> None:
        self._canvas = canvas
        self._art = art
        self._palette = palette
        self._fonts = fonts
        self._metrics = metrics
        self._plate: ImageTk.PhotoImage | None = None
        self.about = ""
        """The key of the message beside which it is; "" if it is not shown."""
        self._timer: str | None = None

    def rest(self, show: Callable[[], None]) -> None:
        """Call `show` when the pointer has rested; what it shows goes after a while."""
        self.hide()
        watch = last_input(self._canvas)
        watch.until_next(self.hide)

        def rested() -> None:
            self._timer = None
            if watch.is_in_front(self._canvas):
                show()
                self._timer = self._canvas.after(SHOWN_MS, self.hide)

        self._timer = self._canvas.after(RESTS_MS, rested)

    def show(self, key: str, where: Destination, x: int, top: int, bottom: int) -> None:
        """Show it for a line of a link: at `x`, below its `bottom`, or above its `top` where there is no room."""
        m, p = self._metrics, self._palette
        room = self._room
        label, small = self._fonts.label, self._fonts.small
        start = small.measure(where.scheme)
        hosts = wrapped(where.host, label, room, start)
        rest = _elided(where.rest, small, room) if where.rest not in {"", "/"} else ""
        line = max(label.metrics("linespace"), m.small_line)
        inner = max(
            start + label.measure(hosts[0]), *(label.measure(host) for host in hosts), small.measure(rest)
        )
        left, y = self._place(key, (inner, line * (len(hosts) + bool(rest))), x, top, bottom)
        drop = label.metrics("ascent") - small.metrics("ascent")
        self._write(left, y + drop, where.scheme, small, p.tip_muted)
        for number, host in enumerate(hosts):
            self._write(left if number else left + start, y, host, label, p.tip_text)
            y += line
        if rest:
            self._write(left, y, rest, small, p.tip_muted)

    def say(self, key: str, text: str, x: int, top: int, bottom: int) -> None:
        """Show a text for a line, at the same places."""
        font = self._fonts.small
        lines = wrapped(text, font, self._room)
        line = self._metrics.small_line
        left, y = self._place(
            key, (max(font.measure(one) for one in lines), line * len(lines)), x, top, bottom
        )
        for number, one in enumerate(lines):
            self._write(left, y + number * line, one, font, self._palette.tip_text)

    @property
    def _room(self) -> int:
        m = self._metrics
        widest = min(self._canvas.winfo_width() - 2 * m.ems(0.4), m.ems(_WIDEST))
        return max(m.ems(6), widest - 2 * m.ems(_PAD))

    def _place(self, key: str, inner: tuple[int, int], x: int, top: int, bottom: int) -> tuple[int, int]:
        """Draws the plate for something of that size; where that goes."""
        self.hide()
        self.about = key
        m = self._metrics
        pad, gap, margin = m.ems(_PAD), m.ems(_GAP), m.ems(0.4)
        width, height = self._canvas.winfo_width(), self._canvas.winfo_height()
        tip_width, tip_height = inner[0] + 2 * pad, inner[1] + 2 * m.ems(0.4)
        left = max(margin, min(x, width - margin - tip_width))
        y = bottom + gap if bottom + gap + tip_height <= height else max(0, top - gap - tip_height)
        self._plate = self._art.plate(tip_width, tip_height, m.ems(0.5), self._palette.tip)
        self._canvas.create_image(left, y, image=self._plate, anchor="nw", tags=TIP_TAG)
        return left + pad, y + m.ems(0.4)

    def raise_(self) -> None:
        """Put it over the rows drawn since."""
        self._canvas.tag_raise(TIP_TAG)

    def hide(self) -> None:
        """Take it away."""
        self.cancel()
        if self._plate is not None:
            self._canvas.delete(TIP_TAG)
            self._plate = None
            self.about = ""

    def cancel(self) -> None:
        """It is not to come any more."""
        if self._timer is not None:
            self._canvas.after_cancel(self._timer)
            self._timer = None

    def _write(self, x: int, y: int, text: str, font: Font, colour: str) -> None:
        self._canvas.create_text(x, y, text=text, anchor="nw", font=font, fill=colour, tags=TIP_TAG)


def wrapped(text: str, font: Font, width: int, start: int = 0) -> list[str]:
    """The text in lines; the first begins `start` pixels further right. All of a host is shown, its end says whose it is."""
    lines: list[str] = []
    while True:
        fitting = max(1, _fitting(text, font, width - (0 if lines else start)))
        lines.append(text[:fitting])
        text = text[fitting:]
        if not text:
            return lines


def _elided(text: str, font: Font, width: int) -> str:
    if font.measure(text) <= width:
        return text
    return text[: _fitting(text, font, width - font.measure("…"))] + "…"


def _fitting(text: str, font: Font, width: int) -> int:
    """How many characters fit."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.measure(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low
