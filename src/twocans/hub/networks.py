"""A set of IPv4 networks that says in the same time, however many they are, whether an address is in one."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from typing import Final

_BITS: Final = 32


class Networks:
    """Networks, looked up by an address: once for each length of prefix that there is, at most 33 times.

    Args:
        networks: those there are at first.
    """

    def __init__(self, networks: Iterable[IPv4Network] = ()) -> None:
        self._by_prefix: dict[int, set[int]] = {}
        for network in networks:
            self.add(network)

    def add(self, network: IPv4Network) -> None:
        """Have one more; nothing happens if it is there."""
        self._by_prefix.setdefault(network.prefixlen, set()).add(int(network.network_address))

    def remove(self, network: IPv4Network) -> None:
        """Have one less; nothing happens if it is not there."""
        starts = self._by_prefix.get(network.prefixlen, set())
        starts.discard(int(network.network_address))
        if not starts:
            self._by_prefix.pop(network.prefixlen, None)

    def find(self, address: IPv4Address) -> IPv4Network | None:
        """One of those that an address is in; None if it is in none."""
        number = int(address)
        for prefix, starts in self._by_prefix.items():
            start = number >> (_BITS - prefix) << (_BITS - prefix)
            if start in starts:
                return IPv4Network((start, prefix))
        return None

    def __contains__(self, address: IPv4Address) -> bool:
        return self.find(address) is not None

    def __bool__(self) -> bool:
        return bool(self._by_prefix)
