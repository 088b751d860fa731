"""The vocabulary: one typed struct for every verb, with the direction in which it travels.

The structs say which fields exist and what they may hold; msgspec checks them. `json` and `plain` turn them
into lines. Times are Unix milliseconds; ids are positions in the server's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from msgspec import Meta, Struct, field

from twocans.protocol.user_names import MAX_NAME_CHARS, UserNames

_INT64_MAX: Final = 2**63 - 1
MAX_ID: Final = 2**53 - 1
"""The greatest id, number or size that a client takes from a server: what every language's numbers hold."""
MAX_USERS: Final = 100_000
"""How many people a client lets a server name as online."""
MAX_CHATS: Final = 10_000
MAX_LISTED: Final = 1000
"""How many devices, sessions or names a client takes in one list."""
MAX_PAGE: Final = 500
LATEST_MS: Final = 253_402_128_000_000
"""The last day but one that a calendar has, in Unix milliseconds."""

Id: TypeAlias = Annotated[int, Meta(ge=0, le=_INT64_MAX)]
"""A message's position in the server's log. Ids only grow; gaps mean nothing."""

Cid: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
"""The client's own id for a message, a UUID kept until the message is acknowledged."""

Rid: TypeAlias = Annotated[int, Meta(ge=0, le=_INT64_MAX)] | Annotated[str, Meta(max_length=64)]
"""The client's own id for a request, given back with the answer."""

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
"""How many messages a page holds at most."""

DEFAULT_PAGE: Final = 50

FileHash: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""The SHA-256 of a file's content, in small hexadecimal digits."""

Size: TypeAlias = Annotated[int, Meta(ge=0, le=_INT64_MAX)]
"""How long a file is, in bytes."""

# What a server says is bounded where it is decoded. The server itself writes these structs and never reads them.

LogId: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_ID)]
"""An id as a server tells it."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_ID)]

Moment: TypeAlias = Annotated[int, Meta(ge=0, le=LATEST_MS)]
"""A time in Unix milliseconds that every calendar has."""

Seconds: TypeAlias = Annotated[int, Meta(ge=0, le=366 * 24 * 3600)]

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
"""A user name as a server tells it."""

Word: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{0,64}\Z")]
"""What a server says to programs: a code, a reason."""

Proof: TypeAlias = Annotated[str, Meta(pattern=r"^[!-~]{0,128}\Z")]
"""A token as a server gives it: it is kept, and said again."""

SentCid: TypeAlias = Annotated[str, Meta(max_length=64)]
"""A cid as a server tells it; empty if the message came without one."""


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

    line_bytes: Count
    text_bytes: Count
    rate: Annotated[float, Meta(ge=0)]
    burst: Annotated[float, Meta(ge=0)]
    file_bytes: Size = 0


class Welcome(Frame, frozen=True, gc=False, omit_defaults=True):
    """Answers `Hello`: the user is registered.

    `users` are online; `last` is the newest id in this account's inbox, and `after` is the id after which the messages
    begin that follow; None from older servers. `device` is the number of this device if
    the name is bound to it. `unencrypted` are those of `users` whose messages others on the network can read,
    `statuses` tells of those who are not `here`.
    """

    verb: ClassVar[str] = "WELCOME"
    user: Name
    server: str
    log: Annotated[str, Meta(max_length=64)]  # as in Hello, in which it comes back; so does the token
    last: LogId
    users: Annotated[Sequence[Name], Meta(max_length=MAX_USERS)]
    token: Proof
    limits: LimitsInForce
    after: LogId | None = None
    device: LogId | None = None
    unencrypted: Annotated[Sequence[Name], Meta(max_length=MAX_USERS)] = ()
    statuses: Annotated[Mapping[Name, Status], Meta(max_length=MAX_USERS)] = {}


class Synced(Frame, frozen=True, gc=False):
    """All that was missed has now been sent; what follows is live."""

    verb: ClassVar[str] = "SYNCED"
    last: LogId


class Joined(Frame, frozen=True, gc=False, omit_defaults=True):
    """Somebody came online; unless `encrypted`, others on the network can read what they send and get."""

    verb: ClassVar[str] = "JOINED"
    user: Name
    encrypted: bool = True
    status: Status = Status.HERE


class Presence(Frame, frozen=True, gc=False, omit_defaults=False):
    """What there is to know about somebody who is online has changed: are all their connections encrypted, and
    their status."""

    verb: ClassVar[str] = "PRESENCE"
    user: Name
    encrypted: bool
    status: Status = Status.HERE


class Left(Frame, frozen=True, gc=False):
    """Somebody is gone: their last session has ended."""

    verb: ClassVar[str] = "LEFT"
    user: Name


class Message(Frame, frozen=True, gc=False, omit_defaults=True):
    """A message in this account's inbox, its own included when another of its devices sent it.

    `cid` is its sender's own id for it; empty if it came without one, from a plain client or the server. With `file`,
    `text` is that file's name.
    """

    verb: ClassVar[str] = "MSG"
    id: LogId
    at: Moment
    sender: Name = field(name="from")
    to: Name
    text: str
    cid: SentCid
    file: FileRef | None = None


class Ack(Frame, frozen=True, gc=False):
    """The message is stored; it will not be lost."""

    verb: ClassVar[str] = "ACK"
    cid: SentCid
    id: LogId
    at: Moment


class Receipt(Frame, frozen=True, gc=False):
    """How far `peer` has got with what this account sent: ids, 0 for not at all."""

    verb: ClassVar[str] = "RECEIPT"
    peer: Name
    delivered: LogId
    read: LogId


class ReadMark(Frame, frozen=True, gc=False):
    """Another device of this account has read everything from `peer` up to `id`."""

    verb: ClassVar[str] = "READ"
    peer: Name
    id: LogId


class TypingFrom(Frame, frozen=True, gc=False):
    """`sender` is writing to this account."""

    verb: ClassVar[str] = "TYPING"
    sender: Name = field(name="from")


class History(Frame, frozen=True, gc=False):
    """One page of a conversation, oldest message first; `more` says whether older ones exist."""

    verb: ClassVar[str] = "HISTORY"
    rid: Rid
    messages: Annotated[list[Message], Meta(max_length=MAX_PAGE)]
    more: bool


class Results(Frame, frozen=True, gc=False):
    """What a search found, newest first; `more` says whether older hits exist."""

    verb: ClassVar[str] = "RESULTS"
    rid: Rid
    messages: Annotated[list[Message], Meta(max_length=MAX_PAGE)]
    more: bool


class Chat(Struct, frozen=True, gc=False):
    """One conversation: with whom, its last message, and how many are unread.

    Everything from `peer` up to the id `read` has been read, on any device; None if the server does not tell.
    """

    peer: Name
    last: Message
    unread: Count
    read: LogId | None = None


class Chats(Frame, frozen=True, gc=False):
    """One's conversations, latest first."""

    verb: ClassVar[str] = "CHATS"
    rid: Rid
    chats: Annotated[list[Chat], Meta(max_length=MAX_CHATS)]


class Found(Frame, frozen=True, gc=False):
    """People whose name starts with what was asked for."""

    verb: ClassVar[str] = "FOUND"
    rid: Rid
    users: Annotated[list[Name], Meta(max_length=MAX_LISTED)]


class Device(Struct, frozen=True, gc=False):
    """One device that has a token of a name; times in Unix milliseconds. `this` is the one that asks."""

    id: LogId
    name: str
    created: Moment
    seen: Moment
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
    since: Moment
    by: Word
    encrypted: bool
    plain: bool
    this: bool
    device: LogId | None = None


class Devices(Frame, frozen=True, gc=False):
    """The devices that have one's name, whether a password is another way to it, and who is logged in under it.

    The newest sessions are listed, and `session_count` counts all. Older servers list none.
    """

    verb: ClassVar[str] = "DEVICES"
    rid: Rid
    devices: Annotated[list[Device], Meta(max_length=MAX_LISTED)]
    password: bool
    sessions: Annotated[list[LoggedIn], Meta(max_length=MAX_LISTED)] = []
    session_count: Count = 0


class DeviceCode(Frame, frozen=True, gc=False):
    """A code that lets one more device in within so many seconds, once."""

    verb: ClassVar[str] = "CODE"
    rid: Rid
    code: Word
    valid_s: Seconds


class Ticket(Frame, frozen=True, gc=False):
    """Lets one file be brought or fetched by HTTP: a request may begin within `valid_s` seconds.

    `offset` is how much of it the server has already, in bytes: what follows is to be brought, if anything does.
    """

    verb: ClassVar[str] = "TICKET"
    rid: Rid
    ticket: Annotated[str, Meta(max_length=512)]
    offset: Count
    valid_s: Seconds


class Error(Frame, frozen=True, gc=False, omit_defaults=True):
    """Something was refused; `text` is a sentence for a person, `code` is for a program.

    `needs` tells a program what else would help: `invite`, `secret` or `tls`.
    """

    verb: ClassVar[str] = "ERROR"
    code: Word
    text: str
    cid: SentCid | None = None
    rid: Rid | None = None
    needs: Word | None = None


class Goodbye(Frame, frozen=True, gc=False):
    """The server is about to close, and why."""

    verb: ClassVar[str] = "BYE"
    reason: Word
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
