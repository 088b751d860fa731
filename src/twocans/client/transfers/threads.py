"""Threads for what may block, a few of their own: a disk that hangs must not hold up anything but files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from twocans.client.daemon_executor import DaemonExecutor
from twocans.client.transfers import disk
from twocans.client.transfers.disk import Look

MAX_THREADS: Final = 6

_T = TypeVar("_T")


class Threads:
    """Where disks are waited for. Whoever waits is cancelled only when the disk is done: files are never in use then."""

    def __init__(self) -> None:
        self._pool: DaemonExecutor | None = None

    async def run(self, call: Callable[[], _T], *, stop: threading.Event | None = None) -> _T:
        """What a call returns, in a thread; `stop` is set when the result is not wanted any more."""
        result, cancelled = await self._finish(call, stop)
        if cancelled:
            raise asyncio.CancelledError
        return result.result()

    async def run_to_the_end(self, call: Callable[[], _T]) -> _T:
        """The same for what cannot be undone: its result counts even when the caller has been cancelled."""
        result, _ = await self._finish(call, None)
        return result.result()

    async def hash_file(self, path: Path, progress: Callable[[int], None]) -> tuple[str, Look]:
        """The hash of a file, and what it was like; `progress` is called in the event loop.

        Raises:
            Failed: it cannot be read, or somebody changed it meanwhile.
        """
        loop, stop = asyncio.get_running_loop(), threading.Event()

        def told(done: int) -> None:
            loop.call_soon_threadsafe(progress, done)

        return await self.run(partial(disk.hash_file, path, stop, told), stop=stop)

    async def _finish(
        self, call: Callable[[], _T], stop: threading.Event | None
    ) -> tuple[asyncio.Future[_T], bool]:
        if self._pool is None:
            self._pool = DaemonExecutor(MAX_THREADS)
        future = asyncio.get_running_loop().run_in_executor(self._pool, call)
        cancelled = False
        while not future.done():
            try:
                await asyncio.wait({future})
            except asyncio.CancelledError:
                cancelled = True
                if stop is not None:
                    stop.set()
        if cancelled and not future.cancelled():
            future.exception()  # nobody else asks for it
        return future, cancelled

    def close(self) -> None:
        """End the threads as soon as they have nothing to do."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
