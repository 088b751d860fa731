"""Servers that are found on a network: real multicast between two computers, which are namespaces of this one."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from tests.support.networks import Computer, Program, two_computers
from tests.support.process import START_S, ServerProcess
from twocans.client import Nearby, NearbyServer, Search
from twocans.client.nearby import MAX_NEARBY, MAX_OF_ADDRESS

ROGUE_KEY = "ab" * 32


@contextmanager
def server_at(computer: Computer, *options: str) -> Iterator[ServerProcess]:
    start = computer.runs(sys.executable, "-m", "twocans.server")
    with ServerProcess(*options, start=start, announce=True) as server:
        yield server


@pytest.fixture
def computers() -> Iterator[tuple[Computer, Computer]]:
    with two_computers() as both:
        yield both


@contextmanager
def listener_at(computer: Computer, *known_keys: str) -> Iterator[Program]:
    with Program(computer, "tests.support.listening", *known_keys) as program:
        yield program


def known(line: str) -> Nearby:
    return msgspec.json.decode(line, type=Nearby)


def listed(program: Program, number: int) -> tuple[NearbyServer, ...]:
    """The servers, once there are so many for the first time."""
    line = program.output.wait_for(lambda line: len(known(line).servers) == number, START_S)
    return known(line).servers


def test_a_server_is_found_with_all_that_it_says(computers: tuple[Computer, Computer]) -> None:
    one, two = computers
    with server_at(one) as server, listener_at(two) as listener:
        (found,) = listed(listener, 1)
        assert found.name == socket.gethostname()
        assert (found.address.host, found.address.port) == (one.address, server.port)
        assert found.key == server.started.text("key")
        assert not found.invite
        assert found.online == 0
        listener.output.wait_for(lambda line: known(line).search is Search.DONE, START_S)


def test_who_comes_online_is_announced(computers: tuple[Computer, Computer]) -> None:
    one, two = computers
    with server_at(one) as server, listener_at(two) as listener:
        listed(listener, 1)
        command = one.runs("nc", "127.0.0.1", str(server.port))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as nc:
            assert nc.stdin is not None
            nc.stdin.write(b"alice\n")
            nc.stdin.flush()
            listener.output.wait_for(lambda line: [one.online for one in known(line).servers] == [1], START_S)
            nc.kill()


def test_a_server_says_that_newcomers_need_a_code(computers: tuple[Computer, Computer]) -> None:
    one, two = computers
    with server_at(one, "--invite", "tin-can-7"), listener_at(two) as listener:
        assert listed(listener, 1)[0].invite


def test_a_server_that_stops_is_gone_at_once(computers: tuple[Computer, Computer]) -> None:
    one, two = computers
    with server_at(one) as server, listener_at(two) as listener:
        listed(listener, 1)
        assert server.stop() == 0
        seen: list[Nearby] = []

        def is_gone(line: str) -> bool:
            seen.append(known(line))
            return len(seen) > 1 and bool(seen[-2].servers) and not seen[-1].servers

        listener.output.wait_for(is_gone, START_S)


def test_servers_of_one_name_are_both_listed_and_the_newest_first(
    computers: tuple[Computer, Computer],
) -> None:
    one, two = computers
    with listener_at(two) as listener, server_at(one) as first:
        listed(listener, 1)
        with server_at(one) as second:
            newest, oldest = listed(listener, 2)
            assert (newest.address.port, oldest.address.port) == (second.port, first.port)
            assert newest.name == oldest.name == socket.gethostname()


def test_an_announcement_of_anothers_key_does_not_take_its_place(
    computers: tuple[Computer, Computer],
) -> None:
    one, two = computers
    with server_at(one) as server, listener_at(one) as listener:
        key = server.started.text("key")
        listed(listener, 1)
        said = (f"key={key}", "v=1", "name=same", "invite=0", "tls=offered", "online=9")
        other = ("v=1", f"key={ROGUE_KEY}", *said[2:])
        with (
            Program(two, "tests.support.announcing", two.address, "7", "same", *said) as rogue,
            Program(two, "tests.support.announcing", two.address, "8", "other", *other),
        ):
            rogue.output.wait_for(lambda line: line == "announced", START_S)
            servers = listed(listener, 2)
            assert {one.key: one.address.port for one in servers} == {key: server.port, ROGUE_KEY: 8}


def test_announcements_that_are_none_are_not_listed(computers: tuple[Computer, Computer]) -> None:
    one, two = computers
    said = ("v=1", "key=abc", "name=odd", "invite=0", "tls=offered", "online=1")
    with (
        listener_at(one) as listener,
        Program(two, "tests.support.announcing", two.address, "7", "odd", *said) as rogue,
    ):
        rogue.output.wait_for(lambda line: line == "announced", START_S)
        with server_at(two) as server:
            (found,) = listed(listener, 1)
            assert found.address.port == server.port


FLOOD = ("v=1", "name=\x1b[2J\u202eflood", "invite=0", "tls=offered", "online=1")


def test_of_names_without_end_at_one_address_a_few_are_listed_and_there_is_room_for_others(
    computers: tuple[Computer, Computer],
) -> None:
    one, two = computers
    with (
        listener_at(one) as listener,
        Program(two, "tests.support.announcing", "--times", "130", two.address, "7", "odd", *FLOOD) as rogue,
    ):
        rogue.output.wait_for(lambda line: line == "announced", START_S)
        found = listed(listener, MAX_OF_ADDRESS)
        assert {one.name for one in found} == {"\\u001b[2J\\u202eflood"}
        with server_at(one) as server:
            assert listed(listener, MAX_OF_ADDRESS + 1)[0].address.port == server.port
        listener.process.terminate()
        listener.process.wait()
        assert max(len(known(line).servers) for line in listener.output.all()) == MAX_OF_ADDRESS + 1


def test_of_names_without_end_at_many_addresses_a_hundred_are_listed_and_known_servers_before_them(
    computers: tuple[Computer, Computer],
) -> None:
    one, two = computers
    said = ("v=1", f"key={ROGUE_KEY}", "name=friend", "invite=0", "tls=offered", "online=1")
    flood = ("tests.support.announcing", "--spread", "--times", "130", two.address, "7", "odd", *FLOOD)
    with listener_at(one, ROGUE_KEY) as listener, Program(two, *flood) as rogue:
        rogue.output.wait_for(lambda line: line == "announced", START_S)
        assert ROGUE_KEY not in {one.key for one in listed(listener, MAX_NEARBY)}
        with Program(one, "tests.support.announcing", one.address, "8", "friend", *said):
            line = listener.output.wait_for(
                lambda line: ROGUE_KEY in {one.key for one in known(line).servers}, START_S
            )
            assert len(known(line).servers) == MAX_NEARBY
            listener.process.terminate()
            listener.process.wait()
            assert max(len(known(line).servers) for line in listener.output.all()) == MAX_NEARBY


def test_with_nothing_to_find_the_search_ends(computers: tuple[Computer, Computer]) -> None:
    with listener_at(computers[0]) as listener:
        line = listener.output.wait_for(lambda line: known(line).search is not Search.SEARCHING, START_S)
        assert known(line) == Nearby(Search.DONE)


def test_without_a_network_there_is_none_to_search_until_there_is_one() -> None:
    with two_computers(joined=False) as (one, two), listener_at(two) as listener, server_at(one):
        line = listener.output.wait_for(lambda _: True, START_S)
        assert known(line) == Nearby(Search.NO_NETWORK)
        for computer in (one, two):
            computer.ip("link", "set", computer.interface, "up")
        listed(listener, 1)


@pytest.mark.parametrize("way", ["input", "output"])
def test_where_a_firewall_is_in_the_way_both_say_so_and_the_server_serves(
    computers: tuple[Computer, Computer], way: str
) -> None:
    one, two = computers
    one.drop("udp dport 5353", way=way)
    with server_at(one) as server, listener_at(one) as listener:
        server.event("not_announced", deadline_s=START_S, port=server.port)
        listener.output.wait_for(lambda line: known(line).search is Search.BLOCKED, START_S)
        one.drop_nothing()
        server.event("announced", deadline_s=START_S)
        with listener_at(two) as other:
            listed(other, 1)
        listed(listener, 1)
        assert server.stop() == 0


def test_a_server_that_is_told_not_to_is_not_announced(computers: tuple[Computer, Computer]) -> None:
    one, two = computers
    with server_at(one, "--no-announce"), listener_at(two) as listener, server_at(one) as announced:
        (found,) = listed(listener, 1)
        assert found.address.port == announced.port
        assert not found.name.endswith("-2")
