"""The vocabulary: one typed struct for every verb, with the direction in which it travels.

The structs say which fields exist and what they may hold; msgspec checks them. `json` and `plain` turn them
into lines. Times are Unix milliseconds; ids are positions in the server's log.
"""

from __future__ import annotations

from collections.abc import Sequence
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


class Frame(Struct, frozen=True, gc=False, omit_defaults=True):
    """What all frames share: their verb."""

    verb: ClassVar[str]


# --- client to server ------------------------------------------------------------------------------------


class Hello(Frame, frozen=True, gc=False, omit_defaults=True):
    """Registers; `after` and `log` resume, `token` proves that it is the same person again."""

    verb: ClassVar[str] = "HELLO"
    user: str
    agent: Annotated[str, Meta(max_length=200)]
    after: Id | None = None
    log: Annotated[str, Meta(max_length=64)] | None = None
    token: Annotated[str, Meta(max_length=128)] | None = None


class Send(Frame, frozen=True, gc=False, omit_defaults=True):
    """A message on its way to the server."""

    verb: ClassVar[str] = "MSG"
    to: str
    text: str
    cid: Cid


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
    """What this server enforces, told in `Welcome`. `rate` is in messages per second, 0 for no limit."""

    line_bytes: int
    text_bytes: int
    rate: float
    burst: float


class Welcome(Frame, frozen=True, gc=False):
    """Answers `Hello`: the user is registered.

    `users` are online; `last` is the newest id in this account's inbox.
    """

    verb: ClassVar[str] = "WELCOME"
    user: str
    server: str
    log: Annotated[str, Meta(max_length=64)]  # as in Hello, in which it comes back; so does the token
    last: Id
    users: Sequence[str]
    token: Annotated[str, Meta(max_length=128)]
    limits: LimitsInForce


class Synced(Frame, frozen=True, gc=False):
    """All that was missed has now been sent; what follows is live."""

    verb: ClassVar[str] = "SYNCED"
    last: Id


class Joined(Frame, frozen=True, gc=False):
    """Somebody came online."""

    verb: ClassVar[str] = "JOINED"
    user: str


class Left(Frame, frozen=True, gc=False):
    """Somebody is gone: their last session has ended."""

    verb: ClassVar[str] = "LEFT"
    user: str


class Message(Frame, frozen=True, gc=False):
    """A message in this account's inbox, its own included when another of its devices sent it.

    `cid` is its sender's own id for it; empty if it came without one, from a plain client or the server.
    """

    verb: ClassVar[str] = "MSG"
    id: Id
    at: int
    sender: str = field(name="from")
    to: str
    text: str
    cid: str


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
    """One conversation: with whom, its last message, and how many are unread."""

    peer: str
    last: Message
    unread: int


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


class Error(Frame, frozen=True, gc=False, omit_defaults=True):
    """Something was refused; `text` is a sentence for a person, `code` is for a program."""

    verb: ClassVar[str] = "ERROR"
    code: str
    text: str
    cid: str | None = None
    rid: Rid | None = None


class Goodbye(Frame, frozen=True, gc=False):
    """The server is about to close, and why."""

    verb: ClassVar[str] = "BYE"
    reason: str
    text: str


class Changes(Frame, frozen=True, gc=False):
    """Several changes of who is online, in their order, for the JSON dialect only: a line each."""

    verb: ClassVar[str] = "JOINED"
    changes: Sequence[Joined | Left]


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
    | HistoryQuery
    | SearchQuery
    | ChatsQuery
    | FindQuery
    | Ping
    | Pong
    | Bye
)
FromServer: TypeAlias = (
    Welcome
    | Synced
    | Joined
    | Left
    | Message
    | Ack
    | Receipt
    | TypingFrom
    | History
    | Results
    | Chats
    | Found
    | Error
    | Ping
    | Pong
    | Goodbye
)

FROM_CLIENT: Final[tuple[type[Any], ...]] = FromClient.__args__
FROM_SERVER: Final[tuple[type[Any], ...]] = FromServer.__args__
