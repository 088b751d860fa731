"""How far this user has got: the cursor to resume from, what to tell the server about it, and when."""

from __future__ import annotations

from typing import Final

from twocans.client.settings import Clock
from twocans.protocol.messages import Frame, Got, Read

GOT_EVERY_S: Final = 1.0
"""How often the server is told at most, in seconds: it tells everybody whose messages that were."""
MAX_READ_MARKS: Final = 1000
"""How many people's read marks are kept while there is no connection; the oldest go first."""


class Marks:
    """The marks of one session. They only grow, as long as the server's log is the same.

    Args:
        cursor: the id up to which the program has dealt with everything; None if it has dealt with nothing.
        clock: the time, in seconds.
    """

    def __init__(self, cursor: int | None, clock: Clock) -> None:
        self.cursor = cursor
        """The id up to which everything has been given out."""
        self.confirmed = cursor
        """The id up to which the program has dealt with everything: the next connection starts there."""
        self._newest = self._told = 0 if cursor is None else cursor
        self._clock = clock
        self._due_at: float | None = None
        self._read: dict[str, int] = {}

    def forget(self) -> None:
        """The log is another one: ids known so far mean nothing."""
        self.cursor = self.confirmed = None
        self._newest = 0
        self._read.clear()
        self.told_server()

    def told_server(self) -> None:
        """The server hears what is confirmed, by HELLO or GOT."""
        self._due_at = None
        self._told = self.confirmed or 0

    def welcomed(self, after: int, *, said: int | None) -> int | None:
        """The server goes on after this id; `said` is the one that HELLO had.

        Where it is below that, the server does not have what the cursor belongs to.

        Returns:
            The id after which messages begin if the program has to hear of it: there was none yet, or it has gone back.
        """
        if self.cursor is None:
            self.cursor = self.confirmed = after
        elif said is None or after < said:
            self.cursor = min(self.cursor, after)
            self.confirmed = self.cursor if self.confirmed is None else min(self.confirmed, self.cursor)
        else:
            return None
        self.told_server()
        return self.cursor

    def is_new(self, id_: int) -> bool:
        """Whether a message has not been given out yet.

        The cursor alone tells: the server delivers to each account in the order of ids, on every connection
        and across them, so whatever comes with an id at or below the greatest one seen is a repetition.
        """
        return self.cursor is None or id_ > self.cursor

    def reached(self, id_: int) -> None:
        """Everything up to an id has been given out, or is one's own."""
        self.cursor = id_ if self.cursor is None else max(self.cursor, id_)
        if self.confirmed is None:
            # Nothing came before it. Without `after` the server would start behind other devices of the user.
            self.confirmed = id_

    def given_out(self, id_: int) -> None:
        """A message has been given out, and waits for `confirm`."""
        if self.confirmed is None:
            self.confirmed = max(id_ - 1, 0)
        self._newest = id_
        self.reached(id_)

    def confirm(self, id_: int) -> bool:
        """The program has dealt with everything up to an id; True if messages are among it that GOT is due for now."""
        if self.confirmed is not None and id_ <= self.confirmed:
            return False
        self.confirmed = id_
        if self._due_at is not None or min(id_, self._newest) <= self._told:
            return False
        self._due_at = self._clock() + GOT_EVERY_S
        return True

    def read(self, peer: str, upto: int) -> None:
        """The user has read everything from `peer` up to an id."""
        if upto <= self._read.get(peer, 0):
            return
        self._read.pop(peer, None)
        self._read[peer] = upto
        if len(self._read) > MAX_READ_MARKS:
            del self._read[next(iter(self._read))]

    def due_at(self) -> float | None:
        """When GOT is due, by the clock."""
        return self._due_at

    def take(self, *, at_once: bool = False) -> list[Frame]:
        """What the server is to be told now; with `at_once`, what could wait too."""
        frames: list[Frame] = [Read(peer=peer, id=upto) for peer, upto in self._read.items()]
        self._read.clear()
        due = self._due_at is not None and (at_once or self._clock() >= self._due_at)
        if due and self.confirmed is not None:
            frames.append(Got(id=self.confirmed))
            self.told_server()
        return frames
