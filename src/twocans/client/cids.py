"""Ids for messages that a client sends: UUIDs of version 7, which grow with the time."""

from __future__ import annotations

import hashlib
import uuid
from random import Random
from typing import Final

from twocans.protocol.messages import Message

MAX_CID_CHARS: Final = 64
_CHANCE_BITS: Final = 74


def new_cid(*, now_ms: int, random: Random) -> str:
    """A fresh id: a UUID of version 7 (RFC 9562, section 5.7), as the text of its section 4.

    A server looks up whether it has an id already, and finds a place for it among the others. For ids that grow
    both are at the end.

    Args:
        now_ms: the time, in Unix milliseconds.
        random: for the 74 bits that tell ids of one millisecond apart.
    """
    return _uuid7(now_ms, random.getrandbits(_CHANCE_BITS))


def check_cid(cid: str) -> str:
    """Return an id that a program has chosen.

    Raises:
        ValueError: no message can have it.
    """
    if not (1 <= len(cid) <= MAX_CID_CHARS and cid.isprintable()):
        raise ValueError(f"a cid has 1 to {MAX_CID_CHARS} printable characters")
    return cid


def reply_cid(message: Message) -> str:
    """The id of the reply to a message: always the same, so that the server stores one reply however often it is sent.

    It looks like that of a message that was sent as the server stored the other one.
    """
    seed = f"reply\n{message.id}\n{message.at}\n{message.sender}\n{message.cid}"
    digest = hashlib.sha256(seed.encode()).digest()
    return _uuid7(message.at, int.from_bytes(digest) >> len(digest) * 8 - _CHANCE_BITS)


def _uuid7(ms: int, chance: int) -> str:
    time = ms & (1 << 48) - 1
    return str(uuid.UUID(int=time << 80 | 7 << 76 | chance >> 62 << 64 | 2 << 62 | chance & (1 << 62) - 1))
