"""Between the asyncio thread and Tk: two queues and a wake-up. Nothing here calls Tk off the main thread.

Tk drains the inputs in bounded slices, so that a flood never keeps it from drawing and listening.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import tkinter as tk
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final

import structlog

from twocans.client.daemon_executor import DaemonExecutor
from twocans.client.nearby import Networks
from twocans.client.stream import weight
from twocans.gui import errors
from twocans.gui.backend.backend import Backend
from twocans.gui.backend.open_window import OpenWindow
from twocans.gui.viewmodel.effects import (
    ForBackend,
)
from twocans.gui.viewmodel.inputs import (
    FromClient,
    Input,
    Told,
)

MAX_SLICE: Final = 100
SLICE_S: Final = 0.008
MAX_WAITING: Final = 2000
"""How many inputs wait for Tk before the asyncio side has to wait too; those with long texts count as several."""
POLL_MS: Final = 40
PAUSE_MS: Final = 5
"""Between two slices of a flood: time for Tk to draw and to listen."""
CLOSE_S: Final = 2.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Bridge:
    """Runs the backend in a thread of its own and brings its inputs to Tk.

    Args:
        root: the window, whose thread `on_inputs` runs in.
        on_inputs: takes a slice of inputs, in order.
        clock: seconds, monotonic.
        networks: where to look for servers; see `NearbyServers`.
        window: what this process has claimed; see `Backend`.
    """

    def __init__(
        self,
        root: tk.Tk,
        on_inputs: Callable[[list[Input]], None],
        clock: Callable[[], float],
        networks: Callable[[], Networks] | None = None,
        window: OpenWindow | None = None,
    ) -> None:
        self._root = root
        self._on_inputs = errors.guard(root, on_inputs)
        self._clock = clock
        self._networks = networks
        self._window = window
        self._lock = threading.Lock()
        self._inputs: deque[Input] = deque()
        self._load = 0
        self._woken = False
        self._closed = False
        self._room: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._backend: Backend | None = None
        self._started = threading.Event()
        self._pipe: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="twocans-asyncio", daemon=True)

    def start(self) -> None:
        """Start the thread and listen to it."""
        if sys.platform not in {"win32", "darwin"}:
            self._pipe = os.pipe()
            for end in self._pipe:
                os.set_blocking(end, False)
            # An exception in the handler would end the main loop.
            readable = errors.guard(self._root, self._readable)
            self._root.tk.createfilehandler(self._pipe[0], tk.READABLE, readable)
        else:
            # Tk watches no descriptors there, and waking it from another thread is not safe.
            self._root.after(POLL_MS, self._poll)
        self._thread.start()
        self._started.wait()

    def do(self, effect: ForBackend) -> None:
        """Have the backend carry an effect out; effects keep their order."""
        if self._loop is not None and self._backend is not None and not self._closed:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._do, self._backend, effect)

    def close(self) -> None:
        """Say goodbye to the server and end the thread; takes `CLOSE_S` at most."""
        if self._closed:
            return
        self._closed = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(CLOSE_S + 1)
        if self._pipe is not None:
            with contextlib.suppress(tk.TclError):
                self._root.tk.deletefilehandler(self._pipe[0])
            for end in self._pipe:
                os.close(end)
            self._pipe = None

    # --- in the asyncio thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._main())
        except Exception:  # noqa: BLE001 - the root of the thread; logged there
            self._failed()
        finally:
            self._started.set()

    def _do(self, backend: Backend, effect: ForBackend) -> None:
        try:
            backend.do(effect)
        except Exception:  # noqa: BLE001 - the root of a callback of the loop; logged there
            self._failed()

    def _failed(self) -> None:
        log.exception("backend_failed")
        self._put_now(Told(errors.SENTENCE))

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        # A disk, a keyring or a name server that hangs holds up nothing else, and quitting least of all.
        self._loop.set_default_executor(DaemonExecutor())
        self._room = asyncio.Event()
        self._room.set()
        self._ending = asyncio.Event()
        self._backend = Backend(self._put, self._put_now, self._clock, self._networks, self._window)
        self._started.set()
        await self._ending.wait()
        await _within(CLOSE_S, self._backend.close())

    def _stop(self) -> None:
        if self._room is not None:
            self._room.set()
        self._ending.set()

    async def _put(self, what: Input) -> None:
        """Hand an input to Tk, waiting while there are too many."""
        if self._room is not None and not self._closed:
            await self._room.wait()
        self._put_now(what)

    def _put_now(self, what: Input) -> None:
        with self._lock:
            self._inputs.append(what)
            self._load += _weight(what)
            if self._load >= MAX_WAITING and self._room is not None and not self._closed:
                self._room.clear()
            wake, self._woken = not self._woken, True
        if wake and self._pipe is not None and not self._closed:
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self._pipe[1], b"!")

    # --- in Tk's thread -----------------------------------------------------------------------------------

    def _readable(self, descriptor: int, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            os.read(self._pipe[0] if self._pipe is not None else descriptor, 64)
        self.drain()

    def _poll(self) -> None:
        if not self._closed:
            self.drain()
            self._root.after(POLL_MS, self._poll)

    def drain(self) -> None:
        """Hand over a slice; the rest has to wait until Tk has drawn."""
        until = self._clock() + SLICE_S
        while True:
            with self._lock:
                taken = [self._inputs.popleft() for _ in range(min(MAX_SLICE, len(self._inputs)))]
                self._load -= sum(map(_weight, taken))
                left = bool(self._inputs)
                if not left:
                    self._woken = False
                room = self._room is not None and not self._room.is_set() and self._load < MAX_WAITING // 2
            if room and self._loop is not None and self._room is not None:
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._room.set)
            if taken:
                self._on_inputs(taken)
            if not left:
                return
            if self._clock() >= until:
                self._root.after(PAUSE_MS, self.drain)
                return


def _weight(what: Input) -> int:
    return weight(what.event) if isinstance(what, FromClient) else 1


async def _within(seconds: float, what: Coroutine[None, None, None]) -> None:
    try:
        await asyncio.wait_for(what, seconds)
    except TimeoutError:
        log.warning("goodbye_timed_out", seconds=seconds)
