"""What goes from the outbox to the server: in order, a few at a time, until each is acknowledged or refused."""

from __future__ import annotations

from collections import deque
from typing import Final

from twocans.client import sentences
from twocans.client.codes import ErrorCode
from twocans.client.events import MessageRefused
from twocans.client.outbox import MAX_PENDING, Outbox, Outgoing
from twocans.protocol import json
from twocans.protocol.messages import LimitsInForce, Send
from twocans.protocol.text import has_control

MAX_IN_FLIGHT: Final = 64
"""How many messages are under way without an acknowledgement.

It keeps small what a lost connection makes one send again, and questions from waiting behind a long outbox.
"""


class Sender:
    """The way out of one session.

    Args:
        outbox: what waits to be acknowledged; outlives connections.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self._limits: LimitsInForce | None = None
        self._open = False
        self._unsent: deque[str] = deque()
        self._in_flight: set[str] = set()

    def limit(self, limits: LimitsInForce) -> None:
        """The server has told what it enforces."""
        self._limits = limits

    def open(self) -> None:
        """From now on messages may be sent: all that wait, and what is added."""
        self._unsent = deque(message.cid for message in self.outbox.pending())
        self._in_flight.clear()
        self._open = True

    def close(self) -> None:
        """There is no connection: messages wait, the sent ones too."""
        self._open = False
        self._unsent.clear()
        self._in_flight.clear()

    def add(self, message: Outgoing) -> MessageRefused | None:
        """Take a message, or say why not. The same message again changes nothing.

        Raises:
            ValueError: its cid belongs to another message that is waiting.
        """
        text = message.text.replace("\r\n", "\n").replace("\r", "\n")
        message = Outgoing(message.cid, message.to, text, message.file)
        known = self.outbox.get(message.cid)
        if known is not None:
            if known != message:
                raise ValueError(f"the cid {message.cid} belongs to another message")
            return None
        refusal = self._check(message)
        if refusal is None and len(self.outbox) >= MAX_PENDING:
            refusal = MessageRefused(message.cid, message.to, ErrorCode.BUSY, sentences.OUTBOX_FULL)
        if refusal is None:
            self.outbox.add(message)
            if self._open:
                self._unsent.append(message.cid)
        return refusal

    def next(self) -> bytes | MessageRefused | None:
        """The line of the next message to send, or why it cannot be sent here; None if it is not time."""
        while self._open and self._unsent and len(self._in_flight) < MAX_IN_FLIGHT:
            message = self.outbox.get(self._unsent.popleft())
            if message is None:
                continue
            # It was added when the limits were not known, or others.
            refusal = self._check(message)
            if refusal is not None:
                self.outbox.remove(message.cid)
                return refusal
            self._in_flight.add(message.cid)
            return _line(message)
        return None

    def settle(self, cid: str) -> Outgoing | None:
        """The server has stored or refused a message: it is out of the outbox; None if it was not in it."""
        self._in_flight.discard(cid)
        message = self.outbox.get(cid)
        if message is not None:
            self.outbox.remove(cid)
        return message

    def _check(self, message: Outgoing) -> MessageRefused | None:
        """What the server would refuse, and what it could not even read."""
        limits = self._limits
        code, why = ErrorCode.BAD_REQUEST, ""
        if not message.text or message.text.isspace():
            code, why = ErrorCode.EMPTY, sentences.EMPTY
        elif has_control(message.text):
            why = sentences.CONTROL
        else:
            try:
                line, size = _line(message), len(message.text.encode())
            except UnicodeEncodeError:
                why = sentences.UNSAYABLE
            else:
                # A line over the limit would end the connection, again and again.
                if limits and (size > limits.text_bytes or len(line) - 1 > limits.line_bytes):
                    code = ErrorCode.TOO_LONG
                    why = sentences.too_long(min(limits.text_bytes, limits.line_bytes))
        return MessageRefused(message.cid, message.to, code, why) if why else None


def _line(message: Outgoing) -> bytes:
    return json.encode(Send(to=message.to, text=message.text, cid=message.cid, file=message.file))
