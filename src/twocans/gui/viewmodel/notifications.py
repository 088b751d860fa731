"""Asks for attention: native notifications and the sound, few enough to be welcome."""

from __future__ import annotations

from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.do_not_disturb import DoNotDisturb
from twocans.gui.viewmodel.effects import (
    PlaySound,
    ShowNotification,
    WithdrawNotifications,
)
from twocans.gui.viewmodel.people import one_line
from twocans.gui.viewmodel.state import Clock, Pending, Preferences

NOTIFICATION_PAUSE_S: Final = 2.0
"""How long after a notification about one person the next one waits, to tell several messages at once."""
SOUND_PAUSE_S: Final = 1.0
MAX_PENDING: Final = 100
"""About how many people there are notifications at a time."""


class Notifications:
    """Decides when to notify and to sound.

    Args:
        changes: where effects are noted.
        clock: the time.
        preferences: what the user wants to hear and see.
        quiet: what is not to disturb.
    """

    def __init__(self, changes: Changes, clock: Clock, preferences: Preferences, quiet: DoNotDisturb) -> None:
        self._changes = changes
        self._clock = clock
        self._preferences = preferences
        self._quiet = quiet
        self._pending: dict[str, Pending] = {}
        self._quiet_until = 0.0

    def message(self, key: str, name: str, text: str, *, in_front: bool) -> None:
        """A message has come that the user does not see."""
        if self._quiet.silences(key):
            return
        now = self._clock.monotonic()
        if self._preferences.sound and now >= self._quiet_until:
            self._quiet_until = now + SOUND_PAUSE_S
            self._changes.do(PlaySound())
        if in_front or not self._preferences.notifications:
            return
        if key not in self._pending and len(self._pending) >= MAX_PENDING:
            return
        pending = self._pending.setdefault(key, Pending())
        pending.count += 1
        pending.text = one_line(text)
        pending.sender = one_line(name)
        self.tick()

    def seen(self, key: str) -> None:
        """The messages of this chat have been seen: nothing about it needs to be told any more."""
        if self._pending.pop(key, None) is not None:
            self._changes.do(WithdrawNotifications(key))

    def clear(self) -> None:
        """Nothing is to be told any more."""
        if self._pending:
            self._pending.clear()
            self._changes.do(WithdrawNotifications())

    def tick(self) -> None:
        """Tell what has waited long enough."""
        now = self._clock.monotonic()
        for key, pending in self._pending.items():
            if self._quiet.silences(key):
                pending.count = 0
            if pending.count and now >= pending.due:
                body = pending.text if pending.count == 1 else f"{pending.count} new messages: {pending.text}"
                self._changes.do(ShowNotification(key, pending.sender, body))
                pending.count, pending.due = 0, now + NOTIFICATION_PAUSE_S

    @property
    def next_due(self) -> float | None:
        """When `tick` will have something to tell, on the monotonic clock."""
        return min((one.due for one in self._pending.values() if one.count), default=None)
