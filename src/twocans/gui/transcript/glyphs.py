"""Turns a message's characters into those that are drawn, and says where a character as people see it ends.

What is drawn can never be taken for another text: what could reorder or hide it is spelled out, as in `\\u202e`.
The message itself stays as it is, for copying.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from twocans.protocol.text import acting, spelling

TAB_SPACES: Final = 4
MAX_MARKS: Final = 4
"""Combining marks drawn on one letter. More are no writing; they would cover the lines around."""

_ZWJ: Final = "\u200d"
_NEEDS_WORK: Final = re.compile(  # all but the letters and signs that are surely drawn as they are
    "[^\n\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05ea\u0620-\u064a\u1e00-\u1fff\u2010-\u2027"
    "\u2030-\u205e\u20a0-\u20cf\u2100-\u2bff\u3000-\u3029\u3030-\u3098\u309b-\u3163\u3165-\ua48f\uac00-\ud7a3\uff01-\uff9f]"
)
_PICTURE: Final = (  # what is seen in colour without being asked for
    "[\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201\U0001f202\U0001f21a\U0001f22f"
    "\U0001f232-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001f64f\U0001f680-\U0001f6ff"
    "\U0001f7e0-\U0001f7f0\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1"
    "\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a"
    "\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]"
)
_SIGN: Final = "[\xa9\xae\u203c-\u32ff\U0001f100-\U0001f2ff]"  # seen in colour if it is asked for
_SKIN: Final = "[\U0001f3fb-\U0001f3ff]"
_ELEMENT: Final = f"(?:{_PICTURE}\ufe0f?|{_SIGN}(?:\ufe0f|(?={_SKIN})))(?!\ufe0e)(?:{_SKIN}\ufe0f?)?[\U000e0020-\U000e007f]*"
_EMOJI: Final = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ELEMENT}(?:\u200d(?:{_ELEMENT}|{_SIGN}\ufe0f?))*"
)
_PART: Final = re.compile(f"(?:{_ELEMENT}|{_SIGN}\ufe0f?)\u200d?")
_REGIONALS: Final = re.compile("[\U0001f1e6-\U0001f1ff]+")
_IN_COLOUR_FONTS: Final = re.compile(
    "[\U00010000-\U0010ffff\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0"
    "\u25fb-\u25fe\u2600-\u2604\u260e-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d"
    "\u3297\u3299]"
)
_NOT_DRAWN: Final = dict.fromkeys(
    (
        0x61C,
        *range(0x200B, 0x2010),
        *range(0xFE00, 0xFE10),
        *range(0x1F3FB, 0x1F400),
        *range(0xE0020, 0xE0080),
    )
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it is drawn.

    Attributes:
        text: the characters; lines end with a line feed.
        origin: for every character, and for the end, its index in the message; None if they are the same.
    """

    text: str
    origin: tuple[int, ...] | None

    def to_message(self, index: int) -> int:
        """The index in the message that belongs to `index` in what is shown."""
        return index if self.origin is None else self.origin[index]

    def from_message(self, index: int) -> int:
        """The first index in what is shown that belongs to `index` or what follows it in the message."""
        if self.origin is None:
            return index
        low, high = 0, len(self.text)
        while low < high:
            middle = (low + high) // 2
            if self.origin[middle] < index:
                low = middle + 1
            else:
                high = middle
        return low


def shown(message: str, *, astral: bool = True) -> Shown:
    """What is drawn of `message`. Without `astral`, emoji become their names: this Tk cannot draw them."""
    if _NEEDS_WORK.search(message) is None and (astral or _IN_COLOUR_FONTS.search(message) is None):
        return Shown(message, None)
    hidden = frozenset(acting(message))
    pieces: list[str] = []
    origin: list[int] = []
    marks = 0
    for index, char in enumerate(message):
        if index in hidden:
            marks = 0
            piece = spelling(char)
        elif is_mark(char):
            marks += 1
            piece = char if marks <= MAX_MARKS else ""
        else:
            marks = 0
            piece = " " * TAB_SPACES if char == "\t" else char
        if not astral and _IN_COLOUR_FONTS.match(piece):
            piece = _named(char)
        pieces.append(piece)
        origin.extend([index] * len(piece))
    origin.append(len(message))
    return Shown("".join(pieces), tuple(origin))


def _named(char: str) -> str:
    if unicodedata.category(char)[0] in "MC" or "\U0001f3fb" <= char <= "\U0001f3ff":
        return ""
    name = unicodedata.name(char, "")
    return f":{name.lower().replace(' ', '_')}:" if unicodedata.category(char) == "So" and name else "\ufffd"


def split_emoji(text: str, start: int, end: int, has: Callable[[str], bool]) -> list[tuple[int, int, bool]]:
    """The pieces of `text[start:end]`: every emoji that people want to see in colour (True), and what is between.

    Args:
        has: tells for one emoji, of however many characters, whether there is a picture of it.
    """
    pieces: list[tuple[int, int, bool]] = []
    if text.isascii():
        return [(start, end, False)]
    for match in _EMOJI.finditer(text, start, end):
        if not is_boundary(text, match.end()):
            continue
        # A sequence that nobody has drawn yet is drawn by its parts.
        found = (match,) if has(match.group()) else _PART.finditer(text, *match.span())
        for one in found:
            if one is match or has(one.group()):
                if start < one.start():
                    pieces.append((start, one.start(), False))
                pieces.append((*one.span(), True))
                start = one.end()
    if start < end:
        pieces.append((start, end, False))
    return pieces


def without_undrawn(text: str) -> str:
    """`text` without the characters that only change others, for a Tk that would draw a box for them."""
    return text if text.isascii() else text.translate(_NOT_DRAWN)


def is_mark(char: str) -> bool:
    """Whether the character is drawn on the one before it."""
    return char >= "\u0300" and unicodedata.category(char) in {"Mn", "Me"}


def is_boundary(text: str, index: int) -> bool:
    """Whether a character as people see it ends before `index` (UAX #29, without Hangul and Indic rules)."""
    if index <= 0 or index >= len(text):
        return True
    char = text[index]
    if char < "\u0300":
        return True
    if char == _ZWJ or "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f":
        return False
    if unicodedata.category(char) in {"Mn", "Me", "Mc"} or "\u1160" <= char <= "\u11ff":
        return False
    before = text[index - 1]
    if before == _ZWJ and unicodedata.category(char) == "So":
        return False
    if _is_regional(char) and _is_regional(before):
        starts = _regional_starts(text)
        return (index - starts[bisect_right(starts, index) - 1]) % 2 == 0
    return True


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


@lru_cache(maxsize=8)
def _regional_starts(text: str) -> tuple[int, ...]:
    """Where the runs of letters of flags begin. Not looked for anew at each of them, in a message of nothing else."""
    return tuple(match.start() for match in _REGIONALS.finditer(text))


def next_boundary(text: str, index: int) -> int:
    """The end of the character that begins at `index`."""
    index += 1
    while not is_boundary(text, index):
        index += 1
    return min(index, len(text))


def previous_boundary(text: str, index: int) -> int:
    """`index`, or the start of the character that `index` is inside of."""
    while not is_boundary(text, index):
        index -= 1
    return index
