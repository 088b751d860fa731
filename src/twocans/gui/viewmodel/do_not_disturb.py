"""What is not to disturb: nothing at all until a moment, or no messages of some chats. Both end by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from enum import Enum
from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import (
    RememberMuted,
    RememberQuiet,
)
from twocans.gui.viewmodel.muted import MAX_MUTED, Muted
from twocans.gui.viewmodel.state import Clock, Part
from twocans.protocol.keys import ServerKey
from twocans.protocol.names import key_of

MORNING: Final = time(8)


class Span(Enum):
    """For how long."""

    HALF_AN_HOUR = "for 30 minutes"
    HOUR = "for 1 hour"
    MORNING = "until tomorrow morning"
    ALWAYS = "always"


DISTURB_SPANS: Final = (Span.HALF_AN_HOUR, Span.HOUR, Span.MORNING)
MUTE_SPANS: Final = (Span.HOUR, Span.MORNING, Span.ALWAYS)
_MS: Final = {Span.HALF_AN_HOUR: 30 * 60_000, Span.HOUR: 60 * 60_000}


class DoNotDisturb:
    """Do not disturb, and the muted chats.

    Args:
        changes: where changes are noted.
        clock: the time.
        until_ms: when "do not disturb" ends, in Unix milliseconds; it is off if that is over.
        muted: the chats that are muted, of all logins; the latest is the last one.
    """

    def __init__(
        self, changes: Changes, clock: Clock, *, until_ms: int = 0, muted: Sequence[Muted] = ()
    ) -> None:
        self._changes = changes
        self._clock = clock
        self._until_ms = until_ms
        self._muted = {(one.server, one.user, one.peer): one for one in muted[-MAX_MUTED:]}
        self._login: tuple[str, str] | None = None

    # --- do not disturb -------------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether nothing is to disturb now."""
        return self._clock.now_ms() < self._until_ms

    @property
    def until(self) -> str:
        """When that ends, as people say it; "" if it is off."""
        return self._said(self._until_ms) if self.is_on else ""

    def begin(self, span: Span) -> None:
        """Do not disturb, from now on."""
        self._set_end(self._end(span))

    def end(self) -> None:
        """Disturb again."""
        self._set_end(0)

    # --- muted chats ----------------------------------------------------------------------------------------

    @property
    def muted(self) -> tuple[Muted, ...]:
        """The muted chats of this login, the latest first."""
        return tuple(one for one in reversed(self._muted.values()) if (one.server, one.user) == self._login)

    def is_muted(self, peer: str) -> bool:
        """Whether the chat with this key is muted."""
        return self._find(peer) is not None

    def muted_until(self, peer: str) -> str:
        """When that ends, as people say it; "" if it is not muted or never ends."""
        found = self._find(peer)
        return self._said(found.until_ms) if found is not None and found.until_ms else ""

    def silences(self, peer: str) -> bool:
        """Whether nothing is to be heard or told of this chat now."""
        return self.is_on or self.is_muted(peer)

    def mute(self, name: str, span: Span) -> None:
        """Mute the chat with somebody."""
        if self._login is None:
            return
        server, user = self._login
        until_ms = 0 if span is Span.ALWAYS else self._end(span)
        muted = Muted(server=server, user=user, peer=key_of(name), name=name, until_ms=until_ms)
        self._muted.pop((server, user, muted.peer), None)
        self._muted[server, user, muted.peer] = muted
        while len(self._muted) > MAX_MUTED:
            self._muted.pop(next(iter(self._muted)))
        self._keep_muted()

    def unmute(self, peer: str) -> None:
        """Mute the chat with this key no longer."""
        if self._login is not None and self._muted.pop((*self._login, peer), None) is not None:
            self._keep_muted()

    def follow(self, until_ms: int, muted: Sequence[Muted]) -> None:
        """Use what another window of this user has set."""
        self._until_ms = until_ms
        self._muted = {(one.server, one.user, one.peer): one for one in muted[-MAX_MUTED:]}
        self._changes.draw(Part.ME | Part.PEOPLE | Part.HEADER | Part.TITLE | Part.QUIET)

    # --- the login, and time --------------------------------------------------------------------------------

    def logged_in(self, server: ServerKey, user: str) -> None:
        """The chats are those of this user at this server from now on."""
        self._login = (server, key_of(user))

    def logged_out(self) -> None:
        """There are no chats."""
        self._login = None

    def tick(self) -> None:
        """End what is over."""
        now = self._clock.now_ms()
        if self._until_ms and now >= self._until_ms:
            self._set_end(0)
        over = [key for key, one in self._muted.items() if 0 < one.until_ms <= now]
        for key in over:
            del self._muted[key]
        if over:
            self._keep_muted()

    @property
    def next_due(self) -> float | None:
        """When `tick` will have something to end, on the monotonic clock."""
        ends = [one.until_ms for one in self._muted.values() if one.until_ms]
        ends += [self._until_ms] if self._until_ms else []
        if not ends:
            return None
        return self._clock.monotonic() + (min(ends) - self._clock.now_ms()) / 1000

    # --- inside ---------------------------------------------------------------------------------------------

    def _find(self, peer: str) -> Muted | None:
        found = self._muted.get((*self._login, peer)) if self._login is not None else None
        over = found is not None and 0 < found.until_ms <= self._clock.now_ms()
        return None if over else found

    def _end(self, span: Span) -> int:
        now_ms = self._clock.now_ms()
        if span is Span.MORNING:
            return tomorrow_morning(now_ms, self._clock.local)
        return now_ms + _MS[span]

    def _said(self, at_ms: int) -> str:
        then, now = self._clock.local(at_ms), self._clock.local(self._clock.now_ms())
        if then.date() == now.date():
            return f"{then:%H:%M}"
        if then.date() == now.date() + timedelta(days=1):
            return f"tomorrow, {then:%H:%M}"
        return f"{then.day} {then:%b}, {then:%H:%M}"

    def _set_end(self, until_ms: int) -> None:
        if until_ms != self._until_ms:
            self._until_ms = until_ms
            self._changes.do(RememberQuiet(until_ms))
            self._changes.draw(Part.ME | Part.QUIET)

    def _keep_muted(self) -> None:
        self._changes.do(RememberMuted(tuple(self._muted.values())))
        self._changes.draw(Part.PEOPLE | Part.HEADER | Part.TITLE | Part.QUIET)


def tomorrow_morning(now_ms: int, local: Callable[[int], datetime]) -> int:
    """Eight o'clock of the next day, in Unix milliseconds."""
    now = local(now_ms).replace(tzinfo=None)
    wanted = datetime.combine(now.date() + timedelta(days=1), MORNING)
    at_ms = now_ms + _ms(wanted - now)
    # The clocks may be changed in that night.
    return at_ms + _ms(wanted - local(at_ms).replace(tzinfo=None))


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
