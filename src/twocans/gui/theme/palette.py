"""The colours of the window, light and dark. Text on its ground reaches WCAG AA (4.5 : 1) everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Colours:
    """One look. Pairs that meet on screen are named alike: `side` carries `text`, `accent` carries `on_accent`.

    `avatars` are grounds for white initials.
    """

    dark: bool
    base: str  # cards, fields
    side: str  # the list of people
    chat: str  # behind the bubbles
    border: str
    text: str
    muted: str
    disabled: str  # what cannot be used now, which WCAG lets be faint
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    accent_text: str  # the accent as a colour of text
    soft: str  # quiet buttons, the search field
    soft_hover: str
    selected: str  # the open chat in the list
    found: str  # behind a word that was searched for
    hover: str
    online: str
    away: str
    busy: str
    danger: str
    danger_soft: str
    warn_ground: str
    warn_text: str
    warn_soft: str
    toast_ground: str
    toast_text: str
    avatars: tuple[str, ...]


_AVATARS: Final = (
    "#c2255c",
    "#9c36b5",
    "#6741d9",
    "#3b5bdb",
    "#1864ab",
    "#0b7285",
    "#087f5b",
    "#26793a",
    "#8a5a00",
    "#bf4a08",
)

LIGHT: Final = Colours(
    dark=False,
    base="#ffffff",
    side="#ffffff",
    chat="#eef1f6",
    border="#d9dfe8",
    text="#18202c",
    muted="#566174",
    disabled="#9aa4b5",
    accent="#3451d1",
    accent_hover="#2b45ba",
    accent_pressed="#233a9f",
    on_accent="#ffffff",
    accent_text="#3049c4",
    soft="#eef1f6",
    soft_hover="#e1e6ef",
    selected="#e3e8fb",
    found="#ffdf8a",
    hover="#f3f5f9",
    online="#1d964a",
    away="#a86200",
    busy="#c22536",
    danger="#c22536",
    danger_soft="#fdecee",
    warn_ground="#fff1cc",
    warn_text="#553c00",
    warn_soft="#ffe29a",
    toast_ground="#222b3a",
    toast_text="#f4f6fa",
    avatars=_AVATARS,
)

DARK: Final = Colours(
    dark=True,
    base="#1d232e",
    side="#171c25",
    chat="#10141b",
    border="#2c3442",
    text="#e9edf4",
    muted="#9ba7ba",
    disabled="#5c687b",
    accent="#4a68e8",
    accent_hover="#4461df",
    accent_pressed="#3a55cc",
    on_accent="#ffffff",
    accent_text="#9db0ff",
    soft="#252d3a",
    soft_hover="#303a4a",
    selected="#26315a",
    found="#6b4c00",
    hover="#1f2632",
    online="#43c774",
    away="#f2b544",
    busy="#ff7a84",
    danger="#ff8a93",
    danger_soft="#43202a",
    warn_ground="#453711",
    warn_text="#ffe3a1",
    warn_soft="#5f4d1b",
    toast_ground="#e9edf4",
    toast_text="#18202c",
    avatars=_AVATARS,
)


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2)."""
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def avatar_colour(colours: Colours, key: str) -> str:
    """The ground for somebody's initials, always the same for the same person."""
    number = 0
    for char in key:
        number = (number * 31 + ord(char)) % 1_000_003
    return colours.avatars[number % len(colours.avatars)]


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    words = [word for word in name.replace("-", " ").replace("_", " ").replace(".", " ").split() if word]
    if not words:
        return "?"
    letters = words[0][:1] + (words[-1][:1] if len(words) > 1 else "")
    return letters.upper() if letters.isalnum() else "?"
