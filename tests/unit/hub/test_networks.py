"""Addresses in networks: found as one by one, at a cost that does not grow with the number of networks."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from twocans.hub.bans import Bans
from twocans.hub.networks import Networks
from twocans.storage.identities import BanKind, MemoryIdentities

ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 7).map(IPv4Address)
NETWORKS = st.builds(
    lambda address, length: IPv4Network((address, length), strict=False), ADDRESSES, st.integers(0, 32)
)


@given(st.lists(st.tuples(st.booleans(), NETWORKS), max_size=20), st.lists(ADDRESSES, min_size=1))
def test_address_is_found_if_one_of_the_networks_has_it(
    changes: list[tuple[bool, IPv4Network]], addresses: list[IPv4Address]
) -> None:
    networks, wanted = Networks(), set[IPv4Network]()
    for is_added, network in changes:
        (networks.add if is_added else networks.discard)(network)
        (wanted.add if is_added else wanted.discard)(network)
    assert len(networks) == len(wanted)
    for address in [*addresses, *(network.broadcast_address for _, network in changes)]:
        having = {network for network in wanted if address in network}
        found = networks.of(address)
        assert found in having if having else found is None


def bans_of(number: int) -> Bans:
    bans = Bans(MemoryIdentities(), wall_ms=lambda: 0)
    for banned in range(number):
        bans.add(BanKind.ADDRESS, f"{IPv4Address(2**24 + banned)}/32", "", lambda _: None)
    return bans


def calls_to_look_up(bans: Bans, address: IPv4Address) -> int:
    number = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal number
        number += 1

    sys.setprofile(count)
    try:
        bans.of_address(address)
    finally:
        sys.setprofile(None)
    return number


def test_looking_an_address_up_takes_the_same_steps_however_many_are_banned() -> None:
    stranger = IPv4Address("10.0.0.1")
    assert calls_to_look_up(bans_of(5000), stranger) == calls_to_look_up(bans_of(5), stranger)


def test_ban_of_a_network_is_found_by_its_addresses_until_it_is_lifted() -> None:
    bans = bans_of(5)
    bans.add(BanKind.ADDRESS, "192.168.7.0/24", "shouting", lambda _: None)
    found = bans.of_address(IPv4Address("192.168.7.9"))
    assert found is not None
    assert (found.value, found.why) == ("192.168.7.0/24", "shouting")
    bans.add(BanKind.NAME, "192.168.7.0/24", "", lambda _: None)
    assert bans.remove(BanKind.NAME, "192.168.7.0/24", lambda _: None)
    assert bans.of_address(IPv4Address("192.168.7.9")) is found
    assert bans.remove(BanKind.ADDRESS, "192.168.7.0/24", lambda _: None)
    assert bans.of_address(IPv4Address("192.168.7.9")) is None
