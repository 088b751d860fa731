"""Servers that are found on the loopback network, which every computer has and shares with other tests: real multicast."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Network
from subprocess import PIPE

import pytest

from tests.support.process import START_S, ServerProcess, environment
from tests.support.raw import JsonPeer
from tests.unit.client.scripted import run, run_on_fast_loop
from twocans.client import Nearby, NearbyServer, NearbyServers, ServerKey
from twocans.client.nearby import Networks
from twocans.protocol.announcement import Announcement
from twocans.server.discovery.announcer import Announcer

LOOPBACK = "127.0.0.1"
KEY = ServerKey("cd" * 32)

on_both_loops = pytest.mark.parametrize("start", [run, run_on_fast_loop], ids=["asyncio", "uvloop"])


def loopback() -> Networks:
    return {LOOPBACK: IPv4Network("127.0.0.0/8")}


def fresh_name() -> str:
    return f"Server {uuid.uuid4().hex[:8]}"


class Looker:
    """Somebody who looks for the servers of one name among those of other tests."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: tuple[NearbyServer, ...] = ()
        self._changed = asyncio.Condition()
        self._telling: set[asyncio.Task[None]] = set()

    def take(self, known: Nearby) -> None:
        self._found = tuple(one for one in known.servers if one.name == self._name)
        task = asyncio.create_task(self._tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def sees(self, wanted: Callable[[tuple[NearbyServer, ...]], bool]) -> tuple[NearbyServer, ...]:
        """What is found, once it is as wanted."""
        async with asyncio.timeout(START_S), self._changed:
            await self._changed.wait_for(lambda: wanted(self._found))
            return self._found


@asynccontextmanager
async def looking(name: str) -> AsyncIterator[Looker]:
    looker = Looker(name)
    async with NearbyServers(looker.take, networks=loopback, recheck_s=0.2):
        yield looker


class Announced:
    """A server that is announced, and what it says."""

    def __init__(self, name: str, port: int) -> None:
        self.online = 0
        self.logged: list[str] = []
        self._name = name
        self._announcer = Announcer(
            port=port,
            addresses=lambda: [LOOPBACK],
            announcement=self._announcement,
            log=self._log,
            update_s=0.2,
        )

    def _log(self, event: str, /, **_: object) -> None:
        self.logged.append(event)

    def _announcement(self) -> Announcement:
        return Announcement(name=self._name, key=KEY, invite=False, tls_required=False, online=self.online)

    async def __aenter__(self) -> Announced:
        self._announcer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._announcer.stop()


@on_both_loops
def test_a_server_is_found_kept_up_to_date_and_gone_with_its_goodbye(start: Callable[..., None]) -> None:
    async def scenario() -> None:
        name = fresh_name()
        async with looking(name) as looker:
            async with Announced(name, 7) as server:
                (found,) = await looker.sees(lambda found: len(found) == 1)
                assert (found.address.host, found.address.port, found.key) == (LOOPBACK, 7, KEY)
                server.online = 3
                await looker.sees(lambda found: [one.online for one in found] == [3])
            await looker.sees(lambda found: not found)
            assert server.logged == ["announced"]

    start(scenario())


@pytest.mark.parametrize("when", ["before", "while"])
def test_search_goes_on_after_the_networks_could_not_be_read(when: str) -> None:
    """As `/proc/net/dev` that is hidden for a while."""

    async def scenario() -> None:
        name = fresh_name()
        looker = Looker(name)
        fails = when == "before"
        asked = asyncio.Event()

        def networks() -> Networks:
            if fails:
                asked.set()
                raise PermissionError(13, "Permission denied", "/proc/net/dev")
            return loopback()

        async with Announced(name, 7), NearbyServers(looker.take, networks=networks, recheck_s=0.05):
            if when == "while":
                await looker.sees(lambda found: len(found) == 1)
                fails = True
            async with asyncio.timeout(START_S):
                await asked.wait()
            await looker.sees(lambda found: not found)
            fails = False
            await looker.sees(lambda found: len(found) == 1)

    run(scenario())


def test_a_server_that_ends_without_a_goodbye_is_gone_when_what_it_said_has_expired() -> None:
    async def scenario() -> None:
        name = fresh_name()
        said = ("v=1", f"key={KEY}", f"name={name}", "invite=0", "tls=offered", "online=1")
        options = ("-m", "tests.support.announcing", "--ttl", "2", LOOPBACK, "7", name, *said)
        paths = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
        async with looking(name) as looker:
            server = await asyncio.create_subprocess_exec(
                sys.executable, *options, env=environment() | paths, stdout=PIPE
            )
            try:
                assert server.stdout is not None
                assert await server.stdout.readline() == b"announced\n"
                await looker.sees(lambda found: len(found) == 1)
            finally:
                server.kill()
            await server.communicate()
            await looker.sees(lambda found: not found)

    run(scenario())


def test_whatever_goes_wrong_with_the_announcement_is_told_once_and_stops_nobody() -> None:
    async def scenario() -> None:
        tried = asyncio.Event()
        logged: list[tuple[str, object]] = []
        tries = 0

        def log(event: str, /, **fields: object) -> None:
            logged.append((event, fields["why"]))

        def addresses() -> list[str]:
            nonlocal tries
            tries += 1
            if tries > 2:
                tried.set()
            return ["192.0.2.7"]  # this computer has not got it

        announcer = Announcer(
            port=7,
            addresses=addresses,
            announcement=lambda: Announcement(name="x", key=KEY, invite=False, tls_required=False, online=0),
            log=log,
            update_s=0.01,
        )
        announcer.start()
        async with asyncio.timeout(START_S):
            await tried.wait()
        await announcer.stop()
        ((event, why),) = logged
        assert (event, bool(why)) == ("not_announced", True)

    run(scenario())


def test_a_server_for_this_computer_alone_is_not_announced_and_works() -> None:
    with ServerProcess("--host", "127.0.0.1") as server, JsonPeer(server.port, "alice"):
        assert server.stop() == 0
        assert not [event for event in server.events() if event.verb in {"announced", "not_announced"}]
