"""The vocabulary: one typed struct for every verb, with the direction in which it travels.

The structs say which fields exist and what they may hold; msgspec checks them. `json` and `plain` turn them
into lines. Times are Unix milliseconds; ids are positions in the server's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from msgspec import Meta, Struct, field

from twocans.protocol.user_names import UserNames

_INT64_MAX: Final = 2**63 - 1

Id: TypeAlias = Annotated[int, Meta(ge=0, le=_INT64_MAX)]
"""A message's position in the server's log. Ids only grow; gaps mean nothing."""

Cid: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
"""The client's own id for a message, a UUID kept until the message is acknowledged."""

Rid: TypeAlias = Annotated[int, Meta(ge=0, le=_INT64_MAX)] | Annotated[str, Meta(max_length=64)]
"""The client's own id for a request, given back with the answer."""

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
"""How many messages a page holds at most."""

DEFAULT_PAGE: Final = 50

FileHash: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""The SHA-256 of a file's content, in small hexadecimal digits."""

Size: TypeAlias = Annotated[int, Meta(ge=0, le=_INT64_MAX)]
"""How long a file is, in bytes."""


class FileRef(Struct, frozen=True, gc=False):
    """A file that a message carries, by its content; the message's text is its name."""

    hash: FileHash
    size: Size


class Status(StrEnum):
    """What somebody who is online lets others know: are they there, and may they be disturbed?"""

    HERE = "here"
    AWAY = "away"
    BUSY = "busy"


class Frame(Struct, frozen=True, gc=False, omit_defaults=True):
    """What all frames share: their verb."""

    verb: ClassVar[str]


# --- client to server ------------------------------------------------------------------------------------


class Hello(Frame, frozen=True, gc=False, omit_defaults=True):
    """Registers; `after` and `log` resume, `token` proves that it is the same person again.

    `secret` is a device code or the password, for a device that has no token yet; `invite` is what a server asks
    newcomers for; `device` is what the owner sees this device as; `status` is told to others from the start.
    """

    verb: ClassVar[str] = "HELLO"
    user: str
    agent: Annotated[str, Meta(max_length=200)]
    after: Id | None = None
    log: Annotated[str, Meta(max_length=64)] | None = None
    token: Annotated[str, Meta(max_length=128)] | None = None
    secret: Annotated[str, Meta(max_length=256)] | None = None
    invite: Annotated[str, Meta(max_length=64)] | None = None
    device: Annotated[str, Meta(max_length=64)] | None = None
    status: Status = Status.HERE


class Send(Frame, frozen=True, gc=False, omit_defaults=True):
    """A message on its way to the server; with `file`, `text` is that file's name."""

    verb: ClassVar[str] = "MSG"
    to: str
    text: str
    cid: Cid
    file: FileRef | None = None


class Got(Frame, frozen=True, gc=False, omit_defaults=True):
    """Everything up to `id` is safe on this device."""

    verb: ClassVar[str] = "GOT"
    id: Id


class Read(Frame, frozen=True, gc=False, omit_defaults=True):
    """Everything from `peer` up to `id` has been read; implies `Got`."""

    verb: ClassVar[str] = "READ"
    peer: str
    id: Id


class Typing(Frame, frozen=True, gc=False, omit_defaults=True):
    """The user is writing to `to`; at most one every 3 s."""

    verb: ClassVar[str] = "TYPING"
    to: str


class SetStatus(Frame, frozen=True, gc=False):
    """What others are to know about the one at this device; it counts until the connection ends."""

    verb: ClassVar[str] = "STATUS"
    status: Status


class HistoryQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks for one page of one conversation, the newest page first, `before` exclusive."""

    verb: ClassVar[str] = "HISTORY"
    peer: str
    rid: Rid
    before: Id | None = None
    limit: Limit = DEFAULT_PAGE


class SearchQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks for own messages that hold all words of `query`, newest first."""

    verb: ClassVar[str] = "SEARCH"
    query: Annotated[str, Meta(max_length=1000)]
    rid: Rid
    peer: str | None = None
    before: Id | None = None
    limit: Limit = DEFAULT_PAGE


class ChatsQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks for one's conversations, latest first."""

    verb: ClassVar[str] = "CHATS"
    rid: Rid


class FindQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks for people known to this server whose name starts with `prefix`, online or not."""

    verb: ClassVar[str] = "FIND"
    prefix: Annotated[str, Meta(max_length=64)]
    rid: Rid


class DevicesQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks for the devices that have this name."""

    verb: ClassVar[str] = "DEVICES"
    rid: Rid


class CodeQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks for a code with which one more device gets this name."""

    verb: ClassVar[str] = "CODE"
    rid: Rid


class Revoke(Frame, frozen=True, gc=False, omit_defaults=True):
    """Cuts another device of this name off; answered by `Devices`."""

    verb: ClassVar[str] = "REVOKE"
    device: Id
    rid: Rid


class SignOut(Frame, frozen=True, gc=False, omit_defaults=True):
    """Takes the name from this device itself; answered by `Devices`, and then by `Goodbye` on all its connections."""

    verb: ClassVar[str] = "SIGNOUT"
    rid: Rid


class SetPassword(Frame, frozen=True, gc=False, omit_defaults=True):
    """Sets, changes or, without one, takes away the password of this name; answered by `Devices`."""

    verb: ClassVar[str] = "PASSWORD"
    rid: Rid
    password: Annotated[str, Meta(max_length=256)] | None = None


class UploadQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks to bring a file; answered by `Ticket`."""

    verb: ClassVar[str] = "UPLOAD"
    hash: FileHash
    size: Size
    rid: Rid


class DownloadQuery(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks to fetch the file that the message `id` carries; answered by `Ticket`."""

    verb: ClassVar[str] = "DOWNLOAD"
    id: Id
    rid: Rid


class Bye(Frame, frozen=True, gc=False, omit_defaults=True):
    """Leaves at once."""

    verb: ClassVar[str] = "BYE"


# --- both ways -------------------------------------------------------------------------------------------


class Ping(Frame, frozen=True, gc=False, omit_defaults=True):
    """Asks for a `Pong` with the same `n`."""

    verb: ClassVar[str] = "PING"
    n: Id


class Pong(Frame, frozen=True, gc=False, omit_defaults=True):
    """Answers a `Ping`."""

    verb: ClassVar[str] = "PONG"
    n: Id


# --- server to client ------------------------------------------------------------------------------------


class LimitsInForce(Struct, frozen=True, gc=False):
    """What this server enforces, told in `Welcome`.

    `rate` is in messages per second, 0 for no limit. `file_bytes` is the size of the largest file, 0 for none at all.
    """

    line_bytes: int
    text_bytes: int
    rate: float
    burst: float
    file_bytes: int = 0


class Welcome(Frame, frozen=True, gc=False, omit_defaults=True):
    """Answers `Hello`: the user is registered.

    `users` are online; `last` is the newest id in this account's inbox, and `after` is the id after which the messages
    begin that follow; None from older servers. `device` is the number of this device if
    the name is bound to it. `unencrypted` are those of `users` whose messages others on the network can read,
    `statuses` tells of those who are not `here`.
    """

    verb: ClassVar[str] = "WELCOME"
    user: str
    server: str
    log: Annotated[str, Meta(max_length=64)]  # as in Hello, in which it comes back; so does the token
    last: Id
    users: Sequence[str]
    token: Annotated[str, Meta(max_length=128)]
    limits: LimitsInForce
    after: Id | None = None
    device: Id | None = None
    unencrypted: Sequence[str] = ()
    statuses: Mapping[str, Status] = {}


class Synced(Frame, frozen=True, gc=False):
    """All that was missed has now been sent; what follows is live."""

    verb: ClassVar[str] = "SYNCED"
    last: Id


class Joined(Frame, frozen=True, gc=False, omit_defaults=True):
    """Somebody came online; unless `encrypted`, others on the network can read what they send and get."""

    verb: ClassVar[str] = "JOINED"
    user: str
    encrypted: bool = True
    status: Status = Status.HERE


class Presence(Frame, frozen=True, gc=False, omit_defaults=False):
    """What there is to know about somebody who is online has changed: are all their connections encrypted, and
    their status."""

    verb: ClassVar[str] = "PRESENCE"
    user: str
    encrypted: bool
    status: Status = Status.HERE


class Left(Frame, frozen=True, gc=False):
    """Somebody is gone: their last session has ended."""

    verb: ClassVar[str] = "LEFT"
    user: str


class Message(Frame, frozen=True, gc=False, omit_defaults=True):
    """A message in this account's inbox, its own included when another of its devices sent it.

    `cid` is its sender's own id for it; empty if it came without one, from a plain client or the server. With `file`,
    `text` is that file's name.
    """

    verb: ClassVar[str] = "MSG"
    id: Id
    at: int
    sender: str = field(name="from")
    to: str
    text: str
    cid: str
    file: FileRef | None = None


class Ack(Frame, frozen=True, gc=False):
    """The message is stored; it will not be lost."""

    verb: ClassVar[str] = "ACK"
    cid: str
    id: Id
    at: int


class Receipt(Frame, frozen=True, gc=False):
    """How far `peer` has got with what this account sent: ids, 0 for not at all."""

    verb: ClassVar[str] = "RECEIPT"
    peer: str
    delivered: Id
    read: Id


class ReadMark(Frame, frozen=True, gc=False):
    """Another device of this account has read everything from `peer` up to `id`."""

    verb: ClassVar[str] = "READ"
    peer: str
    id: Id


class TypingFrom(Frame, frozen=True, gc=False):
    """`sender` is writing to this account."""

    verb: ClassVar[str] = "TYPING"
    sender: str = field(name="from")


class History(Frame, frozen=True, gc=False):
    """One page of a conversation, oldest message first; `more` says whether older ones exist."""

    verb: ClassVar[str] = "HISTORY"
    rid: Rid
    messages: list[Message]
    more: bool


class Results(Frame, frozen=True, gc=False):
    """What a search found, newest first; `more` says whether older hits exist."""

    verb: ClassVar[str] = "RESULTS"
    rid: Rid
    messages: list[Message]
    more: bool


class Chat(Struct, frozen=True, gc=False):
    """One conversation: with whom, its last message, and how many are unread.

    Everything from `peer` up to the id `read` has been read, on any device; None if the server does not tell.
    """

    peer: str
    last: Message
    unread: int
    read: int | None = None


class Chats(Frame, frozen=True, gc=False):
    """One's conversations, latest first."""

    verb: ClassVar[str] = "CHATS"
    rid: Rid
    chats: list[Chat]


class Found(Frame, frozen=True, gc=False):
    """People whose name starts with what was asked for."""

    verb: ClassVar[str] = "FOUND"
    rid: Rid
    users: list[str]


class Device(Struct, frozen=True, gc=False):
    """One device that has a token of a name; times in Unix milliseconds. `this` is the one that asks."""

    id: Id
    name: str
    created: int
    seen: int
    online: bool
    this: bool


class LoggedIn(Struct, frozen=True, gc=False, omit_defaults=True):
    """One session of one's name, registered at `since` in Unix milliseconds. `this` is the one that asks.

    Args:
        address: the peer's, without the port.
        by: a `LoginMethod`; a newer server may have further ones.
        device: the `id` of its device, if it is on one.
    """

    address: str
    since: int
    by: str
    encrypted: bool
    plain: bool
    this: bool
    device: Id | None = None


class Devices(Frame, frozen=True, gc=False):
    """The devices that have one's name, whether a password is another way to it, and who is logged in under it.

    The newest sessions are listed, and `session_count` counts all. Older servers list none.
    """

    verb: ClassVar[str] = "DEVICES"
    rid: Rid
    devices: list[Device]
    password: bool
    sessions: list[LoggedIn] = []
    session_count: int = 0


class DeviceCode(Frame, frozen=True, gc=False):
    """A code that lets one more device in within so many seconds, once."""

    verb: ClassVar[str] = "CODE"
    rid: Rid
    code: str
    valid_s: int


class Ticket(Frame, frozen=True, gc=False):
    """Lets one file be brought or fetched by HTTP: a request may begin within `valid_s` seconds.

    `offset` is how much of it the server has already, in bytes: what follows is to be brought, if anything does.
    """

    verb: ClassVar[str] = "TICKET"
    rid: Rid
    ticket: Annotated[str, Meta(max_length=512)]
    offset: Size
    valid_s: int


class Error(Frame, frozen=True, gc=False, omit_defaults=True):
    """Something was refused; `text` is a sentence for a person, `code` is for a program.

    `needs` tells a program what else would help: `invite`, `secret` or `tls`.
    """

    verb: ClassVar[str] = "ERROR"
    code: str
    text: str
    cid: str | None = None
    rid: Rid | None = None
    needs: str | None = None


class Goodbye(Frame, frozen=True, gc=False):
    """The server is about to close, and why."""

    verb: ClassVar[str] = "BYE"
    reason: str
    text: str


class Changes(Frame, frozen=True, gc=False):
    """Several changes of who is online, in their order, for the JSON dialect only: a line each."""

    verb: ClassVar[str] = "JOINED"
    changes: Sequence[Joined | Left | Presence]


class UserList(Frame, frozen=True, gc=False):
    """Everybody online, for the plain dialect only: JSON clients get `Joined` and `Left`."""

    verb: ClassVar[str] = "LIST"
    users: UserNames


class Notice(Frame, frozen=True, gc=False):
    """Something that the server has to say to a person; `MSG: Server: …` in the plain dialect."""

    verb: ClassVar[str] = "MSG"
    text: str


FromClient: TypeAlias = (
    Hello
    | Send
    | Got
    | Read
    | Typing
    | SetStatus
    | HistoryQuery
    | SearchQuery
    | ChatsQuery
    | FindQuery
    | DevicesQuery
    | CodeQuery
    | Revoke
    | SignOut
    | SetPassword
    | UploadQuery
    | DownloadQuery
    | Ping
    | Pong
    | Bye
)
FromServer: TypeAlias = (
    Welcome
    | Synced
    | Joined
    | Left
    | Presence
    | Message
    | Ack
    | Receipt
    | ReadMark
    | TypingFrom
    | History
    | Results
    | Chats
    | Found
    | Devices
    | DeviceCode
    | Ticket
    | Error
    | Ping
    | Pong
    | Goodbye
)

FROM_CLIENT: Final[tuple[type[Any], ...]] = FromClient.__args__
FROM_SERVER: Final[tuple[type[Any], ...]] = FromServer.__args__
