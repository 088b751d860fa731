"""The interface of a storage: a log of messages with what is looked up in it.

Every method returns at once and answers through a callback, called on the thread of the hub, in the order of
the calls for `append`. A storage may answer before the method returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from twocans.protocol.messages import Chat, Message
from twocans.protocol.names import UserKey


class Draft(Struct, frozen=True):
    """A message that has been accepted but not stored yet. `origin` is the hub's own, passed through."""

    sender: UserKey
    recipient: UserKey
    sender_name: str
    recipient_name: str
    text: str
    cid: str
    at: int
    origin: object


class Stored(Struct, frozen=True):
    """The message is in the log; `first` is false if it was there before under the same cid."""

    message: Message
    first: bool


class Conflict(Struct, frozen=True):
    """The sender has used this cid before, for other content."""


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


Outcome: TypeAlias = Stored | Conflict | Failed
OnStored: TypeAlias = Callable[[Draft, Outcome], None]
OnPage: TypeAlias = Callable[[Page], None]
OnChats: TypeAlias = Callable[[Sequence[Chat] | None], None]
"""Takes conversations; None if they could not be read."""


class AccountRecord(Struct, frozen=True, kw_only=True):
    """What a storage knows of a person from earlier; all numbers are ids.

    `last` is the newest in the inbox, `delivered` and `handed` are marks, `read` is the mark for each peer, and
    `inbound` the newest from each peer who has sent something beyond `delivered`.
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

    def append(self, draft: Draft, on_stored: OnStored) -> None:
        """Store a message and give it the next id; (sender, cid) is unique for good."""
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

    def mark_read(self, reader: UserKey, peer: UserKey, upto: int) -> None:
        """`reader` has read everything from `peer` up to the id."""
        ...

    def mark_delivered(self, user: UserKey, *, delivered: int, handed: int) -> None:
        """Up to where `user` has got messages; marks only grow."""
        ...

    def close(self) -> None:
        """Finish what was begun; nothing may be called after it."""
        ...


def page_of(messages: Iterable[Message], limit: int, max_bytes: int) -> Page:
    """As many messages as a page holds: at least one, and no more than the limits allow."""
    taken: list[Message] = []
    size = 0
    for message in messages:
        size += len(message.text.encode())
        if taken and (len(taken) == limit or size > max_bytes):
            return Page(taken, more=True)
        taken.append(message)
    return Page(taken, more=False)


def known_again(draft: Draft, known: Message) -> Stored | Conflict:
    """What becomes of a draft whose sender has used its cid for a message before."""
    same = known.to == draft.recipient_name and known.text == draft.text
    return Stored(known, first=False) if same else Conflict()
