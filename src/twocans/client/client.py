"""The client that programs use: a few calls over `driver` and `session`."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from os import PathLike
from pathlib import Path
from random import Random, SystemRandom
from types import TracebackType
from typing import TypeVar

from msgspec import Struct

from twocans.client import sentences
from twocans.client.address import Address, as_address
from twocans.client.cids import check_cid, new_cid, reply_cid
from twocans.client.codes import ErrorCode
from twocans.client.credentials import Credentials
from twocans.client.driver import MAX_EVENTS_AWAITED, Driver
from twocans.client.errors import ConnectFailed, MessageNotSent, OutboxUnusable, RequestFailed
from twocans.client.events import Event, Loss, MessageRefused, MessageStored, Online
from twocans.client.link import Where
from twocans.client.outbox import MemoryOutbox, Outbox, Outgoing
from twocans.client.paging import Page, newest_first
from twocans.client.progress import MemoryPosition, Progress
from twocans.client.requests import Reply
from twocans.client.session import Session
from twocans.client.sqlite_outbox import SqliteOutbox
from twocans.client.store import Store
from twocans.client.timing import Clock, Position, Timers, default_clock
from twocans.client.tokens import MemoryTokens, Tokens
from twocans.client.transfers.records import MemoryRecords
from twocans.client.transfers.transfers import Transfers
from twocans.client.trust import MemoryTrust, Trust
from twocans.protocol.errors import Code
from twocans.protocol.keys import ServerKey
from twocans.protocol.messages import (
    DEFAULT_PAGE,
    Chat,
    Chats,
    ChatsQuery,
    CodeQuery,
    Device,
    Devices,
    DevicesQuery,
    Error,
    FindQuery,
    Found,
    Frame,
    History,
    HistoryQuery,
    LoggedIn,
    Message,
    Results,
    Revoke,
    SearchQuery,
    SetPassword,
    SignOut,
    Status,
)
from twocans.protocol.messages import DeviceCode as CodeFrame

_Reply = TypeVar("_Reply", History, Results, Chats, Found, Devices, CodeFrame)


class DeviceList(Struct, frozen=True):
    """The devices that have one's name, whether a password is another way to it, and who is logged in under it.

    The newest `sessions` are listed, and `session_count` counts all; an older server tells of none.
    """

    devices: tuple[Device, ...]
    password: bool
    sessions: tuple[LoggedIn, ...] = ()
    session_count: int = 0


class DeviceCode(Struct, frozen=True):
    """A code that lets one more device in within `valid_s` seconds, once. It is a secret."""

    code: str
    valid_s: int


class Client:
    """One user at one server. Belongs to the event loop in which `connect` is called.

    Iterate over it with `async for` to hear what happens, from the first `Online` on. The iteration ends when the
    client is closed, and raises `ConnectionEnded` when the connection is lost for good. A client whose events
    are not taken stops reading after `driver.MAX_EVENTS` of them, and the server takes it for slow.

    Asking for the next event says that the program is done with the one before: then the position moves, and the
    server is told. With `folder` the position outlives the program: however it ends, its next run begins with the
    event that it was working on. See `reply` and `commit`. A client with a folder is to be closed even if it was never
    connected.

    Files go by `client.transfers`, see `Transfers`.

    Args:
        address: where the server is: "host", "host:port", a link, or an `Address`.
        user: the name to register under.
        agent: the program's name, told to the server.
        clock: seconds; the system's clock if None.
        wall_ms: the time of day in Unix milliseconds, for message ids; the system's clock if None.
        random: for pauses and message ids; the system's source if None.
        timers: how long things may take.
        outbox: what waits to be acknowledged; one in memory if None.
        position: where an earlier client ended (its `position`), to go on from there; for programs that keep it
            themselves.
        trust: the keys of known servers; only those that this client meets if None.
        tokens: where the proofs are kept that this is the same person again; in memory if None, and then the
            name is lost with the client where the server binds names to devices.
        secret: a device code or the password, for the first connection.
        invite: what the server asks newcomers for, for the first connection.
        device: what the owner of the name sees this device as; the computer's name if None.
        expected_key: the key that was announced for the server. Where none is known yet, a server with another key
            is refused with `Loss.KEY_CHANGED` before anything is said to it; a key that is known counts more.
        folder: keeps between runs all that `outbox`, `position`, `trust` and `tokens` are for. Many clients can
            share it if their servers or users differ.

    Raises:
        AddressInvalid: the address is none; it is a ValueError.
        FolderInUse: another client has this user at this server, in this folder.
        OutboxUnusable: the folder cannot be used.
        ValueError: an outbox or a position is given beside a folder.
    """

    def __init__(
        self,
        address: Address | str,
        user: str,
        *,
        agent: str = "twocans-python",
        clock: Clock | None = None,
        wall_ms: Callable[[], int] | None = None,
        random: Random | None = None,
        timers: Timers | None = None,
        outbox: Outbox | None = None,
        position: Position | None = None,
        trust: Trust | None = None,
        tokens: Tokens | None = None,
        secret: str | None = None,
        invite: str | None = None,
        device: str | None = None,
        expected_key: ServerKey | None = None,
        folder: str | PathLike[str] | None = None,
    ) -> None:
        self.address = as_address(address)
        if not isinstance(user, str):
            raise TypeError(f"a user name is a str, not {type(user).__name__}")
        if folder is not None and not (outbox is None and position is None):
            raise ValueError("the folder has an outbox and a position of its own")
        self._store = store = None if folder is None else Store(Path(folder), self.address, user)
        if store is not None:
            outbox, position = store.outbox, store.outbox.position
            trust = store.trust if trust is None else trust
            tokens = store.tokens if tokens is None else tokens
        self._outbox = MemoryOutbox() if outbox is None else outbox
        self._progress = Progress(position or Position(), MemoryPosition() if store is None else store.outbox)
        self._random = random or SystemRandom()
        self._wall_ms = wall_ms or _wall_ms
        timers = timers or Timers()
        clock = clock or default_clock()
        self._session = Session(
            user,
            agent=agent,
            where=str(self.address),
            outbox=self._outbox,
            position=self._progress.position,
            timers=timers,
            clock=clock,
        )
        self._credentials = Credentials(
            self.address,
            user,
            trust=MemoryTrust() if trust is None else trust,
            tokens=MemoryTokens() if tokens is None else tokens,
            secret=secret,
            invite=invite,
            device=socket.gethostname() if device is None else device,
            expected_key=expected_key,
        )
        self._driver = Driver(
            self._session,
            self.address,
            self._credentials,
            timers=timers,
            clock=clock,
            random=self._random,
        )
        self.transfers = Transfers(
            _ChatConnection(self._session, self._driver),
            outbox.transfers if isinstance(outbox, SqliteOutbox) else MemoryRecords(),
            self._driver.stream,
            timers=timers,
            clock=clock,
            wall_ms=self._wall_ms,
            random=self._random,
        )
        """Files that are sent and fetched; those of an earlier time of the program go on once it is connected."""
        self._driver.observer = self.transfers
        self._is_awaited = False

    # --- the connection ----------------------------------------------------------------------------------

    async def connect(self) -> Online:
        """Connect for the first time; what is lost later is connected again without a call.

        Cancelling it closes the connection at once. After a failure it may be called again.

        Returns:
            The first event, which also comes out of the iteration.

        Raises:
            ConnectFailed: it did not work; nothing is retried.
            RuntimeError: it is connected, or closed, already.
        """
        try:
            self._session.user.encode()
        except UnicodeEncodeError:
            raise ConnectFailed(Loss.REFUSED, sentences.UNSAYABLE_NAME, Code.NAME_INVALID) from None
        if not self._credentials.are_text:
            raise ConnectFailed(Loss.REFUSED, sentences.NO_SECRET, Code.AUTH_FAILED)
        return await self._driver.start()

    def retry_now(self) -> None:
        """Skip the pause before the next attempt to connect; does nothing while there is none."""
        self._driver.retry()

    async def close(self) -> None:
        """Say goodbye and end the iteration, after the events that are there. Any number of times.

        Files that are on their way stop, and go on another time if the outbox is on disk.
        """
        try:
            await self.transfers.close()
            await self._driver.close()
        finally:
            if self._store is not None:
                self._store.close()

    async def __aenter__(self) -> Client:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        """Be done with the event before, and wait for the next one. After `close` the iteration ends.

        Raises:
            ConnectionEnded: the connection is lost for good; the last `Offline` has said why.
            OutboxUnusable: the position could not be saved.
            RuntimeError: the client was not connected yet, or another task is waiting for the next event.
        """
        if not self._driver.is_started:
            raise RuntimeError("connect the client before iterating over it, best by `async with`")
        if self._is_awaited:
            raise RuntimeError("another task iterates over this client, and gets the events")
        self.commit()
        self._is_awaited = True
        try:
            event = await self._driver.stream.take()
        finally:
            self._is_awaited = False
        if event is None:
            if self._driver.lost is not None:
                raise self._driver.lost
            raise StopAsyncIteration
        if self._can_keep:
            self._progress.taken(event)
        return event

    def commit(self) -> None:
        """Say that the program is done with the event that it was given last, without asking for the next one.

        Called before leaving the iteration, it spares the next run that event. After `close` nothing is kept any
        more: what is still given out then comes again.

        Raises:
            OutboxUnusable: the position could not be saved.
        """
        if self._can_keep:
            self._progress.commit()
            self._confirm()

    @property
    def _can_keep(self) -> bool:
        return self._store is None or self._store.is_open

    def _confirm(self) -> None:
        if self._session.confirm(self._progress.position):
            self._driver.changed()

    # --- what is known -----------------------------------------------------------------------------------

    @property
    def user(self) -> str:
        """One's own name, as the server spells it once it is known there."""
        return self._session.user

    @property
    def online_users(self) -> tuple[str, ...]:
        """Who is online as far as now known, oneself included; nobody while there is no connection."""
        return self._session.users

    @property
    def unencrypted_users(self) -> tuple[str, ...]:
        """Those who are online and whose messages others on the network can read."""
        return self._session.unencrypted

    @property
    def statuses(self) -> Mapping[str, Status]:
        """The statuses of those who are online and not `here`, oneself included, over all of a person's devices."""
        return self._session.statuses

    @property
    def problem(self) -> str:
        """A sentence for the user if the server's key or the token is kept only in memory; "" if both are kept."""
        return self._credentials.problem

    @property
    def connected(self) -> bool:
        """Whether the server has let this user in and the connection stands."""
        return self._session.is_online

    @property
    def pending(self) -> tuple[Outgoing, ...]:
        """The outbox: messages that are not acknowledged yet, oldest first."""
        return self._session.pending

    @property
    def position(self) -> Position:
        """The position up to which the program has dealt with everything; a later client can go on from there.

        With `folder` it is kept by the client.
        """
        return self._progress.position

    # --- messages ----------------------------------------------------------------------------------------

    def enqueue(self, to: str, text: str, *, cid: str | None = None) -> str:
        """Put a message into the outbox; it is sent now, or when there is a connection again.

        What becomes of it comes as `MessageStored` or `MessageRefused`, the latter too if this client sees
        by itself that it cannot be sent.

        Args:
            to: the recipient's name.
            text: what it says; all kinds of line ends become `\\n`.
            cid: the message's id, 1 to 64 characters; a fresh one if None.

        Returns:
            The message's id.

        Raises:
            MessageNotSent: the client is closed, far too many events have not been taken, or the outbox cannot
                be written.
            ValueError: the cid is none, or belongs to another message that is waiting.
        """
        cid = self._post(to, text, cid)
        self._driver.changed()
        return cid

    async def send(self, to: str, text: str, *, cid: str | None = None) -> MessageStored:
        """Send, and wait until the server has stored the message, over losses of the connection too.

        The result comes out of the iteration as well. A caller that stops waiting leaves the message in the
        outbox.

        Args:
            to: the recipient's name.
            text: what it says; all kinds of line ends become `\\n`.
            cid: the message's id, 1 to 64 characters; a fresh one if None. The same message under the same cid is
                stored once, however often it is sent.

        Raises:
            MessageNotSent: it was refused, or nobody can wait for it any more.
            ValueError: the cid is none, or belongs to another message that is waiting.
        """
        return await self._stored(self._post(to, text, cid))

    async def drain(self) -> None:
        """Wait until the outbox is empty: everything that was sent so far is stored or refused.

        Files count from when their message is in the outbox.

        Raises:
            MessageNotSent: nobody can wait any more; what was not sent stays in the outbox.
        """
        await self._driver.drained()

    async def reply(self, message: Message, text: str) -> MessageStored:
        """Reply to a message, once for good, and wait until the server has stored the reply.

        The reply is put into the outbox, and the program is done with the message, in one step: a program with a
        `folder` that ends at any moment replies to each message exactly once. Where the same message is replied to
        again all the same, the server knows the reply by its cid. So one message has one reply; for more, `send`
        with cids that the program derives from the message.

        Args:
            message: as it came; of one's own from another device, the reply goes to the same conversation.
            text: what the reply says.

        Raises:
            MessageNotSent: it was refused, or nobody can wait for it any more; with `conflict` the message has
                another reply already.
            ValueError: another reply to the same message is waiting in the outbox.
        """
        if self._driver.stream.ended:
            raise MessageNotSent(ErrorCode.CLOSED, sentences.SENT_TOO_LATE)
        to = message.to if message.sender == self.user else message.sender
        cid = reply_cid(message)

        def post() -> bool:
            self._post(to, text, cid)
            return self._outbox.get(cid) is not None

        try:
            self._progress.commit_with(message, post)
        except OutboxUnusable as error:
            raise _unwritten(error) from None
        self._confirm()
        return await self._stored(cid)

    async def _stored(self, cid: str) -> MessageStored:
        result = await self._driver.result(cid)
        if isinstance(result, MessageStored):
            return result
        raise MessageNotSent(result.code, result.text)

    def _post(self, to: str, text: str, cid: str | None) -> str:
        cid = new_cid(now_ms=self._wall_ms(), random=self._random) if cid is None else check_cid(cid)
        try:
            _post(self._session, self._driver, Outgoing(cid, to, text))
        except OutboxUnusable as error:
            raise _unwritten(error) from None
        return cid

    def mark_read(self, peer: str, id: int) -> None:  # noqa: A002 - the protocol's name for it
        """Everything from `peer` up to `id` has been read; told when there is a connection."""
        self._session.read(peer, id)
        self._driver.changed()

    def typing(self, to: str) -> None:
        """The user is writing to somebody; told at most once in three seconds, and only when connected."""
        self._session.typing(to)
        self._driver.changed()

    def set_status(self, status: Status) -> None:
        """What others are to know about the user at this device; told now, and again with every connection.

        A user is `busy` if one of their devices says so, and `away` if all of them do.
        """
        self._session.set_status(status)
        self._driver.changed()

    # --- questions ---------------------------------------------------------------------------------------

    def history(self, peer: str, *, before: int | None = None) -> AsyncIterator[Message]:
        """Iterate over the conversation with somebody, newest message first; pages are loaded as they are needed.

        Args:
            peer: with whom.
            before: only messages with smaller ids; None begins with the newest.

        Raises:
            RequestFailed: while iterating, there is no answer, or the server refused.
        """
        return newest_first(lambda below: self.history_page(peer, before=below), before)

    async def history_page(self, peer: str, *, before: int | None = None, limit: int = DEFAULT_PAGE) -> Page:
        """One page of the conversation with somebody, oldest message first.

        Args:
            peer: with whom.
            before: only messages with smaller ids; None for the newest page.
            limit: how many at most, 1 to 500.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        reply = await self._ask(
            History, lambda rid: HistoryQuery(peer=peer, rid=rid, before=before, limit=limit)
        )
        return Page(tuple(reply.messages), reply.more)

    def search(
        self, query: str, *, peer: str | None = None, before: int | None = None
    ) -> AsyncIterator[Message]:
        """Iterate over one's own messages that hold all words of `query`, newest first, loading page after page.

        Args:
            query: words.
            peer: only from the conversation with them.
            before: only messages with smaller ids.

        Raises:
            RequestFailed: while iterating, there is no answer, or the server refused.
        """
        return newest_first(lambda below: self.search_page(query, peer=peer, before=below), before)

    async def search_page(
        self, query: str, *, peer: str | None = None, before: int | None = None, limit: int = DEFAULT_PAGE
    ) -> Page:
        """One page of one's own messages that hold all words of `query`, newest first.

        Args:
            query: words.
            peer: only from the conversation with them.
            before: only messages with smaller ids.
            limit: how many at most, 1 to 500.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        reply = await self._ask(
            Results, lambda rid: SearchQuery(query=query, rid=rid, peer=peer, before=before, limit=limit)
        )
        return Page(tuple(reply.messages), reply.more)

    async def chats(self) -> tuple[Chat, ...]:
        """One's conversations, latest first.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        return tuple((await self._ask(Chats, lambda rid: ChatsQuery(rid=rid))).chats)

    async def find_users(self, prefix: str) -> tuple[str, ...]:
        """People known to the server whose name starts with `prefix`, online or not.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        return tuple((await self._ask(Found, lambda rid: FindQuery(prefix=prefix, rid=rid))).users)

    # --- one's devices -----------------------------------------------------------------------------------

    async def devices(self) -> DeviceList:
        """The devices that have one's name.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        return await self._devices(lambda rid: DevicesQuery(rid=rid))

    async def new_code(self) -> DeviceCode:
        """A code with which one more device gets one's name; an earlier one may not count any more.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        reply = await self._ask(CodeFrame, lambda rid: CodeQuery(rid=rid))
        return DeviceCode(reply.code, reply.valid_s)

    async def revoke(self, device: int) -> DeviceList:
        """Cut another device off, by its `id` in the list, and remove the password; to come back it needs a code.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        return await self._devices(lambda rid: Revoke(device=device, rid=rid))

    async def sign_out(self) -> None:
        """Take the name from this device for good; the connection ends, and what is kept here stays.

        Raises:
            RequestFailed: there is no answer, or the server refused, for example since this is the only device of a
                name without a password.
        """
        await self._devices(lambda rid: SignOut(rid=rid))

    async def set_password(self, password: str | None) -> DeviceList:
        """Set or change the password that lets further devices in; None takes it away.

        Raises:
            RequestFailed: there is no answer, or the server refused.
        """
        return await self._devices(lambda rid: SetPassword(rid=rid, password=password))

    async def _devices(self, make: Callable[[int], Frame]) -> DeviceList:
        reply = await self._ask(Devices, make)
        return DeviceList(tuple(reply.devices), reply.password, tuple(reply.sessions), reply.session_count)

    async def _ask(self, kind: type[_Reply], make: Callable[[int], Frame]) -> _Reply:
        reply = await self._driver.answer(self._session.ask(make))
        if isinstance(reply, kind):
            return reply
        if isinstance(reply, Error):
            raise RequestFailed(reply.code, reply.text)
        raise RequestFailed(Code.BAD_REQUEST, sentences.NOT_UNDERSTOOD)


class _ChatConnection:
    """What transfers need of one client."""

    def __init__(self, session: Session, driver: Driver) -> None:
        self._session = session
        self._driver = driver

    @property
    def where(self) -> Where | None:
        return self._driver.where

    async def ask(self, make: Callable[[int], Frame]) -> Reply:
        return await self._driver.answer(self._session.ask(make))

    async def result(self, cid: str) -> MessageStored | MessageRefused:
        return await self._driver.result(cid)

    def post(self, message: Outgoing) -> None:
        _post(self._session, self._driver, message)
        self._driver.changed()


def _post(session: Session, driver: Driver, message: Outgoing) -> None:
    """Put a message into the outbox.

    Raises:
        MessageNotSent: the client is closed, or far too many events have not been taken.
        OutboxUnusable: the outbox cannot be written.
        ValueError: the cid belongs to another message that is waiting.
    """
    if driver.stream.ended:
        raise MessageNotSent(ErrorCode.CLOSED, sentences.SENT_TOO_LATE)
    if driver.stream.load >= MAX_EVENTS_AWAITED:
        raise MessageNotSent(ErrorCode.BUSY, sentences.TOO_MANY_EVENTS)
    session.send(message)


def _unwritten(error: OutboxUnusable) -> MessageNotSent:
    return MessageNotSent(ErrorCode.UNWRITTEN, f"The message was not sent. {error.text}")


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
