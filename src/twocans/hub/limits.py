"""What a server enforces, with names and defaults in one place, and the token bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from twocans.protocol.framing import DEFAULT_MAX_LINE_BYTES

TYPING_INTERVAL_S: Final = 3.0
MAX_TYPING: Final = 16
"""To how many people TYPING of one session is passed on within that time."""


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of one server. Sizes are in bytes, times in seconds, rates in messages per second."""

    max_line_bytes: int = DEFAULT_MAX_LINE_BYTES
    """The longest line that a client may send; a longer one ends its connection."""
    max_text_bytes: int = 16 * 1024
    """The longest text of one message, in UTF-8."""
    max_connections: int = 20_000
    """How many connections may be open at once."""
    max_connections_per_address: int = 500
    """How many of them may come from one address; 0 for no limit."""
    connection_rate: float = 100.0
    """How many connections per second one address may open in the long run; 0 for no limit."""
    max_accounts: int = 100_000
    """How many people a server knows; those who are away and have no messages are forgotten first."""
    registration_s: float = 30.0
    """How long a connection may stay without a user name."""
    max_refusals: int = 3
    """How many refused names end a connection."""
    failed_logins_per_address: int = 10
    """How many wrong codes, passwords and invites may come from one address within the window."""
    failed_logins_window_s: float = 600.0
    """For how long a failed login counts."""
    new_names_per_address: int = 500
    """How many names that nobody had before one address may take within an hour; 0 for no limit."""
    stored_messages_per_sender: int = 1_000_000
    """How many messages of one person are kept at most; 0 for no limit."""
    stored_bytes_per_sender: int = 10**9
    """The most room that the messages of one person take; 0 for no limit."""
    stored_bytes_per_address: int = 10**9
    """The most room that the messages from one address take within an hour; 0 for no limit."""
    max_file_bytes: int = 4 * 10**9
    """The largest file that a message may carry; 0 for none at all."""
    max_storage_bytes: int = 20 * 10**9
    """How much all files together may take."""
    rate_per_s: float = 50.0
    """How many lines per second are read of one name in the long run, in all its sessions; 0 for no limit."""
    burst_s: float = 10.0
    """How many seconds' worth of lines a name may send at once after a pause."""
    send_queue_bytes: int = 1024 * 1024
    """How much may wait for a reader that does not keep up before it is cut off."""
    ping_after_s: float = 20.0
    """After how long a silence a JSON client is sent a PING."""
    dead_after_s: float = 45.0
    """After how long a silence a peer counts as dead."""
    list_delay_s: float = 0.05
    """How long changes of who is online are gathered before others are told."""
    list_bytes_per_s: float = 64 * 1024 * 1024
    """How much of newer LISTs plain clients are sent in the long run; above it they get them later."""
    page_bytes: int = 256 * 1024
    """How much text one page of history or waiting messages holds at most."""
    memory_messages: int = 100_000
    """How many messages the memory storage keeps; the oldest are forgotten first."""
    memory_bytes: int = 256 * 1024 * 1024
    """The most room that the texts of those take."""
    transient_messages: int = 2_000
    """How many messages are kept for people who reconnect when there is no history; at least half as many."""


class TokenBucket:
    """Lets `rate` things per second through in the long run, and `burst` at once.

    Args:
        rate: things per second.
        burst: how many may pass at once after a pause.
        now: the current time, in seconds of any clock that does not go back.
    """

    __slots__ = ("_burst", "_rate", "_tokens", "_updated")

    def __init__(self, *, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._tokens = self._burst
        self._updated = now

    def available(self, now: float) -> int:
        """How many may pass now."""
        tokens = self._tokens + (now - self._updated) * self._rate
        self._tokens = tokens = min(tokens, self._burst)
        self._updated = now
        return int(tokens)

    def take(self, count: int) -> None:
        """Let so many pass, be they more than are available; what they are too many is bounded by the burst."""
        self._tokens = max(self._tokens - count, -self._burst)

    def wait_s(self) -> float:
        """After how many seconds of those at which it was asked last one more may pass; 0 for now."""
        return max(0.0, (1.0 - self._tokens) / self._rate)


class Quota:
    """Counts what happens for each of many, and says who has had as much as may be within a time.

    Args:
        limit: how often it may happen for each; 0 for no limit.
        window_s: for how long each counts, from the first of them on, in seconds.
        monotonic_s: a clock that does not go back, in seconds.
    """

    MAX_KEYS: Final = 10_000
    """How many are remembered; of more, those who came first are forgotten."""

    def __init__(self, limit: int, *, window_s: float, monotonic_s: Callable[[], float]) -> None:
        self._limit = limit
        self._window_s = window_s
        self._monotonic_s = monotonic_s
        self._counts: dict[str, tuple[float, int]] = {}

    def is_used_up(self, key: str) -> bool:
        """Whether it may not happen now."""
        return bool(self._limit) and self._count(key)[1] >= self._limit

    def count(self, key: str) -> None:
        """It happens."""
        since, count = self._count(key)
        self._counts.pop(key, None)
        self._counts[key] = (since, count + 1)
        if len(self._counts) > self.MAX_KEYS:
            del self._counts[next(iter(self._counts))]

    def give_back(self, key: str) -> None:
        """It has not happened after all."""
        since, count = self._count(key)
        if key in self._counts:
            self._counts[key] = (since, max(0, count - 1))

    def _count(self, key: str) -> tuple[float, int]:
        now = self._monotonic_s()
        since, count = self._counts.get(key, (now, 0))
        return (now, 0) if now - since >= self._window_s else (since, count)
