"""The thread that writes: takes whatever has gathered, commits it as one, and says what became of it."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from twocans.protocol.names import UserKey
from twocans.storage.base import Batch, Failed, OnStored
from twocans.storage.disk_space import Room
from twocans.storage.sqlite import index
from twocans.storage.sqlite.dedup import CidDeduplicator
from twocans.storage.sqlite.index import Index
from twocans.storage.sqlite.log import MessageLog, Outcome, Update

IDLE_S: Final = 0.2
"""How long the writer waits for more to write before it sees to the index."""
RETRY_S: Final = 1.0
"""How long after a failure the changes that nobody waits for, and the index, are tried again."""
GATHER_S: Final = 0.0002
"""How long after a commit what comes gathers for the next one: each costs about the same, whatever is in it."""
MAX_COMMIT: Final = 4096
"""From how many messages on a commit takes no more of those that wait."""
INDEX_PER_BYTE: Final = 3
"""The bytes of the disk that a byte of text takes at most once it is in the index, its way through the WAL included."""
ROOM_S: Final = 0.05
"""The shortest time between two measurements of the room on the disk."""
RESERVED_IDS: Final = 1_000_000
"""How many ids are reserved at a time; so many are passed over at most when the server has not ended cleanly."""


class Waiting(Struct, frozen=True):
    """A batch in the queue, and who wants to know."""

    batch: Batch
    on_stored: OnStored


class Pace:
    """How fast messages are stored, from one second to the next.

    Args:
        monotonic_s: a clock that does not go back, in seconds.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._began = monotonic_s()
        self._number = 0
        self._per_s = 0.0

    def stored(self, number: int) -> None:
        """So many have been stored just now."""
        self._number += number
        passed_s = self._monotonic_s() - self._began
        if passed_s >= 1.0:
            self._per_s = self._number / passed_s
            self._began += passed_s
            self._number = 0

    def is_flood(self) -> bool:
        """Whether it is so many that everything else has to wait for them."""
        return max(self._per_s, self._number) >= index.FLOOD_PER_S


class Writer:
    """Owns the writing connection and its thread.

    Args:
        database: the connection; nobody else uses it after this.
        last_id: the newest id that may have been given out.
        numbers: of accounts, by their keys; everybody in a batch has one when it is handed over.
        room: returns how many bytes the disk has left.
        is_full: returns whether an error means that the disk is full.
        post: runs a callback on the hub's thread.
        on_written: told, on the writer's thread, after every commit.
        on_error: told what could not be written; on the hub's thread.

    Raises:
        sqlite3.Error: the database cannot be read.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        *,
        last_id: int,
        numbers: Mapping[UserKey, int],
        room: Callable[[], Room],
        is_full: Callable[[sqlite3.Error], bool],
        post: Callable[[Callable[[], None]], object],
        on_written: Callable[[], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._database = database
        self._last_id = last_id
        self._reserved = last_id
        self._measure_room = room
        self._is_full = is_full
        self._processed_bytes = 0
        self._room = room()
        self._room_again_s = 0.0
        self._post = post
        self._on_written = on_written
        self._on_error = on_error
        used = CidDeduplicator(database)
        self._log = MessageLog(database, numbers, used)
        self._index = Index(database, used)
        self._lock = threading.Condition()
        self._batches: deque[Waiting] = deque()
        self._waiting = 0
        self._waiting_bytes = 0
        self._updates: list[Update] = []
        self._held: list[Update] = []
        self._jobs: list[Callable[[sqlite3.Connection], None]] = []
        self._pace = Pace(time.monotonic)
        self._idle = False
        self._index_failed = False
        self._index_again = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="storage writer", daemon=True)
        self._thread.start()

    def append(self, batches: Sequence[Waiting]) -> None:
        """Hand over messages; each batch is answered through its callback, in this order."""
        messages = sum([len(one.batch.messages) for one in batches])
        text_bytes = sum([one.batch.text_bytes for one in batches])
        with self._lock:
            self._batches += batches
            self._waiting += messages
            self._waiting_bytes += text_bytes
            self._lock.notify()

    @property
    def room(self) -> Room:
        """Bytes that the disk has left.

        As measured after a commit; or after somebody asked, since messages that are refused for it lead to no commit.
        """
        if time.monotonic() >= self._room_again_s:
            self._room_again_s = math.inf  # until the thread has got to it
            self.run(lambda _: self._measure())
        return self._room

    @property
    def is_short(self) -> bool:
        """Whether the disk is short of room; a moment old."""
        return self._room.is_short

    @property
    def waiting(self) -> int:
        """How many messages are in the queue; a moment old when another thread reads it."""
        return self._waiting

    @property
    def waiting_bytes(self) -> int:
        """How much room their texts take; likewise."""
        return self._waiting_bytes

    def update(self, statement: str, values: tuple[object, ...]) -> None:
        """Hand over a change that nobody waits for; it is made before messages that are handed over later."""
        with self._lock:
            self._updates.append((statement, values))
            self._lock.notify()

    def run(self, job: Callable[[sqlite3.Connection], None]) -> None:
        """Run something on the writer's thread, between two commits."""
        with self._lock:
            self._jobs.append(job)
            self._lock.notify()

    def close(self) -> None:
        """Write all that waits, and end the thread."""
        with self._lock:
            self._closing = True
            self._lock.notify()
        self._thread.join()
        self._database.close()

    # --- the writer's thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._lock:
                if not (self._batches or self._updates or self._jobs or self._closing):
                    self._idle = not self._lock.wait(self._patience_s())
                else:
                    self._idle = False
                batches = self._next_batches()
                updates, self._updates, self._held = self._held + self._updates, [], []
                jobs, self._jobs = self._jobs, []
                last_round = self._closing and not self._batches
            if batches or updates:
                self._write(batches, updates)
                if not last_round:
                    time.sleep(GATHER_S)
            for job in jobs:
                self._do(job)
            if last_round:
                self._end()
                return
            self._see_to_index()

    def _next_batches(self) -> list[Waiting]:
        taken: list[Waiting] = []
        number = text_bytes = 0
        while self._batches and number < MAX_COMMIT:
            one = self._batches.popleft()
            taken.append(one)
            number += len(one.batch.messages)
            text_bytes += one.batch.text_bytes
        self._waiting -= number
        self._waiting_bytes -= text_bytes
        return taken

    def _do(self, job: Callable[[sqlite3.Connection], None]) -> None:
        try:
            job(self._database)
        except Exception as error:  # noqa: BLE001 - the root of a thread that others wait for: it goes on
            failure = error
            self._post(lambda: self._on_error(failure))

    def _patience_s(self) -> float | None:
        """How long to wait for work before turning to what can wait; None for ever."""
        if self._held or self._index_failed:
            return RETRY_S
        if not self._index.missing:
            return None
        amid_traffic = self._index.missing > index.BUSY_TAIL and not self._pace.is_flood()
        return 0.0 if self._idle or amid_traffic else IDLE_S

    def _write(self, waiting: Sequence[Waiting], updates: Sequence[Update]) -> None:
        batches = [one.batch for one in waiting]
        text_bytes = sum([batch.text_bytes for batch in batches if not batch.repeats_only])
        self._processed_bytes += text_bytes
        newest = max((batch.messages[-1].id for batch in batches), default=self._last_id)
        try:
            if newest > self._reserved:
                self._reserve(newest + RESERVED_IDS)
            appended = self._log.append(batches, updates)
        except Exception as error:  # noqa: BLE001 - the root of a thread that others wait for: it goes on
            self._failed(error, waiting, updates)
            self._see_to_room()
            return
        self._last_id = newest
        self._index.stored(appended.stored, text_bytes)
        self._pace.stored(appended.stored)
        self._post(lambda: _answer(waiting, appended.outcomes))
        self._see_to_room()
        self._on_written()

    def _see_to_room(self) -> None:
        if self._room.is_short or time.monotonic() >= self._room_again_s:
            self._measure()

    def _measure(self) -> None:
        # A disk that cannot be asked is as it was.
        with contextlib.suppress(OSError):
            room = self._measure_room().less(self._index.missing_bytes * INDEX_PER_BYTE)
            self._room = room._replace(processed=self._processed_bytes)
        self._room_again_s = time.monotonic() + ROOM_S

    def _reserve(self, upto: int) -> None:
        """Make sure that ids up to this one are never given twice, whatever becomes of their messages."""
        database = self._database
        (synchronous,) = database.execute("PRAGMA synchronous").fetchone()
        database.execute("PRAGMA synchronous = FULL")
        try:
            database.execute("UPDATE log SET reserved = ?", (upto,))
        finally:
            database.execute(f"PRAGMA synchronous = {synchronous}")
        self._reserved = upto

    def _failed(self, error: Exception, waiting: Sequence[Waiting], updates: Sequence[Update]) -> None:
        # Nobody waits for the updates, so they are tried again with the next batch.
        with self._lock:
            self._held[:0] = updates
        failure = Failed(full=isinstance(error, sqlite3.Error) and self._is_full(error))
        outcomes: list[Outcome] = [dict.fromkeys(range(len(one.batch.messages)), failure) for one in waiting]
        self._post(lambda: _answer(waiting, outcomes))
        self._post(lambda: self._on_error(error))

    def _see_to_index(self) -> None:
        missing = self._index.missing
        if missing > max(index.MAX_TAIL, self._index_again):
            self._index_slice(index.LARGE_SLICE)
        elif missing and (self._idle or self._room.is_short):
            # What is not in it counts as taking room, so where there is little nobody waits for an idle moment.
            self._index_slice(index.SMALL_SLICE)

    def _index_slice(self, most: int) -> None:
        try:
            self._index.add_slice(most)
        except sqlite3.Error:
            # Whoever looks back reads along the log instead, so nobody has to know.
            self._index_failed = True
            self._index_again = self._index.missing + index.LARGE_SLICE
        else:
            self._index_failed = False
            self._index_again = 0
            self._on_written()

    def _end(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            # A clean end leaves no gap, and what is left to do for the index if that is done in a moment.
            self._reserve(self._last_id)
            while 0 < self._index.missing <= index.START_TAIL:
                self._index.add_slice(index.LARGE_SLICE)


def _answer(waiting: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(waiting, outcomes, strict=True):
        one.on_stored(one.batch, outcome)
