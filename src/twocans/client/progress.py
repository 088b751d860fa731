"""The position up to which a program has dealt with what it was told, so that a later run goes on from there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol

from twocans.client.errors import OutboxUnusable
from twocans.client.events import CaughtUp, Event, MessageReceived, MessageStored, Online
from twocans.client.timing import Position
from twocans.protocol.messages import Message


class PositionStore(Protocol):
    """The place where a position is kept, together with the outbox."""

    def save_position(self, position: Position) -> None:
        """Keep a position in place of the earlier one.

        Raises:
            OutboxUnusable: it could not be written.
        """
        ...

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Write what is done inside as one.

        Raises:
            OutboxUnusable: it could not be written, and nothing of it was.
        """
        ...


class MemoryPosition:
    """A position that ends with the program."""

    def save_position(self, position: Position) -> None:
        """Nothing outlives the program."""

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Nothing outlives the program."""
        return contextlib.nullcontext()


class Progress:
    """The position of one program. It moves when the program is done with an event, never when it gets one.

    Args:
        position: where an earlier run has ended.
        store: where it is kept.
    """

    def __init__(self, position: Position, store: PositionStore) -> None:
        self.position = position
        self._store = store
        self._live = False
        self._current: Event | None = None

    def taken(self, event: Event) -> None:
        """The program has been given an event and works on it."""
        self._current = event
        if isinstance(event, MessageReceived) and self.position.after is None:
            # Without a position the server continues from where all devices of the user are: others may be further
            # by the next run. It delivers in the order of ids, so all before the first message is dealt with.
            # Where that cannot be saved, nothing is lost yet: `commit` says so.
            with contextlib.suppress(OutboxUnusable):
                self._move(Position(max(event.message.id - 1, 0), self.position.log))

    def commit(self) -> None:
        """The program is done with the event that it was given last; nothing happens a second time.

        Raises:
            OutboxUnusable: the position could not be saved.
        """
        event = self._current
        if event is not None:
            self._move(self._after(event))
            self._current = None

    def commit_with(self, message: Message, work: Callable[[], bool]) -> None:
        """Do some work on a message, and with it, in one transaction, be done with the message.

        Args:
            message: if it is not the one that the program was given last, only the work is done.
            work: writes into the same store; False if it came to nothing, and the program is not done.

        Raises:
            OutboxUnusable: it could not be saved, and nothing was.
        """
        position, current = self.position, self._current
        try:
            with self._store.transaction():
                if work() and isinstance(current, MessageReceived) and current.message.id == message.id:
                    self.commit()
        except BaseException:
            self.position, self._current = position, current
            raise

    def _after(self, event: Event) -> Position:
        after, log = self.position.after, self.position.log
        match event:
            case Online():
                self._live = False
                if event.after is not None:
                    return Position(event.after, event.log)
                return Position(after if event.log == log else None, event.log)
            case CaughtUp(last):
                self._live = True
                # Where there is a position it stays: nothing was missed between it and the first live message.
                return Position(last if after is None else after, log)
            case MessageReceived(message):
                return Position(max(message.id, after or 0), log)
            case MessageStored(id=id_) if self._live:
                # Live, messages and acknowledgements share one order; before, older messages still follow.
                return Position(max(id_, after or 0), log)
            case _:
                return self.position

    def _move(self, position: Position) -> None:
        if position != self.position:
            self._store.save_position(position)
            self.position = position
