"""The plain dialect, for people, netcat, telnet and the original clients: line <-> message.

A client says its name, then `MSG: to: text`. The server says `LIST: …` and `MSG: from: text`, and nothing
else: whatever other kinds of message the hub has are a message from `Server` here, or are not told.
"""

from __future__ import annotations

from typing import Final

from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Error,
    Frame,
    Goodbye,
    Message,
    Notice,
    UserList,
)
from twocans.protocol.names import SERVER_NAME
from twocans.protocol.text import decode_line

_HELP: Final = "To send a message, write MSG: name: text"


def decode_name(line: bytes) -> str:
    """The user name that a first line gives.

    Raises:
        ProtocolError: the line is not text.
    """
    return decode_line(line).strip()


def decode_client(line: bytes) -> tuple[str, str]:
    """Whom a client writes to, and what.

    Raises:
        ProtocolError: it is not a message.
    """
    text = decode_line(line)
    verb, colon, rest = text.partition(":")
    if not colon or verb != "MSG":
        shown = verb if colon and verb.isascii() and verb.isupper() and len(verb) <= 16 else "That"
        code = Code.BAD_REQUEST if shown == "That" else Code.UNKNOWN_VERB
        raise ProtocolError(code, f"{shown} was not understood. {_HELP}")
    to, colon, body = rest.partition(":")
    to = to.strip()
    if not colon or not to:
        raise ProtocolError(Code.BAD_REQUEST, f"That message does not say who it is for. {_HELP}")
    return to, body.removeprefix(" ")


def encode(message: Frame) -> bytes:
    """The lines that say `message`, with their line ends; nothing for what plain clients are not told."""
    match message:
        case Message():
            return _message(message.sender, message.text)
        case UserList():
            return f"LIST: {', '.join(message.users)}\n".encode()
        case Notice() | Error() | Goodbye():
            return _message(SERVER_NAME, message.text)
        case _:
            return b""


def _message(sender: str, text: str) -> bytes:
    if "\n" not in text:
        return f"MSG: {sender}: {text}\n".encode()
    return "".join(f"MSG: {sender}: {line}\n" for line in text.split("\n")).encode()
