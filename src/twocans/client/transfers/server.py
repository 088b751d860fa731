"""What transfers need of the chat with the server: tickets, where it is, and a way to post messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from twocans.client import sentences
from twocans.client.codes import ErrorCode
from twocans.client.errors import MessageNotSent, OutboxUnusable
from twocans.client.events import MessageRefused, MessageStored
from twocans.client.link import Where
from twocans.client.outbox import Outgoing
from twocans.client.requests import Reply
from twocans.client.transfers.failures import Cut, Failed
from twocans.protocol.messages import Error, Frame, LimitsInForce, Ticket

_PASSING: Final = frozenset(
    {
        ErrorCode.OFFLINE,
        ErrorCode.TIMED_OUT,
        ErrorCode.BUSY,
        ErrorCode.CLOSED,
        ErrorCode.RATE_LIMITED,
        ErrorCode.INTERNAL,
    }
)
"""Refusals that a later attempt may well not meet."""


class ChatConnection(Protocol):
    """The connection by which the user chats."""

    @property
    def where(self) -> Where | None:
        """Whom it is connected to; None while the user is not let in."""
        ...

    async def ask(self, make: Callable[[int], Frame]) -> Reply:
        """The answer to a request; `make` gets its number."""
        ...

    async def result(self, cid: str) -> MessageStored | MessageRefused:
        """What becomes of a message that is in the outbox."""
        ...

    def post(self, message: Outgoing) -> None:
        """Put a message into the outbox, if it is not there.

        Raises:
            OutboxUnusable: it cannot be written.
            MessageNotSent: it cannot be taken just now.
        """
        ...


class Server:
    """The server, over all losses of the connection.

    Args:
        chat: how to talk to it.
        connect_s: how long a further connection to it may take to come about, in seconds.
    """

    def __init__(self, chat: ChatConnection, *, connect_s: float) -> None:
        self.connect_s = connect_s
        self.limits: LimitsInForce | None = None
        self._chat = chat
        self._online = asyncio.Event()
        self._withdrawn: dict[str, asyncio.Event] = {}
        """Files of which the server is removing what it has, by their hashes; set when it has."""

    def is_online(self, limits: LimitsInForce) -> None:
        """The user is let in, with limits."""
        self.limits = limits
        self._online.set()

    def is_offline(self) -> None:
        """The connection is lost."""
        self._online.clear()

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as known."""
        return self._online.is_set()

    async def wait_until_online(self) -> None:
        """Return as soon as there is a connection."""
        await self._online.wait()

    @contextlib.contextmanager
    def withdrawing(self, hash_: str) -> Iterator[None]:
        """Hold up uploads of a file while the server removes what it has of it."""
        withdrawn = self._withdrawn[hash_] = asyncio.Event()
        try:
            yield
        finally:
            del self._withdrawn[hash_]
            withdrawn.set()

    async def wait_until_withdrawn(self, hash_: str) -> None:
        """Return as soon as nothing of a file is being removed."""
        while (withdrawn := self._withdrawn.get(hash_)) is not None:
            await withdrawn.wait()

    async def ticket(self, make: Callable[[int], Frame]) -> tuple[Where, Ticket]:
        """What lets a file be brought or fetched, and where.

        Raises:
            Cut: there is no answer just now.
            Failed: the server refused.
        """
        await self._online.wait()
        answer = await self._chat.ask(make)
        where = self._chat.where
        if isinstance(answer, Error):
            raise Cut(answer.text) if answer.code in _PASSING else Failed(answer.text)
        if not isinstance(answer, Ticket):
            raise Failed(sentences.FILE_GARBLED)
        if where is None:
            raise Cut(sentences.FILE_CUT)
        return where, answer

    def post(self, message: Outgoing) -> None:
        """Put a message into the outbox, if it is not there.

        Raises:
            Cut: it cannot be taken just now.
            Failed: it cannot be written.
        """
        try:
            self._chat.post(message)
        except OutboxUnusable as error:
            raise Failed(error.text) from None
        except MessageNotSent as error:
            raise Cut(error.text) from None
