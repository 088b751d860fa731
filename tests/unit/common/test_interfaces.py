"""Where a sandbox hides from programs what they usually read about the network."""

from __future__ import annotations

from collections.abc import Mapping

import psutil
import pytest

from twocans.client.nearby import lan_networks
from twocans.server.discovery.addresses import lan_addresses


def refuse() -> Mapping[str, object]:
    raise PermissionError(13, "Permission denied", "/proc/net/dev")


def test_networks_and_addresses_are_known_without_the_states_of_interfaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks, addresses = lan_networks(), lan_addresses()
    monkeypatch.setattr(psutil, "net_if_stats", refuse)
    assert lan_networks().items() >= networks.items()
    assert set(lan_addresses()) >= set(addresses)


def test_server_has_an_address_where_the_system_tells_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_if_addrs", refuse)
    assert len(lan_addresses()) == 1
