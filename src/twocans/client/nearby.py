"""The servers that announce themselves on the network, by DNS-SD (RFC 6763). Whatever they say is somebody's claim.

That a server has the key that was announced for it is checked by whoever connects: `Client(expected_key=…)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Self

from msgspec import Struct
from zeroconf import Error, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from twocans.client.address import Address
from twocans.common.interfaces import interfaces
from twocans.common.multicast import check_multicast
from twocans.protocol.announcement import SERVICE_TYPE, from_txt
from twocans.protocol.keys import ServerKey
from twocans.protocol.text import spelled_out_line

MAX_NEARBY: Final = 100
"""So many servers are listed; of further ones only those whose keys are known, each in the place of the newest other."""
MAX_OF_ADDRESS: Final = 20
"""So many of those may be announced for one address, but for known keys: one computer has few servers."""
MAX_RESOLVING: Final = 200
"""While so many names are looked up, no further one is listened to."""
MAX_NAME_CHARS: Final = 64
SEARCH_S: Final = 3.0
"""After so many seconds without any server there seems to be none."""
RECHECK_S: Final = 5.0
"""How often it is looked whether the computer is in other networks by now, and what has expired, in seconds."""
RESOLVE_MS: Final = 3000
GATHER_S: Final = 0.2
"""How long changes are gathered before they are told: whoever announces may do so without end."""

log = logging.getLogger(__name__)

Networks = Mapping[str, IPv4Network]
"""The networks that this computer is in, by its address in each."""


class Search(StrEnum):
    """How far the search has come."""

    SEARCHING = "searching"
    DONE = "done"  # whoever is there has had time to answer; who comes is still heard
    BLOCKED = "blocked"  # nothing is heard, because this computer does not let multicast out or in
    NO_NETWORK = "no_network"  # this computer is in no network


class NearbyServer(Struct, frozen=True, kw_only=True):
    """A server that is announced. Nobody has checked any of it.

    Args:
        name: what it is called, harmless to show.
        address: where it is.
        key: the key that it has to prove.
        invite: whether newcomers need a code.
        online: how many people are online.
        seen_at: since when it is announced, in seconds of the clock.
    """

    name: str
    address: Address
    key: ServerKey
    invite: bool
    online: int
    seen_at: float


class Nearby(Struct, frozen=True):
    """What is known now: the servers, those that came last first."""

    search: Search
    servers: tuple[NearbyServer, ...] = ()


class NearbyServers:
    """Listens to announcements while it is open. Belongs to the event loop in which it is opened.

    Args:
        on_change: is told what is known, at first and whenever that changes.
        networks: tells where to listen; all networks of this computer but the loopback one if None.
        known: the keys, fewer than `MAX_NEARBY`, that come before others if more is announced than is listed.
        clock: seconds; the system's clock if None.
        recheck_s: how often it is looked whether anything has ended or changed without a word, in seconds.
    """

    def __init__(
        self,
        on_change: Callable[[Nearby], None],
        *,
        networks: Callable[[], Networks] | None = None,
        known: Collection[ServerKey] = (),
        clock: Callable[[], float] | None = None,
        recheck_s: float = RECHECK_S,
    ) -> None:
        self._recheck_s = recheck_s
        self._known_keys = frozenset(known)
        self._on_change = on_change
        self._networks = networks or lan_networks
        self._clock = clock or time.monotonic
        self._search = Search.SEARCHING
        self._known = Nearby(Search.SEARCHING)
        self._told: Nearby | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._first_seen: dict[str, float] = {}
        self._servers: dict[str, NearbyServer] = {}
        self._resolving: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._logged = ""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="twocans: look for servers")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- the search ----------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                networks = self._networks()
                if networks:
                    await self._browse(networks)
                else:
                    self._tell(Search.NO_NETWORK)
            except Exception as error:  # noqa: BLE001 - the root of a task: whatever it is, nothing can be found
                self._log_once(f"Looking for servers has failed and is tried again: {error!r}")
                self._tell(Search.BLOCKED)
            await asyncio.sleep(self._recheck_s)

    def _log_once(self, problem: str) -> None:
        """Log a problem, which may come back every few seconds, unless it was the last one."""
        if problem != self._logged:
            self._logged = problem
            log.warning("%s", problem)

    async def _browse(self, networks: Networks) -> None:
        """Listen for as long as the computer is in these networks.

        Raises:
            OSError: there can be no listening.
        """
        self._tell(Search.SEARCHING)
        zeroconf = AsyncZeroconf(interfaces=list(networks), ip_version=IPVersion.V4Only)

        # The names of the arguments are zeroconf's.
        def changed(
            zeroconf: Zeroconf,
            service_type: str,  # noqa: ARG001
            name: str,
            state_change: ServiceStateChange,
        ) -> None:
            self._changed(zeroconf, name, state_change, networks)

        try:
            await zeroconf.zeroconf.async_wait_for_start()
            browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, handlers=[changed])
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(asyncio.sleep(SEARCH_S))
                    hearing = both.create_task(_hears(networks))
                self._tell(hearing.result())
                while self._networks() == networks:
                    await asyncio.sleep(self._recheck_s)
                    self._look_again(zeroconf.zeroconf, networks)
                    if self._search is Search.BLOCKED:
                        self._tell(await _hears(networks))
            finally:
                await browser.async_cancel()
        finally:
            for task in self._resolving.values():
                task.cancel()
            self._resolving.clear()
            self._servers.clear()
            self._first_seen.clear()
            await zeroconf.async_close()

    def _tell(self, search: Search | None = None) -> None:
        """What is known may have changed; it is told soon, if it has."""
        if search is not None:
            self._search = search
        by_key: dict[ServerKey, NearbyServer] = {}
        for name in sorted(self._servers, key=lambda name: self._servers[name].seen_at):
            # Who announces a key that was announced before cannot take its place.
            by_key.setdefault(self._servers[name].key, self._servers[name])
        self._known = Nearby(self._search, tuple(reversed(by_key.values())))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._tell_now)

    def _tell_now(self) -> None:
        self._timer = None
        if self._known != self._told:
            self._told = self._known
            self._on_change(self._known)

    # --- announcements -------------------------------------------------------------------------------------

    def _changed(self, zeroconf: Zeroconf, name: str, change: ServiceStateChange, networks: Networks) -> None:
        if change is ServiceStateChange.Removed:
            self._first_seen.pop(name, None)
            self._servers.pop(name, None)
            self._tell()
        elif name in self._first_seen or len(self._resolving) < MAX_RESOLVING:
            self._first_seen.setdefault(name, self._clock())
            self._look_up(zeroconf, name, networks)

    def _look_again(self, zeroconf: Zeroconf, networks: Networks) -> None:
        """Ask for what has expired. A server that has ended without a goodbye does not answer.

        The library tells when a name has expired, but keeps each for 19 minutes at least.
        """
        for name in self._servers:
            if name not in self._resolving and not AsyncServiceInfo(SERVICE_TYPE, name).load_from_cache(
                zeroconf
            ):
                self._look_up(zeroconf, name, networks)

    def _make_room(self, server: NearbyServer) -> bool:
        """Whether a server may be listed. One with a known key may, if need be in the place of the newest other."""
        first_known: dict[ServerKey, str] = {}
        for name, other in self._servers.items():
            if other.key in self._known_keys:
                first_known.setdefault(other.key, name)
        if server.key not in self._known_keys or server.key in first_known:
            of_address = sum(other.address.host == server.address.host for other in self._servers.values())
            return len(self._servers) < MAX_NEARBY and of_address < MAX_OF_ADDRESS
        if len(self._servers) >= MAX_NEARBY:
            others = self._servers.keys() - first_known.values()
            newest = max(others, key=lambda name: self._servers[name].seen_at)
            del self._servers[newest], self._first_seen[newest]
        return True

    def _look_up(self, zeroconf: Zeroconf, name: str, networks: Networks) -> None:
        earlier = self._resolving.pop(name, None)
        if earlier is not None:
            earlier.cancel()
        self._resolving[name] = asyncio.create_task(self._resolve(zeroconf, name, networks))

    async def _resolve(self, zeroconf: Zeroconf, name: str, networks: Networks) -> None:
        """Find out what is announced under a name."""
        try:
            info = AsyncServiceInfo(SERVICE_TYPE, name)
            complete = info.load_from_cache(zeroconf) or await info.async_request(zeroconf, RESOLVE_MS)
            seen_at = self._first_seen.get(name)
            server = understood(info, networks, seen_at=seen_at) if complete and seen_at is not None else None
        except Error:
            server = None
        except Exception as error:  # noqa: BLE001 - the root of a task: others announce what they like
            self._log_once(f"An announcement could not be read: {error!r}")
            server = None
        self._resolving.pop(name, None)
        self._servers.pop(name, None)
        if server is None or not self._make_room(server):
            # It takes no room until there is more to it.
            self._first_seen.pop(name, None)
        else:
            self._servers[name] = server
        self._tell()


def understood(info: AsyncServiceInfo, networks: Networks, *, seen_at: float) -> NearbyServer | None:
    """The server that is announced; None if it is none that could be connected to from here."""
    said = from_txt(info.properties)
    address = _address(info.parsed_addresses(IPVersion.V4Only), networks)
    if said is None or address is None or not info.port:
        return None
    name = spelled_out_line(said.name.strip()) or address
    return NearbyServer(
        name=name if len(name) <= MAX_NAME_CHARS else f"{name[: MAX_NAME_CHARS - 1]}…",
        address=Address(address, info.port),
        key=said.key,
        invite=said.invite,
        online=said.online,
        seen_at=seen_at,
    )


def lan_networks() -> Networks:
    """The networks that this computer is in now, the loopback one apart.

    Raises:
        OSError: the system does not tell them.
    """
    return {
        one.address: network
        for one in interfaces()
        if one.netmask and one.is_up
        for network in (IPv4Network(f"{one.address}/{one.netmask}", strict=False),)
        if not network.is_loopback
    }


def _address(announced: list[str], networks: Networks) -> str | None:
    """The first of the addresses that is in a network of this computer; the internet is none."""
    for text in announced:
        if any(IPv4Address(text) in network for network in networks.values()):
            return text
    return None


async def _hears(networks: Networks) -> Search:
    try:
        await check_multicast(list(networks))
    except OSError:
        return Search.BLOCKED
    return Search.DONE
