"""One registered or registering connection, as the hub sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from twocans.protocol.errors import ProtocolError
from twocans.protocol.logins import LoginMethod
from twocans.protocol.messages import Frame, Message, Status, UserList
from twocans.protocol.names import UserKey

if TYPE_CHECKING:
    from twocans.hub.account import Account
    from twocans.hub.address_quota import AddressUsage
    from twocans.hub.ownership import Device


class Reason(StrEnum):
    """Why a session ended."""

    LEFT = "left"
    CONNECTION_LOST = "connection_lost"
    TIMED_OUT = "timed_out"
    TOO_SLOW = "too_slow"
    KICKED = "kicked"
    PROTOCOL_ERROR = "protocol_error"
    REFUSED = "refused"
    NOT_REGISTERED = "not_registered"
    SERVER_STOPPING = "server_stopping"
    STORAGE_FAILED = "storage_failed"
    REVOKED = "revoked"
    SIGNED_OUT = "signed_out"
    BANNED = "banned"
    TLS_FAILED = "tls_failed"
    NOT_ENCRYPTED = "not_encrypted"
    FAILED = "failed"


class Session(ABC):
    """What the hub needs of a connection, and what it remembers about it.

    Args:
        address: where the peer is, for people: `host:port`.
    """

    __slots__ = (
        "account",
        "acked",
        "address",
        "asking",
        "credential",
        "cursor",
        "device",
        "encrypted",
        "files_due",
        "live",
        "method",
        "plain",
        "seen_version",
        "since_ms",
        "status",
        "told_away",
        "typing",
        "usage",
        "warned",
    )

    def __init__(self, address: str) -> None:
        self.address = address
        self.encrypted = False
        """Whether nobody on the way can read what is said."""
        self.device: Device | None = None
        """The device that it is on, if the name is bound to one."""
        self.credential: int | None = None
        """What it was let in by: the id of the device, else the print of the password; None if the name is not bound."""
        self.method = LoginMethod.NAME
        """How it was let in."""
        self.plain = True
        self.account: Account | None = None
        self.usage: AddressUsage | None = None
        """The usage of its address; None before the first message."""
        self.live = False
        """Whether the backlog is through, and messages are delivered as they are stored."""
        self.cursor = 0
        """The newest id of the backlog that has been delivered."""
        self.acked: frozenset[int] = frozenset()
        """What this session itself sent while its backlog was under way; it is not told twice."""
        self.asking = False
        """Whether an answer is awaited; one question of a session is under way at a time."""
        self.files_due = False
        """Whether a message with a file may be among those that are told next; a plain peer gets it as a link."""
        self.since_ms = 0
        """When the session was registered, in Unix milliseconds."""
        self.status = Status.HERE
        """What its peer wants others to know; nothing else of a plain one."""
        self.seen_version = -1
        """The version of the roster that this session has been told of."""
        self.typing: dict[UserKey, float] | None = None
        """When TYPING was last passed on to whom, within `TYPING_INTERVAL_S`; None before the first."""
        self.told_away: dict[Account, int] | None = None
        """Of whose absence a plain peer has been told, by the version of the roster at which they last came."""
        self.warned: frozenset[UserKey] = frozenset()
        """Of whom a plain peer on an encrypted connection has been told that theirs is not."""

    @property
    def host(self) -> str:
        """Where the peer is, whatever the port."""
        return self.address.rpartition(":")[0]

    @abstractmethod
    def deliver(self, message: Frame) -> None:
        """Tell the peer; never blocks and never raises."""

    @abstractmethod
    def deliver_receipt(self, sender: Account, reader: Account) -> None:
        """Tell a JSON peer, who is `sender`, how far `reader` has got, as it is when it is told."""

    @abstractmethod
    def deliver_list(self, users: UserList) -> None:
        """Tell a plain peer who is online; replaces what a slow reader has not been sent yet."""

    @abstractmethod
    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once the peer has fetched all but a little of what was delivered; at once if it has.

        Never after the end.
        """

    @abstractmethod
    def answered(self) -> None:
        """The answer has come, and the next question may be asked."""

    @abstractmethod
    def admitted(self) -> None:
        """The session is registered."""

    @abstractmethod
    def turned_away(self, error: ProtocolError) -> None:
        """The session is not registered, which was not decided at once; it may try again."""

    @abstractmethod
    def end(self, reason: Reason, text: str) -> None:
        """Tell the peer why, and close once that is sent."""

    @abstractmethod
    def handed_upto(self) -> int:
        """For a plain peer: the newest id that its machine has taken."""

    @abstractmethod
    def deliver_message(self, message: Message) -> None:
        """Tell the peer about a message of its inbox; only while it is registered."""

    @abstractmethod
    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell a JSON peer that messages of its own are stored."""
