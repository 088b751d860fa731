"""A server's key, which tells it from every other, and signs that people can read aloud and type.

Proving that one has a key is left to TLS.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final, NewType

ServerKey = NewType("ServerKey", str)
"""The SHA-256 of a public key (SubjectPublicKeyInfo, RFC 5280, section 4.1.2.7), as 64 hexadecimal digits."""

GROUP_CHARS: Final = 4
KEY_CHARS: Final = 20
"""How much of a key people compare: 100 bits, which nobody finds a second key for."""

# Crockford's Base 32: no I, L, O or U, and what is taken for a sign counts as it.
_TO_READABLE: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_MISTAKEN: Final = str.maketrans("OIL", "011", " -")


def server_key(public_key: bytes) -> ServerKey:
    """The key of the server with this public key, given as the DER of its SubjectPublicKeyInfo."""
    return ServerKey(hashlib.sha256(public_key).hexdigest())


def readable_key(key: ServerKey) -> str:
    """The beginning of a key, as people compare it: five groups of four, `7KQF-2M4T-…`."""
    return grouped(readable(bytes.fromhex(key))[:KEY_CHARS])


def is_same_key(typed: str, key: ServerKey) -> bool:
    """Whether somebody has typed what `readable_key` shows; small letters, spaces and hyphens do not matter."""
    return as_typed(typed) == as_typed(readable_key(key))


def readable(data: bytes) -> str:
    """Bytes as letters and digits of which none is mistaken for another, five bits each."""
    return base64.b32encode(data).decode().rstrip("=").translate(_TO_READABLE)


def grouped(signs: str) -> str:
    """Signs in groups of four with hyphens between them."""
    return "-".join(signs[start : start + GROUP_CHARS] for start in range(0, len(signs), GROUP_CHARS))


def as_typed(text: str) -> str:
    """What `readable` may have given for what somebody has typed, whatever they mistook or put between."""
    return text.upper().translate(_MISTAKEN)
