"""The IPv4 interfaces of this computer."""

from __future__ import annotations

import socket

import psutil
from msgspec import Struct


class Interface(Struct, frozen=True):
    """One IPv4 address of this computer.

    Args:
        name: the interface's.
        address: the address.
        is_up: whether it is in use; also true where the system does not say.
        netmask: of its network, if it is in one.
    """

    name: str
    address: str
    is_up: bool
    netmask: str | None = None


def interfaces() -> list[Interface]:
    """Return every address of this computer.

    Raises:
        OSError: the system does not tell them.
    """
    try:
        states = psutil.net_if_stats()
    except OSError:  # a sandbox hides /proc/net/dev
        states = {}
    return [
        Interface(name, one.address, is_up=name not in states or states[name].isup, netmask=one.netmask)
        for name, addresses in psutil.net_if_addrs().items()
        for one in addresses
        if one.family == socket.AF_INET
    ]
