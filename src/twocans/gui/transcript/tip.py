"""The tip that says where a link leads, beside the link: scheme and host stand out, the rest is small."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter.font import Font
from typing import Final

from PIL import ImageTk

from twocans.gui.transcript.art import Art
from twocans.gui.transcript.destination import Destination
from twocans.gui.transcript.rows import Metrics
from twocans.gui.transcript.style import Fonts, Palette

TIP_TAG: Final = "tip"
RESTS_MS: Final = 450
"""How long the pointer rests on a link before the tip comes."""
_WIDEST: Final = 30  # em
_PAD: Final = 0.6
_GAP: Final = 0.25


class Tip:
    """Draws the tip over the rows, one at a time."""

    def __init__(
        self, canvas: tk.Canvas, art: Art, *, palette: Palette, fonts: Fonts, metrics: Metrics
    ) -> None:
        self._canvas = canvas
        self._art = art
        self._palette = palette
        self._fonts = fonts
        self._metrics = metrics
        self._plate: ImageTk.PhotoImage | None = None
        self._timer: str | None = None

    def rest(self, show: Callable[[], None]) -> None:
        """Call `show` when the pointer has rested."""
        self.hide()

        def rested() -> None:
            self._timer = None
            show()

        self._timer = self._canvas.after(RESTS_MS, rested)

    def show(self, where: Destination, x: int, top: int, bottom: int) -> None:
        """Show it for a line of a link: at `x`, below its `bottom`, or above its `top` where there is no room."""
        self.hide()
        m, p = self._metrics, self._palette
        pad, gap, margin = m.ems(_PAD), m.ems(_GAP), m.ems(0.4)
        width, height = self._canvas.winfo_width(), self._canvas.winfo_height()
        room = max(m.ems(6), min(width - 2 * margin, m.ems(_WIDEST)) - 2 * pad)
        label, small = self._fonts.label, self._fonts.small
        start = small.measure(where.scheme)
        hosts = wrapped(where.host, label, room, start)
        rest = _elided(where.rest, small, room) if where.rest not in {"", "/"} else ""
        line = max(label.metrics("linespace"), m.small_line)
        inner = max(
            start + label.measure(hosts[0]), *(label.measure(host) for host in hosts), small.measure(rest)
        )
        tip_width, tip_height = inner + 2 * pad, line * (len(hosts) + bool(rest)) + 2 * m.ems(0.4)
        left = max(margin, min(x, width - margin - tip_width))
        y = bottom + gap if bottom + gap + tip_height <= height else max(0, top - gap - tip_height)
        self._plate = self._art.plate(tip_width, tip_height, m.ems(0.5), p.tip)
        self._canvas.create_image(left, y, image=self._plate, anchor="nw", tags=TIP_TAG)
        left, y = left + pad, y + m.ems(0.4)
        drop = label.metrics("ascent") - small.metrics("ascent")
        self._write(left, y + drop, where.scheme, small, p.tip_muted)
        for number, host in enumerate(hosts):
            self._write(left if number else left + start, y, host, label, p.tip_text)
            y += line
        if rest:
            self._write(left, y, rest, small, p.tip_muted)

    def hide(self) -> None:
        """Take it away."""
        self.cancel()
        if self._plate is not None:
            self._canvas.delete(TIP_TAG)
            self._plate = None

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
