"""A server that keeps to the protocol, except for what a mode says in its place on one connection."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from tests.support.certificates import identity
from tests.support.deadline import DEADLINE_S
from tests.unit.client.sessions import message, welcome
from twocans.protocol import json
from twocans.protocol.errors import ProtocolError
from twocans.protocol.messages import (
    Ack,
    Bye,
    Chats,
    ChatsQuery,
    Devices,
    DevicesQuery,
    FindQuery,
    Found,
    Frame,
    FromClient,
    Hello,
    History,
    HistoryQuery,
    Message,
    Ping,
    Pong,
    Results,
    SearchQuery,
    Send,
    Synced,
    Welcome,
)

LOG: Final = "log-1"
PIECE: Final = 64 * 1024

Said = Frame | bytes


@dataclass(frozen=True)
class Mode:
    """How a server misbehaves on one connection.

    Args:
        name: what it does.
        ends: whether the client has to end the connection; None if it may.
        greets: what it says to HELLO; given the honest answer. Honest if None.
        says: what it says once the user is live.
        text: of a message that it has for the user, and delivers.
        answers: what it says to a question of this kind; honest if None.
        endless: what it goes on saying until the client ends the connection.
        slow: waits a moment after each of the endless pieces.
        window: whether it is tried with the window too.
    """

    name: str
    ends: bool | None = True
    greets: Callable[[Sequence[Frame]], Sequence[Said]] | None = None
    says: Sequence[Said] = ()
    text: str = ""
    answers: Callable[[FromClient], Sequence[Said] | None] | None = None
    endless: bytes = b""
    slow: bool = False
    window: bool = True


HONEST: Final = Mode("honest", ends=False)


@dataclass
class Account:
    """What the server has of its one user."""

    log: list[Message] = field(default_factory=lambda: [message(1, text="one"), message(2, text="two")])
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Who it was told, and the cid, for each message that came."""
    by_cid: dict[str, int] = field(default_factory=dict)

    def receive(self, text: str) -> Message:
        """Store a message from bob."""
        self.log.append(message(len(self.log) + 1, text=text))
        return self.log[-1]

    def take(self, send: Send, user: str) -> Ack:
        """Store a message of the user's own."""
        self.sent.append((user, send.cid))
        if send.cid not in self.by_cid:
            id_ = len(self.log) + 1
            self.log.append(Message(id_, id_, user, send.to, send.text, send.cid))
            self.by_cid[send.cid] = id_
        return Ack(cid=send.cid, id=self.by_cid[send.cid], at=1)

    def page(self, query: HistoryQuery) -> History:
        """Return a page of the only conversation."""
        older = [one for one in self.log if query.before is None or one.id < query.before]
        return History(query.rid, older[-query.limit :], more=len(older) > query.limit)


class LyingServer:
    """Listens on a free port, in the loop that it is opened in."""

    def __init__(self) -> None:
        self.account = Account()
        self.modes: list[Mode] = []
        """How the next connections are treated; honestly once there are none left."""
        self.hellos: list[Hello] = []
        self.heard: list[FromClient] = []
        """Everything that clients have said, on all connections."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, ssl=identity().context(), limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        while self._tasks:
            self._cancel()
            await asyncio.wait(self._tasks)

    def cut(self) -> None:
        """Cut all connections; may be called in any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
                await _Connection(self, reader, writer).serve()
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Connection:
    def __init__(
        self, server: LyingServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._user = ""

    async def serve(self) -> None:
        """Greet, lie, and answer until the client goes."""
        hello = await self._hear()
        if not isinstance(hello, Hello):
            return
        server, account = self._server, self._server.account
        mode = server.modes.pop(0) if server.modes else HONEST
        server.hellos.append(hello)
        greeting = self._registration(hello)
        said = greeting if mode.greets is None else mode.greets(greeting)
        self._user = next((one.user for one in said if isinstance(one, Welcome)), hello.user)
        await self._say(*said, *mode.says)
        if mode.text:
            await self._say(account.receive(mode.text))
        if mode is not HONEST:
            # Whatever became of the lie, this one has to arrive.
            marker = account.receive(f"after {mode.name}")
            if not mode.ends or mode.answers is not None:
                await self._say(marker)
        if mode.endless:
            await self._say_for_ever(mode)
            return
        while (frame := await self._hear()) is not None and not isinstance(frame, Bye):
            answer = None if mode.answers is None else mode.answers(frame)
            await self._say(*(self._answer(frame) if answer is None else answer))

    def _registration(self, hello: Hello) -> list[Frame]:
        log = self._server.account.log
        last = log[-1].id
        after = min(hello.after, last) if hello.after is not None and hello.log == LOG else 0
        missed = [one for one in log if one.id > after]
        return [welcome(user=hello.user, log=LOG, last=last), *missed, Synced(last=last)]

    def _answer(self, frame: FromClient) -> Sequence[Frame]:
        account = self._server.account
        match frame:
            case Send():
                return (account.take(frame, self._user),)
            case Ping():
                return (Pong(n=frame.n),)
            case HistoryQuery():
                return (account.page(frame),)
            case SearchQuery():
                return (Results(frame.rid, [], more=False),)
            case ChatsQuery():
                return (Chats(frame.rid, []),)
            case FindQuery():
                return (Found(frame.rid, []),)
            case DevicesQuery():
                return (Devices(frame.rid, [], password=False),)
            case _:
                return ()

    async def _say(self, *said: Said) -> None:
        for one in said:
            data = json.encode(one) if isinstance(one, Frame) else one
            self._writer.write(data)
            await self._writer.drain()

    async def _say_for_ever(self, mode: Mode) -> None:
        hearing = asyncio.create_task(self._hear_all())
        try:
            while not self._writer.is_closing():
                await self._say(
                    mode.endless if mode.slow else mode.endless * (PIECE // len(mode.endless) or 1)
                )
                await asyncio.sleep(0.02 if mode.slow else 0)
        finally:
            hearing.cancel()

    async def _hear_all(self) -> None:
        while await self._hear() is not None:
            pass

    async def _hear(self) -> FromClient | None:
        line = await self._reader.readline()
        try:
            frame = json.decode_client(line.removesuffix(b"\n")) if line else None
        except ProtocolError:
            return None
        if frame is not None:
            self._server.heard.append(frame)
        return frame


@contextlib.contextmanager
def in_thread() -> Iterator[LyingServer]:
    """A server in a thread of its own, for tests of the window; its `modes` may be set from elsewhere."""
    server = LyingServer()
    opened, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with server:
            opened.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="lying server")
    thread.start()
    assert opened.wait(DEADLINE_S)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(DEADLINE_S)
        loop.close()
