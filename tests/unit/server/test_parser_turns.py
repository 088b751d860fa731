"""All peers together parse for so long in one turn of the loop, one slice of each after the other."""

from __future__ import annotations

import pytest

from tests.unit.server.fakes import ManualLoop
from twocans.server.connection.turns import TURN_S, ParserTurns


class SlowPeer:
    """A peer each of whose slices takes half of a turn."""

    def __init__(self, loop: ManualLoop, slices: int, done: list[SlowPeer], *, fails: bool = False) -> None:
        self._loop = loop
        self._slices = slices
        self._done = done
        self._fails = fails
        self.aborted = False

    def parse_slice(self) -> bool:
        """See `Parsing`."""
        self._loop.now += TURN_S / 2
        self._done.append(self)
        if self._fails:
            raise ValueError
        self._slices -= 1
        return self._slices > 0

    def abort(self) -> None:
        """See `Parsing`."""
        self.aborted = True


def test_peers_take_turns_and_together_no_more_than_their_time() -> None:
    loop, done = ManualLoop(), list[SlowPeer]()
    parser = ParserTurns(loop)
    first, second, third = (SlowPeer(loop, 3, done) for _ in range(3))
    for peer in (first, second, third):
        parser.add_now(peer)
    assert done == [first, first]
    loop.turn()
    assert done[2:] == [first, second]
    loop.turn()
    assert done[4:] == [third, second]
    for _ in range(10):
        loop.turn()
    assert [done.count(peer) for peer in (first, second, third)] == [3, 3, 3]
    assert loop.soon == []


def test_peer_that_is_removed_parses_no_more() -> None:
    loop, done = ManualLoop(), list[SlowPeer]()
    parser = ParserTurns(loop)
    peer = SlowPeer(loop, 10, done)
    parser.add_now(peer)
    parser.remove(peer)
    loop.turn()
    assert len(done) == 2


def test_peer_that_fails_ends_alone() -> None:
    loop, done = ManualLoop(), list[SlowPeer]()
    loop.faults = []
    parser = ParserTurns(loop)
    bad, good = SlowPeer(loop, 1, done, fails=True), SlowPeer(loop, 1, done)
    parser.add_now(bad)
    parser.add_now(good)
    assert done == [bad, good]
    assert (bad.aborted, good.aborted) == (True, False)
    assert [type(fault) for fault in loop.faults] == [ValueError]


@pytest.mark.parametrize("peers", [1, 100])
def test_next_turn_is_asked_for_once(peers: int) -> None:
    loop, done = ManualLoop(), list[SlowPeer]()
    parser = ParserTurns(loop)
    for _ in range(peers):
        parser.add_now(SlowPeer(loop, 1, done))
    assert len(loop.soon) == 1
