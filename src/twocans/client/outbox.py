"""Messages on their way: kept in order until the server has acknowledged or refused them.

`MemoryOutbox` keeps them for as long as the program runs; one that outlives it has the same interface.
"""

from __future__ import annotations

from typing import Final, Protocol

from msgspec import Struct

from twocans.protocol.messages import FileRef

MAX_PENDING: Final = 10_000
"""How many messages wait at most; more are refused."""


class Outgoing(Struct, frozen=True):
    """A message of one's own that is not acknowledged yet; with `file`, `text` is that file's name."""

    cid: str
    to: str
    text: str
    file: FileRef | None = None


class Outbox(Protocol):
    """What the session needs of an outbox. A message is in it exactly once, under its `cid`."""

    def add(self, message: Outgoing) -> None:
        """Keep a message, as the newest. It is safe once this returns."""
        ...

    def get(self, cid: str) -> Outgoing | None:
        """The message with that cid, if it is still waiting."""
        ...

    def remove(self, cid: str) -> None:
        """Forget a message; nothing happens if it is not there."""
        ...

    def pending(self) -> tuple[Outgoing, ...]:
        """All that wait, oldest first."""
        ...

    def __len__(self) -> int: ...


class MemoryOutbox:
    """An outbox that lives as long as the program."""

    def __init__(self) -> None:
        self._messages: dict[str, Outgoing] = {}

    def add(self, message: Outgoing) -> None:
        """Keep a message, as the newest."""
        self._messages[message.cid] = message

    def get(self, cid: str) -> Outgoing | None:
        """The message with that cid, if it is still waiting."""
        return self._messages.get(cid)

    def remove(self, cid: str) -> None:
        """Forget a message; nothing happens if it is not there."""
        self._messages.pop(cid, None)

    def pending(self) -> tuple[Outgoing, ...]:
        """All that wait, oldest first."""
        return tuple(self._messages.values())

    def __len__(self) -> int:
        return len(self._messages)
