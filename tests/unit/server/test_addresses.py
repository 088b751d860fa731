"""Which addresses people are told to type, and in what order."""

from __future__ import annotations

import ipaddress

import pytest

from twocans.common.interfaces import Interface
from twocans.server.discovery.addresses import how_to_connect, lan_addresses, rank


def _up(name: str, address: str) -> Interface:
    return Interface(name, address, is_up=True)


LOOPBACK = _up("lo", "127.0.0.1")
WIRED = _up("eth0", "192.168.1.20")
WIRELESS = _up("wlan0", "192.168.1.21")


def test_address_that_leads_out_comes_first() -> None:
    assert rank([LOOPBACK, WIRED, WIRELESS], default="192.168.1.21") == ["192.168.1.21", "192.168.1.20"]
    assert rank([LOOPBACK, WIRED, WIRELESS], default="192.168.1.20") == ["192.168.1.20", "192.168.1.21"]


def test_without_a_way_out_the_order_of_the_system_stays() -> None:
    assert rank([WIRELESS, LOOPBACK, WIRED], default=None) == ["192.168.1.21", "192.168.1.20"]


@pytest.mark.parametrize(
    "name",
    [
        "docker0",
        "br-3f2a91",
        "veth12ab",
        "virbr0",
        "vmnet8",
        "vboxnet0",
        "lxcbr0",
        "podman1",
        "cni0",
        "tun0",
        "tap0",
        "wg0",
        "utun3",
        "tailscale0",
        "ztabc123",
        "ppp0",
        "vEthernet (WSL)",
        "VirtualBox Host-Only Network",
        "VMware Network Adapter VMnet1",
        "OpenVPN TAP-Windows6",
    ],
)
def test_virtual_networks_come_after_real_ones(name: str) -> None:
    assert rank([_up(name, "172.17.0.1"), WIRED], default=None) == ["192.168.1.20", "172.17.0.1"]


def test_network_of_a_vpn_that_takes_all_traffic_still_comes_after_the_local_one() -> None:
    assert rank([_up("tun0", "10.8.0.2"), WIRED], default="10.8.0.2") == ["192.168.1.20", "10.8.0.2"]


@pytest.mark.parametrize(
    "name", ["eth0", "enp3s0", "wlan0", "wlp2s0", "en0", "Ethernet", "Wi-Fi", "WLAN", "br0"]
)
def test_real_networks_are_not_taken_for_virtual_ones(name: str) -> None:
    assert rank([_up(name, "10.0.0.5"), _up("docker0", "172.17.0.1")], default=None)[0] == "10.0.0.5"


def test_self_assigned_address_comes_after_others() -> None:
    assert rank([_up("eth1", "169.254.3.4"), WIRED], default=None) == ["192.168.1.20", "169.254.3.4"]


def test_interface_that_is_down_loopback_and_nothing_are_left_out() -> None:
    down = Interface("eth1", "10.1.1.1", is_up=False)
    assert rank([LOOPBACK, _up("lo", "127.0.1.1"), down, _up("x", "0.0.0.0"), WIRED], default=None) == [  # noqa: S104
        "192.168.1.20"
    ]


def test_same_address_twice_is_told_once() -> None:
    assert rank([WIRED, WIRED, _up("eth1", "192.168.1.20")], default=None) == ["192.168.1.20"]


@pytest.mark.parametrize("interfaces", [[], [LOOPBACK], [Interface("eth0", "10.1.1.1", is_up=False)]])
def test_computer_without_a_network_has_itself(interfaces: list[Interface]) -> None:
    assert rank(interfaces, default=None) == ["127.0.0.1"]


def test_this_computer_has_at_least_one_address() -> None:
    addresses = lan_addresses()
    assert addresses
    assert all(ipaddress.IPv4Address(one) for one in addresses)


def test_others_are_told_the_addresses_of_the_network() -> None:
    assert how_to_connect("0.0.0.0", ["192.168.1.20", "10.0.0.5"], 5050, netcat="nc") == [  # noqa: S104
        "Twocans is running. Others connect to",
        "    192.168.1.20",
        "    10.0.0.5",
        "and this computer to localhost, or by netcat: nc 192.168.1.20 5050",
    ]


def test_where_localhost_does_not_lead_to_the_server_it_is_not_named() -> None:
    lines = how_to_connect("192.168.1.20", ["192.168.1.20"], 6000, netcat="ncat --ssl")
    assert lines == [
        "Twocans is running. Others connect to",
        "    192.168.1.20:6000",
        "and this computer to 192.168.1.20:6000, or by netcat: ncat --ssl 192.168.1.20 6000",
    ]


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", "localhost:6000"), ("127.0.0.2", "127.0.0.2:6000")])
def test_a_server_for_this_computer_alone_says_so_and_how_to_let_others_in(host: str, here: str) -> None:
    first, second = how_to_connect(host, [host], 6000, netcat="nc")
    assert first == (
        f"Twocans is running. Only this computer can connect: the server listens on {host} alone. "
        "To let others in, start it without the setting host (--host)."
    )
    assert second.startswith(f"Use {here}, or by netcat: nc ")


def test_a_computer_without_a_network_does_not_send_others_to_its_loopback_address() -> None:
    first, second = how_to_connect("0.0.0.0", ["127.0.0.1"], 5050, netcat="nc")  # noqa: S104
    assert "Only this computer can connect: it is in no network." in first
    assert second == "Use localhost, or by netcat: nc localhost 5050"
