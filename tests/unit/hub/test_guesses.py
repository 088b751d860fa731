"""Invites are not found by trying, from however many addresses, and whoever has the right one gets in all the same."""

from __future__ import annotations

import re

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.guesses import INVITE_BURST, INVITES_PER_S, MAX_TURNS, TURN_S
from twocans.protocol.errors import Code, ProtocolError

INVITE = "7305"


def answer(world: World, name: str, invite: str, host: str) -> Code | None:
    """What is said to an invite; None if it lets in."""
    try:
        session: FakeSession = world.program(name, invite=invite, address=f"{host}:1")
    except ProtocolError as error:
        return error.code
    assert session.account is not None
    return None


def flood(world: World, addresses: int, guesses: int = 1) -> int:
    """Guess from many addresses; return how many guesses were looked at."""
    looked_at = 0
    for number in range(addresses):
        for guess in range(guesses):
            code = answer(world, f"m{number}x{guess}", "0000", f"10.1.{number // 250}.{number % 250}")
            looked_at += code is Code.AUTH_FAILED
    return looked_at


def test_wrong_invites_of_all_addresses_together_are_bounded() -> None:
    world = World(invite=INVITE)
    assert flood(world, 300, 5) == INVITE_BURST
    looked_at, minutes = 0, 10
    for _ in range(minutes * 6):
        world.clock.now += 10
        looked_at += flood(world, 300)
    assert looked_at <= minutes * 60 * INVITES_PER_S + INVITE_BURST


def test_few_wrong_invites_keep_nobody_waiting() -> None:
    world = World(invite=INVITE)
    flood(world, INVITE_BURST - 1)
    assert answer(world, "alice", INVITE, "192.168.1.7") is None


def test_right_invite_gets_through_at_its_turn_however_many_guess_meanwhile() -> None:
    world = World(invite=INVITE)
    flood(world, 200)
    with pytest.raises(ProtocolError) as error:
        world.program("alice", invite=INVITE, address="192.168.1.7:1")
    assert (error.value.code, error.value.needs) == (Code.RATE_LIMITED, "invite")
    (wait,) = re.findall(r"in (\d+) (?:seconds|minutes)", error.value.text)
    wait_s = int(wait) * (60 if "minutes" in error.value.text else 1)
    assert wait_s <= 200 / INVITES_PER_S + 60
    for _ in range(10):
        world.clock.now += wait_s / 10
        flood(world, 200)
    assert answer(world, "alice", INVITE, "192.168.1.7") is None


def test_right_invite_before_its_turn_waits_and_keeps_the_turn() -> None:
    world = World(invite=INVITE)
    flood(world, INVITE_BURST)
    assert answer(world, "alice", INVITE, "192.168.1.7") is Code.RATE_LIMITED
    world.clock.now += 1 / INVITES_PER_S - 0.5
    assert answer(world, "alice", INVITE, "192.168.1.7") is Code.RATE_LIMITED
    world.clock.now += 0.5
    assert answer(world, "alice", INVITE, "192.168.1.7") is None


def test_turns_are_bounded_and_end() -> None:
    world = World(invite=INVITE)
    flood(world, MAX_TURNS + INVITE_BURST + 50)
    assert answer(world, "alice", INVITE, "192.168.1.7") is Code.RATE_LIMITED
    world.clock.now += MAX_TURNS / INVITES_PER_S + TURN_S + 1
    assert answer(world, "alice", INVITE, "192.168.1.7") is None
