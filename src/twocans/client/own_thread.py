"""A daemon thread for one call that may hang. It takes no thread of asyncio's pool, and the end of the program does not wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


async def run_in_own_thread(call: Callable[[], _T], *, name: str) -> _T:
    """Return what `call` returns. If the caller is cancelled, the call goes on and its result is dropped.

    Args:
        call: what may block.
        name: of the thread.
    """
    result: Future[_T] = Future()
    # So that a caller who is cancelled cannot cancel what the thread is about to set.
    result.set_running_or_notify_cancel()

    def run() -> None:
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 - the root of a thread: the caller gets it
            # The loop may be closed by now.
            with contextlib.suppress(RuntimeError):
                result.set_exception(error)
        else:
            with contextlib.suppress(RuntimeError):
                result.set_result(value)

    waiting = asyncio.wrap_future(result)
    threading.Thread(target=run, name=name, daemon=True).start()
    return await waiting
