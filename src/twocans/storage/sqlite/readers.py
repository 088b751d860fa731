"""The threads that read, each with a connection of its own. They answer everybody in turn, a slice of time each."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Final, Protocol, TypeAlias, TypeVar

from twocans.storage.sqlite.fair_queue import FairQueue

READERS: Final = 2
"""How many threads read: a long step of one person holds up nobody else. More would take the writer's processor."""
SLICE_S: Final = 0.02
"""How long a question is worked on before others have their turn."""
QUESTION_S: Final = 1.0
"""How long a question is worked on before it is answered with what has been found, if anything has."""
STEP_S: Final = 0.01
"""How long a step should take."""
NOBODY: Final = 0
"""Stands for a person where the server itself asks."""

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Unfinished(Enum):
    """Stands for the answer of a question that needs more steps."""

    UNFINISHED = "unfinished"


UNFINISHED: Final = Unfinished.UNFINISHED


class Question(Protocol[_T_co]):
    """Something to be found in the database, step by step.

    A step reads one snapshot and looks at a limited number of messages. Others may read and write between two
    steps, and the next one may get another connection.
    """

    def __call__(self, database: sqlite3.Connection, /, *, late: bool) -> _T_co | Unfinished:
        """Take a step. With `late`, the answer is what has been found, if anything has.

        Raises:
            sqlite3.Error: the database cannot be read.
        """
        ...


class StepSize:
    """The number of messages that a step looks at: it grows and shrinks so that a step takes about `STEP_S`.

    Args:
        first: the number at first.
        most: the largest number.
    """

    def __init__(self, first: int, most: int) -> None:
        self._most = most
        self.messages = min(first, most)
        """The number for the next step."""

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Adapt the number to the time that the block takes."""
        began_s = time.monotonic()
        yield
        took_s = time.monotonic() - began_s
        if took_s < STEP_S / 2:
            self.messages = min(self.messages * 2, self._most)
        elif took_s > STEP_S:
            self.messages = max(self.messages // 2, 1)


class _Asked:
    """A question that waits for its answer, and how long it has been worked on."""

    __slots__ = ("abandon", "step", "took_s")

    def __init__(self, step: _Step, abandon: Callable[[], object]) -> None:
        self.step = step
        self.abandon = abandon
        self.took_s = 0.0


_Step: TypeAlias = Callable[[sqlite3.Connection, bool], bool]
"""Takes a connection and `late`, and tells if the question has been answered."""


class Readers:
    """Owns the reading connections and their threads.

    Args:
        databases: the connections; nobody else uses them after this.
        post: runs a callback on the hub's thread.
        on_error: told what could not be read; on the hub's thread.
    """

    def __init__(
        self,
        databases: Sequence[sqlite3.Connection],
        *,
        post: Callable[[Callable[[], None]], object],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._post = post
        self._on_error = on_error
        self._changed = threading.Condition()
        self._queue: FairQueue[_Asked] = FairQueue()
        self._reading = 0
        self._paused = False
        self._closing = False
        self._threads = [
            threading.Thread(target=self._run, args=(database,), name=f"storage reader {n}", daemon=True)
            for n, database in enumerate(databases, 1)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, question: Question[_T], *, person: int, instead: _T, answer: Callable[[_T], None]) -> None:
        """Answer a question on the hub's thread, with `instead` if the database cannot.

        May be called on any thread.

        Args:
            question: what is to be found.
            person: the number of the account that asks, or `NOBODY`.
            instead: the answer if the database cannot be read, or the storage is closed before.
            answer: takes the answer.
        """

        def step(database: sqlite3.Connection, late: bool) -> bool:
            try:
                found = question(database, late=late)
            except Exception as error:  # noqa: BLE001 - the root of a thread that others wait for: it goes on
                found = instead
                failure = error
                self._post(lambda: self._on_error(failure))
            if isinstance(found, Unfinished):
                return False
            given = found
            self._post(lambda: answer(given))
            return True

        with self._changed:
            self._queue.put(person, _Asked(step, lambda: self._post(lambda: answer(instead))))
            self._changed.notify()

    @contextlib.contextmanager
    def paused(self, within_s: float) -> Iterator[bool]:
        """Let nobody read while the block runs.

        Args:
            within_s: how long to wait for the slices that are under way.

        Yields:
            False if somebody reads all the same.
        """
        with self._changed:
            self._paused = True
            idle = self._changed.wait_for(lambda: not self._reading, within_s)
        try:
            yield idle
        finally:
            with self._changed:
                self._paused = False
                self._changed.notify_all()

    def close(self) -> None:
        """End the threads; what waits is answered with `instead`."""
        with self._changed:
            self._closing = True
            waiting = self._queue.clear()
            self._changed.notify_all()
        for asked in waiting:
            asked.abandon()
        for thread in self._threads:
            thread.join()

    def _run(self, database: sqlite3.Connection) -> None:
        with contextlib.closing(database):
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing or (self._queue and not self._paused))
                    if self._closing:
                        return
                    person, asked = self._queue.take()
                    self._reading += 1
                answered, took_s = self._work_on(asked, database)
                with self._changed:
                    self._reading -= 1
                    again = None if answered else asked
                    if self._closing and again is not None:
                        again.abandon()
                        again = None
                    self._queue.done(person, took_s, again=again)
                    self._changed.notify_all()

    def _work_on(self, asked: _Asked, database: sqlite3.Connection) -> tuple[bool, float]:
        """Take steps for a slice of time; tell if the question has been answered, and the seconds it took."""
        began_s = now_s = time.monotonic()
        answered = False
        while not answered and now_s - began_s < SLICE_S and not self._closing:
            answered = asked.step(database, asked.took_s + now_s - began_s > QUESTION_S)
            now_s = time.monotonic()
        took_s = now_s - began_s
        asked.took_s += took_s
        return answered, took_s
