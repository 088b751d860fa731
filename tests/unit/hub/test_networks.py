"""Networks, and whether an address is in one of them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from twocans.hub.networks import Networks

# Few bits of an address differ, so that networks often hold each other and the addresses.
NUMBERS = st.sampled_from([0, 1, 2, 3, 0x80000000, 0x80000001, 0x80000100, 0xFFFFFFFE, 0xFFFFFFFF])
ADDRESSES = st.builds(IPv4Address, NUMBERS)
NETWORKS = st.builds(
    lambda number, prefix: IPv4Network((number, prefix), strict=False), NUMBERS, st.integers(0, 32)
)


@given(st.lists(NETWORKS), st.lists(NETWORKS), ADDRESSES)
def test_an_address_is_found_as_by_looking_at_each_network(
    added: list[IPv4Network], removed: list[IPv4Network], address: IPv4Address
) -> None:
    networks = Networks(added)
    for network in removed:
        networks.remove(network)
    left = set(added) - set(removed)
    found = networks.find(address)
    assert (found is not None) == (address in networks) == any(address in one for one in left)
    assert found is None or (found in left and address in found)
    assert bool(networks) == bool(left)


class CountedAddress(IPv4Address):
    """An address that counts how often something is compared with it, or asked of it."""

    looks = 0

    def __int__(self) -> int:
        self.looks += 1
        return super().__int__()

    def __eq__(self, other: object) -> bool:
        self.looks += 1
        return super().__eq__(other)

    __hash__ = IPv4Address.__hash__


def test_many_networks_are_not_looked_at_one_by_one() -> None:
    networks = Networks(IPv4Network((number << 8, 24)) for number in range(10_000))
    address = CountedAddress("192.168.1.5")
    assert address not in networks
    assert address.looks <= 33
