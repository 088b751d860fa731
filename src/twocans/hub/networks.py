"""Sets of networks in which an address is found at the same cost, however many they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network


class Networks:
    """Networks, each at most once. An address is looked up once for each prefix length among them: 33 times at most.

    Args:
        networks: those that are in it to begin with.
    """

    def __init__(self, networks: Iterable[IPv4Network] = ()) -> None:
        self._known: set[tuple[int, int]] = set()
        self._lengths: Counter[int] = Counter()
        for network in networks:
            self.add(network)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, network: IPv4Network) -> None:
        """Put a network in, unless it is there already."""
        length = network.prefixlen
        entry = (length, int(network.network_address))
        if entry not in self._known:
            self._known.add(entry)
            self._lengths[length] += 1

    def discard(self, network: IPv4Network) -> None:
        """Take a network out, if it is there."""
        length = network.prefixlen
        entry = (length, int(network.network_address))
        if entry in self._known:
            self._known.discard(entry)
            self._lengths[length] -= 1
            if not self._lengths[length]:
                del self._lengths[length]

    def of(self, address: IPv4Address) -> IPv4Network | None:
        """A network that an address belongs to, if there is one; any of them if there are several."""
        number = int(address)
        for length in self._lengths:
            start = number >> (32 - length) << (32 - length)
            if (length, start) in self._known:
                return IPv4Network((start, length))
        return None
