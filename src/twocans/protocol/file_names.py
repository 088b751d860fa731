"""What a file may be called, so that its name leads out of no folder and can be written down on every system; its size."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from twocans.protocol.text import acting

MAX_NAME_BYTES: Final = 200
"""In UTF-8; with what others put behind it, it fits into the 255 bytes that systems have for a name."""
NAMELESS: Final = "file"

_MAX_SUFFIX_BYTES: Final = 32
_REFUSED: Final = re.compile(r'[<>:"|?*]')  # by Windows
_ENDS: Final = " ."  # Windows drops them behind a name; a dot before it hides the file elsewhere
_DEVICE: Final = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])[ ]*(?:\.|\Z)", re.IGNORECASE
)


def safe_name(name: str) -> str:
    """The name for a file that somebody else has named; one that is safe stays as it is.

    Only what follows the last slash or backslash counts. What could forge, hide or not be stored is left out or
    replaced, and names that Windows keeps for devices get an underscore.
    """
    name = re.split(r"[/\\]", name)[-1].encode(errors="ignore").decode()
    # What is left out can let its neighbours become one character, or be the end of the name.
    while (cleaned := _cleaned(name)) != name:
        name = cleaned
    return name or NAMELESS


def readable_size(size: int) -> str:
    """A number of bytes for people, as in `2.1 MB`: a kilobyte is 1000 bytes."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    number = float(size)
    for unit in ("KB", "MB", "GB", "TB", "PB", "EB"):
        number /= 1000
        # What would be rounded up to a thousand is one of the next.
        if number < 999.5 or unit == "EB":
            break
    return f"{number:.1f} {unit}" if number < 9.95 else f"{number:.0f} {unit}"


def _cleaned(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    unseen = set(acting(name))
    name = "".join(
        char
        for index, char in enumerate(name)
        if index not in unseen and (char.isprintable() or unicodedata.category(char) == "Cf")
    )
    name = _REFUSED.sub("_", name).strip(_ENDS)
    return _shortened(f"_{name}" if _DEVICE.match(name) else name)


def _shortened(name: str) -> str:
    """As much of a name as there is room for; its suffix stays."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    tail = (dot + suffix).encode()
    if not stem or len(tail) > _MAX_SUFFIX_BYTES:
        stem, tail = name, b""
    head = stem.encode()[: MAX_NAME_BYTES - len(tail)].decode(errors="ignore")
    return head.rstrip(_ENDS) + tail.decode()
