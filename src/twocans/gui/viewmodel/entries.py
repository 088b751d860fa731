"""One message of a conversation as the window knows it: what makes it this one, and its place among the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import structs

from twocans.protocol.messages import FileRef, Message

MAX_SHOWN_CHARS: Final = 32_000
"""How much of a text is shown: laying out more of it would hold up the window."""
TOO_LONG: Final = "…\n\nThis message is too long to be shown here. Save the chat to read all of it."

Position = tuple[int, int, int]
"""The log, the id in it, and a number that orders what has no id."""


@dataclass(slots=True, eq=False)
class Entry:
    """A message as it is known here. `id` is 0 until the server has stored it; `note` says why it failed.

    With `file`, `text` is that file's name; the hash of one that has only begun to be sent is "".
    """

    key: str
    own: bool
    text: str
    at_ms: int
    sender: str
    position: Position
    epoch: int = 0
    id: int = 0
    note: str = ""
    file: FileRef | None = None

    @property
    def shown(self) -> str:
        """What stands for it where there is one line only."""
        return shown_text(self.text, self.file)

    @property
    def failed(self) -> bool:
        """Whether it was refused and waits for the user to try again."""
        return bool(self.note)

    @property
    def waiting(self) -> bool:
        """Whether it is on its way to the server."""
        return self.own and not self.id and not self.note


def shown_text(text: str, file: FileRef | None) -> str:
    """What stands for a message where there is one line only."""
    return text if file is None else f"File: {text}"


def shortened(message: Message) -> Message:
    """Return a message with as much of its text as the window shows."""
    if len(message.text) <= MAX_SHOWN_CHARS:
        return message
    return structs.replace(message, text=message.text[:MAX_SHOWN_CHARS] + TOO_LONG)


def position(entry: Entry) -> Position:
    """What messages are ordered by."""
    return entry.position


def own_key(cid: str) -> str:
    """The key of a message of one's own."""
    return f"own/{cid}"


def message_key(message: Message, *, own: bool) -> str:
    """What makes a message this one: who sent it and the sender's own id for it."""
    if own:
        return own_key(message.cid)
    return f"{message.sender}/{message.cid or (message.id, message.at, message.text)}"


def entry_of(message: Message, own: bool, epoch: int) -> Entry:
    """A message that is in the log."""
    message = shortened(message)
    return Entry(
        key=message_key(message, own=own),
        own=own,
        text=message.text,
        at_ms=message.at,
        sender=message.sender,
        position=(epoch, message.id, 0),
        epoch=epoch,
        id=message.id,
        file=message.file,
    )
