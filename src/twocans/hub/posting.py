"""Messages from the moment in which somebody says them to that in which others hear them.

They are checked, numbered and handed to the storage together, as they came; when it has them they are
acknowledged and delivered, or their sender is told what has become of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from twocans.hub.account import Account, is_exposed
from twocans.hub.address_quota import MAX_WAITING_BYTES, AddressQuota, AddressUsage
from twocans.hub.limits import Limits
from twocans.hub.queries import SERVER_KEY, not_registered
from twocans.hub.roster import Roster
from twocans.hub.session import Session
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import Ack, Error, Message, Notice, Send
from twocans.protocol.names import SERVER_NAME, NameInvalid, UserKey, user_key
from twocans.storage.base import (
    NOTHING_STORED,
    Batch,
    Conflict,
    Failed,
    Known,
    NoRoom,
    NoSuchFile,
    Storage,
    Stored,
    Unstored,
    without,
)

FULL: Final = (
    "The server's disk is full, so the message was not sent. Please tell the person who runs the server."
)
TOO_MANY_STORED: Final = (
    "You have reached the limit of stored messages, so this one was not sent."
    " Please tell the person who runs the server."
)
TOO_MUCH_STORED: Final = (
    "Your stored messages take up all the space that one person can have, so this one was not sent."
    " Please tell the person who runs the server."
)
TOO_MUCH_FROM_ADDRESS: Final = (
    "Your address has sent more than the server stores for now, so this message was not sent."
    " Please try again later."
)
COUNT_INTERVAL_NS: Final = 60_000_000_000
"""How long after the stored messages were counted they are counted again, in nanoseconds."""
NOT_BROUGHT: Final = "The file is not on the server, so the message was not sent. Please send the file again."
MAX_TOLD_AWAY: Final = 1000
"""Of how many absences a plain sender's connection remembers to have told; of more, the oldest are told again."""
FAILED: Final = "The server could not store the message, so it was not sent. Please try again later."


class Statistics(Struct, kw_only=True):
    """Counts since the start."""

    messages: int = 0
    registrations: int = 0
    refusals: int = 0


class Posting:
    """Takes messages in and sees to it that they arrive.

    Args:
        storage: the message log.
        roster: who is known and online.
        server: the account in whose name the server itself speaks.
        limits: how long a text may be.
        keeps_history: whether messages wait for people who are away.
        monotonic_s: a clock that does not go back, in seconds.
        wall_ns: the time, in Unix nanoseconds.
        statistics: where messages are counted.
    """

    def __init__(
        self,
        storage: Storage,
        roster: Roster,
        *,
        server: Account,
        limits: Limits,
        keeps_history: bool,
        monotonic_s: Callable[[], float],
        wall_ns: Callable[[], int],
        statistics: Statistics,
    ) -> None:
        self._storage = storage
        self._roster = roster
        self._server = server
        self._keeps_history = keeps_history
        self._wall_ns = wall_ns
        self._statistics = statistics
        self._max_text_bytes = limits.max_text_bytes
        # A character has one to four bytes: only long texts have to be encoded to be measured.
        self._surely_short = limits.max_text_bytes // 4
        # What is not kept needs no bound.
        self._max_stored = (keeps_history and limits.stored_messages_per_sender) or sys.maxsize
        self._max_stored_bytes = (keeps_history and limits.stored_bytes_per_sender) or sys.maxsize
        self._addresses = AddressQuota(
            max_bytes=limits.stored_bytes_per_address if keeps_history else 0,
            room=lambda: storage.room,
            monotonic_s=monotonic_s,
        )
        self._unbounded = AddressUsage(0.0)
        self._newest = storage.new_ids(0) - 1
        self._count_again_ns = 0

    def post(self, session: Session, sends: Sequence[Send]) -> None:
        """Accept messages: they are stored, then acknowledged and delivered, or refused each for itself.

        Raises:
            ProtocolError: nobody is registered here.
        """
        sender = session.account
        if sender is None:
            raise not_registered(sends[0].cid)
        usage = session.usage or self._usage_of(session)
        # Most batches are one message, for which a list would cost more than the rest of this.
        size = sends[0].text.__sizeof__() if len(sends) == 1 else _text_bytes(sends)
        if (
            size > usage.credit
            or sender.stored + len(sends) > self._max_stored
            or sender.stored_bytes + size > self._max_stored_bytes
        ):
            sends = self._those_with_room(session, sender, usage, sends)
            size = _text_bytes(sends)
        messages: list[Message] = []
        recipients: list[Account] = []
        id_ = self._storage.new_ids(len(sends))
        at = self._wall_ns() // 1_000_000
        name, spelled, surely_short = sender.name, self._roster.spelled, self._surely_short
        for send in sends:
            text = send.text
            recipient = spelled.get(send.to)
            if recipient is None or not text or text.isspace() or len(text) > surely_short:
                try:
                    recipient = self._look_closer(send)
                except ProtocolError as error:
                    session.deliver(error.frame())
                    continue
            if not (recipient.sessions or self._keeps_history):
                session.deliver(_not_online(recipient, send.cid))
                continue
            messages.append(Message(id_, at, name, recipient.name, text, send.cid))
            recipients.append(recipient)
            id_ += 1
        if messages:
            count = len(messages)
            if count < len(sends):
                size = _text_bytes(messages)
            # As in `_append`, whose call is saved here: most batches are one message.
            sender.stored += count
            sender.stored_bytes += size
            usage.credit -= size
            usage.waiting += size
            self._storage.append(
                Batch(sender, recipients, messages, size),
                partial(self._stored, session, usage, sender, recipients),
            )

    def _append(
        self,
        session: Session | None,
        usage: AddressUsage,
        batch: Batch,
        sender: Account,
        recipients: Sequence[Account],
    ) -> None:
        size = batch.text_bytes
        sender.stored += len(batch.messages)
        sender.stored_bytes += size
        usage.credit -= size
        usage.waiting += size
        self._storage.append(batch, partial(self._stored, session, usage, sender, recipients))

    def _usage_of(self, session: Session) -> AddressUsage:
        usage = session.usage = self._addresses.usage_of(session.host)
        return usage

    def post_file(self, session: Session, send: Send) -> None:
        """Accept a message that carries a file; whether its sender has that file is the storage's to say.

        Raises:
            ProtocolError: it is not accepted; the sentence says why.
        """
        sender = session.account
        if sender is None:
            raise not_registered(send.cid)
        usage = session.usage or self._usage_of(session)
        if not self._those_with_room(session, sender, usage, (send,)):
            return
        recipient = self._look_closer(send)
        id_, at = self._storage.new_ids(1), self._wall_ns() // 1_000_000
        message = Message(id_, at, sender.name, recipient.name, send.text, send.cid, send.file)
        batch = Batch(sender, [recipient], [message], _text_bytes((send,)), files=True)
        self._append(session, usage, batch, sender, [recipient])

    def _those_with_room(
        self, session: Session, sender: Account, usage: AddressUsage, sends: Sequence[Send]
    ) -> Sequence[Send]:
        """As many messages as may still be stored of their sender and address; the sender is told of the others."""
        count = size = 0
        refusal = ""
        for send in sends:
            size += send.text.__sizeof__()
            if sender.stored + count >= self._max_stored:
                refusal = TOO_MANY_STORED
            elif sender.stored_bytes + size > self._max_stored_bytes:
                refusal = TOO_MUCH_STORED
            elif size > usage.credit and not self._addresses.grant(usage, size):
                refusal = FULL if self._addresses.is_disk_full else TOO_MUCH_FROM_ADDRESS
            if refusal:
                break
            count += 1
        for send in sends[count:]:
            self._refuse(session, sender, usage, send, refusal)
        if refusal and self._wall_ns() >= self._count_again_ns:
            # Messages whose time is over may have made room.
            self.count()
        return sends[:count]

    def _refuse(
        self, session: Session, sender: Account, usage: AddressUsage, send: Send, refusal: str
    ) -> None:
        """Tell the sender that there is no room for a message, unless it is stored already and only its ACK was lost."""
        code = Code.INTERNAL if refusal is FULL else Code.RATE_LIMITED
        error = Error(code=code, text=refusal, cid=send.cid or None)
        size = send.text.__sizeof__()
        recipient = self._roster.spelled.get(send.to)
        if not send.cid or recipient is None or usage.waiting + size > MAX_WAITING_BYTES:
            session.deliver(error)
            return
        id_, at = self._storage.new_ids(1), self._wall_ns() // 1_000_000
        message = Message(id_, at, sender.name, recipient.name, send.text, send.cid, send.file)
        usage.waiting += size

        def looked_up(batch: Batch, unstored: Mapping[int, Unstored]) -> None:
            usage.waiting -= batch.text_bytes
            if session.account is None:
                return
            if isinstance(unstored[0], NoRoom):
                session.deliver(error)
            else:
                _tell_unstored(session, batch.messages, unstored)

        self._storage.append(Batch(sender, [recipient], [message], size, repeats_only=True), looked_up)

    def count(self) -> None:
        """Find out how many messages of everybody there are; what comes meanwhile is counted beside it."""
        self._count_again_ns = self._wall_ns() + COUNT_INTERVAL_NS
        before = {account: (account.stored, account.stored_bytes) for account in self._roster.known.values()}

        def counted(counts: Mapping[UserKey, Stored] | None) -> None:
            if counts is None:
                return
            for account in self._roster.known.values():
                stored = counts.get(account.key, NOTHING_STORED)
                messages, text_bytes = before.get(account, (0, 0))
                account.stored += stored.messages - messages
                account.stored_bytes += stored.text_bytes - text_bytes

        self._storage.count_stored(self._newest, counted)

    def announce(self, text: str) -> int:
        """Send a message from `Server` to everybody online.

        Returns:
            To how many people.
        """
        people = self._roster.online()
        first, at = self._storage.new_ids(len(people)), self._wall_ns() // 1_000_000
        messages = [
            Message(id_, at, SERVER_NAME, account.name, text, "") for id_, account in enumerate(people, first)
        ]
        if messages:
            batch = Batch(self._server, people, messages, _text_bytes(messages))
            self._addresses.promised += batch.text_bytes
            self._append(None, self._unbounded, batch, self._server, people)
        return len(people)

    def _look_closer(self, send: Send) -> Account:
        """Check a message that is not plainly right.

        Returns:
            Whom it is for.

        Raises:
            ProtocolError: it is not accepted; the sentence says why.
        """
        text, cid = send.text, send.cid
        if not text or text.isspace():
            raise ProtocolError(Code.EMPTY, "That message is empty, so it was not sent.", cid=cid)
        limit = self._max_text_bytes
        if len(text.encode()) > limit:
            raise ProtocolError(
                Code.TOO_LONG,
                f"That message is too long: at most {limit} bytes fit into one. Please send it in parts.",
                cid=cid,
            )
        return self.recipient(send.to, cid)

    def recipient(self, to: str, cid: str | None) -> Account:
        """Whom somebody writes to.

        Raises:
            ProtocolError: nobody is called so.
        """
        try:
            key = user_key(to)
        except NameInvalid:
            raise ProtocolError(Code.NO_SUCH_USER, "There is nobody by that name here.", cid=cid) from None
        if key == SERVER_KEY:
            raise ProtocolError(Code.NO_SUCH_USER, "The server does not read messages.", cid=cid)
        account = self._roster.get(key)
        if account is None:
            raise ProtocolError(Code.NO_SUCH_USER, f"There is nobody called {to} here.", cid=cid)
        self._roster.remember_spelling(to, account)
        return account

    def _stored(
        self,
        session: Session | None,
        usage: AddressUsage,
        sender: Account,
        recipients: Sequence[Account],
        batch: Batch,
        unstored: Mapping[int, Unstored],
    ) -> None:
        """A batch of messages is in the log: acknowledge and deliver them."""
        messages = batch.messages
        if session is not None and session.account is None:
            session = None
        self._newest = messages[-1].id
        usage.waiting -= batch.text_bytes
        if unstored:
            size = _text_bytes([messages[place] for place in unstored])
            sender.stored -= len(unstored)
            sender.stored_bytes -= size
            usage.credit += size
            self._addresses.promised += size
            if session is not None:
                _tell_unstored(session, messages, unstored)
            messages, recipients = without(unstored, messages), without(unstored, recipients)
            if not messages:
                return
        self._statistics.messages += len(messages)
        if batch.files:
            _announce_files([sender, *recipients])
        if session is not None:
            if session.plain:
                _tell_waiting(session, recipients)
            else:
                _acknowledge(session, messages)
        sender.last = messages[-1].id
        to_self = False
        version = sender.joined_version
        for message, recipient in zip(messages, recipients):  # noqa: B905 - there is one for each; strict costs time
            recipient.last = id_ = message.id
            if recipient is sender:
                to_self = True
                continue
            recipient.unconfirmed[sender] = id_
            for reader in recipient.sessions:
                if reader.live and id_ > reader.cursor:
                    # Whoever writes to somebody is known to be there by then.
                    if version > reader.seen_version:
                        self._roster.catch_up(reader)
                    reader.deliver_message(message)
        if to_self or len(sender.sessions) > 1:
            _deliver_to_own(sender, session, messages, recipients)


def _text_bytes(messages: Sequence[Send] | Sequence[Message]) -> int:
    """Return the room that texts take, about; to encode them would take as long as everything else here."""
    return sum([message.text.__sizeof__() for message in messages])


def _announce_files(accounts: Sequence[Account]) -> None:
    for account in accounts:
        for reader in account.sessions:
            reader.files_due = True


def _not_online(recipient: Account, cid: str) -> Error:
    return Error(code=Code.NOT_ONLINE, text=f"{recipient.name} is not online.", cid=cid or None)


def _acknowledge(session: Session, messages: Sequence[Message]) -> None:
    if not session.live:
        session.acked = session.acked.union([message.id for message in messages])
    session.acknowledge(messages)


def _deliver_to_own(
    sender: Account, session: Session | None, messages: Sequence[Message], recipients: Sequence[Account]
) -> None:
    """Deliver to the sender's devices, but the one that sent them, what it has sent; to a plain one, to itself."""
    for reader in sender.sessions:
        if not reader.live or (reader is session and not reader.plain):
            continue
        for message, recipient in zip(messages, recipients, strict=True):
            if message.id > reader.cursor and (recipient is sender or not reader.plain):
                reader.deliver_message(message)


def _tell_waiting(session: Session, recipients: Sequence[Account]) -> None:
    """Tell a plain sender whose messages wait for somebody, and whose can be read on their way."""
    for recipient in recipients:
        if not recipient.sessions:
            _tell_away(session, recipient)
        elif session.encrypted and recipient.key not in session.warned and is_exposed(recipient):
            session.warned |= {recipient.key}
            session.deliver(Notice(_exposed(recipient)))


def _tell_away(session: Session, recipient: Account) -> None:
    """Tell a plain sender that somebody is away, once in each absence."""
    told = session.told_away
    if told is None:
        told = session.told_away = {}
    if told.get(recipient) == recipient.joined_version:
        return
    told[recipient] = recipient.joined_version
    if len(told) > MAX_TOLD_AWAY:
        del told[next(iter(told))]
    session.deliver(Notice(f"{recipient.name} is not online. Your message waits for them."))


def _exposed(account: Account) -> str:
    """What those are told who write to somebody on a connection that is not encrypted."""
    return f"{account.name}'s connection is not encrypted: others on the network can read what you write each other."


def _tell_unstored(session: Session, messages: Sequence[Message], unstored: Mapping[int, Unstored]) -> None:
    """Tell a sender what has become of messages that are not stored now."""
    for place, outcome in unstored.items():
        cid = messages[place].cid
        match outcome:
            case Known():
                session.deliver(Ack(cid=cid, id=outcome.id, at=outcome.at))
            case Conflict():
                session.deliver(
                    Error(
                        code=Code.CONFLICT,
                        text="Another message was sent under the same id before, so this one was not sent.",
                        cid=cid,
                    )
                )
            case NoSuchFile():
                session.deliver(Error(code=Code.NO_SUCH_FILE, text=NOT_BROUGHT, cid=cid))
            case Failed(full=full):
                session.deliver(Error(code=Code.INTERNAL, text=FULL if full else FAILED, cid=cid or None))
