"""Decides who is let in under which name.

A name that nobody has bound is anybody's while it is free. The first program that registers it over an encrypted
connection binds it; from then on it takes a token, a code that another device has shown, or the password.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from twocans.hub.access import Access
from twocans.hub.account import Account
from twocans.hub.bans import sentence
from twocans.hub.guesses import Guesses
from twocans.hub.limits import Limits, Quota
from twocans.hub.owners import (
    BUSY,
    MAX_DEVICES,
    UNKEPT,
    Owners,
    is_token,
    new_token,
    token_digest,
)
from twocans.hub.ownership import Device
from twocans.hub.passwords import password_print
from twocans.hub.roster import Roster
from twocans.hub.session import Session
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.logins import LoginMethod
from twocans.protocol.names import NameInvalid, UserKey, is_confusable_with_address_or_key, new_user_key
from twocans.protocol.reserved_names import is_command_word
from twocans.storage.base import Storage

ENDED_MEANWHILE: Final = (
    "This name has just been freed, or this device was removed from it. Please log in again."
)
NEW_NAMES_WINDOW_S: Final = 3600.0
LAST_SHARE: Final = 10
"""Once only this fraction of the names that there may be is left, each address gets one of them within the window."""


class Claim(Struct, frozen=True, kw_only=True):
    """What somebody says who wants in. Only programs keep a token, so only they can bind a name."""

    name: str
    token: str | None = None
    secret: str | None = None
    invite: str | None = None
    device: str = ""
    program: bool = False


class Admitted(Struct, frozen=True):
    """Who has been let in: whose account it is, on which device if the name is bound to one, and the token.

    `credential` and `method` are as in `Session`.
    """

    account: Account
    device: Device | None
    token: str
    credential: int | None
    method: LoginMethod


OnAdmitted = Callable[[Admitted], None]


class Admission:
    """Lets people in.

    Args:
        storage: is told of newcomers.
        roster: who is known and online.
        owners: whose names are whose.
        access: who may not come in.
        limits: how many may, and how often they may guess.
        invite: what newcomers have to know; None lets everybody in.
        monotonic_s: a clock that does not go back, in seconds.
    """

    def __init__(
        self,
        storage: Storage,
        roster: Roster,
        owners: Owners,
        access: Access,
        *,
        limits: Limits,
        invite: str | None,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._storage = storage
        self._roster = roster
        self._owners = owners
        self._access = access
        self._limits = limits
        self._invite = invite
        self._guesses = Guesses(limits, monotonic_s)
        self._new_names = Quota(
            limits.new_names_per_address, window_s=NEW_NAMES_WINDOW_S, monotonic_s=monotonic_s
        )
        self._last_names = Quota(
            1 if limits.new_names_per_address else 0, window_s=NEW_NAMES_WINDOW_S, monotonic_s=monotonic_s
        )
        self._deciding: set[Session] = set()

    def claim(self, session: Session, claim: Claim, admit: OnAdmitted) -> None:
        """Let somebody in, by calling `admit`, now or later; if later, `session.asking` is true until then.

        Raises:
            ProtocolError: they are not let in. If that turns out later, `session.turned_away` is called.
        """
        key = new_user_key(claim.name)
        if self._roster.session_count >= self._limits.max_connections:
            raise ProtocolError(Code.SERVER_FULL, "This server is full. Please try again later.")
        # A ban may be newer than the connection.
        ban = self._access.ban_of(key, token_digest(claim.token) if claim.token else None, session.host)
        if ban is not None:
            raise ProtocolError(Code.BANNED, sentence(ban))
        account = self._roster.get(key)
        if account is not None and account.owner is not None:
            self._claim_bound(session, account, claim, admit)
        else:
            self._claim_free(session, key, account, claim, admit)

    def forget(self, session: Session) -> None:
        """A session ends: what is being decided about it no longer matters to it."""
        self._deciding.discard(session)

    # --- names that are bound ----------------------------------------------------------------------------

    def _claim_bound(self, session: Session, account: Account, claim: Claim, admit: OnAdmitted) -> None:
        if not session.encrypted:
            raise ProtocolError(
                Code.NAME_TAKEN,
                f"{account.name} is taken. Please choose another name. If it is yours, it takes an encrypted"
                " connection: the Twocans client, or ncat --ssl.",
                needs="tls",
            )
        owner = account.owner
        if claim.token and owner is not None:
            device = owner.devices.get(token_digest(claim.token))
            if device is not None:
                admit(Admitted(account, device, claim.token, device.id, LoginMethod.DEVICE))
                return
        if claim.secret is None and _is_cut_off(account, claim):
            raise ProtocolError(
                Code.REVOKED,
                f"This device no longer has the name {account.name}: it was signed out, or another device removed it."
                " A code from another device, or the password, lets it in again.",
                needs="secret",
            )
        if claim.secret is None:
            how = (
                "log in with a code from one of its devices, or with its password"
                if claim.program
                else "write its password after it"
            )
            raise ProtocolError(
                Code.NAME_TAKEN,
                f"{account.name} is taken. Please choose another name. If it is yours, {how}, or ask the person who"
                " runs the server.",
                needs="secret",
            )
        self._check_secret(session, account, claim, claim.secret, admit)

    def _check_secret(
        self, session: Session, account: Account, claim: Claim, secret: str, admit: OnAdmitted
    ) -> None:
        # A code is bounded by itself, so wrong passwords from elsewhere, or before it was given, do not keep it out.
        if claim.program and self._takes_code(session, account, secret):
            self._add_device(session, account, claim, LoginMethod.CODE, admit)
            return

        self._guesses.begin_password(session.host, account.key)

        def checked(right: bool | None) -> None:
            if right is None:
                self._guesses.forgive_password(session.host, account.key)
                self._turn_away(session, ProtocolError(Code.RATE_LIMITED, BUSY, needs="secret"))
            elif not right:
                self._turn_away(session, _wrong_secret(account, claim))
            elif session in self._deciding:
                self._guesses.forgive_password(session.host, account.key)
                if claim.program:
                    self._add_device(session, account, claim, LoginMethod.PASSWORD, admit)
                else:
                    admitted = Admitted(account, None, "", _print_of(account), LoginMethod.PASSWORD)
                    self._let_in(session, admitted, admit)

        self._decide_later(session)
        self._owners.check_password(account, secret, session.host, checked)

    def _takes_code(self, session: Session, account: Account, secret: str) -> bool:
        code = self._owners.code_of(account)
        if code is None or self._access.ban_of(account.key, code.asked_by, session.host) is not None:
            return False
        return self._owners.takes_code(account, secret, session.host)

    # --- names that are free -----------------------------------------------------------------------------

    def _claim_free(
        self, session: Session, key: UserKey, account: Account | None, claim: Claim, admit: OnAdmitted
    ) -> None:
        again = bool(account is not None and claim.token and token_digest(claim.token) in account.tokens)
        if account is not None and account.sessions and not again:
            raise ProtocolError(
                Code.NAME_TAKEN,
                f"{account.name} is taken: somebody with that name is here. Please choose another.",
            )
        if account is None:
            self._look_alike(key, claim.name)
        if self._invite is not None and not again:
            self._check_invite(session, claim, self._invite)
        elif claim.secret is not None and not claim.program:
            # The name is not repeated: it may be half of a password, and this goes into the log.
            raise ProtocolError(
                Code.AUTH_FAILED, "That name has no password here. Please write the name alone."
            )
        if account is None:
            account = self._newcomer(session, key, claim.name)
        if claim.program and session.encrypted:
            self._add_device(session, account, claim, LoginMethod.DEVICE, admit)
            return
        token = claim.token
        if token is None or not again:
            # Nobody else may come back by a token of whoever had the name before.
            token = new_token() if claim.program else ""
            account.tokens = (token_digest(token),) if token else ()
        admit(Admitted(account, None, token, None, LoginMethod.NAME))

    def _look_alike(self, key: UserKey, name: str) -> None:
        if is_command_word(name):
            raise ProtocolError(
                Code.NAME_RESERVED,
                f"{name} is a command here, so it cannot be a name. Please choose another.",
            )
        if is_confusable_with_address_or_key(key):
            raise NameInvalid(
                "That name looks like a network address or the key of a device. Please choose another, for example "
                "one without digits."
            )
        other = self._roster.lookalike(name)
        if other is not None:
            raise ProtocolError(
                Code.NAME_TAKEN,
                f"That name looks just like {other.name}, who is known here. Please choose another.",
            )

    def _check_invite(self, session: Session, claim: Claim, invite: str) -> None:
        if not session.encrypted:
            raise ProtocolError(
                Code.AUTH_REQUIRED,
                "This server asks newcomers for an invite, and takes it over encrypted connections only: use the"
                " Twocans client, or ncat --ssl.",
                needs="tls",
            )
        given = claim.invite if claim.program else claim.secret
        if given is None:
            how = "Type" if claim.program else "Write your name, a space, and"
            raise ProtocolError(
                Code.AUTH_REQUIRED,
                f"This server asks newcomers for an invite. {how} the code that whoever runs it has given you.",
                needs="invite",
            )
        self._guesses.begin_invite(session.host)
        if not hmac.compare_digest(token_digest(given.strip()), token_digest(invite)):
            self._guesses.count_invite(session.host)
            raise ProtocolError(
                Code.AUTH_FAILED,
                "Wrong invite. Ask the person who runs the server.",
                needs="invite",
            )

    def _newcomer(self, session: Session, key: UserKey, name: str) -> Account:
        host = session.host
        left = self._limits.max_accounts - len(self._roster.known)
        # Names that are kept for good are never forgotten, so a few hundred addresses could leave none for others.
        are_last = left <= self._limits.max_accounts // LAST_SHARE
        if self._new_names.is_used_up(host) or (
            are_last and left > 0 and self._last_names.is_used_up(host) and not self._roster.forget_one()
        ):
            raise ProtocolError(
                Code.RATE_LIMITED,
                "Too many new names have come from your address. Please use one of them, or wait an hour.",
            )
        if left <= 0 and not self._roster.forget_one():
            raise ProtocolError(Code.SERVER_FULL, "This server has reached its limit of users.")
        self._new_names.count(host)
        if are_last:
            self._last_names.count(host)
        self._storage.add_account(key, name)
        return self._roster.create(key, name)

    # --- deciding later ----------------------------------------------------------------------------------

    def _add_device(
        self, session: Session, account: Account, claim: Claim, method: LoginMethod, admit: OnAdmitted
    ) -> None:
        self._decide_later(session)
        if account.owner is not None and len(account.owner.devices) >= MAX_DEVICES:
            text = f"{account.name} has {MAX_DEVICES} devices. Cut one off on another device first."
            self._turn_away(session, ProtocolError(Code.RATE_LIMITED, text))
            return
        # Somebody else may have a token that was cut off.
        keeps = claim.token and is_token(claim.token) and not _is_cut_off(account, claim)
        token = claim.token if claim.token and keeps else new_token()

        def added(device: Device | None) -> None:
            nonlocal token
            if device is None and token == claim.token:
                # Another name may have it, which the client is not told: it gets one of the server's own.
                token = new_token()
                self._owners.add_device(account, token, claim.device, added, address=session.address)
            elif device is None:
                self._turn_away(session, ProtocolError(Code.INTERNAL, UNKEPT))
            else:
                self._let_in(session, Admitted(account, device, token, device.id, method), admit)

        self._owners.add_device(account, token, claim.device, added, address=session.address)

    def _decide_later(self, session: Session) -> None:
        session.asking = True
        self._deciding.add(session)

    def _let_in(self, session: Session, admitted: Admitted, admit: OnAdmitted) -> None:
        """Let somebody in about whom it was decided later, unless they are gone or that counts no more by now."""
        if session not in self._deciding:
            return
        name, device = admitted.account.key, admitted.device
        ban = self._access.ban_of(name, None if device is None else device.token, session.host)
        if ban is not None:
            self._turn_away(session, ProtocolError(Code.BANNED, sentence(ban)))
            return
        if self._access.has_ended(name, admitted.credential):
            self._turn_away(session, ProtocolError(Code.AUTH_FAILED, ENDED_MEANWHILE, needs="secret"))
            return
        self._decided(session)
        admit(admitted)
        session.answered()

    def _decided(self, session: Session) -> None:
        self._deciding.discard(session)
        session.asking = False

    def _turn_away(self, session: Session, error: ProtocolError) -> None:
        if session in self._deciding:
            self._decided(session)
            session.turned_away(error)


def _is_cut_off(account: Account, claim: Claim) -> bool:
    return bool(
        account.owner is not None and claim.token and token_digest(claim.token) in account.owner.cut_off
    )


def _print_of(account: Account) -> int | None:
    password = None if account.owner is None else account.owner.password
    return None if password is None else password_print(password)


def _wrong_secret(account: Account, claim: Claim) -> ProtocolError:
    if claim.program:
        text = f"That is not a code or the password of {account.name}. A code works once, for ten minutes."
    else:
        text = f"That is not the password of {account.name}."
    return ProtocolError(Code.AUTH_FAILED, text, needs="secret")
