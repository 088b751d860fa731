"""Has pictures decoded on a thread of its own, one after the other, and hands them to the window's thread."""

from __future__ import annotations

import contextlib
import queue
import threading
import tkinter as tk
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

T = TypeVar("T")

_POLL_MS: Final = 15

_Jobs = queue.SimpleQueue[tuple[int, Callable[[], object]] | None]
_Done = queue.SimpleQueue[tuple[int, object]]
_FAILED: Final = object()
"""The result of a job that raised something."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Decoder:
    """One thread, begun when it is first needed.

    The thread holds nothing of the window: Tk ends the program if another thread is the one to let go of its objects.

    Args:
        widget: in whose thread the answers are wanted.
    """

    def __init__(self, widget: tk.Misc) -> None:
        self._widget = widget
        self._jobs: _Jobs = queue.SimpleQueue()
        self._done: _Done = queue.SimpleQueue()
        self._then: dict[int, Callable[[object], None]] = {}
        self._count = 0
        self._timer: str | None = None
        self._begun = False

    def ask(self, job: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do a job there, and then this here with what it returned.

        Args:
            job: must not hold anything of Tk's.
            then: not called after `close`, nor if the job fails.
        """
        self._count += 1
        self._then[self._count] = then  # type: ignore[assignment]  # it gets what its own job returns
        self._jobs.put((self._count, job))
        if not self._begun:
            self._begun = True
            threading.Thread(
                target=_work, args=(self._jobs, self._done), name="twocans-pictures", daemon=True
            ).start()
        if self._timer is None:
            # Tk must not be called from there, so it has to look.
            self._timer = self._widget.after(_POLL_MS, self._look)

    def close(self) -> None:
        """Nothing is wanted any more. Does not wait for what is under way."""
        if self._timer is not None:
            self._widget.after_cancel(self._timer)
            self._timer = None
        self._then.clear()
        with contextlib.suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()
        self._jobs.put(None)

    def _look(self) -> None:
        self._timer = None
        try:
            while True:
                number, result = self._done.get_nowait()
                then = self._then.pop(number, None)
                if then is not None and result is not _FAILED:
                    then(result)
        except queue.Empty:
            pass
        finally:
            if self._then and self._timer is None:
                self._timer = self._widget.after(_POLL_MS, self._look)


def _work(jobs: _Jobs, done: _Done) -> None:
    while (one := jobs.get()) is not None:
        number, job = one
        try:
            result = job()
        except Exception:
            log.exception("picture_job_failed")
            result = _FAILED
        done.put((number, result))
