"""What a server tells programs of its own user on the same computer: that it runs, where, and what they may ask of it.

Files, processes and sockets are left to others.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from twocans.protocol.keys import ServerKey
from twocans.protocol.operator import Answer, Command
from twocans.protocol.text_files import decode_text_file

FOLDER_NAME: Final = "twocans-server"
"""What the folder of a user's server is called among their data, if nobody says otherwise."""
RUNNING_FILE: Final = "server.json"
"""In that folder, as long as the server runs; one that was killed leaves it behind."""
SOCKET_FILE: Final = "control.sock"
"""In that folder, as long as the server runs: where it can be asked, except on Windows."""
CONSOLE_LOG_FILE: Final = "console.log"
"""In that folder: what a server in the background would show."""
STOPPED_LINE: Final = "The server has stopped."
"""The last line that a server logs that was stopped."""
MAX_BYTES: Final = 16 * 1024
"""No file and no line of these is longer, apart from answers to the operator's commands."""
_MAX_ADDRESSES: Final = 64

T = TypeVar("T")

_Port = Annotated[int, Meta(ge=1, le=65535)]
_SocketPath = Annotated[str, Meta(min_length=1, max_length=4096)]
_Address = Annotated[str, Meta(max_length=64)]
_Text = Annotated[str, Meta(max_length=4096)]
Addresses: TypeAlias = Annotated[tuple[_Address, ...], Meta(max_length=_MAX_ADDRESSES)]


class RunningInvalid(Exception):
    """This is not what a server of this version says."""


class Running(Struct, frozen=True, kw_only=True):
    """A server that runs, as it stands in the file.

    Args:
        pid: its process.
        host: the IPv4 address that it listens on, "0.0.0.0" for all.
        port: where clients connect.
        key: what clients know it by.
        started_at: Unix milliseconds.
        background: whether it was started by a window, and not at a console.
        control: where it can be asked: a socket's path, relative to the folder of the file if it is in there, or a port on
            the loopback address, on Windows and of earlier versions.
        secret: what whoever asks there has to know.
    """

    pid: int
    host: _Address
    port: _Port
    key: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    started_at: int
    background: bool
    control: _Port | _SocketPath
    secret: Annotated[str, Meta(min_length=32, max_length=128)]

    @property
    def server_key(self) -> ServerKey:
        """The key, checked."""
        return ServerKey(self.key)


class Why(StrEnum):
    """What keeps a server from starting."""

    PORT_TAKEN = "port_taken"
    FOLDER_IN_USE = "folder_in_use"
    OTHER = "other"


class Started(Struct, frozen=True, tag_field="state", tag="started"):
    """A server runs now; the rest is in the file."""


class NotStarted(Struct, frozen=True, kw_only=True, tag_field="state", tag="not_started"):
    """A server that could not start; `text` is its sentence, `port` the one that it was to listen on."""

    why: Why
    text: _Text
    port: Annotated[int, Meta(ge=0, le=65535)]


Report: TypeAlias = Started | NotStarted
"""The one line that a server in the background writes to its standard output."""


class Wish(StrEnum):
    """What is asked of a running server. It tells how it is; after `STOP` it ends. `COMMAND` gets an `Answer` instead."""

    STATUS = "status"
    STOP = "stop"
    COMMAND = "command"


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line to a running server; `command` goes with `Wish.COMMAND` alone."""

    secret: Annotated[str, Meta(max_length=128)]
    wish: Wish
    command: Command | None = None


class Status(Struct, frozen=True, kw_only=True):
    """A line of its answer.

    Args:
        online: how many people are online.
        addresses: the IPv4 addresses by which others reach it, the likeliest first.
        commands: true if it takes the operator's commands here, which servers of earlier versions do not.
    """

    online: Annotated[int, Meta(ge=0)]
    addresses: Addresses
    commands: bool = False


_running = msgspec.json.Decoder(Running)
_report: Final[msgspec.json.Decoder[Report]] = msgspec.json.Decoder(Report)
_asked = msgspec.json.Decoder(Asked)
_status = msgspec.json.Decoder(Status)
_answer: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


def encode(what: Running | Report | Asked | Status | Answer) -> bytes:
    """One line of JSON, with its end."""
    return msgspec.json.encode(what) + b"\n"


def decode_running(content: bytes) -> Running:
    """What the file says.

    Raises:
        RunningInvalid: it is not whole, or of another version.
    """
    return _decode(_running, content)


def decode_report(line: bytes) -> Report:
    """What a server tells the program that has started it.

    Raises:
        RunningInvalid: it is nothing of the kind.
    """
    return _decode(_report, line)


def decode_asked(line: bytes) -> Asked:
    """What is asked of a server.

    Raises:
        RunningInvalid: it is nothing of the kind.
    """
    return _decode(_asked, line)


def decode_status(line: bytes) -> Status:
    """How a server is.

    Raises:
        RunningInvalid: it is nothing of the kind.
    """
    return _decode(_status, line)


def decode_answer(line: bytes) -> Answer:
    """A server's answer to a command.

    Raises:
        RunningInvalid: it is nothing of the kind.
    """
    return _decode(_answer, line)


def _decode(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    try:
        return decoder.decode(decode_text_file(line))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RunningInvalid from None
