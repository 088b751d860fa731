"""What a client is told, in the order in which it happened. Plain data; the same for GUI, bots and tests."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from twocans.client.codes import ErrorCode
from twocans.client.transfers.model import Transfer
from twocans.protocol.keys import ServerKey
from twocans.protocol.messages import FileRef, LimitsInForce, Message, Status


class Loss(Enum):
    """Why the connection to the server ended."""

    UNREACHABLE = "unreachable"  # an attempt to connect failed
    LOST = "lost"  # the connection ended without a word
    TIMED_OUT = "timed_out"  # the server has been silent for too long
    SERVER_CLOSED = "server_closed"  # the server said goodbye: it stops or restarts
    KICKED = "kicked"  # the operator ended the session
    REFUSED = "refused"  # the server does not let this user in (any more)
    PROTOCOL = "protocol"  # what answers there is not a Twocans server
    KEY_CHANGED = (
        "key_changed"  # the server has another key than the one that is known: nothing was sent to it
    )
    UNVERIFIED = "unverified"  # the known keys or the token cannot be read, so nothing was sent to the server
    REVOKED = "revoked"  # this device no longer has the name: it was cut off, or the token is of one that was
    SIGNED_OUT = "signed_out"  # this device was signed out, by this program or another one on it
    BANNED = "banned"  # the operator has banned this user


class Online(Struct, frozen=True):
    """Registered, for the first time or again. `users` are online, oneself included.

    `fresh` tells that the server's log is not the one known before: earlier ids mean nothing any more. `key` is
    the server's; with `first_use` nobody has compared it yet. `unencrypted` are those of `users` whose messages
    others on the network can read, `statuses` tells of those who are not here. Ids count within `log`. `after` is the id after which messages begin, where that is not the one that the program
    has dealt with: it had none yet, or the server no longer has what came later.
    """

    user: str
    server: str
    users: tuple[str, ...]
    limits: LimitsInForce
    fresh: bool
    key: ServerKey
    first_use: bool = False
    unencrypted: tuple[str, ...] = ()
    statuses: Mapping[str, Status] = {}
    log: str = ""
    after: int | None = None


class Offline(Struct, frozen=True):
    """The connection is lost, or another attempt failed. `text` is a sentence for a person.

    `retry_in_s` is the pause before the next attempt, in seconds; None if the client will not try again.
    `code` is the protocol's error code when the server refused. With `Loss.KEY_CHANGED`, `key` is the one that
    the server has shown and `known_key` the one that it had before; None if it is not the
    one that was announced.
    """

    loss: Loss
    text: str
    retry_in_s: float | None
    code: ErrorCode | None = None
    key: ServerKey | None = None
    known_key: ServerKey | None = None


class CaughtUp(Struct, frozen=True):
    """All that was missed has been given out; what follows is live."""

    last: int


class UserJoined(Struct, frozen=True):
    """Somebody came online; unless `encrypted`, others on the network can read what they send and get."""

    user: str
    encrypted: bool = True
    status: Status = Status.HERE


class UserLeft(Struct, frozen=True):
    """Somebody is gone: their last session has ended."""

    user: str


class PresenceChanged(Struct, frozen=True):
    """About somebody who is online it has changed whether all their connections are encrypted, or their status."""

    user: str
    encrypted: bool
    status: Status = Status.HERE


class MessageReceived(Struct, frozen=True):
    """A message of this account's inbox, once and in the order of ids.

    `message.sender` is this user if another of the user's devices sent it.
    """

    message: Message


class MessageStored(Struct, frozen=True):
    """A message of one's own is stored by the server; it will not be lost. `at` is in Unix milliseconds."""

    cid: str
    to: str
    text: str
    id: int
    at: int
    file: FileRef | None = None


class MessageRefused(Struct, frozen=True):
    """A message of one's own was refused and is out of the outbox; `text` says why, for a person."""

    cid: str
    to: str
    code: ErrorCode
    text: str


class ReceiptMoved(Struct, frozen=True):
    """How far `peer` has got with one's messages: ids, 0 for not at all."""

    peer: str
    delivered: int
    read: int


class ReadElsewhere(Struct, frozen=True):
    """Everything from `peer` up to `id` has been read on another device of this user."""

    peer: str
    id: int


class TransferMoved(Struct, frozen=True):
    """A file on its way is in another state, or further. Of several that nobody has taken only the newest may be left."""

    transfer: Transfer


class PeerTyping(Struct, frozen=True):
    """`user` is writing to this account."""

    user: str


Event: TypeAlias = (
    Online
    | Offline
    | CaughtUp
    | UserJoined
    | UserLeft
    | PresenceChanged
    | MessageReceived
    | MessageStored
    | MessageRefused
    | ReceiptMoved
    | ReadElsewhere
    | PeerTyping
    | TransferMoved
)
