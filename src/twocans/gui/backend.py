"""Carries out the view-model's effects with the client library, in the asyncio thread, and reports what comes of it."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, assert_never

import structlog

from twocans.client import AddressInvalid, Client, ConnectFailed, RequestFailed, parse_address
from twocans.client.errors import ClientError
from twocans.client.settings import Resume
from twocans.gui.look import prefers_dark
from twocans.gui.notifier import Notifier
from twocans.gui.sound import Sound
from twocans.gui.viewmodel.effects import (
    AskLook,
    ChatsLoaded,
    Connect,
    ConnectRefused,
    Disconnect,
    FindPeople,
    ForBackend,
    FromClient,
    HistoryLoaded,
    Input,
    LoadChats,
    LoadHistory,
    MarkRead,
    NotificationClicked,
    OpenLink,
    PeopleFound,
    PlaySound,
    RetryNow,
    RingBell,
    SendFailed,
    SendMessage,
    SendTyping,
    ShowNotification,
    SystemLook,
    WithdrawNotifications,
)

AGENT: Final = "twocans-desktop"
PAGE: Final = 50
MAX_TASKS: Final = 256
"""How many requests may be under way; what is asked beyond that is not done."""
_SAFE_LINKS: Final = ("http://", "https://", "mailto:")

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def check_server(text: str) -> str | None:
    """What is wrong with a server's address, None if nothing is."""
    try:
        parse_address(text)
    except AddressInvalid as error:
        return error.text
    return None


class Backend:
    """One login at a time, and what is asked beside it.

    Args:
        put: hands an input to the window, waiting while there are too many.
        put_now: the same without waiting.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        put: Callable[[Input], Awaitable[None]],
        put_now: Callable[[Input], None],
        clock: Callable[[], float],
    ) -> None:
        self._put = put
        self._put_now = put_now
        self._client: Client | None = None
        self._login: asyncio.Task[None] | None = None
        self._session = 0
        self._resume: tuple[tuple[str, str], Resume] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._notifier = Notifier(lambda peer: put_now(NotificationClicked(peer)))
        self._sound = Sound(clock, lambda: put_now(RingBell()))

    def do(self, effect: ForBackend) -> None:
        """Carry an effect out; what takes time goes on by itself."""
        client = self._client
        match effect:
            case Connect():
                self._end_login()
                self._session = effect.session
                self._login = self._spawn(self._run(effect))
            case Disconnect():
                self._end_login()
            case SendMessage(to, text, cid):
                self._send(client, to, text, cid)
            case MarkRead(peer, id_):
                if client is not None:
                    client.read(peer, id_)
            case SendTyping(to):
                if client is not None:
                    client.typing(to)
            case RetryNow():
                if client is not None:
                    client.retry_now()
            case LoadHistory(peer, before):
                self._ask(self._history(client, self._session, peer, before))
            case LoadChats():
                self._ask(self._chats(client, self._session))
            case FindPeople(prefix):
                self._ask(self._find(client, self._session, prefix))
            case ShowNotification(peer, title, body):
                self._ask(self._notifier.show(peer, title, body))
            case WithdrawNotifications(peer):
                self._ask(self._notifier.withdraw(peer))
            case PlaySound():
                self._ask(self._sound.play())
            case AskLook():
                self._ask(self._look())
            case OpenLink(url):
                if url.lower().startswith(_SAFE_LINKS):
                    self._ask(_open_link(url))
            case _:
                assert_never(effect)

    async def close(self) -> None:
        """Say goodbye and end everything."""
        self._end_login()
        await self._notifier.withdraw(None)
        self._sound.close()
        while self._tasks:  # one that ends may have begun another, e.g. the goodbye
            await asyncio.wait(self._tasks)

    # --- the login ----------------------------------------------------------------------------------------

    async def _run(self, effect: Connect) -> None:
        """From the first attempt to the last event."""
        session = effect.session
        client: Client | None = None
        try:
            who = (effect.server.casefold(), effect.user)
            resume = self._resume[1] if self._resume is not None and self._resume[0] == who else None
            client = Client(effect.server, effect.user, agent=AGENT, resume=resume)
            self._client = client
            await client.connect()
            async for event in client:
                await self._put(FromClient(session, event))
        except ConnectFailed as error:
            self._put_now(ConnectRefused(session, error.text, error.code))
        except AddressInvalid as error:
            self._put_now(ConnectRefused(session, error.text))
        finally:
            if client is not None:
                if self._client is client:
                    self._client = None
                self._resume = ((effect.server.casefold(), effect.user), client.resume)
                # Not awaited here: a login that is given up must not keep the next one waiting.
                self._spawn(client.close())

    def _end_login(self) -> None:
        if self._login is not None:
            self._login.cancel()
            self._login = None
        self._client = None

    # --- requests -----------------------------------------------------------------------------------------

    def _send(self, client: Client | None, to: str, text: str, cid: str) -> None:
        if client is None:
            self._put_now(SendFailed(self._session, to, cid, "Not sent: you are not connected."))
            return
        try:
            client.send(to, text, cid=cid)
        except ClientError as error:
            self._put_now(SendFailed(self._session, to, cid, error.text))

    async def _history(self, client: Client | None, session: int, peer: str, before: int | None) -> None:
        try:
            if client is None:
                self._put_now(HistoryLoaded(session, peer, None))
                return
            page = await client.history(peer, before=before, limit=PAGE)
        except RequestFailed as error:
            log.info("history_unavailable", code=error.code)
            self._put_now(HistoryLoaded(session, peer, None))
        else:
            self._put_now(HistoryLoaded(session, peer, page.messages, page.more))

    async def _chats(self, client: Client | None, session: int) -> None:
        try:
            if client is not None:
                self._put_now(ChatsLoaded(session, await client.chats()))
        except RequestFailed as error:
            log.info("chats_unavailable", code=error.code)

    async def _find(self, client: Client | None, session: int, prefix: str) -> None:
        try:
            if client is not None:
                self._put_now(PeopleFound(session, prefix, await client.find(prefix)))
        except RequestFailed as error:
            log.info("people_unavailable", code=error.code)

    async def _look(self) -> None:
        dark = await asyncio.to_thread(prefers_dark)
        if dark is not None:
            self._put_now(SystemLook(dark))

    def _ask(self, what: Coroutine[None, None, None]) -> None:
        if len(self._tasks) < MAX_TASKS:
            self._spawn(what)
        else:
            what.close()
            log.warning("too_many_requests", limit=MAX_TASKS)

    def _spawn(self, what: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("backend_task_failed", exc_info=error)


async def _open_link(url: str) -> None:
    # A browser may take its time to start, so this is done in a thread of its own.
    await asyncio.to_thread(webbrowser.open, url)
