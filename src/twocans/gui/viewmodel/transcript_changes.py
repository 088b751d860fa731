"""What happens to the transcript on screen, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from twocans.gui.transcript.model import Bubble, ViewState


@dataclass(frozen=True, slots=True)
class Reset:
    """Show the open chat's bubbles afresh; `view` says where, None for the place now shown."""

    view: ViewState | None = None


@dataclass(frozen=True, slots=True)
class Append:
    """Add bubbles at the end. With `hold` they are no news: the view stays even if its end is shown."""

    bubbles: tuple[Bubble, ...]
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Prepend:
    """Add older bubbles at the start."""

    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """Show one bubble anew, in its place."""

    bubble: Bubble


@dataclass(frozen=True, slots=True)
class Reveal:
    """Bring one bubble into view."""

    key: str


@dataclass(frozen=True, slots=True)
class ToUnread:
    """Show the bubbles from the first unread one on, or the end if all of those fit in view; and tell what is in view."""

    key: str


TranscriptChange: TypeAlias = Reset | Append | Prepend | Replace | Reveal | ToUnread
