"""What a connection has to say: gathered while the loop does its turn, and written once at the end of it.

Messages that follow each other are encoded together. LIST and RECEIPT are state: what is newer when they are
written replaces what was to be said before.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from twocans.hub.account import Account, receipt
from twocans.hub.session import Reason, Session
from twocans.protocol import json, plain
from twocans.protocol.messages import Frame, Message, UserList
from twocans.server.connection.encode_once import EncodeOnce
from twocans.server.connection.transport import Transport

HIGH_WATER_BYTES: Final = 64 * 1024
"""With so much still to be sent to it, a client's requests wait."""
LOW_WATER_BYTES: Final = 16 * 1024
"""With no more than this still to be sent to it, whatever waits for the client to read goes on."""
HIGH_WATER_MESSAGES: Final = 1024
"""So they do with so many messages that have not even been written."""
CONFIRM_INTERVAL_S: Final = 1.0
"""How often the machine of a plain peer is asked what it has, in seconds."""

_encode_json = EncodeOnce(json.encode)
_encode_plain = EncodeOnce(plain.encode)


class Outgoing(Session):
    """The way out of a connection.

    Args:
        transport: the driver's side.
        schedule_flush: asks for a call of `flush` at the end of this turn of the loop.
        send_queue_bytes: how much may wait for a reader before it is cut off.
        address: the peer's, for people.
        now: the current time, in seconds of the loop's clock.
    """

    __slots__ = (
        "_bytes",
        "_confirmed",
        "_drained",
        "_flush_due",
        "_largest",
        "_last_check",
        "_list",
        "_low_water_bytes",
        "_messages",
        "_parts",
        "_receipts",
        "_schedule_flush",
        "_send_queue_bytes",
        "_transport",
        "_unsent",
        "_written",
        "closing",
        "ended",
        "json",
    )

    def __init__(
        self,
        transport: Transport,
        *,
        schedule_flush: Callable[[Outgoing], None],
        send_queue_bytes: int,
        address: str,
        now: float,
    ) -> None:
        super().__init__(address)
        self.json: bool | None = None
        """Whether the peer speaks JSON; None before its first line."""
        self.closing = False
        """Whether the peer is being told goodbye, and nothing more is said."""
        self.ended = False
        """Whether the connection is gone."""
        self._transport = transport
        self._schedule_flush = schedule_flush
        self._send_queue_bytes = send_queue_bytes
        self._low_water_bytes = min(LOW_WATER_BYTES, send_queue_bytes // 4)
        self._parts: list[bytes] = []
        self._bytes = 0
        # One frame may be larger than the queue: nobody is cut off for having to fetch that.
        self._largest = 0
        self._messages: list[Message] = []
        self._receipts: tuple[Account, dict[Account, None]] | None = None
        self._list: UserList | None = None
        self._flush_due = False
        self._unsent = 0
        self._drained: tuple[Callable[[], None], ...] = ()
        self._written = 0
        self._confirmed = 0
        self._last_check = now

    # --- from the hub ------------------------------------------------------------------------------------

    def deliver(self, message: Frame) -> None:
        """See `Session.deliver`."""
        if isinstance(message, Message):
            self.deliver_message(message)
            return
        try:
            self._add(_encode_json(message) if self.json else _encode_plain(message))
        except Exception as error:  # noqa: BLE001 - the root of one session's share in what all are told
            self.fail(error)

    def deliver_message(self, message: Message) -> None:
        """See `Session.deliver_message`."""
        self._messages.append(message)
        # As `want_flush`, without its call: this is done for every message.
        if not self._flush_due:
            self._flush_due = True
            self._schedule_flush(self)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """See `Session.acknowledge`."""
        try:
            self._add(json.encode_acks(messages))
        except Exception as error:  # noqa: BLE001 - as in `deliver`
            self.fail(error)

    def deliver_receipt(self, sender: Account, reader: Account) -> None:
        """See `Session.deliver_receipt`; marks that move again within a turn are told once."""
        if self._receipts is None:
            self._receipts = (sender, {})
        self._receipts[1][reader] = None
        self.want_flush()

    def deliver_list(self, users: UserList) -> None:
        """See `Session.deliver_list`."""
        if self._list is not None:
            self._list = users
        elif self._transport.unsent_bytes() <= self._low_water_bytes:
            self.deliver(users)
        else:
            self._list = users
            self.when_drained(self._deliver_waiting_list)

    def when_drained(self, callback: Callable[[], None]) -> None:
        """See `Session.when_drained`."""
        if self.ended:
            return
        if not self._flush_due and self._transport.unsent_bytes() <= self._low_water_bytes:
            callback()
        else:
            self._drained += (callback,)
            # Only `flush` asks the transport, so there has to be one even if nothing is left to write.
            self.want_flush()

    def handed_upto(self) -> int:
        """See `Session.handed_upto`."""
        return self._confirmed

    # --- for the driver ----------------------------------------------------------------------------------

    def secure(self, transport: Transport) -> None:
        """Say everything through a transport that encrypts it; before anything is said."""
        self._transport = transport
        self.encrypted = True

    # --- for the way in ----------------------------------------------------------------------------------

    def clogged(self) -> bool:
        """Whether so much is to be sent to the peer that its own requests wait; `when_drained` tells of the end."""
        # Only `flush` writes: what it left nothing of needs no asking.
        unsent = self._transport.unsent_bytes() if self._unsent else 0
        return self._bytes + unsent > HIGH_WATER_BYTES or len(self._messages) > HIGH_WATER_MESSAGES

    def want_flush(self) -> None:
        """Let `flush` be called at the end of this turn."""
        if not self._flush_due:
            self._flush_due = True
            self._schedule_flush(self)

    def confirm(self, *, orderly: bool) -> None:
        """Note, as a plain peer leaves, up to which message its machine has everything."""
        if not self.plain:
            return
        if not orderly:
            self._confirm_written()
        elif self._transport.unsent_bytes() == 0:
            self._confirmed = self._written

    @abstractmethod
    def linked(self, message: Message) -> Message:
        """A message with a file as people read it, with a link to the file."""

    @abstractmethod
    def leave(self, reason: Reason) -> None:
        """The session is over; called once. Never raises."""

    @abstractmethod
    def fail(self, error: Exception) -> None:
        """Report a fault of this program's own, and end this connection alone; never raises."""

    # --- at the end of a turn ----------------------------------------------------------------------------

    def flush(self, now: float) -> None:
        """Hand over everything that this turn has gathered; `now` is the time of the turn."""
        self._flush_due = False
        if self.ended:
            return
        transport = self._transport
        if now - self._last_check >= CONFIRM_INTERVAL_S and self.plain:
            self._last_check = now
            self._confirm_written()
        if self._receipts is not None:
            sender, readers = self._receipts
            self._receipts = None
            self._add(json.encode_receipts([receipt(sender, reader) for reader in readers]))
        messages, data = self._messages, b""
        if self._parts:
            if messages:
                self._seal()
            parts, self._parts = self._parts, []
            self._bytes = 0
            transport.write(b"".join(parts))
        elif messages:
            data = self._encoded_messages()
            transport.write(data)
        self._unsent = unsent = transport.unsent_bytes()
        if unsent <= self._send_queue_bytes:
            self._largest = 0
        elif len(messages) == 1 and len(data) > self._send_queue_bytes // 2:
            self._largest = len(data)
        if self.closing:
            transport.close()
        elif unsent > self._send_queue_bytes + self._largest:
            self.leave(Reason.TOO_SLOW)
            transport.abort()
        elif self._drained:
            if unsent > self._low_water_bytes:
                transport.notify_below(self._low_water_bytes)
            else:
                self.drained()

    def drained(self) -> None:
        """No more than the low-water mark is to be sent: whoever has asked by `when_drained` is called."""
        if self.closing:
            return
        callbacks, self._drained = self._drained, ()
        try:
            for callback in callbacks:
                callback()
        except Exception as error:  # noqa: BLE001 - the root of what waited: it would wait for ever
            self.fail(error)

    def _deliver_waiting_list(self) -> None:
        users, self._list = self._list, None
        if users is not None:
            self.deliver(users)

    def _add(self, data: bytes) -> None:
        if self.closing or not data:
            return
        if self._messages:
            self._seal()
        self._parts.append(data)
        size = len(data)
        self._bytes += size
        if size > self._send_queue_bytes // 2:
            self._largest = max(size, self._largest)
        self.want_flush()

    def _seal(self) -> None:
        """Encode the messages that stand before something else."""
        data = self._encoded_messages()
        self._parts.append(data)
        self._bytes += len(data)

    def _encoded_messages(self) -> bytes:
        messages, self._messages = self._messages, []
        self._written = messages[-1].id
        if self.json:
            return json.encode_messages(messages)
        if self.files_due:
            self.files_due = False
            messages = [self.linked(message) if message.file else message for message in messages]
        return plain.encode_messages(messages)

    def _confirm_written(self) -> None:
        if self._transport.unconfirmed_bytes() == 0:
            self._confirmed = self._written
