"""How far this user has got: the cursor to resume from, what to tell the server about it, and when."""

from __future__ import annotations

from collections import deque
from typing import Final

from twocans.client.timing import Clock
from twocans.protocol.messages import Frame, Got, Read

GOT_EVERY_S: Final = 1.0
"""How often the server is told at most, in seconds: it tells everybody whose messages that were."""
MAX_STEPS: Final = 1000
"""The most ids that are remembered to fall back to."""
MAX_READ_MARKS: Final = 1000
"""How many people's read marks are kept while there is no connection; the oldest go first."""


class Marks:
    """The marks of one session. They only grow, as long as the server's log is the same and its ids fit together.

    What makes the cursor grow is the server's word, so the ids that did are remembered: when it turns out that one
    cannot have been right, the cursor falls back to those before it. Then messages may come again, and none is lost.

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
        self._began_at = cursor
        self._steps: deque[int] = deque(() if cursor is None else (cursor,), MAX_STEPS)
        self._is_news = False
        self._clock = clock
        self._due_at: float | None = None
        self._read: dict[str, int] = {}

    def forget(self) -> None:
        """The log is another one: ids known so far mean nothing."""
        self.cursor = self.confirmed = self._began_at = None
        self._newest = 0
        self._steps.clear()
        self._read.clear()
        self.told_server()

    def told_server(self) -> None:
        """The server hears what is confirmed, by HELLO or GOT."""
        self._due_at = None
        self._told = self.confirmed or 0

    def begin(self, after: int) -> None:
        """Messages begin after this id, if none has come yet."""
        if self.cursor is None:
            self.reached(after)
            self._is_news = True

    def take_news(self) -> int | None:
        """The cursor, once for each time that it has begun or fallen back: the program does not know of that."""
        is_news, self._is_news = self._is_news, False
        return self.cursor if is_news else None

    def is_new(self, id_: int) -> bool:
        """Whether a message has not been given out yet.

        The cursor alone tells: the server delivers to each account in the order of ids, on every connection
        and across them, so whatever comes with an id at or below the greatest one seen is a repetition.
        """
        return self.cursor is None or id_ > self.cursor

    def is_contradicted_by(self, id_: int) -> bool:
        """True if a message with this id can be no repetition although the cursor is beyond it."""
        return not self.is_new(id_) and id_ > self._steps[0] and id_ not in self._steps

    def fall_back(self, upto: int, *, otherwise: int | None = None) -> None:
        """The cursor cannot be right: go back to the greatest id up to this one that has been given out.

        Where none is known, to `otherwise`; without it to `upto` if the cursor is an earlier program's, else to the
        beginning.
        """
        steps = self._steps
        while steps and steps[-1] > upto:
            steps.pop()
        if steps:
            self.cursor = steps[-1]
        elif otherwise is None and self._began_at is None:
            self.cursor = None
        else:
            self.cursor = upto if otherwise is None else otherwise
            steps.append(self.cursor)
        if self.cursor is None or (self.confirmed is not None and self.confirmed > self.cursor):
            self.confirmed = self.cursor
        self._newest = min(self._newest, self.cursor or 0)
        self._is_news = True

    def reached(self, id_: int) -> None:
        """Everything up to an id has been given out, or is one's own."""
        if self.is_new(id_):
            self.cursor = id_
            self._steps.append(id_)
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
        # The program may still be told of ids from which the cursor has fallen back.
        id_ = min(id_, self.cursor or 0)
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
