"""Carries the connections of an attack to the server over TLS, so that any attack can be made that way."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.hostile.attacks import HOST
from tests.support.tls import client_context

_CHUNK_BYTES: Final = 65536


@contextmanager
def tls_relay(port: int) -> Iterator[int]:
    """Relay connections over TLS until the end of the block.

    Args:
        port: the server's.

    Yields:
        The port to connect to instead.
    """
    context = client_context()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            from_server, to_server = await asyncio.open_connection(HOST, port, ssl=context)
            await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(carry, sock=listener):
            await ended.wait()

    with socket.create_server((HOST, 0), backlog=1024) as listener, asyncio.Runner() as runner:
        ended = asyncio.Event()
        thread = threading.Thread(target=runner.run, args=(serve(),), daemon=True)
        loop = runner.get_loop()
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
