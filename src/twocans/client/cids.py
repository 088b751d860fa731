"""Ids for messages that a client sends: UUIDs of version 7, which grow with the time."""

from __future__ import annotations

import uuid
from random import Random


def new_cid(*, now_ms: int, random: Random) -> str:
    """A fresh id: a UUID of version 7 (RFC 9562, section 5.7), as the text of its section 4.

    A server looks up whether it has an id already, and finds a place for it among the others. For ids that grow
    both are at the end.

    Args:
        now_ms: the time, in Unix milliseconds.
        random: for the 74 bits that tell ids of one millisecond apart.
    """
    time, chance = now_ms & (1 << 48) - 1, random.getrandbits(74)
    return str(uuid.UUID(int=time << 80 | 7 << 76 | chance >> 62 << 64 | 2 << 62 | chance & (1 << 62) - 1))
