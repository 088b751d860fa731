"""The transcript's colours and fonts. The window's theme fills them in; the defaults here stand on their own."""

from __future__ import annotations

import tkinter as tk
import tkinter.font as tkfont
from dataclasses import dataclass
from typing import Final

from twocans.gui.transcript.astral import draws_astral as draws_astral
from twocans.gui.transcript.rows import Metrics


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as `#rrggbb`.

    Attributes:
        background: behind the bubbles.
        own, own_text, own_muted, own_link, own_selection: one's own bubbles; muted is the time.
        other, other_text, other_muted, other_link, other_selection: everybody else's.
        own_found, other_found: behind what a search found.
        found_ground: behind the message that was chosen among what was found.
        read: the ticks of a message that was read, on `own`.
        muted: names and hints on the background.
        pill, pill_text: behind and on the day.
        accent: the divider above new messages, and the count of new ones.
        accent_text: on `accent`.
        danger: what went wrong, on the background.
        focus: the frame when the keyboard is here.
        thumb, thumb_active: the scrollbar's.
        tip, tip_text, tip_muted: behind where a link leads, and on it.
    """

    background: str
    own: str
    own_text: str
    own_muted: str
    own_link: str
    own_selection: str
    other: str
    other_text: str
    other_muted: str
    other_link: str
    other_selection: str
    own_found: str
    other_found: str
    found_ground: str
    read: str
    muted: str
    pill: str
    pill_text: str
    accent: str
    accent_text: str
    danger: str
    focus: str
    thumb: str
    thumb_active: str
    tip: str
    tip_text: str
    tip_muted: str


LIGHT: Final = Palette(
    background="#eef1f5",
    own="#2b63d9",
    own_text="#ffffff",
    own_muted="#c9d8fb",
    own_link="#ffffff",
    own_selection="#12357f",
    other="#ffffff",
    other_text="#16191d",
    other_muted="#687280",
    other_link="#1d56c9",
    other_selection="#bcd4ff",
    own_found="#7a5200",
    other_found="#ffdf8a",
    found_ground="#f6e7bd",
    read="#7df0c4",
    muted="#5c6673",
    pill="#dbe1e9",
    pill_text="#47505c",
    accent="#2b63d9",
    accent_text="#ffffff",
    danger="#c0262d",
    focus="#2b63d9",
    thumb="#b9c1cc",
    thumb_active="#97a1af",
    tip="#222b3a",
    tip_text="#f4f6fa",
    tip_muted="#b4bece",
)
DARK: Final = Palette(
    background="#14171c",
    own="#2a5bc7",
    own_text="#ffffff",
    own_muted="#c2d3fa",
    own_link="#ffffff",
    own_selection="#0f2d6e",
    other="#262b33",
    other_text="#e9ecf0",
    other_muted="#98a2b0",
    other_link="#8ab4ff",
    other_selection="#3f5f9e",
    own_found="#7a5200",
    other_found="#6b4c00",
    found_ground="#3a3118",
    read="#7df0c4",
    muted="#9aa4b1",
    pill="#2b313a",
    pill_text="#c3cad3",
    accent="#4d82f0",
    accent_text="#ffffff",
    danger="#ff7b7b",
    focus="#6b9bff",
    thumb="#3d4550",
    thumb_active="#566070",
    tip="#e9edf4",
    tip_text="#18202c",
    tip_muted="#4c5868",
)


@dataclass(frozen=True, slots=True)
class Fonts:
    """Named fonts: of messages, of times and notes, and of names and days."""

    text: tkfont.Font
    small: tkfont.Font
    label: tkfont.Font

    @classmethod
    def default(cls, root: tk.Misc, *, scale: float = 1.0) -> Fonts:
        """Fonts after the system's own, `scale` times as large."""
        base = tkfont.nametofont("TkDefaultFont", root=root).actual()
        size = scale * font_pixels(root, base["size"])
        family = base["family"]
        return cls(
            text=tkfont.Font(root=root, family=family, size=-round(size * 1.08)),
            small=tkfont.Font(root=root, family=family, size=-round(size * 0.82)),
            label=tkfont.Font(root=root, family=family, size=-round(size * 0.86), weight="bold"),
        )


def font_pixels(root: tk.Misc, size: int) -> float:
    """A font size as Tk has it (points, or negative pixels) in pixels."""
    return float(-size) if size < 0 else size * root.winfo_fpixels("1p")


def metrics(root: tk.Misc, fonts: Fonts) -> Metrics:
    """The sizes that everything else is derived from."""
    em = max(6, round(font_pixels(root, fonts.text.actual()["size"])))
    return Metrics(em=em, line=fonts.text.metrics("linespace"), small_line=fonts.small.metrics("linespace"))
