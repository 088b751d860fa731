"""Whose names are whose: the devices of a name, codes for further ones, and passwords.

Who is let in is decided by `admission`; what lasts is kept by `Identities`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

from twocans.hub.access import Access
from twocans.hub.account import Account
from twocans.hub.codes import CODE_BYTES, CODE_S, PairingCode
from twocans.hub.ownership import Device, Ownership
from twocans.hub.passwords import MIN_PASSWORD_CHARS, Passwords, prepared
from twocans.hub.roster import Roster
from twocans.hub.session import Reason, Session
from twocans.hub.sessions import sessions_of
from twocans.protocol import messages
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.keys import as_typed, grouped, readable
from twocans.protocol.logins import LoginMethod
from twocans.protocol.messages import (
    CodeQuery,
    DeviceCode,
    Devices,
    DevicesQuery,
    Error,
    Revoke,
    SetPassword,
    SignOut,
)
from twocans.storage.identities import CutOff, DeviceRecord, Identities, OnKept, OwnedName

TOKEN_BYTES: Final = 32
MAX_DEVICES: Final = 50
DEVICE_ID_BITS: Final = 48
DEVICE_KEY_CHARS: Final = 8
BUSY: Final = "The server is busy checking passwords. Please try again in a moment."
UNKEPT: Final = "The change could not be saved. Please try again later."
CUT_OFF: Final = "Another of your devices removed this one."
SIGNED_OUT: Final = (
    "This device is signed out. A code from another device, or the password, lets it in again."
)
LOGGED_OUT: Final = "The password of this name was changed or removed. Please log in again."
NOW_BOUND: Final = (
    "This name belongs to a device now, so logging in needs an encrypted connection, and a code or the password. If that is not"
    " you, ask the person who runs the server."
)
FREED: Final = "The operator has freed this name. The next person who registers it gets it."


class Owners:
    """Keeps the devices, codes and passwords of names.

    Args:
        identities: where they last.
        roster: who is known.
        access: told when a credential has ended, and its sessions with it.
        passwords: makes and checks hashes.
        monotonic_s: a clock that does not go back, in seconds.
        wall_ms: the time, in Unix milliseconds.
        log: is told what changes.
    """

    def __init__(
        self,
        identities: Identities,
        roster: Roster,
        access: Access,
        *,
        passwords: Passwords,
        monotonic_s: Callable[[], float],
        wall_ms: Callable[[], int],
        log: Callable[..., None],
    ) -> None:
        self._log = log
        self._identities = identities
        self._roster = roster
        self._access = access
        self._passwords = passwords
        self._monotonic_s = monotonic_s
        self._wall_ms = wall_ms

    def remember(self, owned: OwnedName) -> None:
        """A name has been bound in an earlier time."""
        account = self._roster.get(owned.key) or self._roster.create(owned.key, owned.name)
        owner = account.owner = Ownership(owned.password)
        for record in owned.devices:
            owner.devices[record.token] = Device(record)
        owner.cut_off = dict.fromkeys(owned.cut_off)

    # --- letting in --------------------------------------------------------------------------------------

    def add_device(
        self,
        account: Account,
        token: str,
        name: str,
        on_added: Callable[[Device | None], None],
        *,
        address: str,
    ) -> None:
        """Bind a name to a device, from this moment on; it is told when that will last, or None if it will not.

        Once it lasts, the sessions end that were let in by the name alone. `address` is where the device is, for the log.
        """
        binds = account.owner is None
        owner = account.owner = account.owner or Ownership()
        now = self._wall_ms()
        device_id = secrets.randbits(DEVICE_ID_BITS)
        record = DeviceRecord(device_id, token_digest(token), harmless_name(name), now, now)
        device = owner.devices[record.token] = Device(record)

        def kept(is_kept: bool) -> None:
            if not is_kept:
                owner.devices.pop(device.token, None)
                if not owner.devices and owner.password is None and account.owner is owner:
                    account.owner = None
            else:
                self._log_device("device_added", account, device, address)
            on_added(device if is_kept else None)
            if is_kept and binds and account.owner is owner:
                self._end_sessions_without_credential(account)

        self._identities.add_device(account.key, account.name, record, kept)

    def takes_code(self, account: Account, typed: str, host: str) -> bool:
        """Use the code of the name up, if somebody at an address has typed it; a wrong one counts."""
        owner, code = account.owner, self.code_of(account)
        if owner is None or code is None or not code.fits(token_digest(as_typed(typed)), host):
            return False
        owner.code = None
        return True

    def code_of(self, account: Account) -> PairingCode | None:
        """Return the code of the name that is good just now."""
        owner = account.owner
        if owner is not None and owner.code is not None and self._monotonic_s() >= owner.code.until_s:
            owner.code = None
        return None if owner is None else owner.code

    def check_password(
        self, account: Account, typed: str, host: str, on_checked: Callable[[bool | None], None]
    ) -> None:
        """Whether it is the password of the name; None if too many wait for an answer, also from that host."""
        hashed = _password_of(account)
        password = prepared(typed)
        if hashed is None or password is None:
            on_checked(False)
            return

        def checked(right: bool | None) -> None:
            # Another one may have been set meanwhile.
            on_checked(right and _password_of(account) == hashed)

        self._passwords.check(hashed, password, host, checked)

    def saw(self, session: Session) -> None:
        """A session of a device ends."""
        device = session.device
        if device is not None:
            device.seen = self._wall_ms()
            self._identities.saw_device(device.id, device.seen)

    # --- what the owner asks for -------------------------------------------------------------------------

    def show(self, session: Session, query: DevicesQuery) -> None:
        """Answer with the devices of the name.

        Raises:
            ProtocolError: the session is not one of them.
        """
        account, _ = _owned_by(session, query.rid)
        session.deliver(self._devices(session, account, query.rid))

    def give_code(self, session: Session, query: CodeQuery) -> None:
        """Answer with a code for one more device; the one before is worth nothing any more.

        Raises:
            ProtocolError: the session is no device of the name, or there are too many of them.
        """
        account, owner = _owned_by(session, query.rid)
        if len(owner.devices) >= MAX_DEVICES:
            raise ProtocolError(
                Code.RATE_LIMITED,
                f"You have {MAX_DEVICES} devices, which is as many as there may be. Cut one off first.",
                rid=query.rid,
            )
        code = self.new_code(account, asked_by=session.device)
        session.deliver(DeviceCode(rid=query.rid, code=code, valid_s=CODE_S))

    def new_code(self, account: Account, *, asked_by: Device | None = None) -> str:
        """A code that lets one device in under a bound name, once, within `CODE_S` seconds.

        Args:
            account: whose name it is.
            asked_by: the device that asks for it; None for the operator.
        """
        if account.owner is None:
            raise KeyError(account.key)
        code = readable(secrets.token_bytes(CODE_BYTES))
        account.owner.code = PairingCode(
            token_digest(code),
            self._monotonic_s() + CODE_S,
            asked_by=None if asked_by is None else asked_by.token,
        )
        return grouped(code)

    def revoke(self, session: Session, request: Revoke) -> None:
        """Cut another device off; answered with the devices that are left.

        The password goes with it, since that device may have set it or come in by it.

        Raises:
            ProtocolError: the session is no device of the name, or there is no such other device.
        """
        account, owner = _owned_by(session, request.rid)
        device = next((one for one in owner.devices.values() if one.id == request.device), None)
        if device is None or device is session.device:
            text = (
                "There is no such device. Ask for the list again."
                if device is None
                else "REVOKE removes other devices. To sign this one out, use SIGNOUT."
            )
            raise ProtocolError(Code.BAD_REQUEST, text, rid=request.rid)
        owner.remove(device)
        # Nothing that the device may know must bring it back.
        password, owner.password, owner.code = owner.password, None, None

        def kept(is_kept: bool) -> None:
            if is_kept:
                self._log_device("device_cut_off", account, device, session.address)
                _answer(session, self._devices(session, account, request.rid))
            else:
                owner.restore(device)
                owner.password = owner.password or password
                _answer(session, _unkept(request.rid))

        session.asking = True
        for other in [one for one in account.sessions if one.device is device]:
            other.end(Reason.REVOKED, CUT_OFF)
        self._end_password_sessions(account)
        self._access.changed()
        self._identities.cut_off(account.key, self._cut(device), kept, with_password=True)

    def sign_out(self, session: Session, request: SignOut) -> None:
        """Take the name from the device of the session itself, which is told, and all its sessions end.

        The password stays, and so does a code that another device may be about to use.

        Raises:
            ProtocolError: the session is no device of the name, or nothing would be left to log in by.
        """
        account, owner = _owned_by(session, request.rid)
        device = session.device
        if device is None or not _is_device(session, account, owner):
            raise ProtocolError(Code.BAD_REQUEST, "This device is being signed out already.", rid=request.rid)
        if len(owner.devices) == 1 and owner.password is None:
            raise ProtocolError(Code.LAST_DEVICE, _only_device(account), rid=request.rid)
        owner.remove(device)

        def kept(is_kept: bool) -> None:
            if not is_kept:
                owner.restore(device)
                _answer(session, _unkept(request.rid))
                return
            self._log_device("device_cut_off", account, device, session.address)
            session.asking = False
            if session.account is not None:
                session.deliver(self._devices(session, account, request.rid))
            for one in [other for other in account.sessions if other.device is device]:
                one.end(Reason.SIGNED_OUT, SIGNED_OUT)
            self._access.changed()

        session.asking = True
        self._identities.cut_off(account.key, self._cut(device), kept, with_password=False)

    def set_password(self, session: Session, request: SetPassword) -> None:
        """Set, change or take away the password; answered with the devices.

        Raises:
            ProtocolError: the session is no device of the name, or the password cannot be one.
        """
        account, owner = _owned_by(session, request.rid)
        password = None
        if request.password is not None:
            password = prepared(request.password)
            if password is None or len(password) < MIN_PASSWORD_CHARS:
                raise ProtocolError(
                    Code.BAD_REQUEST,
                    f"A password has at least {MIN_PASSWORD_CHARS} letters, digits or other signs.",
                    rid=request.rid,
                )

        def hashed(value: str | None) -> None:
            if value is None and password is not None:
                _answer(session, Error(code=Code.RATE_LIMITED, text=BUSY, rid=request.rid))
                return

            if not _is_device(session, account, owner):
                # It has been cut off meanwhile, or the name was freed: its last wish must not outlive it.
                _answer(session, _unkept(request.rid))
                return

            def kept(is_kept: bool) -> None:
                if is_kept and _is_device(session, account, owner):
                    owner.password = value
                    self._end_password_sessions(account)
                    self._access.changed()
                    self._log(
                        "password_changed",
                        user=account.name,
                        set=value is not None,
                        address=session.address,
                    )
                    _answer(session, self._devices(session, account, request.rid))
                else:
                    _answer(session, _unkept(request.rid))

            self._identities.set_password(account.key, value, kept)

        session.asking = True
        if password is None:
            hashed(None)
        else:
            self._passwords.hash(password, session.host, hashed)

    # --- what the operator asks for ----------------------------------------------------------------------

    def free(self, account: Account, on_kept: OnKept) -> None:
        """Let anybody take a name that was bound; its sessions end."""
        owner, account.owner = account.owner, None
        generation = self._access.next_generation(account.key)

        def kept(is_kept: bool) -> None:
            if not is_kept and account.owner is None:
                account.owner = owner
            on_kept(is_kept)

        for session in list(account.sessions):
            session.end(Reason.REVOKED, FREED)
        self._access.changed()
        self._identities.free(account.key, generation, kept)

    # --- inside ------------------------------------------------------------------------------------------

    def _cut(self, device: Device) -> CutOff:
        return CutOff(device.id, device.token, self._wall_ms())

    def _log_device(self, event: str, account: Account, device: Device, address: str) -> None:
        key = device_key(device.token)
        self._log(event, user=account.name, device=device.name, key=key, address=address)

    def _end_sessions_without_credential(self, account: Account) -> None:
        """End the sessions of the time before a name was bound: no device could cut them off."""
        for one in [session for session in account.sessions if session.credential is None]:
            one.end(Reason.REVOKED, NOW_BOUND)
        self._access.changed()

    def _end_password_sessions(self, account: Account) -> None:
        """End the sessions that came in by a password that is none any more; a device has a token of its own."""
        for one in list(account.sessions):
            if one.method is LoginMethod.PASSWORD and one.device is None:
                one.end(Reason.REVOKED, LOGGED_OUT)

    def _devices(self, session: Session, account: Account, rid: int | str) -> Devices:
        owner = account.owner or Ownership()
        here = {one.device for one in account.sessions}
        now = self._wall_ms()
        devices = [
            messages.Device(
                id=device.id,
                name=device.name,
                created=device.created,
                seen=now if device in here else device.seen,
                online=device in here,
                this=device is session.device,
            )
            for device in owner.devices.values()
        ]
        return Devices(
            rid=rid,
            devices=devices,
            password=owner.password is not None,
            sessions=sessions_of(account, session),
            session_count=len(account.sessions),
        )


def token_digest(secret: str) -> bytes:
    """What is kept of a token or code: its SHA-256. Both are random, so nobody can try them all."""
    return hashlib.sha256(secret.encode()).digest()


def device_key(digest: bytes) -> str:
    """What the operator calls a device by: eight letters and digits of the digest of its token."""
    return grouped(readable(digest)[:DEVICE_KEY_CHARS])


def is_token(text: str) -> bool:
    """Whether it is a token such as the server itself makes: 256 bits as hexadecimal digits."""
    try:
        return len(text) == 2 * TOKEN_BYTES == 2 * len(bytes.fromhex(text))
    except ValueError:
        return False


def new_token() -> str:
    """A fresh token."""
    return secrets.token_hex(TOKEN_BYTES)


def harmless_name(name: str) -> str:
    """A device's name as its owner is shown it."""
    return "".join(char for char in name if char.isprintable()).strip()[:64] or "device"


def _owned_by(session: Session, rid: int | str) -> tuple[Account, Ownership]:
    account = session.account
    if account is None or account.owner is None or session.device is None:
        raise ProtocolError(
            Code.AUTH_REQUIRED,
            "This name is not bound to this device: that takes an encrypted connection.",
            rid=rid,
            needs="tls",
        )
    return account, account.owner


def _only_device(account: Account) -> str:
    return (
        f"This is the only device of {account.name}, and there is no password, so nobody could log in any more."
        " Set a password, or add another device, first."
    )


def _password_of(account: Account) -> str | None:
    return None if account.owner is None else account.owner.password


def _is_device(session: Session, account: Account, owner: Ownership) -> bool:
    """True if a session, which may have ended, is on a device that the name still has."""
    device = session.device
    return account.owner is owner and device is not None and owner.devices.get(device.token) is device


def _answer(session: Session, frame: messages.Frame) -> None:
    session.asking = False
    if session.account is not None:
        session.deliver(frame)
        session.answered()


def _unkept(rid: int | str) -> Error:
    return Error(code=Code.INTERNAL, text=UNKEPT, rid=rid)
