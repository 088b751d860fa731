"""Pairing codes: each lets one more device in under a name, once, for a short time."""

from __future__ import annotations

import hmac
from collections import Counter
from typing import Final

CODE_BYTES: Final = 5
"""Eight letters and digits."""
CODE_S: Final = 600
"""How long a code lets a device in, in seconds."""
MAX_CODE_TRIES: Final = 5
"""How many wrong codes of one address make the right one worthless for it."""
MAX_CODE_GUESSES: Final = 10_000
"""How many of all addresses make it worthless for everybody: one in a hundred million guesses right then."""


class PairingCode:
    """A code that was given out.

    Wrong tries count by address, so that nobody makes a code worthless for whoever was given it.

    Args:
        digest: the SHA-256 of the code.
        until_s: when it ends, on the hub's monotonic clock.
        asked_by: the digest of the token of the device that has asked for it; None for the operator.
    """

    __slots__ = ("_tries", "asked_by", "digest", "until_s")

    def __init__(self, digest: bytes, until_s: float, *, asked_by: bytes | None) -> None:
        self.digest = digest
        self.until_s = until_s
        self.asked_by = asked_by
        self._tries: Counter[str] = Counter()

    def fits(self, digest: bytes, host: str) -> bool:
        """Return whether somebody at an address has typed this code; a wrong one counts."""
        if self._tries[host] >= MAX_CODE_TRIES or self._tries.total() >= MAX_CODE_GUESSES:
            return False
        if hmac.compare_digest(self.digest, digest):
            return True
        self._tries[host] += 1
        return False
