"""The plain dialect, for people, netcat, telnet and the original clients: line <-> message.

A client says its name, then `MSG: to: text`. The server says `LIST: …` and `MSG: from: text`, and nothing
else: whatever other kinds of message the hub has are a message from `Server` here, or are not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Error,
    Frame,
    Goodbye,
    Message,
    Notice,
    Send,
    UserList,
)
from twocans.protocol.names import SERVER_NAME
from twocans.protocol.text import HARMLESS, decode_line, may_act, spelled_out

MAX_CACHED: Final = 65_536
"""How many recipients' fields are remembered."""
MAX_CACHED_CHARS: Final = 40
"""Longer fields, which are no names, are not: they would take memory that is never given back."""
MAX_ADDED_BYTES: Final = 64 * 1024
"""How many bytes longer than its text the lines of one message may get; the rest of them is left out."""
HELP_WORD: Final = "help"
"""The line that asks for help; in the place of a name, too, unless somebody is called so already."""
_HELP: Final = "To send a message, write MSG: name: text"
_HELP_LINES: Final = frozenset({HELP_WORD.encode(), b"/help", b"?"})
_LISTED: Final = "A line that begins with LIST names everybody who is online."
HELP: Final = f"{_HELP}\n{_LISTED}\nTo leave, close the connection; in nc that is Ctrl-C."
"""What somebody can do who has registered."""
HELP_BEFORE_NAME: Final = (
    f"Type your name first: letters and digits, no spaces.\nThen you are online. {_HELP}\n{_LISTED}"
)
"""What somebody can do who has not."""


def asks_for_help(line: bytes) -> bool:
    """True for a line with which people ask what they can type."""
    return line.strip().lower() in _HELP_LINES


def decode_login(line: bytes) -> tuple[str, str | None]:
    """The user name that a first line gives, and the password or invite that follows it after a space.

    Raises:
        ProtocolError: the line is not text.
    """
    name, _, secret = decode_line(line).strip().partition(" ")
    return name, secret.strip() or None


def decode_client(line: bytes) -> Send:
    """The message that a client sends; it has no `cid`.

    Raises:
        ProtocolError: it is not a message; the sentence says what would be one, or is the help that was asked for.
    """
    text = decode_line(line)
    verb, colon, rest = text.partition(":")
    if not colon or verb != "MSG":
        if asks_for_help(line):
            raise ProtocolError(Code.BAD_REQUEST, HELP)
        shown = verb if colon and verb.isascii() and verb.isupper() and len(verb) <= 16 else "That"
        code = Code.BAD_REQUEST if shown == "That" else Code.UNKNOWN_VERB
        raise ProtocolError(code, f"{shown} was not understood. {_HELP}")
    to, colon, body = rest.partition(":")
    to = to.strip()
    if not colon or not to:
        raise ProtocolError(Code.BAD_REQUEST, f"That message does not say who it is for. {_HELP}")
    return Send(to, body.removeprefix(" "), "")


def decode_sends(block: bytes, count: int) -> list[Send] | None:
    """What `decode_client` makes of each line, if all of them are messages without anything to look at twice.

    Args:
        block: the lines, each with its line end.
        count: how many they are.

    Returns:
        None if a line has to be looked at by itself: it may be all right, or not.
    """
    if block.translate(None, HARMLESS) != b"\n" * count or not block.startswith(b"MSG: "):
        return None
    try:
        bodies = block[5:-1].decode().split("\nMSG: ")
    except UnicodeDecodeError:
        return None
    if len(bodies) != count:
        return None
    sends = []
    for body in bodies:
        to, colon, text = body.partition(": ")
        try:
            name = _names[to]
        except KeyError:
            name = _name(to)
        if not (colon and name):
            return None
        sends.append(Send(name, text, ""))
    return sends


_names: Final[dict[str, str]] = {}


def _name(field: str) -> str:
    """Return what stands before the first colon with a space; "" if that is not the first colon."""
    name = "" if ":" in field else field.strip()
    if name and len(field) <= MAX_CACHED_CHARS:
        if len(_names) >= MAX_CACHED:
            _names.clear()
        _names[field] = name
    return name


def encode(message: Frame) -> bytes:
    """The lines that say `message`, with their line ends; nothing for what plain clients are not told.

    A terminal acts on what it is sent, so characters that could reorder, hide or forge are spelled out.
    """
    match message:
        case Message():
            return _message(message.sender, message.text).encode()
        case UserList():
            return b"LIST: " + message.users.plain() + b"\n"
        case Notice() | Error() | Goodbye():
            return _message(SERVER_NAME, message.text).encode()
        case _:
            return b""


def encode_messages(messages: Sequence[Message]) -> bytes:
    """What `encode` makes of each of the messages, one after another."""
    text = "".join(
        [
            f"MSG: {message.sender}: {message.text}\n"
            if "\n" not in message.text
            else _lines(message.sender, message.text, message.text)
            for message in messages
        ]
    )
    data = text.encode()
    if may_act(text, data):
        data = "".join([_message(message.sender, message.text) for message in messages]).encode()
    return data


def _message(sender: str, text: str) -> str:
    return _lines(sender, text, spelled_out(text))


def _lines(sender: str, text: str, shown: str) -> str:
    """The lines of a message whose text is to be shown like this."""
    prefix = f"MSG: {sender}: "
    lines = shown.split("\n")
    # A character has one to four bytes: only what may be long has to be encoded to be measured.
    if 4 * (len(shown) + len(lines) * len(prefix)) <= MAX_ADDED_BYTES:
        return "".join([f"{prefix}{line}\n" for line in lines])
    return _shortened(sender, prefix, lines, len(text.encode()) + MAX_ADDED_BYTES)


def _shortened(sender: str, prefix: str, lines: Sequence[str], max_bytes: int) -> str:
    """As many lines as fit, and a line that says how many do not."""
    pieces = []
    room = max_bytes
    for number, line in enumerate(lines):
        piece = f"{prefix}{line}\n"
        room -= len(piece.encode())
        if room < 0:
            left = f"{len(lines) - number} more of {len(lines)} lines"
            pieces.append(
                f"MSG: {SERVER_NAME}: That message from {sender} is too long to be shown here: {left}.\n"
            )
            break
        pieces.append(piece)
    return "".join(pieces)
