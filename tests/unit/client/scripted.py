"""A server on a real socket that says what the test tells it to, and a loop in which nothing may go wrong."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final, Self, TypeVar, cast

from tests.support.certificates import Identity, identity
from tests.support.deadline import DEADLINE_S
from tests.unit.client.sessions import welcome
from twocans.client import Client, ConnectionEnded, Event, Timers, Tokens, Trust
from twocans.protocol import json
from twocans.protocol.keys import ServerKey
from twocans.protocol.messages import Bye, Frame, FromClient, Hello, Synced, Welcome

QUICK: Final = Timers(
    connect=DEADLINE_S,
    ping_after=5.0,
    dead_after=DEADLINE_S,
    retry_first=0.02,
    retry_max=0.1,
    file_retry_max=0.1,
)
"""Timers with which a test does not wait."""

_GOODBYE: Final = json.encode(Bye())
_OWN: Final = identity()

_T = TypeVar("_T")
_EventT = TypeVar("_EventT", bound=Event)


def run(
    scenario: Coroutine[None, None, _T],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    expected: tuple[str, ...] = (),
) -> _T:
    """Run a scenario in a loop of its own; whatever goes wrong behind its back, unless `expected`, fails it too."""
    problems: list[str] = []

    async def watched() -> _T:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: problems.append(f"{context['message']}: {context.get('exception')!r}")
        )
        async with asyncio.timeout(DEADLINE_S):
            return await scenario

    with asyncio.Runner(debug=True, loop_factory=loop_factory) as runner:
        result = runner.run(watched())
    problems = [problem for problem in problems if not any(one in problem for one in expected)]
    assert not problems, problems
    return result


def run_on_fast_loop(scenario: Coroutine[None, None, _T]) -> _T:
    """The same on the loop that servers and bots run on where it exists, whose sockets differ a little."""
    try:
        import uvloop
    except ImportError:
        return run(scenario)
    return run(scenario, loop_factory=uvloop.new_event_loop)


class Conversation:
    """One client's connection, from the server's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hear(self) -> FromClient | None:
        """The client's next frame; None after it has closed."""
        try:
            line = await self.reader.readline()
        except ConnectionError:
            return None
        return json.decode_client(line.removesuffix(b"\n")) if line else None

    async def hear_all(self) -> list[FromClient]:
        """Everything until the client closes."""
        heard = []
        while (frame := await self.hear()) is not None:
            heard.append(frame)
        return heard

    def say(self, *frames: Frame) -> None:
        """Send frames."""
        self.writer.write(b"".join(map(json.encode, frames)))

    async def greet(self, first: Welcome | None = None) -> Hello:
        """Hear HELLO, and let the client in; what it said."""
        hello = await self.hear()
        assert isinstance(hello, Hello)
        first = first or welcome()
        self.say(first, Synced(last=first.last))
        return hello

    def stop_reading(self) -> None:
        """Leave in the system's buffers what the client says."""
        transport = self.writer.transport
        # uvloop's transports have the methods of asyncio's class, but are not of it.
        cast("asyncio.Transport", transport).pause_reading()

    def start_reading(self) -> None:
        """Read again."""
        cast("asyncio.Transport", self.writer.transport).resume_reading()

    async def close(self) -> None:
        """Close in order."""
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()

    async def abort(self) -> None:
        """Close at once, whatever is under way."""
        self.writer.transport.abort()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()

    def reset(self) -> None:
        """Close with a reset, as a machine does that has crashed."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class _ClosesInTurn(asyncio.StreamReaderProtocol):
    """Closes when the client has, or has said goodbye: as servers do, and unlike asyncio's own streams."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.__transport = transport
        self.__end = b""
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.__end = (self.__end + data)[-len(_GOODBYE) :]
        if self.__end == _GOODBYE:
            self.__transport.close()

    def eof_received(self) -> bool:
        super().eof_received()
        return False


class ScriptedServer:
    """Listens on a free port; the test takes its connections one by one.

    Args:
        context: how it encrypts; with a key of its own if left out, and not at all with None.
    """

    def __init__(self, context: ssl.SSLContext | Identity | None = _OWN) -> None:
        self.context = context.context() if isinstance(context, Identity) else context
        self._server: asyncio.Server | None = None
        self._connections: asyncio.Queue[Conversation] = asyncio.Queue()
        self._all: list[Conversation] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()
        for conversation in self._all:
            await conversation.abort()

    async def open(self) -> None:
        """Listen, on the same port as before if there was one."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            conversation = Conversation(reader, writer)
            self._all.append(conversation)
            self._connections.put_nowait(conversation)

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _ClosesInTurn(asyncio.StreamReader(limit=1 << 20, loop=loop), connected, loop),
            "127.0.0.1",
            self.port,
            family=socket.AF_INET,
            ssl=self.context,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Do not listen any more; connections stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(
        self,
        *,
        user: str = "alice",
        timers: Timers = QUICK,
        trust: Trust | None = None,
        tokens: Tokens | None = None,
        expected_key: ServerKey | None = None,
    ) -> Client:
        """A client for this server that is not connected yet."""
        return Client(
            self.address,
            user,
            timers=timers,
            trust=trust,
            tokens=tokens,
            device="test",
            expected_key=expected_key,
        )

    async def accept(self) -> Conversation:
        """The next connection, as soon as there is one."""
        return await self._connections.get()

    async def let_in(self, client: Client, first: Welcome | None = None) -> Conversation:
        """Connect a client and let it in."""
        connecting = asyncio.create_task(client.connect())
        conversation = await self.accept()
        await conversation.greet(first)
        await connecting
        return conversation


async def next_of(
    client: Client, kind: type[_EventT], wanted: Callable[[_EventT], bool] = lambda _: True
) -> _EventT:
    """The next event of a kind; others before it are passed over."""
    async for event in client:
        if isinstance(event, kind) and wanted(event):
            return event
    raise AssertionError(f"the events ended without {kind.__name__}")


async def rest_of(client: Client) -> list[Event]:
    """All events up to the end, whether the client was closed or has lost the connection for good."""
    events = []
    with suppress(ConnectionEnded):
        async for event in client:
            events.append(event)  # noqa: PERF401 - those before the loss are wanted
    return events


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition that nobody announces; the scenario's deadline bounds it."""
    while True:
        if holds():
            return
        await asyncio.sleep(0.005)
