"""What a program is told of a file on its way, and what a file's way is made of."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class TransferState(StrEnum):
    """Where a file is on its way."""

    HASHING = "hashing"  # it is read, to know its hash
    WAITING = "waiting"  # for the connection, or for its turn
    RUNNING = "running"
    PAUSED = "paused"  # until it is told to go on
    CHECKING = "checking"  # all has come: is it what was sent?
    DONE = "done"
    FAILED = "failed"  # it may be told to go on all the same
    CANCELLED = "cancelled"

    @property
    def is_moving(self) -> bool:
        """Whether it goes on by itself."""
        return self in _MOVING


_MOVING = frozenset(
    {TransferState.HASHING, TransferState.WAITING, TransferState.RUNNING, TransferState.CHECKING}
)


class Transfer(Struct, frozen=True):
    """A file on its way to or from somebody, as it is now.

    Args:
        id: its own id; of an outgoing one the cid of the message to be too.
        outgoing: whether it goes out.
        peer: who it is for or from.
        name: what it is called, without a folder.
        size: in bytes; 0 for an outgoing one that has not been looked at yet.
        done: how many bytes of what is done now (`state`) are done.
        state: where it is.
        path: the file on this computer; of an incoming one, where it is or will be.
        message_id: of the message that carries it; None as long as that is not stored.
        text: a sentence for a person if it has failed, or waits for more than its turn; else "".
    """

    id: str
    outgoing: bool
    peer: str
    name: str
    size: int
    done: int
    state: TransferState
    path: str
    message_id: int | None = None
    text: str = ""
