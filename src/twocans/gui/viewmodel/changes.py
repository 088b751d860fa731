"""Collects what one step of the view-model changed, until the window takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twocans.gui.viewmodel.effects import (
    Effect,
)
from twocans.gui.viewmodel.state import Part
from twocans.gui.viewmodel.transcript_changes import (
    Reset,
    Reveal,
    ToUnread,
    TranscriptChange,
)


@dataclass(frozen=True, slots=True)
class Update:
    """What to draw again, what to do to the transcript in this order, and what to have done by others."""

    parts: Part
    transcript: tuple[TranscriptChange, ...]
    effects: tuple[Effect, ...]


@dataclass(slots=True)
class Changes:
    """The changes since the last `take`."""

    _parts: Part = Part.NONE
    _transcript: list[TranscriptChange] = field(default_factory=list)
    _effects: list[Effect] = field(default_factory=list)

    def draw(self, parts: Part) -> None:
        """These regions look different now."""
        self._parts |= parts

    def do(self, effect: Effect) -> None:
        """Somebody else has to do this."""
        self._effects.append(effect)

    def transcript(self, changes: Iterable[TranscriptChange]) -> None:
        """The bubbles of the open chat change so."""
        for change in changes:
            if isinstance(change, Reset):
                # Everything is shown afresh anyway; only the place to show may have been said before.
                views = [old.view for old in self._transcript if isinstance(old, Reset)]
                self._transcript = [change if change.view or not views else Reset(views[-1])]
            elif isinstance(change, Reveal | ToUnread) or not any(
                isinstance(old, Reset) for old in self._transcript
            ):
                self._transcript.append(change)

    def forget_transcript(self) -> None:
        """Another chat is shown, or none: what was to be done to the bubbles is moot."""
        self._transcript.clear()

    def take(self) -> Update:
        """Everything since the last time."""
        update = Update(self._parts, tuple(self._transcript), tuple(self._effects))
        self._parts, self._transcript, self._effects = Part.NONE, [], []
        return update
