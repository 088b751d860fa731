"""Which characters text may hold: no control characters other than tab, and line breaks where they are meant."""

from __future__ import annotations

import re
from typing import Final

from twocans.protocol.errors import Code, ProtocolError

_CONTROL_IN_LINE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
HARMLESS: Final = bytes(set(range(256)) - {*range(0x20), 0x7F, 0xC2} | {0x09})
"""Bytes that are no part of a control character other than tab, neither in ASCII nor, in UTF-8, of the others.

`data.translate(None, HARMLESS)` leaves nothing of what needs no second look, however many lines it is.
"""
_CONTROL_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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
