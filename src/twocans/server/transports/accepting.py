"""Accepts connections for as long as a server listens, however short of descriptors the system is at times."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from typing import Final, Protocol

from twocans.hub.hub import EventLog
from twocans.hub.session import Reason
from twocans.server.transports.connection_limiter import ConnectionLimiter, Refusal, message_for, words

SHORT: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors by which the system says that it has no more descriptors or memory at the moment."""
PAUSE_S: Final = 0.1
"""How long to wait before accepting again what could not be accepted, in seconds."""
TOLD_S: Final = 1.0
"""How long after a shortage was logged it is logged again, in seconds."""


class Client(Protocol):
    """The driver's side of one connection."""

    @property
    def host(self) -> IPv4Address:
        """Where it comes from."""
        ...

    def end(self, reason: Reason, text: str) -> None:
        """End it from this side."""
        ...


class Accepting:
    """Accepts connections on one socket.

    Args:
        listener: the socket; it is closed by `stop`.
        admit: takes over each new connection, with the peer's name.
        log: is told of a shortage.
    """

    def __init__(
        self, listener: socket.socket, admit: Callable[[socket.socket, object], None], *, log: EventLog
    ) -> None:
        self._listener = listener
        self._admit = admit
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._told_at = -TOLD_S
        self._task = self._loop.create_task(self._accept(), name="accept")

    async def stop(self) -> None:
        """Accept nothing more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._listener.close()

    async def _accept(self) -> None:
        while True:
            try:
                self._take_over(*await self._loop.sock_accept(self._listener))
            except ConnectionAbortedError:
                pass
            except OSError as error:
                if error.errno in SHORT:
                    self._tell(error)
                await asyncio.sleep(PAUSE_S)
            # `sock_accept` does not yield while connections wait. Those that are open must be read meanwhile: one that its
            # peer has left ends only then, and until it does it takes a share of its address and memory.
            await asyncio.sleep(0)

    def _tell(self, error: OSError) -> None:
        now = self._loop.time()
        if now - self._told_at >= TOLD_S:
            self._told_at = now
            self._log("descriptors_short", why=os.strerror(error.errno or 0))

    def _take_over(self, sock: socket.socket, name: object) -> None:
        try:
            self._admit(sock, name)
        except Exception as error:  # noqa: BLE001 - the root of a connection: the others are accepted all the same
            sock.close()
            self._loop.call_exception_handler(
                {"message": "a connection could not be taken over", "exception": error}
            )


def refuse(sock: socket.socket, refusal: Refusal | None) -> None:
    """Close a connection that is not let in, and say why in the dialect for people: it has not said anything yet."""
    with contextlib.suppress(OSError):
        sock.send(words(refusal or Refusal.GONE))
    sock.close()


def end_shut_out(clients: Iterable[Client], connection_limiter: ConnectionLimiter) -> None:
    """End the connections of addresses that may not be here any more, whatever they are doing."""
    for client in list(clients):
        refusal = connection_limiter.shut_out(client.host)
        if refusal is not None:
            client.end(Reason.BANNED, message_for(refusal))
