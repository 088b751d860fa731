"""Whether multicast DNS (RFC 6762) gets out of this computer and back in: a firewall on it may say no to either."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Sequence
from typing import Final

from twocans.protocol.announcement import SERVICE_TYPE

GROUP: Final = "224.0.0.251"
PORT: Final = 5353
WITHIN_S: Final = 2.0
"""How long the computer may take to hear itself, in seconds."""


class _Ear(asyncio.DatagramProtocol):
    """Waits for one datagram.

    Args:
        wanted: the datagram.
    """

    def __init__(self, wanted: bytes) -> None:
        self._wanted = wanted
        self.heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _: object) -> None:
        """Called by the transport."""
        if data == self._wanted and not self.heard.done():
            self.heard.set_result(None)

    def error_received(self, exc: Exception) -> None:
        """Called by the transport."""
        if not self.heard.done():
            self.heard.set_exception(exc)


async def check_multicast(addresses: Sequence[str], *, within_s: float = WITHIN_S) -> None:
    """Ask on the networks of these addresses of this computer for servers, and hear oneself ask.

    Raises:
        OSError: it works on none of them, and this is why for the last; `TimeoutError` if nothing was heard.
    """
    results = await asyncio.gather(
        *(_hear(address, within_s) for address in addresses), return_exceptions=True
    )
    for result in results:
        if result is None:
            return
        if not isinstance(result, OSError):
            raise result
    raise results[-1] or OSError


async def _hear(address: str, within_s: float) -> None:
    question = _question()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("", PORT))
        interface = socket.inet_aton(address)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + interface)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        sock.setblocking(False)
        sock.sendto(question, (GROUP, PORT))
        loop = asyncio.get_running_loop()
        transport, ear = await loop.create_datagram_endpoint(lambda: _Ear(question), sock=sock.dup())
        try:
            async with asyncio.timeout(within_s):
                await ear.heard
        finally:
            ear.heard.cancel()
            transport.close()


def _question() -> bytes:
    """A query for servers, which tells itself from those of others by its id."""
    labels = SERVICE_TYPE.removesuffix(".").split(".")
    name = b"".join(bytes((len(label),)) + label.encode() for label in labels)
    return secrets.token_bytes(2) + bytes.fromhex("00000001000000000000") + name + bytes.fromhex("00000c0001")
