"""Passwords of names: how they are prepared for hashing, and what tells one from the next. `server/passwords` hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from precis_i18n import get_profile

MIN_PASSWORD_CHARS: Final = 8
PRINT_BYTES: Final = 6

_PASSWORD: Final = get_profile("OpaqueString")


class Passwords(Protocol):
    """Makes and checks hashes of passwords, which takes a while; None as an answer: too many are waiting.

    `host` is where the password comes from: nobody's questions may leave no room for those of others.
    """

    def hash(self, password: str, host: str, on_hash: Callable[[str | None], None]) -> None:
        """The hash of a password."""
        ...

    def check(self, hashed: str, password: str, host: str, on_checked: Callable[[bool | None], None]) -> None:
        """Whether a hash is that of a password."""
        ...


def prepared(password: str) -> str | None:
    """A password as it is hashed, the same however a keyboard composes its letters (RFC 8265, section 4.2).

    None if it cannot be one.
    """
    try:
        return str(_PASSWORD.enforce(password))
    except UnicodeEncodeError:
        return None


def password_print(hashed: str) -> int:
    """Return a number that tells one password of a name from the next; nobody gets back from it to the hash."""
    digest = hashlib.sha256(hashed.encode()).digest()
    return int.from_bytes(digest[:PRINT_BYTES], "big")
