"""Questions to the server that wait for their answer: numbered, bounded, and given up after a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct

from twocans.client import sentences
from twocans.client.checks import check_answer
from twocans.client.codes import ErrorCode
from twocans.client.timing import Clock
from twocans.protocol import json
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Chats,
    DeviceCode,
    Devices,
    Error,
    Found,
    Frame,
    History,
    Results,
    Rid,
    Ticket,
)

MAX_REQUESTS: Final = 100
"""How many questions wait for an answer at most."""

Reply: TypeAlias = History | Results | Chats | Found | Devices | DeviceCode | Ticket | Error


class Answer(Struct, frozen=True):
    """The server's, or in its place the client's own, answer to a request."""

    rid: Rid
    reply: Reply


class Requests:
    """The open questions of one session; every one gets exactly one answer.

    Args:
        answer_s: how long the server may take, in seconds.
        clock: the time, in seconds.
    """

    def __init__(self, *, answer_s: float, clock: Clock) -> None:
        self._answer_s = answer_s
        self._clock = clock
        self._last_rid = 0
        # In the order of their deadlines, since each has the same time.
        self._deadlines: dict[Rid, float] = {}
        self._queries: dict[Rid, Frame] = {}
        self._answers: list[Answer] = []

    def ask(self, make: Callable[[int], Frame], *, online: bool) -> tuple[int, bytes]:
        """Open a question; `make` gets its number.

        Returns:
            The number, and the line to send; an empty one if the answer, a refusal, is there already.
        """
        self._last_rid = rid = self._last_rid + 1
        if not online:
            self._fail(rid, ErrorCode.OFFLINE, sentences.NOT_CONNECTED)
            return rid, b""
        if len(self._deadlines) >= MAX_REQUESTS:
            self._fail(rid, ErrorCode.BUSY, sentences.TOO_MANY_REQUESTS)
            return rid, b""
        try:
            query = make(rid)
            line = json.encode(query)
        except UnicodeEncodeError:
            self._fail(rid, Code.BAD_REQUEST, sentences.UNSAYABLE)
            return rid, b""
        self._deadlines[rid] = self._clock() + self._answer_s
        self._queries[rid] = query
        return rid, line

    def answered(self, rid: Rid, reply: Reply) -> bool:
        """The server has answered; what nobody asked or waits for any more is dropped.

        Returns:
            Whether somebody has waited for it.

        Raises:
            ProtocolError: it is no answer to what was asked; whoever waits for it is told.
        """
        query = self._queries.get(rid)
        if query is None:
            return False
        try:
            check_answer(query, reply)
        except ProtocolError:
            self._fail(rid, Code.BAD_REQUEST, sentences.NOT_UNDERSTOOD)
            raise
        self._close(rid)
        self._answers.append(Answer(rid, reply))
        return True

    def fail_all(self, code: str, text: str) -> None:
        """No answer will come to anything that is open."""
        for rid in list(self._deadlines):
            self._fail(rid, code, text)

    def expire(self) -> None:
        """Give up what has waited for too long."""
        now = self._clock()
        for rid, deadline in list(self._deadlines.items()):
            if deadline > now:
                break
            self._fail(rid, ErrorCode.TIMED_OUT, sentences.NO_ANSWER)

    def next_deadline(self) -> float | None:
        """When `expire` has something to do, by the clock."""
        return next(iter(self._deadlines.values()), None)

    def take_answers(self) -> list[Answer]:
        """The answers since the last call."""
        answers, self._answers = self._answers, []
        return answers

    def _close(self, rid: Rid) -> None:
        self._deadlines.pop(rid, None)
        self._queries.pop(rid, None)

    def _fail(self, rid: Rid, code: str, text: str) -> None:
        self._close(rid)
        self._answers.append(Answer(rid, Error(code=code, text=text, rid=rid)))
