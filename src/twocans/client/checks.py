"""Checks of what a server says, anything is kept of it: names, texts, and answers to what was asked.

Lengths and numbers are bounded by the structs of `protocol.messages` already. What breaks the protocol is an error;
texts are cleaned and shortened, so that whoever shows them need not look again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, assert_never

from msgspec import structs

from twocans.protocol import json
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.file_names import safe_name
from twocans.protocol.messages import (
    MAX_USERS,
    Ack,
    Chat,
    Chats,
    ChatsQuery,
    CodeQuery,
    Device,
    DeviceCode,
    Devices,
    DevicesQuery,
    DownloadQuery,
    Error,
    FindQuery,
    Found,
    Frame,
    FromServer,
    Goodbye,
    History,
    HistoryQuery,
    Joined,
    Left,
    LoggedIn,
    Message,
    Ping,
    Pong,
    Presence,
    ReadMark,
    Receipt,
    Results,
    Revoke,
    SearchQuery,
    SetPassword,
    SignOut,
    Synced,
    Ticket,
    TypingFrom,
    UploadQuery,
    Welcome,
)
from twocans.protocol.names import key_of
from twocans.protocol.text import acting, spelled_out_line, without_control

MAX_SENTENCE_CHARS: Final = 500
"""The longest sentence of a server that a person is shown."""
MAX_LABEL_CHARS: Final = 200
"""The longest name of a server or a device."""
LINE_BYTES: Final = (1024, 2**30)
TEXT_BYTES: Final = (100, 2**30)
"""The least and the greatest limit that a server can be set to, or a later one might be."""
_MAX_FILE_NAME_CHARS: Final = 1000
"""The beginning of a file's name that `safe_name` is given; it keeps less."""

_ANSWERS: Final[dict[type[Frame], type[Frame]]] = {
    HistoryQuery: History,
    SearchQuery: Results,
    ChatsQuery: Chats,
    FindQuery: Found,
    DevicesQuery: Devices,
    Revoke: Devices,
    SignOut: Devices,
    SetPassword: Devices,
    CodeQuery: DeviceCode,
    UploadQuery: Ticket,
    DownloadQuery: Ticket,
}


def sentence(text: str, *, most: int = MAX_SENTENCE_CHARS) -> str:
    """Return what a server says to a person as one line that acts in no terminal, shortened to `most` characters."""
    # A character is spelled out in ten at most, and spaces in a row become one.
    text = spelled_out_line(" ".join(text[: 2 * most].split()))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def is_same_user(one: str, other: str) -> bool:
    """True if two spellings are one name."""
    return one == other or key_of(one) == key_of(other)


def check_answer(query: Frame, reply: Frame) -> None:
    """Check that an answer is one to what was asked, and that a page goes further than what was there.

    Raises:
        ProtocolError: it is not.
    """
    if isinstance(reply, Error):
        return
    if not isinstance(reply, _ANSWERS.get(type(query), Error)):
        raise _broken(f"{reply.verb} is no answer to {query.verb}")
    match query, reply:
        case HistoryQuery(before=before), History(messages=messages, more=more):
            _check_page([message.id for message in messages], before, query.limit, more=more)
        case SearchQuery(before=before), Results(messages=messages, more=more):
            _check_page([message.id for message in reversed(messages)], before, query.limit, more=more)
        case _:
            pass


def _check_page(ids: Sequence[int], before: int | None, limit: int, *, more: bool) -> None:
    """Check a page by the ids of its messages, oldest first. One that breaks this is asked for again for ever."""
    if (
        len(ids) > limit
        or (more and not ids)
        or (ids and before is not None and ids[-1] >= before)
        or any(older >= newer for older, newer in pairwise(ids))
    ):
        raise _broken("the page goes no further")


class FrameChecker:
    """The frames of one connection, and which names the server has used on it."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def decode(self, line: bytes) -> FromServer:
        """Return what a line says, cleaned.

        Raises:
            ProtocolError: it breaks the protocol, or, with `Code.UNKNOWN_VERB`, says what is not known here.
        """
        frame = json.decode_server(line)
        match frame:
            case Message():
                return self._message(frame)
            case Ack():
                _check_key(frame.cid)
            case Welcome():
                return self._welcome(frame)
            case Joined() | Left() | Presence():
                self._check_names((frame.user,))
            case Receipt() | ReadMark():
                self._check_names((frame.peer,))
            case TypingFrom():
                self._check_names((frame.sender,))
            case History() | Results():
                return structs.replace(frame, messages=[self._message(one) for one in frame.messages])
            case Chats():
                return structs.replace(frame, chats=[self._chat(one) for one in frame.chats])
            case Found():
                self._check_names(frame.users)
            case Devices():
                return structs.replace(
                    frame,
                    devices=list(map(_device, frame.devices)),
                    sessions=list(map(_session, frame.sessions)),
                )
            case Error():
                _check_key(frame.cid or "")
                return structs.replace(frame, text=sentence(frame.text))
            case Goodbye():
                return structs.replace(frame, text=sentence(frame.text))
            case Synced() | DeviceCode() | Ticket() | Ping() | Pong():
                pass
            case _:
                assert_never(frame)
        return frame

    def _welcome(self, welcome: Welcome) -> Welcome:
        _check_key(welcome.log)
        limits = welcome.limits
        for value, (least, most) in ((limits.line_bytes, LINE_BYTES), (limits.text_bytes, TEXT_BYTES)):
            if not least <= value <= most:
                raise _broken("its limits are none")
        self._check_names((welcome.user, *welcome.users))
        self._check_names((*welcome.unencrypted, *welcome.statuses))
        return structs.replace(welcome, server=sentence(welcome.server, most=MAX_LABEL_CHARS))

    def _message(self, message: Message) -> Message:
        self._check_names((message.sender, message.to))
        _check_key(message.cid)
        if message.file is not None:
            text = safe_name(message.text[:_MAX_FILE_NAME_CHARS])
        else:
            text = without_control(message.text)
        return message if text == message.text else structs.replace(message, text=text)

    def _chat(self, chat: Chat) -> Chat:
        self._check_names((chat.peer,))
        return structs.replace(chat, last=self._message(chat.last))

    def _check_names(self, names: Iterable[str]) -> None:
        known = self._names
        for name in names:
            if name in known:
                continue
            # What a name is may change with the server's version, so only what could forge or fill up is refused.
            if not name.isprintable() or " " in name or acting(name):
                raise _broken("a name holds what names cannot")
            if len(known) >= MAX_USERS:
                raise _broken("there are too many names")
            known.add(name)


def _check_key(text: str) -> None:
    """Check what is said again to the server, or finds a message."""
    if not text.isprintable():
        raise _broken("an id holds control characters")


def _device(device: Device) -> Device:
    return structs.replace(device, name=sentence(device.name, most=MAX_LABEL_CHARS))


def _session(session: LoggedIn) -> LoggedIn:
    return structs.replace(session, address=sentence(session.address, most=MAX_LABEL_CHARS))


def _broken(why: str) -> ProtocolError:
    return ProtocolError(Code.BAD_REQUEST, f"The server broke the protocol: {why}.")
