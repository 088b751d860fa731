"""The `cid` and `rid` of a payload that is refused, so that the error about it finds its place.

It may be cut off, nested too deeply, hold half a surrogate pair, or not be UTF-8: nothing of it counts but these two.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

import msgspec

from twocans.protocol.messages import Cid, Rid

# Within a string a quotation mark has a backslash before it, so in JSON this is a key.
_CID: Final = re.compile(rb'"cid"(?<!\\"cid")[ \t]*:[ \t]*("(?:[^"\\]|\\.){1,800}")')
_RID: Final = re.compile(
    rb'"rid"(?<!\\"rid")[ \t]*:[ \t]*("(?:[^"\\]|\\.){0,800}"|[0-9]{1,19}(?=[ \t]*[,}]))'
)
_MAX_LOOKED_AT: Final = 8
"""The first places of a field are looked at: each costs a pass over what stands before it."""

_CID_VALUE: Final = msgspec.json.Decoder(Cid)
_RID_VALUE: Final[msgspec.json.Decoder[Rid]] = msgspec.json.Decoder(Rid)


def references(payload: bytes) -> tuple[str | None, Rid | None]:
    """Return the `cid` and `rid` of a payload; None for each that is not there or that no answer could give back."""
    return _cid(_found(_CID, payload)), _rid(_found(_RID, payload))


def _found(field: re.Pattern[bytes], payload: bytes) -> bytes:
    for match in islice(field.finditer(payload), _MAX_LOOKED_AT):
        if _is_at_top(payload[: match.start()]):
            return match[1]
    return b"null"


def _is_at_top(before: bytes) -> bool:
    """True if what follows `before` is a field of the payload itself, and of nothing that is nested in it."""
    unescaped = before.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in before else before
    outside = b"".join(unescaped.split(b'"')[::2])
    opened = sum(outside.count(bracket) for bracket in (b"{", b"["))
    return opened - sum(outside.count(bracket) for bracket in (b"}", b"]")) == 1


def _cid(value: bytes) -> str | None:
    try:
        return _CID_VALUE.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _rid(value: bytes) -> Rid | None:
    try:
        return _RID_VALUE.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
