"""What is done to TCP sockets: listening, keep-alive, and asking what a peer's machine has confirmed."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import sys
from ipaddress import IPv4Address
from typing import Final, Protocol

if sys.platform == "linux":
    # Not when they are first needed: a server that is out of descriptors can import nothing.
    import fcntl
    import termios

BACKLOG: Final = 4096
KEEPALIVE_IDLE_S: Final = 15
KEEPALIVE_INTERVAL_S: Final = 5
KEEPALIVE_PROBES: Final = 5
USER_TIMEOUT_MS: Final = 40_000

_IN_USE: Final = frozenset({errno.EADDRINUSE, 10048})
"""The second one is what Windows calls it."""
_WINDOWS_ADDRESS_NOT_OURS: Final = 10049
_WINDOWS_ACCESS: Final = 10013


class ListenError(Exception):
    """The port cannot be listened on; the sentence says why and what to do.

    Args:
        text: the sentence.
        taken: whether another program is using the port.
    """

    def __init__(self, text: str, *, taken: bool) -> None:
        super().__init__(text)
        self.taken = taken


class SocketLike(Protocol):
    """A socket, or what asyncio shows of one."""

    def fileno(self) -> int:
        """The descriptor."""
        ...

    def setsockopt(self, level: int, optname: int, value: int, /) -> None:
        """Set an option."""
        ...


def listen(host: str, port: int) -> socket.socket:
    """An IPv4 TCP socket that listens.

    Raises:
        ListenError: it is taken, not this machine's, or not allowed.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # Windows would let two servers share a port; only one of them would be heard.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ListenError(_sentence(host, port, error), taken=error.errno in _IN_USE) from None
    return listener


def _sentence(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return (
            f"{host} is not an IPv4 address. Leave --host out to listen on all of this computer's addresses."
        )
    if error.errno in _IN_USE:
        return (
            f"Port {port} is taken: another program, perhaps another Twocans server, is using it. "
            f"Close that program, or choose another port: --port {port + 1 if port < 65535 else 5050}"
        )
    if error.errno in {errno.EADDRNOTAVAIL, _WINDOWS_ADDRESS_NOT_OURS}:
        return (
            f"{host} is not an address of this computer. "
            "Leave --host out to listen on all of this computer's addresses."
        )
    if error.errno in {errno.EACCES, errno.EPERM, _WINDOWS_ACCESS}:
        return f"Port {port} needs the rights of an administrator. Choose one above 1023, for example --port 5050"
    return f"Listening on {host}:{port} is not possible: {os.strerror(error.errno or 0)}."


def tune(sock: SocketLike) -> None:
    """Send small messages at once, and notice when the peer's machine is gone."""
    set_option(sock, socket.IPPROTO_TCP, "TCP_NODELAY", 1)
    set_option(sock, socket.SOL_SOCKET, "SO_KEEPALIVE", 1)
    set_option(sock, socket.IPPROTO_TCP, "TCP_KEEPIDLE", KEEPALIVE_IDLE_S)
    set_option(sock, socket.IPPROTO_TCP, "TCP_KEEPALIVE", KEEPALIVE_IDLE_S)  # as macOS calls it
    set_option(sock, socket.IPPROTO_TCP, "TCP_KEEPINTVL", KEEPALIVE_INTERVAL_S)
    set_option(sock, socket.IPPROTO_TCP, "TCP_KEEPCNT", KEEPALIVE_PROBES)
    set_option(sock, socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", USER_TIMEOUT_MS)


def set_option(sock: SocketLike, level: int, name: str, value: int) -> None:
    """Set an option where the system has it; a peer that is gone already is found out by reading."""
    option = getattr(socket, name, None)
    if option is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(level, option, value)


def unacknowledged_bytes(sock: SocketLike) -> int:
    """How much of what the system took is not acknowledged by the peer's; 0 where it cannot be known."""
    if sys.platform != "linux":
        return 0
    try:
        # SIOCOUTQ of tcp(7) is TIOCOUTQ.
        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    except (OSError, ValueError):
        return 1  # no socket to ask any more: nothing more is known to have arrived
    return int(struct.unpack("i", answer)[0])


def peer_host(name: object) -> IPv4Address | None:
    """The address in what `getpeername` gave; None if the peer was gone by then."""
    match name:
        case (str(host), int(), *_):
            return IPv4Address(host)
        case _:
            return None


def peer_address(name: object) -> str:
    """`host:port` of what `getpeername` gave."""
    match name:
        case (str(host), int(port), *_):
            return f"{host}:{port}"
        case _:
            return "unknown"
