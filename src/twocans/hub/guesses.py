"""Bounds wrong passwords and invites, so that nobody finds one by trying, and nobody locks out those who have the right one.

Pairing codes have bounds of their own, see `codes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from twocans.hub.limits import Limits, Quota, TokenBucket
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.names import UserKey
from twocans.protocol.plurals import counted

GUESSES_PER_NAME: Final = 10
"""How many times as many wrong passwords of a name as of an address are taken before it counts as attacked."""
TRIES_IF_ATTACKED: Final = 2
"""How many wrong passwords of an attacked name each address has; whoever knows it may mistype it once."""
INVITE_BURST: Final = 100
"""How many wrong invites from all addresses together are answered at once."""
INVITES_PER_S: Final = 0.5
"""How many are answered per second in the long run. A four-digit invite takes hours then, however many addresses try."""
TURN_S: Final = 120.0
"""How long a turn is kept for an address that was told to come back, in seconds."""
MAX_TURNS: Final = 1000
"""How many addresses may wait for a turn; more are told to come back after all of those."""
LONG_S: Final = 120.0
"""Longer waits are told in minutes, not in seconds."""


class Guesses:
    """Counts wrong tries, by address, by name, and by both together.

    Args:
        limits: how many there may be.
        monotonic_s: a clock that does not go back, in seconds.
    """

    def __init__(self, limits: Limits, monotonic_s: Callable[[], float]) -> None:
        most, window_s = limits.failed_logins_per_address, limits.failed_logins_window_s
        self._of_address = Quota(most, window_s=window_s, monotonic_s=monotonic_s)
        self._of_name = Quota(most * GUESSES_PER_NAME, window_s=window_s, monotonic_s=monotonic_s)
        self._of_pair = Quota(TRIES_IF_ATTACKED, window_s=window_s, monotonic_s=monotonic_s)
        self._invites = InviteTurns(monotonic_s)

    def begin_password(self, host: str, name: UserKey) -> None:
        """Count a password that is going to be checked; `forgive_password` takes it back if it is right.

        Raises:
            ProtocolError: there were too many wrong ones.
        """
        attacked = self._of_name.is_used_up(name)
        if self._of_address.is_used_up(host) or (attacked and self._of_pair.is_used_up(_pair(host, name))):
            raise _too_many()
        self._of_address.count(host)
        self._of_name.count(name)
        self._of_pair.count(_pair(host, name))

    def forgive_password(self, host: str, name: UserKey) -> None:
        """Take back what `begin_password` has counted."""
        self._of_address.give_back(host)
        self._of_name.give_back(name)
        self._of_pair.give_back(_pair(host, name))

    def begin_invite(self, host: str) -> None:
        """Check that an invite from this address may be looked at now.

        Raises:
            ProtocolError: there were too many wrong ones, from there or from everywhere.
        """
        if self._of_address.is_used_up(host):
            raise _too_many()
        wait_s = self._invites.wait_s(host)
        if wait_s > 0:
            long = wait_s > LONG_S
            when = counted(math.ceil(wait_s / 60 if long else wait_s), "minute" if long else "second")
            raise ProtocolError(
                Code.RATE_LIMITED,
                "Many wrong invites have come to this server just now, so each has to wait for its turn. Please"
                f" send yours again in {when}.",
                needs="invite",
            )

    def count_invite(self, host: str) -> None:
        """Count an invite that was wrong."""
        self._of_address.count(host)
        self._invites.count(host)


class InviteTurns:
    """Lets so many wrong invites through at once, and gives each address a turn of its own beyond that.

    However many addresses guess, no more are looked at in a second; and whoever comes back when told to is looked at,
    however many others guess meanwhile.

    Args:
        monotonic_s: a clock that does not go back, in seconds.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._wrong = TokenBucket(rate=INVITES_PER_S, burst=INVITE_BURST, now=monotonic_s())
        self._turns: dict[str, float] = {}
        """When addresses have their turns, the earliest first."""
        self._last_turn = 0.0

    def wait_s(self, host: str) -> float:
        """Return for how many seconds an address has to wait; 0 if an invite of it may be looked at now."""
        now = self._monotonic_s()
        while self._turns and now - next(iter(self._turns.values())) > TURN_S:
            del self._turns[next(iter(self._turns))]
        turn = self._turns.get(host)
        if turn is not None:
            return max(0.0, turn - now)
        if self._wrong.available(now) > 0:
            return 0.0
        if len(self._turns) >= MAX_TURNS:
            return MAX_TURNS / INVITES_PER_S
        self._last_turn = self._turns[host] = max(self._last_turn, now) + 1 / INVITES_PER_S
        return self._last_turn - now

    def count(self, host: str) -> None:
        """Count a wrong invite; the turn of its address is over."""
        self._turns.pop(host, None)
        self._wrong.take(1)


def _pair(host: str, name: UserKey) -> str:
    return f"{host} {name}"


def _too_many() -> ProtocolError:
    return ProtocolError(
        Code.RATE_LIMITED,
        "There have been too many wrong tries. Please wait some minutes, then try again.",
    )
