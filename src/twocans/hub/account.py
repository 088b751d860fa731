"""A person whom the server knows, and what it remembers of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twocans.hub.limits import TokenBucket
from twocans.protocol.messages import Presence, Receipt, Status
from twocans.protocol.names import UserKey

if TYPE_CHECKING:
    from twocans.hub.online import OnlineBlock
    from twocans.hub.ownership import Ownership
    from twocans.hub.session import Session


class Account:
    """A person known to this server, online or not.

    Args:
        key: what all spellings of the name have in common.
        name: the spelling of the first registration.
    """

    __slots__ = (
        "block",
        "bucket",
        "delivered",
        "handed",
        "joined_version",
        "key",
        "last",
        "name",
        "owner",
        "read",
        "readers",
        "sessions",
        "statuses",
        "stored",
        "stored_bytes",
        "tokens",
        "unconfirmed",
    )

    def __init__(self, key: UserKey, name: str) -> None:
        self.key = key
        self.name = name
        self.block: OnlineBlock | None = None
        """Where this person stands in the list of who is online; `Online` alone touches it."""
        self.bucket: TokenBucket | None = None
        """What all sessions of this person together may say; kept, so that coming again is no fresh start."""
        self.sessions: list[Session] = []
        self.owner: Ownership | None = None
        """What the name is reached by, if it is bound; `owners` and `admission` alone touch it."""
        self.statuses: TokenBucket | None = None
        """How many changes of this person's status others may be told; `Roster` alone touches it."""
        self.tokens: tuple[bytes, ...] = ()
        """Of a name that is not bound: the digest of the token that proves the same person while they are here."""
        self.stored = 0
        """How many messages of this person are stored, or about to be."""
        self.stored_bytes = 0
        """The room that their texts take, about."""
        self.last = 0
        """The newest id in the inbox."""
        self.delivered = 0
        """Up to where a device has said that messages are safe on it."""
        self.handed = 0
        """Up to where messages need not be sent again to a client that has no cursor; at least `delivered`."""
        self.read: dict[UserKey, int] = {}
        """Up to where this person has read each peer's messages; the mark that moved last comes last."""
        self.readers: dict[Account, None] = {}
        """Who has got or read messages of this person: at most `MAX_MARKS_RESUMED`, the one who did so last comes last."""
        self.unconfirmed: dict[Account, int] = {}
        """Who has sent messages beyond `delivered`, and the newest id of each."""
        self.joined_version = 0


def is_exposed(account: Account) -> bool:
    """Whether others on the network can read what somebody who is online sends and gets."""
    return not all(session.encrypted for session in account.sessions)


def presence(account: Account) -> Presence:
    """What others are to know about somebody who is online, over all their sessions."""
    said = {session.status for session in account.sessions}
    status = Status.HERE
    if Status.BUSY in said:
        status = Status.BUSY
    elif said == {Status.AWAY}:
        status = Status.AWAY
    return Presence(account.name, not is_exposed(account), status)


def receipt(sender: Account, reader: Account) -> Receipt:
    """How far `reader` has got with what `sender` sent."""
    return Receipt(reader.name, reader.delivered, reader.read.get(sender.key, 0))
