"""Which addresses people on the network have to type to reach this computer."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from typing import Final

from twocans.common.interfaces import Interface, interfaces
from twocans.server.settings.config import ANY_ADDRESS, DEFAULT_PORT

_VIRTUAL: Final = re.compile(
    r"^(docker|br-|veth|virbr|vmnet|vboxnet|lxc|lxd|cni|flannel|cali|podman|tun|tap|wg|utun|tailscale|zt|ppp|awdl|llw|bridge)"
    r"|vEthernet|VirtualBox|VMware|Hyper-V|WSL|Loopback|TAP-|OpenVPN|WireGuard|Tailscale|ZeroTier",
    re.IGNORECASE,
)
_LOCALHOST: Final = "127.0.0.1"
_NOWHERE: Final = ("192.0.2.1", 9)  # TEST-NET-1 of RFC 5737: no computer has it


def lan_addresses() -> list[str]:
    """The IPv4 addresses by which others can reach this computer, the likeliest first; no traffic is sent.

    Only the loopback address is given if there is no other.
    """
    default = _default_route_address()
    try:
        return rank(interfaces(), default=default)
    except OSError:
        return [default or _LOCALHOST]


def rank(found: Iterable[Interface], *, default: str | None) -> list[str]:
    """Order addresses: the one that leads out first, then real networks before virtual ones.

    Args:
        found: what this computer has.
        default: the address that the way out starts from, if there is one.
    """
    ranked: list[tuple[tuple[bool, bool, bool, int], str]] = []
    for number, interface in enumerate(found):
        address = ipaddress.IPv4Address(interface.address)
        if address.is_loopback or address.is_unspecified or not interface.is_up:
            continue
        virtual = _VIRTUAL.search(interface.name) is not None
        key = (virtual, address.is_link_local, interface.address != default, number)
        ranked.append((key, interface.address))
    ordered = list(dict.fromkeys(address for _, address in sorted(ranked)))
    return ordered or ["127.0.0.1"]


def how_to_connect(host: str, addresses: Sequence[str], port: int, *, netcat: str) -> list[str]:
    """The lines that tell the operator who can connect, and how; those with an address for others are indented.

    Args:
        host: what the server listens on.
        addresses: what others have to type, as far as there is anything; loopback addresses are for nobody else.
        port: the server's.
        netcat: how netcat is called here.
    """
    suffix = "" if port == DEFAULT_PORT else f":{port}"
    others = [address for address in addresses if not ipaddress.IPv4Address(address).is_loopback]
    here = "localhost" if host in {ANY_ADDRESS, _LOCALHOST} else host
    by_netcat = f"or by netcat: {netcat} {others[0] if others else here} {port}"
    if others:
        return [
            "Twocans is running. Others connect to",
            *(f"    {address}{suffix}" for address in others),
            f"and this computer to {here}{suffix}, {by_netcat}",
        ]
    if host == ANY_ADDRESS:
        why = "it is in no network. To let others in, connect it to one and start the server again."
    else:
        why = f"the server listens on {host} alone. To let others in, start it without the setting host (--host)."
    return [f"Twocans is running. Only this computer can connect: {why}", f"Use {here}{suffix}, {by_netcat}"]


def _default_route_address() -> str | None:
    # Connecting a datagram socket sends nothing: the system only looks up its routes.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return None
