"""The interface of a storage: a log of messages with what is looked up in it.

Every method returns at once and answers through a callback, called on the thread of the hub, in the order of
the calls for `append`. A storage may answer before the method returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from twocans.protocol.messages import Chat, Message
from twocans.protocol.names import UserKey
from twocans.storage.disk_space import Room

_T = TypeVar("_T")


class Party(Protocol):
    """Somebody who sends or gets messages, by what all spellings of the name have in common."""

    @property
    def key(self) -> UserKey:
        """The key of the name."""
        ...


class Batch(Struct, frozen=True):
    """Messages of one sender that were accepted together, in the order of their ids.

    There is one recipient for each message. A message whose sender gave no `cid` has an empty one: nobody can
    send it again. `files` tells whether any of them carries one, `text_bytes` how much room the texts take, about.
    Of a batch that `repeats_only` nothing is stored: there is no room for it, but what was stored before is known.
    """

    sender: Party
    recipients: Sequence[Party]
    messages: Sequence[Message]
    text_bytes: int
    files: bool = False
    repeats_only: bool = False


class Stored(Struct, frozen=True):
    """The number of messages of one sender, and the bytes that their texts take."""

    messages: int
    text_bytes: int


NOTHING_STORED: Final = Stored(0, 0)


class Known(Struct, frozen=True):
    """The message was in the log before, under the same cid, with this id and time; it is not stored again."""

    id: int
    at: int


class Conflict(Struct, frozen=True):
    """The sender has used this cid before, for other content."""


class NoSuchFile(Struct, frozen=True):
    """The sender has neither brought the file that the message carries, nor has it in another message."""


class NoRoom(Struct, frozen=True):
    """The message was not in the log before, and its batch was of repeats only."""


class Failed(Struct, frozen=True):
    """The message could not be stored; `full` tells that there is no room on the disk."""

    full: bool


class Page(Struct, frozen=True):
    """Some messages; `more` says whether the same question has more answers.

    `failed` tells that the storage could not read: what is missing may be there.
    """

    messages: Sequence[Message]
    more: bool
    failed: bool = False


Unstored: TypeAlias = Known | Conflict | NoSuchFile | NoRoom | Failed
OnStored: TypeAlias = Callable[[Batch, Mapping[int, Unstored]], None]
"""Takes a batch when it is in the log, and what became of those of its messages that are not, by their places."""
ALL_STORED: Final[Mapping[int, Unstored]] = {}
OnPage: TypeAlias = Callable[[Page], None]
OnChats: TypeAlias = Callable[[Sequence[Chat] | None], None]
"""Takes conversations; None if they could not be read."""
OnCounts: TypeAlias = Callable[[Mapping[UserKey, Stored] | None], None]
"""Takes what is stored by its senders; None if it could not be read."""


class AccountRecord(Struct, frozen=True, kw_only=True):
    """What a storage knows of a person from earlier; all numbers are ids.

    `last` is the newest in the inbox, `delivered` and `handed` are marks, `read` is the mark for each peer, and
    `inbound` the newest message from each peer.
    """

    key: UserKey
    name: str
    last: int
    delivered: int
    handed: int
    read: Mapping[UserKey, int]
    inbound: Mapping[UserKey, int]


class Storage(Protocol):
    """A message log. Its name changes when its ids lose their meaning."""

    @property
    def log(self) -> str:
        """The name of this log."""
        ...

    def accounts(self) -> Iterable[AccountRecord]:
        """Everybody who has been added before this storage was opened."""
        ...

    def add_account(self, key: UserKey, name: str) -> None:
        """Make somebody known, before any message from or to them."""
        ...

    @property
    def room(self) -> Room:
        """Bytes that the disk has left; a moment old, so that what waits to be stored may not be counted."""
        ...

    def new_ids(self, count: int) -> int:
        """The first of `count` ids in a row that nobody else is given; those that are not used leave a gap."""
        ...

    def append(self, batch: Batch, on_stored: OnStored) -> None:
        """Store messages, whose ids are new and follow those of the batch before; (sender, cid) is unique for good."""
        ...

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """Messages to `user`, and with `own` also those from `user`, with ids above `after`, oldest first."""
        ...

    def conversation(
        self, user: UserKey, peer: UserKey, *, before: int | None, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """The newest messages between the two with ids below `before`, oldest first."""
        ...

    def search(
        self,
        user: UserKey,
        query: str,
        *,
        peer: UserKey | None,
        before: int | None,
        limit: int,
        max_bytes: int,
        on_page: OnPage,
    ) -> None:
        """Messages to or from `user` that hold all words of `query`, or their beginnings; newest first."""
        ...

    def chats(self, user: UserKey, *, limit: int, on_chats: OnChats) -> None:
        """The conversations of `user`, latest first, with what is unread by `mark_read`."""
        ...

    def count_stored(self, upto: int, on_counts: OnCounts) -> None:
        """How many messages of each sender are there that still have a text, with ids up to `upto`."""
        ...

    def mark_read(self, reader: UserKey, peer: UserKey, upto: int) -> None:
        """`reader` has read everything from `peer` up to the id."""
        ...

    def mark_delivered(self, user: UserKey, *, delivered: int, handed: int) -> None:
        """Up to where `user` has got messages; marks only grow."""
        ...

    def close(self) -> None:
        """Finish what was begun; nothing may be called after it."""
        ...


class PageBuilder:
    """Collects the messages of a page: at least one, and no more than the limits allow.

    Args:
        limit: the most messages.
        max_bytes: the most bytes of text.
    """

    def __init__(self, limit: int, max_bytes: int) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._size = 0
        self._messages: list[Message] = []

    @property
    def missing(self) -> int:
        """The number of messages to look for: one more than there is room for tells that there are more."""
        return self._limit + 1 - len(self._messages)

    def add(self, messages: Iterable[Message]) -> bool:
        """Add messages in their order; True as soon as one does not fit, which ends the page."""
        for message in messages:
            self._size += len(message.text.encode())
            if self._messages and (len(self._messages) == self._limit or self._size > self._max_bytes):
                return True
            self._messages.append(message)
        return False

    def page(self, *, more: bool) -> Page:
        """Return the messages so far as a page."""
        return Page(self._messages, more)

    def __bool__(self) -> bool:
        return bool(self._messages)


def page_of(messages: Iterable[Message], limit: int, max_bytes: int) -> Page:
    """As many messages as a page holds: at least one, and no more than the limits allow."""
    builder = PageBuilder(limit, max_bytes)
    full = builder.add(messages)
    return builder.page(more=full)


def known_again(message: Message, known: Message) -> Known | Conflict:
    """What becomes of a message whose sender has used its cid for a message before."""
    same = known.to == message.to and known.text == message.text and known.file == message.file
    return Known(known.id, known.at) if same else Conflict()


def without(unstored: Mapping[int, Unstored], things: Sequence[_T]) -> list[_T]:
    """Those of a batch's messages, or of what goes with them, that are in the log now."""
    return [thing for place, thing in enumerate(things) if place not in unstored]
