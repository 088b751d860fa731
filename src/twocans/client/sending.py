"""What goes from the outbox to the server: in order, a few at a time, until each is acknowledged or refused."""

from __future__ import annotations

from collections import deque
from typing import Final

from twocans.client import sentences
from twocans.client.checks import is_same_user
from twocans.client.codes import ErrorCode
from twocans.client.events import MessageRefused
from twocans.client.outbox import MAX_PENDING, Outbox, Outgoing
from twocans.protocol import json
from twocans.protocol.framing import DEFAULT_MAX_LINE_BYTES
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
        """The line of the next message to send, or why no server takes it; None if it is not time.

        What a server claims of its limits does not empty the outbox. A longer text is sent, for the server to refuse
        it; a longer line would end every connection, so it waits until there are other limits.
        """
        while self._open and self._unsent and len(self._in_flight) < MAX_IN_FLIGHT:
            message = self.outbox.get(self._unsent.popleft())
            if message is None:
                continue
            line = _line(message)
            if self._limits is not None and len(line) - 1 > self._limits.line_bytes:
                if len(line) - 1 <= DEFAULT_MAX_LINE_BYTES:
                    continue
                self.outbox.remove(message.cid)
                text = sentences.too_long(self._limits.text_bytes)
                return MessageRefused(message.cid, message.to, ErrorCode.TOO_LONG, text)
            self._in_flight.add(message.cid)
            return line
        return None

    def settle(self, cid: str) -> Outgoing | None:
        """The server has stored or refused a message of this connection, which is out of the outbox now.

        None if no such message is under way: nothing else leaves the outbox.
        """
        if cid not in self._in_flight:
            return None
        self._in_flight.discard(cid)
        return self._take(cid)

    def returned(self, cid: str, to: str, text: str) -> Outgoing | None:
        """The server has given a message back, of this connection or an earlier one: it was stored.

        None if no message with that content is in the outbox.
        """
        message = self.outbox.get(cid)
        if message is None or message.text != text or not is_same_user(message.to, to):
            return None
        self._in_flight.discard(cid)
        return self._take(cid)

    def _take(self, cid: str) -> Outgoing | None:
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
                if limits and (size > limits.text_bytes or len(line) - 1 > limits.line_bytes):
                    code = ErrorCode.TOO_LONG
                    why = sentences.too_long(min(limits.text_bytes, limits.line_bytes))
        return MessageRefused(message.cid, message.to, code, why) if why else None


def _line(message: Outgoing) -> bytes:
    return json.encode(Send(to=message.to, text=message.text, cid=message.cid, file=message.file))
