"""Whoever has to wait goes on once what it waits for has come, though nothing else happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.conftest import Start
from tests.support.deadline import DEADLINE_S
from tests.support.raw import Peer, PlainPeer, Silent
from tests.support.serving import Serving
from twocans.hub.limits import Limits

PAUSED_S = 1.0
"""After so long a silence the server is taken to read no more of somebody, in seconds."""
MAX_ROUNDS = 20_000


def plain_requests(number: int) -> bytes:
    return b"MSG: nobody-of-this-name: hello\n" * 100 + f"MSG: bob: {number}\n".encode()


def json_requests(number: int) -> bytes:
    pings = b'PING: {"n": 123456789}\n' * 100
    return pings + b'MSG: {"to": "bob", "text": "%d", "cid": "c-%d"}\n' % (number, number)


def plain_sender(server: Serving) -> Peer:
    return server.plain("alice", receive_buffer=4096)


def json_sender(server: Serving) -> Peer:
    return server.json("alice", receive_buffer=4096)


@pytest.mark.parametrize(
    ("register", "requests"),
    [(plain_sender, plain_requests), (json_sender, json_requests)],
    ids=["plain", "json"],
)
def test_sender_that_did_not_read_its_answers_is_served_again_once_it_has(
    start: Start, register: Callable[[Serving], Peer], requests: Callable[[int], bytes]
) -> None:
    server = start(Limits(rate_per_s=0, ping_after_s=600.0, dead_after_s=1200.0))
    bob = server.plain("bob")
    alice = register(server)
    last = -1
    while has_come(bob, last):
        last += 1
        assert last < MAX_ROUNDS, "the server goes on reading from somebody who reads none of its answers"
        alice.sendall(requests(last))
    # Nothing but the reading happens from here on: nobody says or asks anything.
    read_until_answer(alice, requests=100 * (last + 1))
    assert has_come(bob, last, deadline_s=DEADLINE_S)


def has_come(bob: PlainPeer, number: int, deadline_s: float = PAUSED_S) -> bool:
    if number < 0:
        return True
    try:
        bob.read_until(lambda line: line == f"MSG: alice: {number}", deadline_s)
    except Silent:
        return False
    return True


def read_until_answer(peer: Peer, *, requests: int) -> None:
    answers = 0
    while answers < requests:
        answers += "nobody-of-this-name" in (line := peer.read_line()) or line.startswith("PONG")
