"""When drafts are written to disk: soon after typing pauses, at once when one is sent or emptied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from twocans.client.drafts import Draft
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.conversation import Conversation
from twocans.gui.viewmodel.effects import KeepDraft
from twocans.gui.viewmodel.state import Clock

PAUSE_S: Final = 1.0
"""A draft is written when it has not changed for so long."""
MAX_UNKEPT_S: Final = 3.0
"""A draft that goes on changing is written this often: a crash loses no more."""


class Drafts:
    """The drafts that have changed since they were written.

    Args:
        changes: where effects are noted.
        clock: the time.
    """

    def __init__(self, changes: Changes, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self._unkept: dict[str, tuple[Conversation, float, float]] = {}
        self._touched: set[str] = set()

    def forget(self) -> None:
        """Somebody else has logged in, or at another server."""
        self._unkept.clear()
        self._touched.clear()

    def changed(self, conversation: Conversation) -> None:
        """Note that a draft is another one now."""
        key, now = conversation.key, self._clock.monotonic()
        self._touched.add(key)
        if not conversation.has_draft:
            self._keep(conversation)
            return
        _, latest, _ = self._unkept.get(key, (conversation, now + MAX_UNKEPT_S, 0.0))
        self._unkept[key] = (conversation, latest, min(latest, now + PAUSE_S))

    def keep_again(self, conversations: Mapping[str, Conversation]) -> None:
        """The same user is back: write what was changed here, which may have come too late the last time."""
        for key in self._touched & conversations.keys():
            self.changed(conversations[key])

    def is_touched(self, key: str) -> bool:
        """True if the draft was changed here, so that what is on disk is older."""
        return key in self._touched

    def flush(self) -> None:
        """Write everything now."""
        self._keep_all(conversation for conversation, _, _ in list(self._unkept.values()))

    def tick(self) -> None:
        """Write what has waited long enough."""
        now = self._clock.monotonic()
        self._keep_all(one for one, _, due in list(self._unkept.values()) if due <= now)

    @property
    def next_due(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        return min((due for _, _, due in self._unkept.values()), default=None)

    def _keep_all(self, conversations: Iterable[Conversation]) -> None:
        for conversation in conversations:
            self._keep(conversation)

    def _keep(self, conversation: Conversation) -> None:
        self._unkept.pop(conversation.key, None)
        paths = tuple(one.path for one in conversation.attachments)
        self._changes.do(KeepDraft(Draft(conversation.key, conversation.name, conversation.draft, paths)))
