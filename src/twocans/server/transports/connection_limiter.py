"""Who may open a connection: how many there may be, in all and from one address, how fast, and from where.

It knows addresses only; the sockets are the acceptors'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from twocans.hub.hub import EventLog
from twocans.hub.limits import Limits, TokenBucket
from twocans.hub.networks import Networks

UNREGISTERED: Final = 256
"""How many connections there may be beyond those that can register, to be told in their dialect that they cannot."""
BURST_S: Final = 10.0
"""How many seconds' worth of connections may come from one address at once."""
MAX_ADDRESSES: Final = 10_000
"""Of how many addresses it is remembered how fast they come; of more, those who came first are forgotten."""


class Refusal(StrEnum):
    """Why a connection is not let in."""

    FULL = "full"
    DESCRIPTORS = "descriptors"
    ADDRESS_FULL = "address_full"
    TOO_FAST = "too_fast"
    NETWORK = "network"
    BANNED = "banned"
    GONE = "gone"


_FULL: Final = "This server is full. Please try again later."
_SENTENCES: Final[Mapping[Refusal, str]] = {
    Refusal.FULL: _FULL,
    Refusal.DESCRIPTORS: _FULL,
    Refusal.ADDRESS_FULL: "Your address has too many connections here already. Close one of them first.",
    Refusal.TOO_FAST: "Too many connections have come from your address just now. Please try again in a moment.",
    Refusal.NETWORK: "This server doesn't accept connections from your network. Ask the person who runs it.",
    Refusal.BANNED: "Your address is banned from this server. Ask the person who runs it.",
    Refusal.GONE: "Goodbye.",
}


def message_for(refusal: Refusal) -> str:
    """Return the sentence that a refused peer is told."""
    return _SENTENCES[refusal]


def words(refusal: Refusal) -> bytes:
    """What a refused connection is told, whose dialect nobody has heard yet."""
    return f"MSG: Server: {message_for(refusal)}\n".encode()


class ConnectionLimiter:
    """Lets connections in and counts them.

    Args:
        limits: how many there may be.
        allow: the networks that they may come from; empty for all.
        deny: the networks that they may not come from, even if `allow` has them.
        banned: whether an address is shut out at the moment.
        max_descriptors: how many descriptors there are for connections; None for no limit.
        monotonic_s: a clock that does not go back, in seconds.
        log: is told of refusals.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        monotonic_s: Callable[[], float],
        log: EventLog,
        allow: Sequence[IPv4Network] = (),
        deny: Sequence[IPv4Network] = (),
        banned: Callable[[IPv4Address], bool] | None = None,
        max_descriptors: int | None = None,
    ) -> None:
        self._limits = limits
        self._allow = Networks(allow)
        self._deny = Networks(deny)
        self._banned = banned
        self._max_descriptors = max_descriptors
        self._monotonic_s = monotonic_s
        self._log = log
        self._open: Counter[IPv4Address] = Counter()
        self._total = 0
        self._paces: dict[IPv4Address, TokenBucket] = {}

    def enter(self, host: IPv4Address | None, *, address: str) -> Refusal | None:
        """Let a connection in, which has to `leave` then, or say why not.

        Args:
            host: where it comes from; None for one that is gone already.
            address: the same with its port, for people.
        """
        if host is None:
            self.refused(Refusal.GONE, address=address)
            return Refusal.GONE
        refusal = self._refusal(host)
        if refusal is not None:
            self.refused(refusal, address=address)
            return refusal
        self._open[host] += 1
        self._total += 1
        return None

    def leave(self, host: IPv4Address) -> None:
        """A connection that was let in has ended."""
        self._total -= 1
        self._open[host] -= 1
        if not self._open[host]:
            del self._open[host]

    def shut_out(self, host: IPv4Address) -> Refusal | None:
        """Return why an address may not be here at all, also with connections that it has already."""
        if self._deny.of(host) is not None:
            return Refusal.NETWORK
        if self._allow and self._allow.of(host) is None:
            return Refusal.NETWORK
        if self._banned is not None and self._banned(host):
            return Refusal.BANNED
        return None

    def refused(self, refusal: Refusal, *, address: str) -> None:
        """Log that a connection was not let in."""
        self._log("connection_refused", address=address, why=refusal.value)

    def _refusal(self, host: IPv4Address) -> Refusal | None:
        refusal = self.shut_out(host)
        if refusal is not None:
            return refusal
        if self._total >= self._limits.max_connections + UNREGISTERED:
            return Refusal.FULL
        if self._max_descriptors is not None and self._total >= self._max_descriptors:
            return Refusal.DESCRIPTORS
        most = self._limits.max_connections_per_address
        if most and self._open.get(host, 0) >= most:
            return Refusal.ADDRESS_FULL
        rate = self._limits.connection_rate
        return Refusal.TOO_FAST if rate and not self._is_patient(host, rate) else None

    def _is_patient(self, host: IPv4Address, rate: float) -> bool:
        """Count one more connection of an address, unless it comes too fast."""
        now = self._monotonic_s()
        pace = self._paces.pop(host, None) or TokenBucket(rate=rate, burst=rate * BURST_S, now=now)
        self._paces[host] = pace
        if len(self._paces) > MAX_ADDRESSES:
            del self._paces[next(iter(self._paces))]
        if not pace.available(now):
            return False
        pace.take(1)
        return True
