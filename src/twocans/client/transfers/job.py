"""One transfer from its beginning to its end: what is known of it, what is kept of it, and who is told."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Protocol

import msgspec

from twocans.client.errors import OutboxUnusable
from twocans.client.events import TransferMoved
from twocans.client.timing import Clock
from twocans.client.transfers.disk import Look
from twocans.client.transfers.model import Transfer, TransferState
from twocans.client.transfers.records import Record, Records
from twocans.protocol.messages import FileRef

TELL_EVERY_S: Final = 0.1
"""How often a program is told of the bytes that are done, in seconds."""


class Listener(Protocol):
    """Who is told of transfers."""

    def put_moved(self, event: TransferMoved) -> None:
        """A transfer has moved; an event that nobody has taken yet may be replaced by a newer one."""
        ...


class Job:
    """One transfer.

    Args:
        record: as it was kept, or at its beginning.
        records: where it is kept.
        listener: who is told.
        clock: the time, in seconds.
    """

    def __init__(self, record: Record, *, records: Records, listener: Listener, clock: Clock) -> None:
        self.record = record
        self.state = record.state
        self.done = record.done
        self.tasks: set[asyncio.Task[None]] = set()
        """What brings it forward; more than one only until those that were cancelled have ended."""
        self.safe = 0
        """How many bytes no lost connection takes away, as far as known: whether attempts are in vain."""
        self.wrong = 0
        """How often the content was not the right one."""
        self._records = records
        self._listener = listener
        self._clock = clock
        self._told_at = float("-inf")

    @property
    def transfer(self) -> Transfer:
        """As a program sees it."""
        record = self.record
        return Transfer(
            id=record.id,
            outgoing=record.outgoing,
            peer=record.peer,
            name=record.name,
            size=record.size,
            done=self.done,
            state=self.state,
            path=record.path,
            message_id=record.message_id,
            text=record.text,
        )

    @property
    def is_cancelled(self) -> bool:
        """True from the cancelling on, also while what has come is still being removed."""
        return self.record.state is TransferState.CANCELLED

    @property
    def file(self) -> FileRef:
        """The file by its content, once that is known."""
        return FileRef(hash=self.record.hash, size=self.record.size)

    @property
    def look(self) -> Look:
        """What the outgoing file was like when its hash was taken."""
        return Look(self.record.size, self.record.modified_ns)

    def move(self, state: TransferState, *, done: int | None = None, text: str = "") -> None:
        """It is in another state from now on, or waits for another reason."""
        if done is not None:
            self.done = done
        if state is not self.state or text != self.record.text:
            self.state = state
            kept = TransferState.WAITING if state.is_moving else state
            self.keep(state=kept, done=self.done, text=text)
            self.tell()

    def progress(self, done: int) -> None:
        """So many bytes are done; a program is told now and then."""
        self.done = done
        if self._clock() - self._told_at >= TELL_EVERY_S:
            self.tell()

    def learn(self, *, message_id: int) -> None:
        """Its message is stored."""
        self.keep(message_id=message_id)
        self.tell()

    def keep(self, **changes: object) -> None:
        """Something is known of it that may be needed after the program's end."""
        changed = msgspec.structs.replace(self.record, **changes)
        if changed != self.record:
            self.record = changed
            # Else it goes on; at worst something is done once more after the program's end.
            with contextlib.suppress(OutboxUnusable):
                self._records.put(changed)

    def forget(self) -> None:
        """Nothing is left of it."""
        self._records.remove(self.record.id)

    def tell(self) -> None:
        """Tell what it is like, again if need be."""
        self._told_at = self._clock()
        self._listener.put_moved(TransferMoved(self.transfer))
