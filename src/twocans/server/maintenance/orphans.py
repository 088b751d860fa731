"""When files are deleted that somebody has brought and nobody has sent: every hour; how is the storage's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from twocans.hub.hub import EventLog
from twocans.server.maintenance.retention import Timer

EVERY_S: Final = 3600.0
"""How long after one round the next begins."""


class Sweepable(Protocol):
    """A storage of files."""

    def sweep(self, on_swept: Callable[[int], None]) -> None:
        """Delete what nobody wants any more, and tell how much that was."""
        ...


class Sweeping:
    """Deletes files, from one hour after the start on: at the start the storage does so itself.

    Args:
        files: where they are.
        call_later: runs a callback after so many seconds.
        log: told how many files a round has deleted, if any.
    """

    def __init__(
        self,
        files: Sweepable,
        *,
        call_later: Callable[[float, Callable[[], None]], Timer],
        log: EventLog,
    ) -> None:
        self._files = files
        self._call_later = call_later
        self._log = log
        self._stopped = False
        self._timer = call_later(EVERY_S, self._sweep)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True
        self._timer.cancel()

    def _sweep(self) -> None:
        self._files.sweep(self._swept)

    def _swept(self, number: int) -> None:
        if number:
            self._log("files_removed", number=number)
        if not self._stopped:
            self._timer = self._call_later(EVERY_S, self._sweep)
