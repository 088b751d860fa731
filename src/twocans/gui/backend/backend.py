"""Carries out the view-model's effects with the client library, in the asyncio thread, and reports what comes of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, assert_never

import structlog

from twocans.client import (
    Address,
    AddressInvalid,
    Client,
    ConnectFailed,
    ConnectionEnded,
    Loss,
    MemoryOutbox,
    MemoryTokens,
    Nearby,
    NearbyServers,
    Offline,
    Online,
    Outgoing,
    Position,
    RequestFailed,
    TrustUnusable,
    default_outbox_path,
    default_tokens,
    default_trust,
    parse_address,
)
from twocans.client.errors import ClientError
from twocans.client.events import TransferMoved
from twocans.client.nearby import Networks
from twocans.common.new_file import NewFileError
from twocans.gui.backend.devices import code, devices
from twocans.gui.backend.drafting import Drafting
from twocans.gui.backend.export import save
from twocans.gui.backend.file_actions import FileActions
from twocans.gui.backend.history import PAGE, around, newer
from twocans.gui.backend.hosting import Host
from twocans.gui.backend.login_store import LoginStore
from twocans.gui.backend.open_window import OpenWindow, StartListener, StartOptions
from twocans.gui.backend.picture_cache import PictureCache, default_folder
from twocans.gui.errors import SENTENCE
from twocans.gui.platform.appearance import prefers_dark
from twocans.gui.platform.idle import IdleTime
from twocans.gui.platform.notifications import Notifier
from twocans.gui.platform.opening import open_folder, open_link
from twocans.gui.platform.portal import NotOnThisComputer, choose_files
from twocans.gui.platform.sound import Sound
from twocans.gui.viewmodel.effects import (
    AnswerStart,
    AskIdle,
    AskLook,
    CancelExport,
    CancelTransfer,
    ChangePassword,
    ChooseFiles,
    Connect,
    CutOff,
    Disconnect,
    ExportChat,
    FetchFile,
    FetchPicture,
    FindPeople,
    FindServer,
    FollowPeople,
    FollowServerLog,
    ForBackend,
    GoOnWithTransfer,
    KeepDraft,
    LoadAround,
    LoadChats,
    LoadDevices,
    LoadHistory,
    LoadNewer,
    LookForServers,
    MakeCode,
    MarkRead,
    OpenFile,
    OpenFolder,
    OpenLink,
    OperateServer,
    PauseTransfer,
    PlaySound,
    RetryNow,
    SaveToDownloads,
    SearchMessages,
    SendFiles,
    SendMessage,
    SendTyping,
    SetStatus,
    ShowFile,
    ShowNotification,
    SignOut,
    StartServer,
    StopLooking,
    StopServer,
    WithdrawNotifications,
)
from twocans.gui.viewmodel.inputs import (
    AroundLoaded,
    ChatsLoaded,
    ConnectRefused,
    ExportEnded,
    ExportMoved,
    FilesChosen,
    FromClient,
    HistoryLoaded,
    IdleFor,
    Input,
    KeepingFailed,
    NewerLoaded,
    NotificationClicked,
    OutboxOpened,
    PeopleFound,
    ResultsLoaded,
    RingBell,
    SendFailed,
    ServersNearby,
    StartedAgain,
    SystemLook,
    Told,
)
from twocans.protocol.keys import ServerKey
from twocans.protocol.names import key_of
from twocans.protocol.plurals import counted

AGENT: Final = "twocans-desktop"
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
        networks: where to look for servers; see `NearbyServers`.
        window: what this process has claimed, to hear of further starts; None hears of none.
    """

    def __init__(
        self,
        put: Callable[[Input], Awaitable[None]],
        put_now: Callable[[Input], None],
        clock: Callable[[], float],
        networks: Callable[[], Networks] | None = None,
        window: OpenWindow | None = None,
    ) -> None:
        self._put = put
        self._put_now = put_now
        self._networks = networks
        self._client: Client | None = None
        self._looking: asyncio.Task[None] | None = None
        self._login: asyncio.Task[None] | None = None
        self._session = 0
        self._export: asyncio.Task[None] | None = None
        self._choosing: asyncio.Task[None] | None = None
        self._keeping: LoginStore | None = None
        self._drafting: Drafting | None = None
        self._resumes: dict[tuple[Address, str], Position] = {}
        self._memory: dict[tuple[Address, str], MemoryOutbox] = {}
        self._trust = default_trust()
        self._tokens = default_tokens()
        self._own_tokens = MemoryTokens()
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests: set[asyncio.Task[None]] = set()
        """Those tasks that nobody needs an answer of once the window ends."""
        self._host = Host(put_now, self._spawn)
        self._notifier = Notifier(lambda peer: put_now(NotificationClicked(peer)))
        self._idle = IdleTime()
        self._asking_idle: asyncio.Task[None] | None = None
        self._sound = Sound(clock, lambda: put_now(RingBell()))
        pictures = PictureCache(default_folder())
        self._filing = FileActions(pictures, put_now, self._ask)
        self._ask(asyncio.to_thread(pictures.tidy))
        self._starts: StartListener | None = None
        self._listening: asyncio.Task[None] | None = None
        if window is not None:
            self._starts = StartListener(window.file, self._started_again)
            self._listening = self._spawn(self._starts.serve())

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
            case LookForServers(known):
                self._stop_looking()
                self._looking = self._spawn(self._look_for_servers(known))
            case StopLooking():
                self._stop_looking()
            case (
                FindServer()
                | StartServer()
                | StopServer()
                | FollowServerLog()
                | FollowPeople()
                | OperateServer()
            ):
                self._host.do(effect)
            case OpenFolder(path):
                self._ask(self._open(open_folder(Path(path))))
            case SendMessage(to, text, cid):
                self._send(client, to, text, cid)
            case KeepDraft(draft):
                failed = self._drafting.keep(draft) if self._drafting is not None else None
                if failed is not None:
                    self._put_now(failed)
            case MarkRead(peer, id_):
                if client is not None:
                    client.mark_read(peer, id_)
            case SendTyping(to):
                if client is not None:
                    client.typing(to)
            case SetStatus(status):
                if client is not None:
                    client.set_status(status)
            case RetryNow():
                if client is not None:
                    client.retry_now()
            case LoadHistory(peer, before):
                self._ask(self._history(client, self._session, peer, before))
            case LoadAround(peer, id_):
                self._ask(self._around(client, self._session, peer, id_))
            case LoadNewer(peer, after):
                self._ask(self._newer(client, self._session, peer, after))
            case LoadChats():
                self._ask(self._chats(client, self._session))
            case FindPeople(prefix):
                self._ask(self._find(client, self._session, prefix))
            case SearchMessages():
                self._ask(self._search(client, self._session, effect))
            case ExportChat():
                self._end_export()
                self._export = self._spawn(self._save(client, self._session, effect))
            case CancelExport():
                self._end_export()
            case ChooseFiles():
                self._end_choosing()
                self._choosing = self._spawn(self._choose(effect))
            case LoadDevices() | CutOff() | SignOut() | ChangePassword() | MakeCode():
                self._ask(self._devices(client, self._session, effect))
            case ShowNotification(peer, title, body):
                self._ask(self._notifier.show(peer, title, body))
            case WithdrawNotifications(peer):
                self._ask(self._notifier.withdraw(peer))
            case PlaySound():
                self._ask(self._sound.play())
            case AskIdle():
                # A display that does not answer is not asked again until it has.
                if self._asking_idle is None or self._asking_idle.done():
                    self._asking_idle = self._spawn(self._idle_time())
            case AskLook():
                self._ask(self._look())
            case (
                SendFiles()
                | FetchFile()
                | FetchPicture()
                | SaveToDownloads()
                | PauseTransfer()
                | GoOnWithTransfer()
                | CancelTransfer()
                | OpenFile()
                | ShowFile()
            ):
                self._filing.do(effect, client, self._session)
            case AnswerStart(number):
                if self._starts is not None:
                    self._starts.answer(number)
            case OpenLink(url):
                if url.lower().startswith(_SAFE_LINKS):
                    self._ask(self._open(open_link(url)))
            case _:
                assert_never(effect)

    async def close(self) -> None:
        """Say goodbye and end everything."""
        self._end_login()
        self._stop_looking()
        self._end_choosing()
        self._host.close()
        if self._listening is not None:
            self._listening.cancel()
        for request in self._requests:
            request.cancel()
        if self._asking_idle is not None:
            self._asking_idle.cancel()
        await self._notifier.withdraw(None)
        self._notifier.close()
        self._sound.close()
        try:
            while self._tasks:  # one that ends may have begun another, e.g. the goodbye
                await asyncio.wait(self._tasks)
        finally:
            self._idle.close()

    def _started_again(self, number: int, options: StartOptions) -> None:
        self._put_now(StartedAgain(number, options.server, options.user, options.connect, options.in_tray))

    # --- the servers nearby ---------------------------------------------------------------------------------

    async def _look_for_servers(self, known: frozenset[ServerKey]) -> None:
        def tell(nearby: Nearby) -> None:
            self._put_now(ServersNearby(nearby))

        async with NearbyServers(tell, networks=self._networks, known=known):
            await asyncio.Event().wait()

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    # --- the login ----------------------------------------------------------------------------------------

    async def _run(self, effect: Connect) -> None:
        """From the first attempt to the last event."""
        session = effect.session
        client: Client | None = None
        waiting: tuple[Outgoing, ...] | None
        problem = ""
        try:
            address = parse_address(effect.server.casefold())
            who = (address, key_of(effect.user))
            if effect.accept is not None:
                problem = await self._accept(address, effect.accept)
            keeping = self._keep(*who)
            client = Client(
                address,
                effect.user,
                agent=AGENT,
                outbox=keeping.outbox,
                position=self._resumes.get(who),
                trust=self._trust,
                tokens=self._own_tokens if keeping.is_alone else self._tokens,
                secret=effect.secret,
                invite=effect.invite,
                expected_key=effect.expected,
            )
            self._client = client
            waiting = client.pending
            await client.connect()
            async for event in client:
                if isinstance(event, TransferMoved) and self._filing.keeps(event.transfer, session):
                    continue
                await self._put(FromClient(session, event))
                if waiting is not None:
                    self._put_now(OutboxOpened(session, waiting, keeping.problem))
                    if isinstance(event, Online):
                        self._drafting = Drafting(session, keeping, event.key)
                        self._ask(self._load_drafts(self._drafting, event.limits.file_bytes))
                    waiting = None
                    for transfer in client.transfers.all:
                        if not self._filing.keeps(transfer, session):
                            self._put_now(FromClient(session, TransferMoved(transfer)))
                if isinstance(event, Online) and (client.problem or problem):
                    self._put_now(KeepingFailed(session, client.problem or problem))
        except ConnectionEnded as error:
            # The last event has said so already, unless the client itself has failed.
            if error.__cause__ is not None:
                log.exception("login_failed")
                self._put_now(FromClient(session, Offline(Loss.LOST, SENTENCE, None)))
        except ConnectFailed as error:
            self._put_now(
                ConnectRefused(session, error.text, error.code, error.needs, error.known_key, error.key)
            )
        except AddressInvalid as error:
            self._put_now(ConnectRefused(session, error.text))
        except Exception:
            # The root of the login: a window that hears nothing of it would wait for ever.
            log.exception("login_failed")
            self._put_now(FromClient(session, Offline(Loss.LOST, SENTENCE, None)))
        finally:
            if client is not None:
                if self._client is client:
                    self._client = None
                if client.position.log is not None:
                    self._resumes[who] = client.position
                # Not awaited here: a login that is given up must not keep the next one waiting.
                self._spawn(self._leave(client, keeping))

    async def _accept(self, server: Address, key: ServerKey) -> str:
        """The user has brought this key from the server's console; what cannot be kept of that, as a sentence."""
        try:
            await asyncio.to_thread(self._trust.accept, server, key)
        except TrustUnusable as error:
            log.warning("key_unkept", problem=error.text)
            return error.text
        return ""

    def _keep(self, server: Address, user: str) -> LoginStore:
        """What is kept for a user at a server; an earlier login of theirs that is still ending has it open."""
        keeping = self._keeping
        if keeping is None or (keeping.server, keeping.user) != (server, user):
            if keeping is not None:
                keeping.close()
            memory = self._memory.setdefault((server, user), MemoryOutbox())
            keeping = self._keeping = LoginStore(default_outbox_path(), server, user, memory)
            if keeping.problem:
                log.warning("outbox_unusable", problem=keeping.problem)
        return keeping

    async def _leave(self, client: Client, keeping: LoginStore) -> None:
        await client.close()
        if self._keeping is keeping and self._client is None:
            self._keeping = None
            keeping.close()

    def _end_login(self) -> None:
        if self._login is not None:
            self._login.cancel()
            self._login = None
        self._end_export()
        self._client = None

    # --- requests -----------------------------------------------------------------------------------------

    def _send(self, client: Client | None, to: str, text: str, cid: str) -> None:
        if client is None:
            self._put_now(SendFailed(self._session, to, cid, "Not sent: you are not connected."))
            return
        try:
            client.enqueue(to, text, cid=cid)
        except ClientError as error:
            self._put_now(SendFailed(self._session, to, cid, error.text))

    async def _load_drafts(self, drafting: Drafting, file_bytes: int) -> None:
        self._put_now(await drafting.load(file_bytes))

    async def _history(self, client: Client | None, session: int, peer: str, before: int | None) -> None:
        try:
            if client is None:
                self._put_now(HistoryLoaded(session, peer, before, None))
                return
            page = await client.history_page(peer, before=before, limit=PAGE)
        except RequestFailed as error:
            log.info("history_unavailable", code=error.code)
            self._put_now(HistoryLoaded(session, peer, before, None))
        else:
            self._put_now(HistoryLoaded(session, peer, before, page.messages, page.more))

    async def _around(self, client: Client | None, session: int, peer: str, id_: int) -> None:
        try:
            if client is None:
                self._put_now(AroundLoaded(session, peer, id_, None))
                return
            page, ahead = await around(client, peer, id_)
        except RequestFailed as error:
            log.info("history_unavailable", code=error.code)
            self._put_now(AroundLoaded(session, peer, id_, None))
        else:
            self._put_now(AroundLoaded(session, peer, id_, page.messages, page.more, ahead))

    async def _newer(self, client: Client | None, session: int, peer: str, after: int) -> None:
        try:
            if client is None:
                self._put_now(NewerLoaded(session, peer, after, None))
                return
            messages, ahead = await newer(client, peer, after)
        except RequestFailed as error:
            log.info("history_unavailable", code=error.code)
            self._put_now(NewerLoaded(session, peer, after, None))
        else:
            self._put_now(NewerLoaded(session, peer, after, messages, ahead))

    async def _chats(self, client: Client | None, session: int) -> None:
        try:
            if client is not None:
                self._put_now(ChatsLoaded(session, await client.chats()))
        except RequestFailed as error:
            log.info("chats_unavailable", code=error.code)
            self._put_now(ChatsLoaded(session, ()))  # it is waited for before anything counts as read

    async def _find(self, client: Client | None, session: int, prefix: str) -> None:
        try:
            if client is not None:
                self._put_now(PeopleFound(session, prefix, await client.find_users(prefix)))
        except RequestFailed as error:
            log.info("people_unavailable", code=error.code)

    async def _search(self, client: Client | None, session: int, asked: SearchMessages) -> None:
        try:
            if client is None:
                return
            page = await client.search_page(asked.query, peer=asked.peer, before=asked.before, limit=PAGE)
        except RequestFailed as error:
            log.info("search_unavailable", code=error.code)
            self._put_now(ResultsLoaded(session, asked.number, None, problem=error.text))
        else:
            self._put_now(ResultsLoaded(session, asked.number, page.messages, page.more))

    async def _devices(
        self,
        client: Client | None,
        session: int,
        asked: LoadDevices | CutOff | SignOut | ChangePassword | MakeCode,
    ) -> None:
        if client is None:
            return
        if isinstance(asked, MakeCode):
            self._put_now(await code(client, session))
        else:
            self._put_now(await devices(client, session, asked))

    async def _save(self, client: Client | None, session: int, asked: ExportChat) -> None:
        if client is None:
            text = "The chat was not saved: you are not connected."
            self._put_now(ExportEnded(session, text, failed=True))
            return
        path = Path(asked.path)
        try:
            count = await save(
                client,
                asked.peer,
                path,
                user=client.user,
                form=asked.form,
                now=datetime.now(UTC),
                moved=lambda count: self._put_now(ExportMoved(session, asked.peer, count)),
            )
        except RequestFailed as error:
            self._put_now(ExportEnded(session, f"The chat was not saved. {error.text}", failed=True))
        except NewFileError as error:
            self._put_now(ExportEnded(session, f"The chat was not saved. {error}.", failed=True))
        except (OSError, ValueError) as error:
            why = (
                os.strerror(error.errno)
                if isinstance(error, OSError) and error.errno
                else "the disk does not take it"
            )
            text = f"The chat was not saved: {path} cannot be written ({why}). Choose another place."
            self._put_now(ExportEnded(session, text, failed=True))
        else:
            self._put_now(ExportEnded(session, f"Saved {counted(count, 'message')} in {path}.", failed=False))

    def _end_export(self) -> None:
        if self._export is not None:
            self._export.cancel()
            self._export = None

    async def _open(self, opening: Coroutine[None, None, str]) -> None:
        problem = await opening
        if problem:
            self._put_now(Told(problem))

    async def _choose(self, asked: ChooseFiles) -> None:
        try:
            paths = await choose_files(asked)
        except NotOnThisComputer:
            self._put_now(
                Told("Only files on this computer can be chosen. Copy the file to a folder here first.")
            )
            paths = ()
        self._put_now(FilesChosen(asked.number, paths))

    def _end_choosing(self) -> None:
        if self._choosing is not None:
            self._choosing.cancel()
            self._choosing = None

    async def _look(self) -> None:
        dark = await asyncio.to_thread(prefers_dark)
        if dark is not None:
            self._put_now(SystemLook(dark))

    async def _idle_time(self) -> None:
        self._put_now(IdleFor(await self._idle.seconds()))

    def _ask(self, what: Coroutine[None, None, None]) -> None:
        if len(self._tasks) < MAX_TASKS:
            task = self._spawn(what)
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
        else:
            what.close()
            log.warning("too_many_requests", limit=MAX_TASKS)
            self._put_now(Told("Too much is going on at once, so this was not done. Try again in a moment."))

    def _spawn(self, what: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("backend_task_failed", exc_info=error)
            self._put_now(Told(SENTENCE))
