"""What a connection needs of its driver and of the loop; `listener` and `threaded` have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Transport(Protocol):
    """What a connection needs of its driver. None of it blocks or raises."""

    def write(self, data: bytes) -> None:
        """Send, after everything before it."""
        ...

    def close(self) -> None:
        """Close once everything is sent."""
        ...

    def abort(self) -> None:
        """Close now."""
        ...

    def pause_reading(self) -> None:
        """Read nothing more for now."""
        ...

    def resume_reading(self) -> None:
        """Read again."""
        ...

    def unsent_bytes(self) -> int:
        """How much of what was written has not left this process."""
        ...

    def notify_below(self, low_water_bytes: int) -> None:
        """Call `Input.drained` once, as soon as no more than this is unsent; more than this is unsent now."""
        ...

    def local_address(self) -> str:
        """By which address and port the peer has reached this computer, as `host:port`."""
        ...

    def unconfirmed_bytes(self) -> int:
        """How much of what was written the peer's machine has not confirmed, as far as can be known."""
        ...


class Timers(Protocol):
    """The clock and the turn of the loop, as `asyncio.AbstractEventLoop` has them."""

    def time(self) -> float:
        """Seconds of a clock that does not go back."""
        ...

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Cancellable:
        """Call back after so many seconds."""
        ...

    def call_exception_handler(self, context: dict[str, object], /) -> None:
        """Report a fault of the program's own."""
        ...


class Cancellable(Protocol):
    """A timer that can be taken back."""

    def cancel(self) -> None:
        """Do not call back."""
        ...
