"""A proxy that cuts connections where a test wants it to."""

from __future__ import annotations

import asyncio
import contextlib


class Proxy:
    """Stands between clients and a server, counts what passes, and cuts.

    Args:
        port: the server's.
        cut_after: after how many bytes each of the first connections is cut; the later ones are not.
    """

    def __init__(self, port: int, cut_after: list[int] | None = None) -> None:
        self.cut_after = cut_after or []
        self.passed = 0
        self.port = 0
        self._to = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Proxy:
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
                    asyncio.ensure_future(self._pass(reader, back, left)),
                    asyncio.ensure_future(self._pass(there, writer, left)),
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
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int]
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                writer.write(piece[: left[0]])
                await writer.drain()
                self.passed += len(piece)
                left[0] -= len(piece)
                if left[0] <= 0:
                    return
