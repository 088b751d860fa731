"""Parses what peers send in slices, and for a short time in each turn of the loop, so that chats need not wait.

Requests and records of TLS have no rate, and the lines of many names together are more than the loop can handle: their
peers would otherwise take it for seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from twocans.server.connection.transport import Cancellable, Timers

TURN_S: Final = 0.002
"""The time that all peers together may take of one turn of the loop; the slice that is under way is finished."""


class Parsing(Protocol):
    """A peer with bytes that wait to be parsed."""

    def parse_slice(self) -> bool:
        """Parse some of them; True if more can be parsed now."""
        ...

    def abort(self) -> None:
        """Close the connection."""
        ...


class Loop(Timers, Protocol):
    """The loop whose turns are shared, as `asyncio.AbstractEventLoop` has it."""

    def call_soon(self, callback: Callable[[], None], /) -> object:
        """Call back in the next turn."""
        ...


class ParserTurns:
    """Lets peers parse, one slice of each after the other.

    Args:
        loop: the loop whose turns are shared.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._waiting: dict[Parsing, None] = {}
        self._used_s = 0.0
        self._is_working = False
        self._has_next_turn = False

    def add(self, peer: Parsing) -> None:
        """Let a peer parse, in the next turn at the latest."""
        self._waiting[peer] = None
        self._ask_for_next_turn()

    def add_now(self, peer: Parsing) -> None:
        """Let a peer parse, now if there is time left in this turn."""
        self.add(peer)
        self._work()

    def wait(self, peer: Parsing) -> Cancellable:
        """Let a peer parse in the next turn at the latest, unless that is cancelled."""
        self.add(peer)
        return _Place(self, peer)

    def remove(self, peer: Parsing) -> None:
        """Let a peer parse no more."""
        self._waiting.pop(peer, None)

    def _work(self) -> None:
        if self._is_working:
            return
        self._is_working = True
        start_s = self._loop.time() - self._used_s
        try:
            while self._waiting and self._used_s < TURN_S:
                self._work_on(next(iter(self._waiting)))
                self._used_s = self._loop.time() - start_s
        finally:
            self._is_working = False
            self._ask_for_next_turn()

    def _work_on(self, peer: Parsing) -> None:
        del self._waiting[peer]
        try:
            if peer.parse_slice():
                self._waiting[peer] = None
        except Exception as error:  # noqa: BLE001 - the root of a peer's turn: the others have theirs
            self._loop.call_exception_handler(
                {"message": "a peer's bytes could not be parsed", "exception": error}
            )
            peer.abort()

    def _ask_for_next_turn(self) -> None:
        if not self._has_next_turn:
            self._has_next_turn = True
            self._loop.call_soon(self._begin_turn)

    def _begin_turn(self) -> None:
        self._has_next_turn = False
        self._used_s = 0.0
        if self._waiting:
            self._work()


class _Place:
    """A peer's place among those that wait for a turn."""

    def __init__(self, turns: ParserTurns, peer: Parsing) -> None:
        self._turns = turns
        self._peer = peer

    def cancel(self) -> None:
        """See `Cancellable`."""
        self._turns.remove(self._peer)
