"""A server in its own thread with its own event loop, for tests that talk to it over sockets."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final, TypeVar

from tests.support.deadline import DEADLINE_S
from tests.support.raw import JsonPeer, Peer, PlainPeer
from twocans.hub.hub import Hub
from twocans.hub.limits import Limits
from twocans.server.runtime import Server
from twocans.server.settings.config import Concurrency, Config, HistoryMode, TlsMode

_PeerT = TypeVar("_PeerT", bound=Peer)
_T = TypeVar("_T")
_STOP_S: Final = 30.0


class Serving:
    """A running server and the peers that a test has connected to it.

    Args:
        config: what to run; the port is chosen by the system.
        tls: how its peers encrypt, if they are not told otherwise; None for not at all.
    """

    def __init__(self, config: Config, *, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self._config = config
        self._peers = ExitStack()
        self._problems: list[str] = []
        self._ready: Future[Server] = Future()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="serving", daemon=True)
        self._thread.start()
        server = self._ready.result(DEADLINE_S)
        self._server = server
        self.port = server.port
        self.key = server.key

    def peer(self, *, receive_buffer: int | None = None) -> Peer:
        """A connection that has said nothing yet."""
        return self._keep(Peer(self.port, receive_buffer=receive_buffer, tls=self.tls))

    def plain(self, name: str, *, receive_buffer: int | None = None) -> PlainPeer:
        """A registered plain client."""
        return self._keep(PlainPeer(self.port, name, receive_buffer=receive_buffer, tls=self.tls))

    def json(
        self,
        name: str,
        *,
        token: str | None = None,
        after: int | None = None,
        log: str | None = None,
        status: str | None = None,
        receive_buffer: int | None = None,
        sync: bool = True,
    ) -> JsonPeer:
        """A registered JSON client."""
        return self._keep(
            JsonPeer(
                self.port,
                name,
                token=token,
                after=after,
                log=log,
                status=status,
                receive_buffer=receive_buffer,
                tls=self.tls,
                sync=sync,
            )
        )

    def take_faults(self) -> list[str]:
        """What has gone wrong in the server so far, in a test that causes it."""
        faults, self._problems[:] = list(self._problems), []
        return faults

    def operate(self, work: Callable[[Hub], _T]) -> _T:
        """Do something with the hub, on its loop, as the operator's console does."""
        assert self._loop is not None

        async def run() -> _T:
            return work(self._server.hub)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(DEADLINE_S)

    def stop(self) -> None:
        """Stop the server as an operator does; returns when it has ended."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_S)
        assert not self._thread.is_alive(), "the server did not stop in time"

    def close(self) -> None:
        """Close all peers, stop the server, and fail if anything went wrong in its event loop."""
        self._peers.close()
        self.stop()
        assert not self._problems, "\n".join(self._problems)

    def _keep(self, peer: _PeerT) -> _PeerT:
        self._peers.callback(peer.close)
        return peer

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the root of the thread: the test has to hear of it
            if self._ready.done():
                self._problems.append(f"the server ended with {error!r}")
            else:
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda _, context: self._problems.append(str(context)))
        self._stop = asyncio.Event()
        server = Server(self._config)
        await server.start()
        self._ready.set_result(server)
        await self._stop.wait()
        await server.stop()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if left:
            self._problems.append(f"tasks are left after the stop: {left}")


@contextmanager
def serve(
    *,
    concurrency: Concurrency = Concurrency.ASYNC,
    history: HistoryMode = HistoryMode.ON,
    limits: Limits | None = None,
    data: Path | None = None,
    mode: TlsMode = TlsMode.OFFERED,
    deny: tuple[IPv4Network, ...] = (),
    invite: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Serving]:
    """Run a server on a free port of the loopback address until the end of the block; `tls` is for its peers."""
    config = Config(
        host="127.0.0.1",
        port=0,
        data=data,
        concurrency=concurrency,
        history=history,
        limits=Limits() if limits is None else limits,
        tls=mode,
        deny=deny,
        invite=invite,
    )
    serving = Serving(config, tls=tls)
    try:
        yield serving
    finally:
        serving.close()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
