"""How much work a message is, counted instead of timed, so that a step backwards shows on a noisy machine too.

The bounds are a little above what it is; who makes it more had better know why.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from tests.unit.hub.fakes import World
from tests.unit.server.fakes import Wire, json_wire, line, plain_wire
from twocans.hub.limits import Limits
from twocans.protocol.messages import Send

MESSAGES = 32
TEXT = "x" * 64


def calls(action: Callable[[], object]) -> int:
    """How many functions, Python's and C's, an action calls."""
    number = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal number
        number += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(before)
    return number


def plain_chunk(to: str, _number: int) -> bytes:
    return f"MSG: {to}: {TEXT}\n".encode() * MESSAGES


def json_chunk(to: str, number: int) -> bytes:
    sends = (Send(to=to, text=TEXT, cid=f"c-{number}-{place}") for place in range(MESSAGES))
    return b"".join(line(send) for send in sends)


@pytest.mark.parametrize(
    ("register", "chunk", "most"),
    [(plain_wire, plain_chunk, 12.5), (json_wire, json_chunk, 11.5)],
    ids=["plain", "json"],
)
@pytest.mark.parametrize("rate", [0.0, 1e6], ids=["unlimited", "limited"])
def test_calls_for_each_message_of_a_chunk(
    register: Callable[[World, str], Wire], chunk: Callable[[str, int], bytes], most: float, rate: float
) -> None:
    world = World(Limits(rate_per_s=rate), keeps_history=False)
    alice, bob = register(world, "alice"), register(world, "bob")
    alice.send(chunk("bob", 0))
    world.clock.advance(1.0)
    bob.said()
    data = chunk("bob", 1)

    def one_turn() -> None:
        alice.connection.receive(data)
        alice.turn()
        bob.turn()

    each = calls(one_turn) / MESSAGES
    assert len([said for said in bob.said() if said.startswith("MSG")]) == MESSAGES
    assert each <= most
