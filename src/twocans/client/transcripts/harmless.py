"""Takes from text what could forge or reorder what is shown around it, and leaves all that can be read."""

from __future__ import annotations

import re
from typing import Final

_ACTING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters other than tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # writing direction (Unicode, UAX #9)
    "\u2028\u2029\ufff9-\ufffb\ud800-\udfff]"  # line ends in disguise, annotations, halves of a character
)


def harmless(text: str) -> str:
    """The text with such characters spelled out, as in `\\u202e`; tabs and line feeds stay."""
    # In JSON the result means the same as before: there these characters stand within strings only.
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
