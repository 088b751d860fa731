"""The JSON dialect, for programs: line <-> message.

Every payload is one JSON object. Unknown fields are ignored; missing and wrong ones get an error that names
them. The server uses `decode_client`, a client `decode_server`; `encode` serves both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    FROM_CLIENT,
    FROM_SERVER,
    Ack,
    Changes,
    Frame,
    FromClient,
    FromServer,
    Message,
    Receipt,
    Send,
)
from twocans.protocol.references import references
from twocans.protocol.text import HARMLESS, has_control
from twocans.protocol.user_names import UserNames
from twocans.protocol.wrong_fields import NO_OBJECT, describe

HELLO_PREFIX: Final = b"HELLO:"
MAX_DEPTH: Final = 32
"""How deep a payload may be nested. The decoder calls itself for every level, and some Pythons end by a crash."""
_PLAIN: Final = HARMLESS.translate(None, b"{}[]\\")
"""Of a frame that is one flat object without escapes, only its two braces are left when these bytes are taken out."""
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_DEEP: Final = b"[" * (MAX_DEPTH + 1)

_T = TypeVar("_T")
_Decoders = Mapping[bytes, "msgspec.json.Decoder[_T]"]


def _decoders(types: tuple[type[Any], ...]) -> dict[bytes, msgspec.json.Decoder[Any]]:
    return {kind.verb.encode(): msgspec.json.Decoder(kind) for kind in types}


_CLIENT_DECODERS: Final[_Decoders[FromClient]] = _decoders(FROM_CLIENT)
_SERVER_DECODERS: Final[_Decoders[FromServer]] = _decoders(FROM_SERVER)
_decode_send: Final = msgspec.json.Decoder(Send).decode


def _encode_names(names: object) -> msgspec.Raw:
    if isinstance(names, UserNames):
        return msgspec.Raw(names.json())
    raise NotImplementedError(f"no frame has a {type(names).__name__}")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_encode_names)


def is_hello(line: bytes) -> bool:
    """Whether a connection's first line picks this dialect."""
    return line.startswith(HELLO_PREFIX) and line[len(HELLO_PREFIX) :].lstrip().startswith(b"{")


def decode_client(line: bytes) -> FromClient:
    """What a client says.

    Raises:
        ProtocolError: it is no frame of a client; carries its `cid` and `rid` where they can be read.
    """
    try:
        message = _decode(line, _CLIENT_DECODERS)
        if isinstance(message, Send):
            _check_characters(message)
    except ProtocolError as error:
        identify(error, line)
        raise
    return message


def decode_sends(block: bytes, count: int) -> list[Send] | None:
    """What `decode_client` makes of each line, if all of them are messages without anything to look at twice.

    Args:
        block: the lines, each with its line end.
        count: how many they are.

    Returns:
        None if a line has to be looked at by itself: it may be all right, or not.
    """
    # Nothing is nested, and there is no escape that a control character could hide behind.
    if block.translate(None, _PLAIN) != b"{}\n" * count or not block.startswith(b"MSG:"):
        return None
    payloads = block.split(b"\nMSG:")
    if len(payloads) != count:
        return None
    payloads[0] = payloads[0][4:]
    try:
        sends = list(map(_decode_send, payloads))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return sends if block.isascii() or all(send.cid.isprintable() for send in sends) else None


def identify(error: ProtocolError, line: bytes) -> None:
    """Give an error about a line, or the beginning of one, the `cid` and `rid` that can be read in it.

    Every refusal to a program carries them, whoever refuses: a client knows by them what will not be answered.
    """
    if error.cid is None and error.rid is None:
        error.cid, error.rid = references(line.partition(b":")[2])


def decode_server(line: bytes) -> FromServer:
    """What a server says.

    Raises:
        ProtocolError: it is no frame of a server.
    """
    return _decode(line, _SERVER_DECODERS)


def encode(message: Frame) -> bytes:
    """The line that says `message`, with its line end."""
    if isinstance(message, Changes):
        return b"".join(map(encode, message.changes))
    return _start(message.verb) + _ENCODER.encode(message) + b"\n"


def encode_messages(messages: Sequence[Message]) -> bytes:
    """What `encode` makes of each of the messages, one after another."""
    return _encode_all(b"MSG: ", messages)


def encode_acks(messages: Sequence[Message]) -> bytes:
    """The lines that acknowledge messages."""
    return _encode_all(b"ACK: ", [Ack(message.cid, message.id, message.at) for message in messages])


def encode_receipts(receipts: Sequence[Receipt]) -> bytes:
    """What `encode` makes of each of the receipts, one after another."""
    return _encode_all(b"RECEIPT: ", receipts)


@cache
def _start(verb: str) -> bytes:
    return verb.encode() + b": "


def _encode_all(start: bytes, frames: Sequence[Frame]) -> bytes:
    lines = start + _ENCODER.encode_lines(frames)
    if len(frames) == 1:
        return lines
    # JSON has no line feed within a line, so all lines after the first get their verb at once.
    return lines.replace(b"\n", b"\n" + start, len(frames) - 1)


def _check_characters(message: Send) -> None:
    if has_control(message.text):
        raise ProtocolError(Code.BAD_REQUEST, "That message contains control characters, so it was not sent.")
    if not message.cid.isprintable():
        raise ProtocolError(Code.BAD_REQUEST, "That message's cid contains control characters.")


def _decode(line: bytes, decoders: _Decoders[_T]) -> _T:
    verb, colon, payload = line.partition(b":")
    decoder = decoders.get(verb)
    if decoder is None or not colon:
        raise _unknown(verb, colon)
    if _nests(payload) and payload.count(b"[") + payload.count(b"{") > MAX_DEPTH and _too_deep(payload):
        raise ProtocolError(Code.BAD_REQUEST, f"{verb.decode()} was not understood: it is nested too deeply.")
    try:
        message = decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise ProtocolError(
            Code.BAD_REQUEST, f"{verb.decode()} was not understood: {describe(error)}."
        ) from None
    except UnicodeDecodeError:
        raise ProtocolError(
            Code.BAD_REQUEST, f"{verb.decode()} was not understood: it is not UTF-8."
        ) from None
    except (msgspec.DecodeError, RecursionError):
        raise ProtocolError(
            Code.BAD_REQUEST,
            f"{verb.decode()} was not understood: {NO_OBJECT}.",
        ) from None
    return message


def _nests(payload: bytes) -> bool:
    return payload.find(b"[") >= 0 or payload.find(b"{", payload.find(b"{") + 1) >= 0


def _too_deep(payload: bytes) -> bool:
    """Whether brackets, not those within strings, stand in each other more than `MAX_DEPTH` deep.

    Also true of some that have no end, which are no JSON. All of it is passes over the bytes in C: in a loop of
    Python's a line of nothing but brackets took as long as hundreds of messages.
    """
    outside = payload
    if b'"' in payload:
        unescaped = payload.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in payload else payload
        outside = b"".join(unescaped.split(b'"')[::2])
    brackets = outside.translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets or _DEEP in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return b"[" in brackets


def _unknown(verb: bytes, colon: bytes) -> ProtocolError:
    shown = verb[:32].decode(errors="replace")
    if not colon or not shown.isprintable():
        return ProtocolError(Code.BAD_REQUEST, "That line is not a frame. A frame is VERB: {…}.")
    return ProtocolError(Code.UNKNOWN_VERB, f"{shown} is not a verb that is known here.")
