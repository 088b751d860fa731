"""A proxy that cuts connections, or holds them still, where a test wants it to."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from tests.support.deadline import DEADLINE_S


class Proxy:
    """Stands between clients and a server, counts what passes, cuts and holds.

    Args:
        port: the server's.
        cut_after: after how many bytes each of the first connections is cut; the later ones are not.
        hold_after: while held, a connection passes on that many bytes of the client's, and no more.
    """

    def __init__(self, port: int, cut_after: list[int] | None = None, *, hold_after: int = 0) -> None:
        self.cut_after = cut_after or []
        self._hold_after = hold_after
        self._released = asyncio.Event()
        self._released.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.passed = 0
        self.holding = False
        """True once a connection has been held still."""
        self.port = 0
        self._to = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def hold(self) -> None:
        """Hold connections still once they have sent their share; from any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._released.clear)

    def release(self) -> None:
        """Let everything pass again; from any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._released.set)

    async def __aenter__(self) -> Proxy:
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        left = [self.cut_after.pop(0) if self.cut_after else 1 << 60]
        ends = [writer]
        try:
            with contextlib.suppress(ConnectionError):
                there, back = await asyncio.open_connection("127.0.0.1", self._to)
                ends.append(back)
                ways = [
                    asyncio.ensure_future(self._pass(reader, back, left, held=True)),
                    asyncio.ensure_future(self._pass(there, writer, left, held=False)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
        except asyncio.CancelledError:
            pass
        finally:
            for end in ends:
                end.transport.abort()
            self._tasks.discard(task)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int], *, held: bool
    ) -> None:
        passed = 0
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                passed += len(piece)
                if held and passed > self._hold_after and not self._released.is_set():
                    self.holding = True
                    await self._released.wait()
                writer.write(piece[: left[0]])
                await writer.drain()
                self.passed += len(piece)
                left[0] -= len(piece)
                if left[0] <= 0:
                    return


@contextlib.contextmanager
def proxy_in_thread(port: int, *, hold_after: int) -> Iterator[Proxy]:
    """Run a proxy with an event loop of its own, for tests that have none."""
    ready: Future[tuple[Proxy, Callable[[], object]]] = Future()

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        async with Proxy(port, hold_after=hold_after) as proxy:
            ready.set_result((proxy, lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="proxy")
    thread.start()
    proxy, stop = ready.result(DEADLINE_S)
    try:
        yield proxy
    finally:
        stop()
        thread.join()
