"""The JSON dialect, for programs: line <-> message.

Every payload is one JSON object. Unknown fields are ignored; missing and wrong ones get an error that names
them. The server uses `decode_client`, a client `decode_server`; `encode` serves both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import FROM_CLIENT, FROM_SERVER, Frame, FromClient, FromServer
from twocans.protocol.text import has_control

HELLO_PREFIX: Final = b"HELLO:"
MAX_DEPTH: Final = 32
"""How deep a payload may be nested. The decoder calls itself for every level, and some Pythons end by a crash."""
_STRING_OR_BRACKET: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)

_T = TypeVar("_T")
_Decoders = Mapping[bytes, "msgspec.json.Decoder[_T]"]


def _decoders(types: tuple[type[Any], ...]) -> dict[bytes, msgspec.json.Decoder[Any]]:
    return {kind.verb.encode(): msgspec.json.Decoder(kind) for kind in types}


_CLIENT_DECODERS: Final[_Decoders[FromClient]] = _decoders(FROM_CLIENT)
_SERVER_DECODERS: Final[_Decoders[FromServer]] = _decoders(FROM_SERVER)
_ENCODER: Final = msgspec.json.Encoder()
_FIELDS: Final = msgspec.json.Decoder(dict[str, Any])


def is_hello(line: bytes) -> bool:
    """Whether a connection's first line picks this dialect."""
    return line.startswith(HELLO_PREFIX) and line[len(HELLO_PREFIX) :].lstrip().startswith(b"{")


def decode_client(line: bytes) -> FromClient:
    """What a client says.

    Raises:
        ProtocolError: it is no frame of a client; carries its `cid` and `rid` where they can be read.
    """
    return _decode(line, _CLIENT_DECODERS)


def decode_server(line: bytes) -> FromServer:
    """What a server says.

    Raises:
        ProtocolError: it is no frame of a server.
    """
    return _decode(line, _SERVER_DECODERS)


def encode(message: Frame) -> bytes:
    """The line that says `message`, with its line end."""
    return b"%s: %s\n" % (message.verb.encode(), _ENCODER.encode(message))


def _decode(line: bytes, decoders: _Decoders[_T]) -> _T:
    verb, colon, payload = line.partition(b":")
    decoder = decoders.get(verb)
    if decoder is None or not colon:
        raise _unknown(verb, colon)
    if payload.count(b"[") + payload.count(b"{") > MAX_DEPTH and _too_deep(payload):
        raise ProtocolError(Code.BAD_REQUEST, f"{verb.decode()} was not understood: it is nested too deeply.")
    try:
        message = decoder.decode(payload)
    except msgspec.ValidationError as error:
        cid, rid = _references(payload)
        raise ProtocolError(
            Code.BAD_REQUEST, f"{verb.decode()} was not understood: {_reason(error)}.", cid=cid, rid=rid
        ) from None
    except UnicodeDecodeError:
        raise ProtocolError(
            Code.BAD_REQUEST, f"{verb.decode()} was not understood: it is not UTF-8."
        ) from None
    except (msgspec.DecodeError, RecursionError):
        raise ProtocolError(
            Code.BAD_REQUEST, f"{verb.decode()} was not understood: its payload is not a JSON object."
        ) from None
    return message


def _too_deep(payload: bytes) -> bool:
    """Whether brackets, not those within strings, stand in each other more than `MAX_DEPTH` deep."""
    depth = 0
    for bracket in _STRING_OR_BRACKET.finditer(payload):
        match bracket[0]:
            case b"[" | b"{":
                depth += 1
                if depth > MAX_DEPTH:
                    return True
            case b"]" | b"}":
                depth -= 1
    return False


def _unknown(verb: bytes, colon: bytes) -> ProtocolError:
    shown = verb[:32].decode(errors="replace")
    if not colon or not shown.isprintable():
        return ProtocolError(Code.BAD_REQUEST, "That line is no frame: a frame is VERB: {…}.")
    return ProtocolError(Code.UNKNOWN_VERB, f"{shown} is not a verb that is known here.")


def _reason(error: msgspec.ValidationError) -> str:
    # «Object missing required field `to`» and its like name the field; the path `$.limit` does so too.
    return str(error).replace("Object missing required field", "missing field")


def _references(payload: bytes) -> tuple[str | None, int | str | None]:
    """The `cid` and `rid` of a payload that is wrong otherwise, so that the error finds its place."""
    try:
        fields = _FIELDS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    cid, rid = fields.get("cid"), fields.get("rid")
    return (
        cid if isinstance(cid, str) and len(cid) <= 64 and not has_control(cid) else None,
        rid if isinstance(rid, str | int) and not isinstance(rid, bool) and len(str(rid)) <= 64 else None,
    )
