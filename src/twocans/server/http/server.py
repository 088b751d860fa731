"""HTTP on the port of the chat, by aiohttp: what reads requests, and who answers them."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from twocans.hub.hub import EventLog, Hub
from twocans.server.connection.connection import Connection
from twocans.server.connection.transport import Timers, Transport
from twocans.server.connection.turns import ParserTurns
from twocans.server.http.files import FileService, plain
from twocans.server.http.io_pool import IoPool
from twocans.server.http.peer import HttpPeer, RequestReader, peer_of
from twocans.server.settings.config import TlsMode
from twocans.storage.sqlite.files import SqliteFiles

IDLE_S: Final = 10.0
"""How long a peer may take until a request has come, the first one or one more."""
LINGER_S: Final = 5.0
"""For how long what a refused peer still sends is read and thrown away, so that it hears why."""
MAX_LINE_BYTES: Final = 4096
"""How long the first line and each header of a request may be."""
MAX_HEADERS: Final = 64
READ_BYTES: Final = 64 * 1024
"""How much of a request may wait to be written to disk; about twice as much is held."""

_UNHEARD: Final = logging.Logger("twocans.http", level=logging.CRITICAL + 1)
"""aiohttp would write about every malformed request what one event says here."""


class HttpServer:
    """Serves HTTP to peers of the chat's connections.

    Args:
        hub: knows tickets.
        kept: what is kept of files; None if none are taken.
        tls: whether requests have to be encrypted.
        log: is told what happens.
        speed_timers: clock and timers for the speed of transfers; the loop's if None.
    """

    def __init__(
        self,
        hub: Hub,
        kept: SqliteFiles | None,
        *,
        tls: TlsMode,
        log: EventLog,
        speed_timers: Timers | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._speed_timers = speed_timers or self._loop
        self._log = log
        self._io_pool = None if kept is None else IoPool(kept)
        service = FileService(hub.files, self._io_pool, tls=tls, log=log, speed_timers=self._speed_timers)
        hub.access.on_change(service.end_refused)
        self._web = web.Server(service.handle, handler_cancellation=True, loop=self._loop)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turns = ParserTurns(self._loop)

    def __call__(self, connection: Connection, transport: Transport) -> HttpPeer:
        """See `Http`."""
        return HttpPeer(
            transport,
            self._loop,
            speed_timers=self._speed_timers,
            turns=self._turns,
            make_handler=self._handler,
            address=connection.address,
            encrypted=connection.encrypted,
        )

    async def stop(self) -> None:
        """Wait until everything has ended; all connections are gone by then."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._io_pool is not None:
            await self._io_pool.stop()

    def _handler(self) -> RequestReader:
        return _Handler(
            self._web,
            self._tasks,
            self._log,
            loop=self._loop,
            keepalive_timeout=IDLE_S,
            lingering_time=LINGER_S,
            logger=_UNHEARD,
            access_log=None,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
            read_bufsize=READ_BYTES,
            auto_decompress=False,
        )


class _Handler(RequestReader):
    """Reads requests and tells what went wrong."""

    def __init__(self, server: Any, tasks: set[asyncio.Task[Any]], log: EventLog, **options: Any) -> None:
        super().__init__(server, **options)
        self._tasks = tasks
        self._log = log

    async def start(self) -> None:
        """See `RequestHandler.start`; the server waits for its end."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await super().start()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it may quote the peer, and tells of the program
    ) -> web.StreamResponse:
        """Answer what could not be: a request that is none, or one that the program failed at."""
        peer = peer_of(request.transport)
        if isinstance(exc, ConnectionError):
            # The peer is gone, or given up.
            if peer is not None:
                peer.abort()
            raise exc
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._log("request_malformed", address="" if peer is None else peer.address)
            response = plain(HTTPStatus.BAD_REQUEST, "That request was not understood.")
        else:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a request could not be answered", "exception": exc}
            )
            response = plain(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong inside the server.")
        response.force_close()
        return response
