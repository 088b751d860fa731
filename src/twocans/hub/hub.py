"""The hub: registers people, keeps their marks, and has all that the server knows together.

It has no sockets, no clock of its own and no lock: everything happens on one thread, in calls that return at
once. Sessions and the storage are its two ways out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

from twocans.hub import resumed_marks
from twocans.hub.access import Access
from twocans.hub.account import Account
from twocans.hub.admission import Admission, Admitted, Claim
from twocans.hub.backlog import Backlog
from twocans.hub.bans import Bans, sentence
from twocans.hub.files import Files
from twocans.hub.limits import MAX_TYPING, TYPING_INTERVAL_S, Limits
from twocans.hub.owners import Owners
from twocans.hub.passwords import Passwords
from twocans.hub.posting import Posting, Statistics
from twocans.hub.queries import SERVER_KEY, Queries, account_of
from twocans.hub.roster import CallLater, Roster
from twocans.hub.session import Reason, Session
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Hello,
    LimitsInForce,
    Read,
    ReadMark,
    SetStatus,
    TypingFrom,
    Welcome,
)
from twocans.protocol.names import SERVER_NAME, NameInvalid, UserKey, user_key
from twocans.protocol.typed import Typed
from twocans.storage.base import AccountRecord, Storage
from twocans.storage.files import FileKeeper
from twocans.storage.identities import BanKind, Identities, OnKept


class EventLog(Protocol):
    """Where the hub says what happens: an event's name, and its fields."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Log one event."""
        ...


class HubEnvironment(Struct, frozen=True, kw_only=True):
    """What the hub needs of the world, passed in so that tests can choose it."""

    monotonic_s: Callable[[], float]
    wall_ns: Callable[[], int]
    call_later: CallLater
    log: EventLog


class Hub:
    """One server's people and messages.

    Args:
        storage: the message log.
        identities: whose names are whose, and who is banned.
        files: what is kept of files; None if none are taken.
        name: how the server calls itself in WELCOME.
        limits: what is enforced.
        keeps_history: whether messages wait for people who are away.
        invite: what newcomers have to know; None lets everybody in.
        passwords: makes and checks hashes.
        environment: clock, timers and log.
    """

    def __init__(
        self,
        storage: Storage,
        identities: Identities,
        *,
        name: str,
        limits: Limits,
        keeps_history: bool,
        invite: str | None,
        passwords: Passwords,
        environment: HubEnvironment,
        files: FileKeeper | None = None,
    ) -> None:
        self.limits = limits
        self.statistics = Statistics()
        self.roster = Roster(
            monotonic_s=environment.monotonic_s,
            call_later=environment.call_later,
            delay_s=limits.list_delay_s,
            list_bytes_per_s=limits.list_bytes_per_s,
        )
        self._storage = storage
        self._name = name
        self._environment = environment
        self._backlog = Backlog(storage, self.roster, limits)
        self.queries = Queries(storage, self.roster, limits=limits)
        self._server = Account(SERVER_KEY, SERVER_NAME)
        self.posting = Posting(
            storage,
            self.roster,
            server=self._server,
            limits=limits,
            keeps_history=keeps_history,
            monotonic_s=environment.monotonic_s,
            wall_ns=environment.wall_ns,
            statistics=self.statistics,
        )
        self._remember(list(storage.accounts()))
        storage.add_account(SERVER_KEY, SERVER_NAME)
        self.posting.count()
        self.bans = Bans(identities, wall_ms=self._wall_ms)
        self.access = Access(self.bans, self.roster, identities.generations())
        self.files = Files(
            files,
            self.posting,
            self.access,
            max_bytes=limits.max_file_bytes,
            wall_s=lambda: environment.wall_ns() / 1e9,
        )
        self.owners = Owners(
            identities,
            self.roster,
            self.access,
            passwords=passwords,
            monotonic_s=environment.monotonic_s,
            wall_ms=self._wall_ms,
            log=environment.log,
        )
        for owned in identities.owned():
            self.owners.remember(owned)
        self._admission = Admission(
            storage,
            self.roster,
            self.owners,
            self.access,
            limits=limits,
            invite=invite,
            monotonic_s=environment.monotonic_s,
        )
        self._in_force = LimitsInForce(
            line_bytes=limits.max_line_bytes,
            text_bytes=limits.max_text_bytes,
            rate=limits.rate_per_s,
            burst=limits.rate_per_s * limits.burst_s,
            file_bytes=self.files.max_bytes,
        )

    # --- coming and going --------------------------------------------------------------------------------

    def register_plain(self, session: Session, name: str, secret: str | None = None) -> None:
        """Let a plain client in under a name, now or later; `secret` is the password or the invite.

        Raises:
            ProtocolError: the name is refused; the session may try another.
        """
        session.plain = True

        def admit(admitted: Admitted) -> None:
            account = admitted.account
            self._join(session, admitted)
            self.roster.catch_up(session)
            self._backlog.start(session, account, after=account.handed, resumes=False)

        self._admission.claim(session, Claim(name=name, secret=secret), admit)

    def register_json(self, session: Session, hello: Hello) -> None:
        """Let a JSON client in, or back in, now or later.

        Raises:
            ProtocolError: the name, or the cursor, is refused; the session may try another.
        """
        if hello.after and hello.log is None:
            # Without it the device would start afresh, and miss what others of the account have got meanwhile.
            raise ProtocolError(Code.BAD_REQUEST, "HELLO has `after` without the `log` that it belongs to.")
        session.plain = False
        session.status = hello.status
        claim = Claim(
            name=hello.user,
            token=hello.token,
            secret=hello.secret,
            invite=hello.invite,
            device=hello.device or hello.agent,
            program=True,
        )
        self._admission.claim(session, claim, lambda admitted: self._welcome(session, hello, admitted))

    def _welcome(self, session: Session, hello: Hello, admitted: Admitted) -> None:
        account, device = admitted.account, admitted.device
        self._join(session, admitted)
        resumes = hello.after == 0 or (hello.after is not None and hello.log == self._storage.log)
        after = self._cursor(account, hello.after) if resumes else account.handed
        session.deliver(
            Welcome(
                user=account.name,
                server=self._name,
                log=self._storage.log,
                last=account.last,
                users=self.roster.names(),
                token=admitted.token,
                limits=self._in_force,
                after=after,
                device=None if device is None else device.id,
                # Whoever can be overheard anyway need not know of the others.
                unencrypted=self.roster.exposed() if session.encrypted else (),
                statuses=self.roster.statuses(),
            )
        )
        if resumes:
            self._confirm(account, after)
        self._backlog.start(session, account, after=after, resumes=resumes)

    def _cursor(self, account: Account, after: int | None) -> int:
        """Return the id after which a device goes on that has got everything up to `after`."""
        if after is None or after >= self._storage.new_ids(0):
            # No message has had that id yet, so nothing shows what the device has got.
            return account.delivered
        return min(after, account.last)

    def leave(self, session: Session, reason: Reason) -> None:
        """A session has ended, for whatever reason; called once."""
        self._admission.forget(session)
        account = session.account
        if account is None:
            self._environment.log("never_registered", address=session.address, reason=reason.value)
            return
        session.account = None
        # Before anything that may fail: nobody is shown as online who is not.
        gone = self.roster.leave(account, session)
        self.owners.saw(session)
        if session.plain and session.handed_upto() > account.handed:
            self._hand(account, session.handed_upto())
        self._environment.log(
            "session_closed", user=account.name, address=session.address, reason=reason.value, gone=gone
        )
        if gone:
            self._environment.log(
                "user_left",
                user=account.name,
                address=session.address,
                reason=reason.value,
                online=len(self.roster),
            )

    def is_known(self, name: str) -> bool:
        """True if somebody has registered under this name."""
        return self.roster.get(user_key(name)) is not None

    def refused(self, session: Session, name: str | None, typed: Typed, error: ProtocolError) -> None:
        """Count and log a refused login.

        Args:
            session: whose it is.
            name: what was given as a name; None for a line that was not understood.
            typed: the same as it may be logged: it may be a password, so only names that are known here are repeated.
            error: why; its text may repeat the peer where the line was not understood.
        """
        self.statistics.refusals += 1
        self._environment.log(
            "name_refused",
            name="" if name is None else self._known_spelling(name, error),
            kind=typed.kind.value,
            length=typed.length,
            code=error.code.value,
            text="" if name is None else error.text,
            address=session.address,
        )

    def _known_spelling(self, name: str, error: ProtocolError) -> str:
        """Return a name that everybody knows already; "" for one that nobody has."""
        if error.code is Code.NAME_RESERVED:
            return SERVER_NAME if name.casefold() == SERVER_KEY else ""
        try:
            account = self.roster.get(user_key(name))
        except NameInvalid:
            return ""
        return "" if account is None else account.name

    def _remember(self, records: Sequence[AccountRecord]) -> None:
        accounts = {SERVER_KEY: self._server}
        for record in records:
            if record.key != SERVER_KEY:
                accounts[record.key] = self.roster.create(record.key, record.name)
        for record in records:
            account = accounts[record.key]
            account.last = record.last
            account.delivered = record.delivered
            account.handed = max(record.handed, record.delivered)
            account.read = dict(sorted(record.read.items(), key=lambda mark: mark[1]))
            account.unconfirmed = {
                accounts[key]: newest for key, newest in record.inbound.items() if newest > record.delivered
            }
        resumed_marks.restore(records, accounts)

    def _join(self, session: Session, admitted: Admitted) -> None:
        account = session.account = admitted.account
        session.device = admitted.device
        session.credential, session.method = admitted.credential, admitted.method
        session.admitted()
        session.since_ms = self._environment.wall_ns() // 1_000_000
        self.statistics.registrations += 1
        first = self.roster.join(account, session)
        self._environment.log(
            "user_registered",
            user=account.name,
            address=session.address,
            dialect="plain" if session.plain else "json",
            encrypted=session.encrypted,
        )
        if first:
            self._environment.log(
                "user_joined", user=account.name, address=session.address, online=len(self.roster)
            )

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
        peer = self.queries.peer(request.peer, None)
        upto = min(request.id, account.last)
        moved = upto > account.read.get(peer, 0)
        if moved:
            resumed_marks.note_read(account, peer, upto)
            self._storage.mark_read(account.key, peer, upto)
            self._tell_own(session, account, peer, upto)
        told = self._confirm(account, upto)
        sender = self.roster.get(peer)
        if moved and sender is not None and sender is not account and sender not in told:
            _tell_receipt(sender, account)

    def _tell_own(self, session: Session, account: Account, peer: UserKey, upto: int) -> None:
        """What is read on one device is read on all."""
        if len(account.sessions) < 2:
            return
        mark = ReadMark(peer=self.roster.name_of(peer), id=upto)
        for other in account.sessions:
            if other is not session and not other.plain:
                other.deliver(mark)

    def _confirm(self, account: Account, upto: int) -> Collection[Account]:
        """Move the mark of what is delivered; whoever sent something up to it is told and returned."""
        upto = min(upto, account.last)
        if upto <= account.delivered:
            return ()
        account.delivered = upto
        self._hand(account, upto)
        unconfirmed = account.unconfirmed
        for sender in unconfirmed:
            _tell_receipt(sender, account)
        account.unconfirmed = {sender: newest for sender, newest in unconfirmed.items() if newest > upto}
        return unconfirmed.keys()

    def _hand(self, account: Account, upto: int) -> None:
        account.handed = max(account.handed, upto)
        self._storage.mark_delivered(account.key, delivered=account.delivered, handed=account.handed)

    def typing(self, session: Session, to: str) -> None:
        """Pass on that somebody is typing, to each recipient at most once in three seconds."""
        account = account_of(session)
        recipient = self.posting.recipient(to, None)
        now = self._environment.monotonic_s()
        passed_on = {key: at for key, at in (session.typing or {}).items() if now - at < TYPING_INTERVAL_S}
        if recipient.key in passed_on or len(passed_on) >= MAX_TYPING:
            return
        session.typing = passed_on | {recipient.key: now}
        notice = TypingFrom(account.name)
        for other in recipient.sessions:
            if not other.plain and other is not session:
                self.roster.catch_up(other)
                other.deliver(notice)

    def set_status(self, session: Session, request: SetStatus) -> None:
        """Somebody at a device is away, back, or does not want to be disturbed."""
        self.roster.set_status(account_of(session), session, request.status)

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
        account.tokens = ()
        for session in list(account.sessions):
            session.end(Reason.KICKED, text)
        return True

    def ban(self, kind: BanKind, value: str, why: str, on_kept: OnKept) -> int:
        """Ban a name, a device or an address, and end the sessions, connections and transfers that this concerns.

        Args:
            kind, value, why: see `Bans.add`.
            on_kept: told whether it will outlive this process.

        Returns:
            How many sessions that was.

        Raises:
            ValueError: there are as many bans as there may be.
        """
        self.bans.add(kind, value, why, on_kept)
        ended = 0
        for account in self.roster.online():
            for session in list(account.sessions):
                ban = self.access.ban_of_session(session)
                if ban is not None:
                    session.end(Reason.BANNED, sentence(ban))
                    ended += 1
        self.access.banned()
        return ended

    def _wall_ms(self) -> int:
        return self._environment.wall_ns() // 1_000_000


def _tell_receipt(sender: Account, reader: Account) -> None:
    resumed_marks.note_reader(sender, reader)
    for session in sender.sessions:
        if not session.plain:
            session.deliver_receipt(sender, reader)
