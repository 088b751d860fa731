"""The hub: registers people, accepts their messages, and decides who gets what.

It has no sockets, no clock of its own and no lock: everything happens on one thread, in calls that return at
once. Sessions and the storage are its two ways out.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Final, Protocol, cast

from msgspec import Struct

from twocans.hub.backlog import Backlog
from twocans.hub.limits import TYPING_INTERVAL_S, Limits
from twocans.hub.looking_back import SERVER_KEY, LookingBack, account_of, not_registered, receipt
from twocans.hub.roster import Account, CallLater, Roster
from twocans.hub.session import Reason, Session
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Ack,
    Error,
    Hello,
    LimitsInForce,
    Message,
    Notice,
    Read,
    TypingFrom,
    Welcome,
)
from twocans.protocol.names import SERVER_NAME, NameInvalid, UserKey, new_user_key, user_key
from twocans.protocol.text import has_control
from twocans.storage.base import AccountRecord, Conflict, Draft, Failed, Outcome, Storage, Stored

TOKEN_BYTES: Final = 32


class EventLog(Protocol):
    """Where the hub says what happens: an event's name, and its fields."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Log one event."""
        ...


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the hub needs of the world, passed in so that tests can choose it."""

    monotonic_s: Callable[[], float]
    wall_ms: Callable[[], int]
    call_later: CallLater
    log: EventLog
    new_cid: Callable[[], str]


class Statistics(Struct, kw_only=True):
    """Counts since the start."""

    messages: int = 0
    registrations: int = 0
    refusals: int = 0


class Hub:
    """One server's people and messages.

    Args:
        storage: the message log.
        name: how the server calls itself in WELCOME.
        limits: what is enforced.
        keeps_history: whether messages wait for people who are away.
        surroundings: clock, timers, log and randomness.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        name: str,
        limits: Limits,
        keeps_history: bool,
        surroundings: Surroundings,
    ) -> None:
        self.limits = limits
        self.statistics = Statistics()
        self.roster = Roster(call_later=surroundings.call_later, list_delay_s=limits.list_delay_s)
        self._keeps_history = keeps_history
        self._storage = storage
        self._name = name
        self._around = surroundings
        self._backlog = Backlog(storage, limits)
        self.looking_back = LookingBack(storage, self.roster, limits=limits)
        for record in storage.accounts():
            self._remember(record)
        storage.add_account(SERVER_KEY, SERVER_NAME)
        self._in_force = LimitsInForce(
            line_bytes=limits.max_line_bytes,
            text_bytes=limits.max_text_bytes,
            rate=limits.rate_per_s,
            burst=limits.rate_per_s * limits.burst_s,
        )

    # --- coming and going --------------------------------------------------------------------------------

    def register_plain(self, session: Session, name: str) -> None:
        """Let a plain client in under a name.

        Raises:
            ProtocolError: the name is refused; the session may try another.
        """
        account = self._claim(name, token=None)
        session.plain = True
        # Nobody else may come back by a token of whoever had the name before.
        account.tokens.clear()
        self._join(account, session)
        self.roster.send_list(session)
        self._backlog.start(session, account, after=account.handed, own=False)

    def register_json(self, session: Session, hello: Hello) -> None:
        """Let a JSON client in, or back in.

        Raises:
            ProtocolError: the name is refused; the session may try another.
        """
        account = self._claim(hello.user, token=hello.token)
        session.plain = False
        token = hello.token
        if token is None or _hash(token) not in account.tokens:
            token = secrets.token_hex(TOKEN_BYTES)
            account.tokens = {_hash(token)}
        self._join(account, session)
        session.deliver(
            Welcome(
                user=account.name,
                server=self._name,
                log=self._storage.log,
                last=account.last,
                users=self.roster.names(),
                token=token,
                limits=self._in_force,
            )
        )
        if hello.after is not None and hello.log == self._storage.log:
            after = min(hello.after, account.last)
            self._confirm(account, after)
            self._backlog.start(session, account, after=after, own=True)
        else:
            self._backlog.start(session, account, after=account.handed, own=False)

    def leave(self, session: Session, reason: Reason) -> None:
        """A session has ended, for whatever reason; called once."""
        account = session.account
        if account is None:
            self._around.log("never_registered", address=session.address, reason=reason.value)
            return
        session.account = None
        if session.plain and session.handed_upto() > account.handed:
            self._hand(account, session.handed_upto())
        gone = self.roster.leave(account, session)
        self._around.log(
            "session_closed", user=account.name, address=session.address, reason=reason.value, gone=gone
        )
        if gone:
            self._around.log("user_left", user=account.name, reason=reason.value, online=len(self.roster))

    def refused(self, session: Session, name: str, error: ProtocolError) -> None:
        """Count and log a refused name."""
        self.statistics.refusals += 1
        self._around.log(
            "name_refused", name=name[:64], code=error.code.value, text=error.text, address=session.address
        )

    def _claim(self, name: str, *, token: str | None) -> Account:
        key = new_user_key(name)
        if self.roster.session_count >= self.limits.max_connections:
            raise ProtocolError(Code.SERVER_FULL, "This server is full. Please try again later.")
        account = self.roster.get(key)
        if account is None:
            other = self.roster.lookalike(name)
            if other is not None:
                raise ProtocolError(
                    Code.NAME_TAKEN,
                    f"That name looks just like {other.name}, who is known here. Please choose another.",
                )
            if len(self.roster.known) >= self.limits.max_accounts and not self.roster.forget_one():
                raise ProtocolError(Code.SERVER_FULL, "This server knows as many people as it can.")
            self._storage.add_account(key, name)
            return self.roster.create(key, name)
        if account.sessions and (token is None or _hash(token) not in account.tokens):
            raise ProtocolError(
                Code.NAME_TAKEN,
                f"{account.name} is taken: somebody with that name is here. Please choose another.",
            )
        return account

    def _remember(self, record: AccountRecord) -> None:
        if record.key == SERVER_KEY:
            return
        account = self.roster.create(record.key, record.name)
        account.last = record.last
        account.delivered = record.delivered
        account.handed = max(record.handed, record.delivered)
        account.read = dict(record.read)
        account.unconfirmed = dict(record.inbound)

    def _join(self, account: Account, session: Session) -> None:
        session.account = account
        session.since_ms = self._around.wall_ms()
        self.statistics.registrations += 1
        first = self.roster.join(account, session)
        self._around.log(
            "user_registered",
            user=account.name,
            address=session.address,
            dialect="plain" if session.plain else "json",
        )
        if first:
            self._around.log("user_joined", user=account.name, online=len(self.roster))

    # --- messages ----------------------------------------------------------------------------------------

    def post(self, session: Session, to: str, text: str, cid: str | None) -> None:
        """Accept a message: it is stored, then acknowledged and delivered.

        Args:
            session: who sends it.
            to: the recipient's name.
            text: what it says.
            cid: the client's id; None lets the hub choose one.

        Raises:
            ProtocolError: it is not accepted; the sentence says why.
        """
        sender = session.account
        if sender is None:
            raise not_registered(cid)
        self._check_text(text, cid)
        if cid is not None and not cid.isprintable():
            raise ProtocolError(Code.BAD_REQUEST, "That message's cid contains control characters.")
        recipient = self._recipient(to, cid)
        if not self._keeps_history and not recipient.sessions:
            raise ProtocolError(Code.NOT_ONLINE, f"{recipient.name} is not online.", cid=cid)
        draft = Draft(
            sender=sender.key,
            recipient=recipient.key,
            sender_name=sender.name,
            recipient_name=recipient.name,
            text=text,
            cid=self._around.new_cid() if cid is None else cid,
            at=self._around.wall_ms(),
            origin=session,
        )
        self._storage.append(draft, self._stored)

    def announce(self, text: str) -> int:
        """Send a message from `Server` to everybody online.

        Returns:
            To how many people.
        """
        people = list(self.roster.online())
        for account in people:
            draft = Draft(
                sender=SERVER_KEY,
                recipient=account.key,
                sender_name=SERVER_NAME,
                recipient_name=account.name,
                text=text,
                cid=self._around.new_cid(),
                at=self._around.wall_ms(),
                origin=None,
            )
            self._storage.append(draft, self._stored)
        return len(people)

    def _check_text(self, text: str, cid: str | None) -> None:
        if not text or text.isspace():
            raise ProtocolError(Code.EMPTY, "That message is empty, so it was not sent.", cid=cid)
        # A character has one to four bytes: only long texts have to be encoded to be measured.
        limit = self.limits.max_text_bytes
        if len(text) * 4 > limit and len(text.encode()) > limit:
            raise ProtocolError(
                Code.TOO_LONG,
                f"That message is too long: at most {limit} bytes fit into one. Please send it in parts.",
                cid=cid,
            )
        if has_control(text):
            raise ProtocolError(
                Code.BAD_REQUEST, "That message contains control characters, so it was not sent.", cid=cid
            )

    def _recipient(self, to: str, cid: str | None) -> Account:
        try:
            key = user_key(to)
        except NameInvalid:
            raise ProtocolError(Code.NO_SUCH_USER, "There is nobody by that name here.", cid=cid) from None
        if key == SERVER_KEY:
            raise ProtocolError(Code.NO_SUCH_USER, "The server does not read messages.", cid=cid)
        account = self.roster.get(key)
        if account is None:
            raise ProtocolError(Code.NO_SUCH_USER, f"There is nobody called {to} here.", cid=cid)
        return account

    def _stored(self, draft: Draft, outcome: Outcome) -> None:
        session = cast("Session | None", draft.origin)
        if not isinstance(outcome, Stored):
            if session is not None and session.account is not None:
                session.deliver(_not_stored(outcome, draft.cid))
            return
        message = outcome.message
        if not outcome.first:
            if session is not None and session.account is not None:
                session.deliver(Ack(cid=message.cid, id=message.id, at=message.at))
            return
        self.statistics.messages += 1
        recipient = self.roster.get(draft.recipient)
        sender = self.roster.get(draft.sender)
        if session is not None and session.account is not None:
            self._acknowledge(session, message, recipient)
        if sender is not None:
            sender.last = message.id
        if recipient is not None:
            recipient.last = message.id
            if sender is not recipient:
                recipient.unconfirmed[draft.sender] = message.id
            for other in recipient.sessions:
                if other.live and message.id > other.cursor and (other is not session or other.plain):
                    self._deliver(other, message, sender)
        if sender is not None and sender is not recipient:
            for other in sender.sessions:
                if other.live and message.id > other.cursor and other is not session and not other.plain:
                    other.deliver_message(message)

    def _acknowledge(self, session: Session, message: Message, recipient: Account | None) -> None:
        if session.plain:
            if recipient is not None and not recipient.sessions:
                session.deliver(Notice(f"{recipient.name} is not online. Your message waits for them."))
            return
        if not session.live:
            session.acked.add(message.id)
        session.deliver(Ack(cid=message.cid, id=message.id, at=message.at))

    def _deliver(self, session: Session, message: Message, sender: Account | None) -> None:
        # Whoever writes to a plain client stands in the list that it has seen.
        if session.plain and sender is not None and sender.joined_version > session.seen_version:
            self.roster.send_list(session)
        session.deliver_message(message)

    # --- marks -------------------------------------------------------------------------------------------

    def got(self, session: Session, upto: int) -> None:
        """Everything up to the id is safe on a device."""
        self._confirm(account_of(session), upto)

    def read(self, session: Session, request: Read) -> None:
        """Everything from a peer up to the id has been read.

        Raises:
            ProtocolError: there is no such peer.
        """
        account = account_of(session)
        peer = self.looking_back.peer(request.peer, None)
        upto = min(request.id, account.last)
        moved = upto > account.read.get(peer, 0)
        if moved:
            account.read[peer] = upto
            self._storage.mark_read(account.key, peer, upto)
        told = self._confirm(account, upto)
        sender = self.roster.get(peer)
        if moved and peer not in told and sender is not None and sender is not account:
            self._send_receipt(sender, account)

    def _confirm(self, account: Account, upto: int) -> set[UserKey]:
        """Move the mark of what is delivered; whoever sent something up to it is told and returned."""
        upto = min(upto, account.last)
        told: set[UserKey] = set()
        if upto <= account.delivered:
            return told
        account.delivered = upto
        self._hand(account, upto)
        for key, newest in list(account.unconfirmed.items()):
            if newest <= upto:
                del account.unconfirmed[key]
            sender = self.roster.get(key)
            if sender is not None:
                self._send_receipt(sender, account)
                told.add(key)
        return told

    def _hand(self, account: Account, upto: int) -> None:
        account.handed = max(account.handed, upto)
        self._storage.mark_delivered(account.key, delivered=account.delivered, handed=account.handed)

    def _send_receipt(self, sender: Account, reader: Account) -> None:
        marks = receipt(sender, reader)
        for session in sender.sessions:
            if not session.plain:
                session.deliver(marks)

    def typing(self, session: Session, to: str) -> None:
        """Pass on that somebody is writing, at most once in three seconds; people who are away miss nothing."""
        account = account_of(session)
        recipient = self._recipient(to, None)
        now = self._around.monotonic_s()
        last_to, last_at = session.typing
        if last_to == recipient.key and now - last_at < TYPING_INTERVAL_S:
            return
        session.typing = (recipient.key, now)
        notice = TypingFrom(account.name)
        for other in recipient.sessions:
            if not other.plain and other is not session:
                other.deliver(notice)

    # --- the operator ------------------------------------------------------------------------------------

    def kick(self, name: str, why: str) -> bool:
        """End all sessions of a user.

        Returns:
            Whether there was one.
        """
        try:
            account = self.roster.get(user_key(name))
        except NameInvalid:
            return False
        if account is None or not account.sessions:
            return False
        text = "The operator has ended your session" + (f": {why}" if why else ".")
        account.tokens.clear()
        for session in list(account.sessions):
            session.end(Reason.KICKED, text)
        return True


def _not_stored(outcome: Conflict | Failed, cid: str) -> Error:
    match outcome:
        case Conflict():
            return Error(
                code=Code.CONFLICT,
                text="Another message was sent under the same id before, so this one was not sent.",
                cid=cid,
            )
        case Failed(full=True):
            text = (
                "The server's disk is full, so the message was not sent. Please tell whoever runs the server."
            )
        case Failed():
            text = "The server could not store the message, so it was not sent. Please try again later."
    return Error(code=Code.INTERNAL, text=text, cid=cid)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
