"""Announces the server to the network by DNS-SD (RFC 6763) over multicast DNS (RFC 6762), so that nobody has to type.

Nothing here stops or delays the server: where it does not work, that is said once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Final

from zeroconf import IPVersion, NonUniqueNameException
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from twocans.common.multicast import check_multicast
from twocans.hub.hub import EventLog
from twocans.protocol.announcement import SERVICE_TYPE, Announcement, to_txt
from twocans.server.discovery.addresses import lan_addresses
from twocans.server.settings.config import ANY_ADDRESS

UPDATE_S: Final = 5.0
"""How long changes are gathered before they are announced, in seconds."""
TTL_S: Final = 120
"""For how long others believe in a server that has ended without a goodbye, in seconds."""
GOODBYE_S: Final = 2.0
"""How long a goodbye may take, in seconds."""
MAX_NAME_BYTES: Final = 56
"""A label of DNS has 63; the rest is for the number that tells servers of one name apart."""

_LOOPBACK: Final = "127."


def announced_addresses(host: str) -> list[str]:
    """The addresses by which others reach a server that listens on `host`; none if nobody else can."""
    addresses = lan_addresses() if host == ANY_ADDRESS else [host]
    return [address for address in addresses if not address.startswith(_LOOPBACK)]


def server_name(host_name: str) -> str:
    """What the server on a computer is called in lists of servers."""
    said = "".join(char for char in host_name if char.isprintable()).strip()
    return said.encode(errors="ignore").decode() or "Twocans"


def instance_name(name: str) -> str:
    """The same as far as DNS-SD has room for it before a number."""
    return name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")


class Announcer:
    """Announces one server for as long as it runs.

    Args:
        port: the TCP port that it listens on.
        addresses: tells the IPv4 addresses by which others reach it now.
        announcement: tells what to say now.
        log: is told what does not work.
        update_s: how long changes are gathered, in seconds.
    """

    def __init__(
        self,
        *,
        port: int,
        addresses: Callable[[], list[str]],
        announcement: Callable[[], Announcement],
        log: EventLog,
        update_s: float = UPDATE_S,
    ) -> None:
        self._port = port
        self._addresses = addresses
        self._announcement = announcement
        self._log = log
        self._update_s = update_s
        self._failure = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to announce; returns at once."""
        self._task = asyncio.create_task(self._run(), name="announce")

    async def stop(self) -> None:
        """Say goodbye; within `GOODBYE_S` seconds."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                addresses = self._addresses()
                if addresses:
                    await self._announce(addresses)
            except Exception as error:  # noqa: BLE001 - the root of a task: the server serves without it
                self._failed(error)
            # A computer that joins another network, or its first, is announced there.
            await asyncio.sleep(self._update_s)

    async def _announce(self, addresses: list[str]) -> None:
        """Announce for as long as the computer has these addresses.

        Raises:
            OSError: the network does not take it.
            NonUniqueNameException: the name cannot be had.
        """
        await check_multicast(addresses)
        zeroconf = AsyncZeroconf(interfaces=addresses, ip_version=IPVersion.V4Only)
        try:
            said = self._announcement()
            info = self._info(instance_name(said.name), said, addresses)
            await (await zeroconf.async_register_service(info, allow_name_change=True))
            self._log("announced", name=info.name.removesuffix(f".{SERVICE_TYPE}"), addresses=addresses)
            self._failure = ""
            while self._addresses() == addresses:
                await asyncio.sleep(self._update_s)
                now = self._announcement()
                if now != said:
                    said = now
                    # The name may be another one by now: somebody had it before.
                    updated = self._info(info.name.removesuffix(f".{SERVICE_TYPE}"), said, addresses)
                    await (await zeroconf.async_update_service(updated))
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await zeroconf.async_close()

    def _info(self, name: str, said: Announcement, addresses: list[str]) -> AsyncServiceInfo:
        return AsyncServiceInfo(
            SERVICE_TYPE,
            f"{name}.{SERVICE_TYPE}",
            port=self._port,
            properties=to_txt(said),
            # A name of its own: that of the computer may be announced by the system already.
            server=f"twocans-{said.key[:16]}-{self._port}.local.",
            parsed_addresses=addresses,
            host_ttl=TTL_S,
            other_ttl=TTL_S,
        )

    def _failed(self, error: Exception) -> None:
        match error:
            case TimeoutError():
                why = "multicast does not come through"
            case OSError(errno=int(number)):
                why = os.strerror(number)
            case NonUniqueNameException():
                why = "its name could not be had"
            case _:
                why = type(error).__name__
        if why != self._failure:
            self._failure = why
            self._log("not_announced", why=why, port=self._port)
