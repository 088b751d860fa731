"""The thread that writes: takes whatever has gathered, commits it as one, and says what became of it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from twocans.protocol.messages import Message
from twocans.storage.base import Conflict, Draft, Failed, OnStored, Outcome, Stored

INDEX_MESSAGES: Final = 5000
"""How many messages are put into the full-text index at a time; writers wait for that long at most."""
IDLE_S: Final = 0.2
"""How long the writer waits for more to write before it sees to the full-text index."""
RETRY_S: Final = 1.0
"""How long after a failure the changes that nobody waits for are tried again."""
MAX_BATCH: Final = 20_000
RESERVED_IDS: Final = 100_000
"""How many ids are reserved at a time; so many are passed over at most when the server has not ended cleanly."""

_INSERT: Final = (
    "INSERT INTO message(id, at, sender, recipient, cid, text)"
    " SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?)"
    " WHERE true ON CONFLICT(sender, cid) DO NOTHING"
)
_CHATS: Final = (
    "INSERT INTO chat(user, peer, last, inbound)"
    " SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?)"
    " WHERE true ON CONFLICT(user, peer) DO UPDATE SET last = max(last, excluded.last),"
    " inbound = max(inbound, excluded.inbound)"
)
_KNOWN: Final = (
    "SELECT j.key, m.id, m.at, m.recipient, m.text FROM json_each(?) j"
    " JOIN message m ON m.sender = j.value->>2 AND m.cid = j.value->>4"
)
_INDEX: Final = (
    "INSERT INTO message_text(rowid, text, who)"
    " SELECT id, text, 'u' || sender || ' u' || recipient FROM message"
    " WHERE id > ? AND id <= ? AND text IS NOT NULL"
)
_encode = msgspec.json.Encoder().encode


class Waiting(Struct, frozen=True):
    """A draft in the queue with the numbers of its accounts, and who wants to know."""

    draft: Draft
    sender: int
    recipient: int
    on_stored: OnStored


Update = tuple[str, tuple[object, ...]]
"""A statement that nobody waits for, and its values."""


class Writer:
    """Owns the writing connection and its thread.

    Args:
        database: the connection; nobody else uses it after this.
        last_id: the newest id that may have been given out.
        indexed: up to which id messages are in the full-text index.
        post: runs a callback on the hub's thread.
        on_written: told, on the writer's thread, after every commit of messages or marks, with its connection.
        on_error: told what could not be written; on the hub's thread.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        *,
        last_id: int,
        indexed: int,
        post: Callable[[Callable[[], None]], object],
        on_written: Callable[[sqlite3.Connection], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._database = database
        self._last_id = last_id
        self._reserved = last_id
        self._indexed = indexed
        self._post = post
        self._on_written = on_written
        self._on_error = on_error
        self._lock = threading.Condition()
        self._drafts: list[Waiting] = []
        self._updates: list[Update] = []
        self._held: list[Update] = []
        self._jobs: list[Callable[[sqlite3.Connection], None]] = []
        self._index_now: list[Callable[[], None]] = []
        self._index_failed = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="storage writer", daemon=True)
        self._thread.start()

    def append(self, drafts: list[Waiting]) -> None:
        """Hand over messages; each is answered through its callback, in this order."""
        with self._lock:
            self._drafts += drafts
            self._lock.notify()

    @property
    def waiting(self) -> int:
        """How many messages are in the queue; a moment old when another thread reads it."""
        return len(self._drafts)

    def update(self, statement: str, values: tuple[object, ...]) -> None:
        """Hand over a change that nobody waits for; it is made before messages that are handed over later."""
        with self._lock:
            self._updates.append((statement, values))
            self._lock.notify()

    def run(self, job: Callable[[sqlite3.Connection], None]) -> None:
        """Run something on the writer's thread, between two batches."""
        with self._lock:
            self._jobs.append(job)
            self._lock.notify()

    def when_indexed(self, callback: Callable[[], None]) -> None:
        """Call back, on the writer's thread, when all that is committed is in the full-text index."""
        with self._lock:
            self._index_now.append(callback)
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
                if not (self._drafts or self._updates or self._jobs or self._index_now or self._closing):
                    self._lock.wait(self._patience_s())
                drafts, self._drafts = self._drafts[:MAX_BATCH], self._drafts[MAX_BATCH:]
                updates, self._updates, self._held = self._held + self._updates, [], []
                jobs, self._jobs = self._jobs, []
                last_round = self._closing and not self._drafts
            if drafts or updates:
                self._write(drafts, updates)
            for job in jobs:
                self._do(job)
            if last_round:
                with contextlib.suppress(sqlite3.Error):
                    # A clean end leaves no gap.
                    self._reserve(self._last_id)
                return
            if not drafts or self._index_now:
                self._index()

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
        return IDLE_S if self._indexed < self._last_id else None

    def _write(self, drafts: Sequence[Waiting], updates: Sequence[Update]) -> None:
        database = self._database
        rows = [
            (self._last_id + number, one.draft.at, one.sender, one.recipient, one.draft.cid, one.draft.text)
            for number, one in enumerate(drafts, start=1)
        ]
        try:
            if self._last_id + len(rows) > self._reserved:
                self._reserve(self._last_id + len(rows) + RESERVED_IDS)
            database.execute("BEGIN IMMEDIATE")
            for statement, values in updates:
                database.execute(statement, values)
            outcomes = self._insert(rows, drafts) if rows else []
            database.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the root of a thread that others wait for: it goes on
            self._failed(error, drafts, updates)
            return
        self._last_id += len(rows)
        self._post(lambda: _answer(drafts, outcomes))
        self._on_written(database)

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

    def _insert(
        self, rows: list[tuple[int, int, int, int, str, str]], drafts: Sequence[Waiting]
    ) -> list[Outcome]:
        database = self._database
        payload = _encode(rows).decode()
        inserted = database.execute(_INSERT, (payload,)).rowcount
        outcomes: list[Outcome] = []
        known: dict[int, tuple[int, int, int, str | None]] = {}
        if inserted != len(rows):
            for place, *first in database.execute(_KNOWN, (payload,)):
                known[place] = (first[0], first[1], first[2], first[3])
        sides: dict[tuple[int, int], tuple[int, int]] = {}
        for place, ((id_, at, sender, recipient, _, text), one) in enumerate(zip(rows, drafts, strict=True)):
            known_id, known_at, known_recipient, known_text = known.get(place, (id_, at, recipient, text))
            if known_id == id_:
                outcomes.append(Stored(_message(one.draft, id_, at), first=True))
                sides[sender, recipient] = (id_, sides.get((sender, recipient), (0, 0))[1])
                sides[recipient, sender] = (id_, id_)
            elif known_recipient == recipient and known_text in (text, None):
                outcomes.append(Stored(_message(one.draft, known_id, known_at), first=False))
            else:
                outcomes.append(Conflict())
        chats = [(user, peer, last, inbound) for (user, peer), (last, inbound) in sides.items()]
        database.execute(_CHATS, (_encode(chats).decode(),))
        return outcomes

    def _failed(self, error: Exception, drafts: Sequence[Waiting], updates: Sequence[Update]) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        # Nobody waits for the updates, so they are tried again with the next batch.
        with self._lock:
            self._held[:0] = updates
        failure = Failed(full=(getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL)
        self._post(lambda: _answer(drafts, [failure] * len(drafts)))
        self._post(lambda: self._on_error(error))

    def _index(self) -> None:
        upto = min(self._last_id, self._indexed + INDEX_MESSAGES)
        if upto > self._indexed:
            database = self._database
            try:
                database.execute("BEGIN IMMEDIATE")
                database.execute(_INDEX, (self._indexed, upto))
                database.execute("UPDATE log SET indexed = ?", (upto,))
                database.execute("COMMIT")
            except sqlite3.Error:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                self._index_failed = True
            else:
                self._indexed = upto
                self._index_failed = False
        with self._lock:
            # Who searches while the disk is full finds what was indexed before.
            if self._indexed < self._last_id and not self._index_failed:
                return
            waiting, self._index_now = self._index_now, []
        for callback in waiting:
            callback()


def _message(draft: Draft, id_: int, at: int) -> Message:
    return Message(
        id=id_, at=at, sender=draft.sender_name, to=draft.recipient_name, text=draft.text, cid=draft.cid
    )


def _answer(waiting: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(waiting, outcomes, strict=True):
        one.on_stored(one.draft, outcome)
