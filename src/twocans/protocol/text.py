"""Which characters text may hold, and how those are shown that could reorder, hide or forge what is read.

No control characters are let in other than tab, and line breaks where they are meant. Other characters without a look
of their own (format characters, fillers, selectors) are let in, and spelled out where somebody reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from twocans.protocol.errors import Code, ProtocolError

_CONTROL_IN_LINE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
HARMLESS: Final = bytes(set(range(256)) - {*range(0x20), 0x7F, 0xC2} | {0x09})
"""Bytes that are no part of a control character other than tab, neither in ASCII nor, in UTF-8, of the others.

`data.translate(None, HARMLESS)` leaves nothing of what needs no second look, however many lines it is.
"""
_CONTROL_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_UNSEEN_BASIC: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters other than tab and line feed
    "\xad\u200b\u2060-\u206f\ufeff"  # breaks that may be and may not be, and what nobody uses any more
    "\u061c\u200e\u200f\u202a-\u202e"  # writing direction (Unicode, UAX #9); its isolates are among the above
    "\u2028\u2029"  # line ends in disguise
    "\u034f\u200c\u200d"  # joiners
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters that cannot be seen
    "\u180b-\u180f\ufe00-\ufe0f"  # selectors of a letter's form
    "\ufff0-\ufffb\ud800-\udfff"  # annotations, halves of a character
)
_UNSEEN_ASTRAL: Final = (
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand, music
    "\U000e0000-\U000e0fff"  # tags and further selectors
)
_UNSEEN: Final = _UNSEEN_BASIC + _UNSEEN_ASTRAL
# Apart from each other, because ranges beyond U+FFFF triple the time that a character takes.
_SUSPECT_BASIC: Final = re.compile(f"[{_UNSEEN_BASIC}]")
_SUSPECT_ASTRAL: Final = re.compile(f"[{_UNSEEN_ASTRAL}]")
_FIRST_BYTES: Final = frozenset({0xC2, 0xCD, 0xD8, 0xE1, 0xE2, 0xE3, 0xEF, 0xF0, 0xF3})
_PLAIN_BYTES: Final = bytes(set(range(256)) - _FIRST_BYTES)

_PICTURE: Final = "[\xa9\xae\u203c\u2049\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
_EMOJI: Final = f"{_PICTURE}[\ufe0e\ufe0f]?"
_JOINING: Final = (
    "\u0620-\u109f\u1700-\u17b3\u17b6-\u17ff\u1810-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
_WITHOUT_SPACES: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff"
_MEANT: Final = "|".join(
    (
        "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f",  # the flag of a part of a country
        f"{_EMOJI}(?:\u200d{_EMOJI})*",
        "(?<=[#*0-9])[\ufe0e\ufe0f]",
        f"(?<=[^\x00-\x7f\\s{_UNSEEN}])[\ufe00-\ufe0f\U000e0100-\U000e01ef]",
        f"(?<=[{_JOINING}])[\u200c\u200d]",
        f"(?<=[{_WITHOUT_SPACES}])\u200b",
        "(?<=[\u1810-\u18aa])[\u180b-\u180f]",  # Mongolian
        "(?<=[\u0591-\u05c7])\u034f",  # Hebrew points
    )
)
_ACTING: Final = re.compile(f"{_MEANT}|([{_UNSEEN}])")
_ACTING_AMONG_RTL: Final = re.compile(f"{_MEANT}|(?<![{_UNSEEN}])[\u061c\u200e\u200f]|([{_UNSEEN}])")
_RTL: Final = re.compile(
    "[\u05d0-\u05f4\u0620-\u064a\u066e-\u06d5\u06fa-\u08c7\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def decode_line(line: bytes) -> str:
    """The text of a line.

    Raises:
        ProtocolError: it is not UTF-8 or holds control characters other than tab.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ProtocolError(Code.BAD_REQUEST, "That line is not UTF-8 text, so it was not read.") from None
    if not text.isprintable() and _CONTROL_IN_LINE.search(text):
        raise ProtocolError(Code.BAD_REQUEST, "That line contains control characters, so it was not read.")
    return text


def has_control(text: str) -> bool:
    """Whether a message's text holds control characters other than tab and line feed."""
    return not text.isprintable() and _CONTROL_IN_TEXT.search(text) is not None


def without_control(text: str) -> str:
    """The text with a replacement character for each that `has_control` finds."""
    return _CONTROL_IN_TEXT.sub("\ufffd", text) if has_control(text) else text


def may_act(text: str, data: bytes) -> bool:
    """Whether `spelled_out` has to look at `text`, which is `data` in UTF-8 and has no control characters.

    Asked once for many messages at a time: of ASCII and most of Europe's writing in a pass over the bytes.
    """
    if data.isascii():
        return False
    left = data.translate(None, _PLAIN_BYTES)
    return bool(left) and (
        _SUSPECT_BASIC.search(text) is not None
        or ((0xF0 in left or 0xF3 in left) and _SUSPECT_ASTRAL.search(text) is not None)
    )


def acting(text: str) -> list[int]:
    """Where `text` holds a character that could reorder, hide or forge, and that is not needed there to write.

    Needed are joiners and selectors in emoji and after letters of scripts that join; one selector after any other sign
    that is seen; breaks between words of scripts without spaces; and single direction marks (LRM, RLM, ALM) in a
    line that has right-to-left letters. Those marks are weaker than a letter. Embeddings, overrides and isolates
    are never needed.
    """
    if _SUSPECT_BASIC.search(text) is None and (text.isascii() or _SUSPECT_ASTRAL.search(text) is None):
        return []
    found: list[int] = []
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        pattern = _ACTING_AMONG_RTL if _RTL.search(text, start, end) else _ACTING
        found += [match.start() for match in pattern.finditer(text, start, end) if match.lastindex]
        start = end + 1
    return found


def spelling(char: str) -> str:
    """A character's number, as in `\\u202e` or `\\U000e0041`."""
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def spelled_out(text: str, spell: Callable[[str], str] = spelling) -> str:
    """The text with such characters spelled out; tabs and line feeds stay. Doing it twice changes nothing more."""
    pieces: list[str] = []
    start = 0
    for index in acting(text):
        pieces += (text[start:index], spell(text[index]))
        start = index + 1
    return "".join((*pieces, text[start:])) if pieces else text


def spelled_out_line(text: str) -> str:
    """The text as one line of a log: tabs, line feeds, and whatever else is not printable, are spelled out too."""
    return "".join([char if char.isprintable() else spelling(char) for char in spelled_out(text)])
