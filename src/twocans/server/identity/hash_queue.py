"""Password checks that wait for the hashing thread, in an order in which no address keeps another one out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

MAX_WAITING: Final = 64
"""The most checks that may wait; more displace those of the addresses that have had the most."""
MAX_WAITING_OF_HOST: Final = 8
"""The most of them from one address. This computer's own have as much room beside the others."""
AGING_CHECKS: Final = 10_000
"""After how many checks the counts of all addresses are halved, so that recent checks count more."""
LOCAL_PREFIX: Final = "127."
"""Addresses of this computer, which count as one: everybody on it can use all of them."""


class Check(Struct, frozen=True, eq=False):
    """A check that waits.

    Args:
        host: the peer's address without its port.
        run: does the check.
        refuse: answers that there is no room.
    """

    host: str
    run: Callable[[], None]
    refuse: Callable[[], None]


class HashQueue:
    """Orders checks by how many of their addresses have been served: the fewest first, then the oldest.

    An address that has logged in rarely so passes those that guess all the time, however many these are. Checks of this
    computer take every other turn, and are not displaced: whoever sits at it gets in while others attack from the network.
    """

    def __init__(self) -> None:
        self._local: list[Check] = []
        self._remote: list[Check] = []
        self._served: Counter[str] = Counter()
        self._was_local = False

    def put(self, check: Check) -> Check | None:
        """Let a check wait; return the one that has no room for that, which may be itself."""
        if is_local(check.host):
            if len(self._local) >= MAX_WAITING_OF_HOST:
                return check
            self._local.append(check)
            return None
        waiting = Counter(one.host for one in self._remote)
        if waiting[check.host] >= MAX_WAITING_OF_HOST:
            return check
        self._remote.append(check)
        if len(self._remote) <= MAX_WAITING:
            return None
        waiting[check.host] += 1
        # Of those that have had or asked for the most, the newest.
        displaced = max(reversed(self._remote), key=lambda one: self._served[one.host] + waiting[one.host])
        self._remote.remove(displaced)
        return displaced

    def pop(self) -> Check | None:
        """Return the check whose turn it is; None if none waits."""
        self._was_local = bool(self._local) and not (self._was_local and self._remote)
        if self._was_local:
            return self._local.pop(0)
        if not self._remote:
            return None
        check = min(self._remote, key=lambda one: self._served[one.host])
        self._remote.remove(check)
        self._count(check.host)
        return check

    def _count(self, host: str) -> None:
        self._served[host] += 1
        if self._served.total() >= AGING_CHECKS:
            self._served = Counter({one: count // 2 for one, count in self._served.items() if count > 1})


def is_local(host: str) -> bool:
    """True for an address of this computer itself."""
    return host.startswith(LOCAL_PREFIX)
