"""The least speed of a transfer: one whose peer is slower ends, so that nobody holds transfers without using them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twocans.server.connection.transport import Cancellable, Timers

WINDOW_S: Final = 60.0
"""The time of waiting for a peer over which the speed is averaged."""
MIN_BYTES: Final = 64 * 1024
"""The bytes that have to move within it: about a kilobyte a second."""


class LeastSpeed:
    """Measures one transfer while its peer is waited for; the time that the server itself takes does not count.

    Args:
        timers: clock and timers.
        too_slow: called once a window has passed with too little.
    """

    def __init__(self, timers: Timers, too_slow: Callable[[], None]) -> None:
        self._timers = timers
        self._too_slow = too_slow
        self._left_s = WINDOW_S
        self._moved = 0
        self._since_s = 0.0
        self._moved_meanwhile: Callable[[], int] | None = None
        self._timer: Cancellable | None = None

    def start_waiting(self, moved_meanwhile: Callable[[], int] | None = None) -> None:
        """Wait for the peer from now on.

        Args:
            moved_meanwhile: returns how many bytes have moved since; None if the wait ends with the first one.
        """
        self._moved_meanwhile = moved_meanwhile
        self._start_timer()

    def stop_waiting(self, moved: int) -> None:
        """Wait no longer: so many bytes have moved."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._left_s = max(0.0, self._left_s - (self._timers.time() - self._since_s))
        self._moved += moved

    def _start_timer(self) -> None:
        self._since_s = self._timers.time()
        self._timer = self._timers.call_later(self._left_s, self._window_ended)

    def _window_ended(self) -> None:
        self._timer = None
        meanwhile = self._moved_meanwhile() if self._moved_meanwhile is not None else 0
        if self._moved + meanwhile < MIN_BYTES:
            self._too_slow()
            return
        # What has moved within this wait is told once more at its end.
        self._moved = -meanwhile
        self._left_s = WINDOW_S
        self._start_timer()
