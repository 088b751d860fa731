"""The interface of what is kept of files: who has which, and how much of one has come.

Answers come through callbacks on the hub's thread, as those of `base`. The bytes themselves are not the hub's: those
who move them use `contents`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from twocans.protocol.messages import FileRef
from twocans.protocol.names import UserKey

TICKET_S: Final = 600
"""For how long a transfer may begin with a ticket; until then room is reserved for an upload."""
FRESH_MS: Final = 24 * 60 * 60 * 1000
"""How long a file stays that has been brought and is in no message, and one that is coming and gets no further."""


class Carried(Struct, frozen=True):
    """The file of a message, and what it is called there."""

    file: FileRef
    name: str


class Unkept(Enum):
    """Why there is no answer, or why a file is not taken."""

    UNREADABLE = auto()
    """The storage cannot be read or written just now."""
    NONE = auto()
    """There is no such file, or not for this person."""
    FULL = auto()
    """There is no room for it on this server."""
    SHARE_FULL = auto()
    """This person has as much here as one person may have."""
    TOO_MANY = auto()
    """As many files of this person are on their way as may be of one person."""


OnOffset: TypeAlias = Callable[[int | Unkept], None]
"""Takes how many bytes of a file have come."""
OnCarried: TypeAlias = Callable[[Carried | Unkept], None]


class FileKeeper(Protocol):
    """What is kept of files."""

    @property
    def secret(self) -> bytes:
        """What tickets are signed with; it stays the same for as long as there is this storage."""
        ...

    @property
    def totals(self) -> tuple[int, int]:
        """How many files are kept whole, and how many bytes there are of them and of those that are coming."""
        ...

    def offset(self, user: UserKey, file: FileRef, on_offset: OnOffset) -> None:
        """How much of a file somebody has brought; all of it if they have it in a message, too.

        Whoever is told that it is all there may send it within a day.
        """
        ...

    def carried(self, user: UserKey, id_: int, on_carried: OnCarried) -> None:
        """The file of a message that somebody has sent or got."""
        ...
