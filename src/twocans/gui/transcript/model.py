"""What the transcript shows, as plain data: messages and files, how far they have got, the place one has read to."""

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


class FileAction(Enum):
    """Something that can be done with a file; the value is how it is called."""

    SAVE = "Save"
    SAVE_AS = "Save as…"
    OPEN = "Open"
    SHOW = "Show in folder"
    PAUSE = "Pause"
    GO_ON = "Resume"
    CANCEL = "Cancel"
    RETRY = "Try again"


@dataclass(frozen=True, slots=True)
class FileCard:
    """A file as shown in a bubble.

    Attributes:
        name: what it is called.
        detail: its size, and how far it has got.
        fraction: how much of the bar is full, 0 to 1; None for no bar.
        failed: whether `detail` says what went wrong.
        actions: what can be done with it, in the order of the buttons.
        picture: the path of an image file that is shown small; nothing is shown of what is no image.
    """

    name: str
    detail: str
    fraction: float | None
    failed: bool
    actions: tuple[FileAction, ...]
    picture: str | None


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as shown.

    Attributes:
        key: its identity; no two bubbles of a transcript have the same.
        own: whether the user of this window wrote it.
        text: what it says; the name of the file, if it is one.
        at_ms: when, in Unix milliseconds.
        note: a sentence shown below it, e.g. why it was not sent.
        sender: a name shown above the first message of a group; nothing is shown if empty.
        file: how the file looks that it carries, if it carries one.
    """

    key: str
    own: bool
    text: str
    at_ms: int
    status: Status = Status.NONE
    note: str = ""
    sender: str = ""
    file: FileCard | None = None


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
