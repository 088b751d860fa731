"""The length and kind of what somebody typed who is not registered, for the log, which must not repeat it.

It may be a password, an invite or a message that was put in the place of a name.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from twocans.protocol.names import NameInvalid, user_key
from twocans.protocol.text import has_control


class TypedKind(StrEnum):
    """The kind of a text, which tells nothing of what is in it."""

    NAME = "name"
    """A possible name."""
    SPACES = "spaces"
    """Text with spaces, tabs or the like."""
    CONTROL = "control"
    """Text with control characters."""
    OTHER = "other"
    """Other text that is no name."""
    FRAME = "frame"
    """A frame of the JSON dialect that is wrong, or not the one that registers."""
    BYTES = "bytes"
    """Bytes that are no text."""


class Typed(Struct, frozen=True):
    """A text; `length` is in characters, for `FRAME` and `BYTES` in bytes."""

    kind: TypedKind
    length: int


def describe_typed(text: str) -> Typed:
    """Describe what was typed in the place of a name."""
    try:
        user_key(text)
        kind = TypedKind.NAME
    except NameInvalid:
        if any(char.isspace() for char in text):
            kind = TypedKind.SPACES
        else:
            kind = TypedKind.CONTROL if has_control(text) else TypedKind.OTHER
    return Typed(kind, len(text))
