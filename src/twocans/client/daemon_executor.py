"""An executor whose threads the end of the program never waits for: a call that hangs must not keep it from quitting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonExecutor(ThreadPoolExecutor):
    """Run calls in daemon threads, which end when no call waits.

    asyncio takes only a `ThreadPoolExecutor` as its default one. That class has a fixed number of threads, and Python
    joins them all at the end; nothing of it is used here but its type.

    Args:
        max_threads: how many calls may run at a time; None for any number, so that none ever waits for another.
    """

    def __init__(self, max_threads: int | None = None) -> None:
        super().__init__(1)
        self._max_threads = max_threads
        self._guard = threading.Lock()
        self._waiting: deque[tuple[Callable[[], None], Callable[[], object]]] = deque()
        """Calls, each with what cancels it."""
        self._running = 0
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call.

        Raises:
            RuntimeError: the executor is shut down, or the system has no thread left.
        """
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - the root of a thread's task; it is raised where it is awaited
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._guard:
            if self._closed:
                raise RuntimeError("the executor is shut down")
            if self._max_threads is None or self._running < self._max_threads:
                threading.Thread(target=self._run, args=(call,), name="twocans-blocking", daemon=True).start()
                self._running += 1
            else:
                self._waiting.append((call, future.cancel))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - never waits
        """Take no more calls; those that run go on."""
        with self._guard:
            self._closed = True
            waiting = tuple(self._waiting) if cancel_futures else ()
        for _, cancel in waiting:
            cancel()

    def _run(self, call: Callable[[], None]) -> None:
        while True:
            call()
            with self._guard:
                if not self._waiting:
                    self._running -= 1
                    return
                call, _ = self._waiting.popleft()
