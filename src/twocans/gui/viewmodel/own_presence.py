"""What others are told about the user: here, away because nobody touches the computer or the user says so, or busy."""

from __future__ import annotations

from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.do_not_disturb import DoNotDisturb
from twocans.gui.viewmodel.effects import (
    AskIdle,
)
from twocans.gui.viewmodel.state import Clock, Part, Preferences
from twocans.protocol.messages import Status

BACK_S: Final = 1.0
"""How often it is looked whether somebody is back."""
ANSWER_S: Final = 15.0
"""After how long a question that nobody has answered is asked again."""


class OwnPresence:
    """The user's status.

    Args:
        changes: where changes are noted.
        clock: the time.
        preferences: after how long without input the user is away.
        quiet: whether nothing is to disturb; whoever wants that is busy.
    """

    def __init__(self, changes: Changes, clock: Clock, preferences: Preferences, quiet: DoNotDisturb) -> None:
        self._changes = changes
        self._clock = clock
        self._preferences = preferences
        self._quiet = quiet
        self._logged_in = False
        self._says_away = False
        self._idle = False
        self._before = Status.HERE
        self._active_at = clock.monotonic()
        self._ask_at = clock.monotonic()

    @property
    def status(self) -> Status:
        """What others are told."""
        if self._quiet.is_on:
            return Status.BUSY
        return Status.AWAY if self._says_away or self._idle else Status.HERE

    @property
    def says_away(self) -> bool:
        """Whether the user has said to be away; that ends when they say so, and not with the next key."""
        return self._says_away

    def go_away(self) -> None:
        """The user says to be away."""
        self._set_away(away=True)

    def come_back(self) -> None:
        """The user says to be back."""
        self._set_away(away=False)

    def logged_in(self) -> None:
        """There is a login, whose user has just been at the computer."""
        self._logged_in = True
        self.active()

    def logged_out(self) -> None:
        """There is nobody who could be away."""
        self._logged_in = False

    def active(self) -> bool:
        """There was input for this very window; says whether it has brought the user back."""
        self._active_at = self._clock.monotonic()
        if not self._idle:
            return False
        self._set_idle(0.0)
        return True

    def asked(self) -> None:
        """The time after which the user is away has been set anew."""
        self._ask_at = self._clock.monotonic()
        self.tick()

    def idle_for(self, seconds: float | None) -> None:
        """So long there has been no input at all; None if nobody knows, and then this window's own has to do."""
        self._set_idle(self._clock.monotonic() - self._active_at if seconds is None else seconds)

    def tick(self) -> None:
        """Ask when it is time to."""
        now = self._clock.monotonic()
        if self._limit_s is None:
            self._idle = False
        elif self._logged_in and now >= self._ask_at:
            self._ask_at = now + ANSWER_S
            self._changes.do(AskIdle())

    def turned(self) -> Status | None:
        """The status, if it is another one than when this was asked before."""
        status = self.status
        if status is self._before:
            return None
        self._before = status
        self._changes.draw(Part.ME | Part.QUIET)
        return status

    @property
    def next_due(self) -> float | None:
        """When `tick` will have something to do, on the monotonic clock."""
        return self._ask_at if self._logged_in and self._limit_s is not None else None

    # --- inside -------------------------------------------------------------------------------------------

    @property
    def _limit_s(self) -> float | None:
        return self._preferences.away_after_s or None

    def _set_idle(self, seconds: float) -> None:
        limit_s = self._limit_s
        if limit_s is None:
            return
        self._idle = seconds >= limit_s
        # Nobody can have been idle for longer before so much more time has passed.
        self._ask_at = self._clock.monotonic() + max(BACK_S, limit_s - seconds)

    def _set_away(self, *, away: bool) -> None:
        self._says_away = away
        self._changes.draw(Part.ME | Part.QUIET)
