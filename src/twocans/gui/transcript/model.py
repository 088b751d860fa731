"""What the transcript shows, as plain data: messages, how far they have got, and the place one has read to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """How far a message of one's own has got."""

    NONE = "none"  # somebody else's message
    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as shown.

    Attributes:
        key: its identity; no two bubbles of a transcript have the same.
        own: whether the user of this window wrote it.
        at_ms: when, in Unix milliseconds.
        note: a sentence shown below it, e.g. why it was not sent.
        sender: a name shown above the first message of a group; nothing is shown if empty.
    """

    key: str
    own: bool
    text: str
    at_ms: int
    status: Status = Status.NONE
    note: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class ViewState:
    """The place in a transcript that is on screen, good for any size of the window.

    Attributes:
        key: the bubble at the top of the view; None for the newest one, wherever that comes to be.
        fraction: how much of that bubble's height is above the view, 0 to 1.
        offset: pixels from the top of the view to that point of the bubble.
    """

    key: str | None = None
    fraction: float = 0.0
    offset: int = 0

    @property
    def at_bottom(self) -> bool:
        """Whether the view follows the newest message."""
        return self.key is None
