"""The devices that have one's name: the list, codes for further ones, cutting off, and the password.

Passwords pass through and are not kept here.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import (
    ChangePassword,
    CutOff,
    LoadDevices,
    MakeCode,
    SignOut,
)
from twocans.gui.viewmodel.inputs import (
    CodeMade,
    DevicesLoaded,
)
from twocans.gui.viewmodel.people import one_line, when
from twocans.gui.viewmodel.state import Clock, Part
from twocans.protocol.logins import LoginMethod, describe_login
from twocans.protocol.messages import Device, LoggedIn

REFRESH_S: Final = 5.0
"""How often the list is asked for while it is shown; nobody tells of its changes."""
MIN_PASSWORD_CHARS: Final = 8
MAX_PASSWORD_CHARS: Final = 256
CUT_OFF_NOTE: Final = (
    "Your password is removed too, since this device may know it. You can set a new one afterwards."
)
NOT_CONNECTED: Final = "You are offline. You can change this when you are connected again."
RULES: Final = f"At least {MIN_PASSWORD_CHARS} letters, digits or other signs."


class Page(Enum):
    """What the dialog shows."""

    CLOSED = "closed"
    LIST = "list"
    CUT_OFF = "cut_off"  # whether to cut a device off, or sign this one out
    CODE = "code"  # a code for a further one
    PASSWORD = "password"  # noqa: S105 - the form for it


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device, ready to show; `this` is the one that shows it. A session without a device has no `id`."""

    id: int | None
    name: str
    this: bool
    online: bool
    text: str


class MyDevices:
    """The dialog's state and intents.

    Args:
        changes: where changes are noted.
        clock: the time.
    """

    def __init__(self, changes: Changes, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self.page = Page.CLOSED
        self.connected = False
        self.loaded = False
        self.has_password = False
        self.busy = False
        """Whether an answer is waited for that changes the page."""
        self.problem = ""
        self.told = ""
        """What has been done, as a sentence."""
        self.chosen: DeviceRow | None = None
        """The device that is to be cut off, or this one, which is to be signed out, if that is wanted."""
        self.code = ""
        self.password_error = ""
        self.repeat_error = ""
        self._devices: tuple[Device, ...] = ()
        self._sessions: tuple[LoggedIn, ...] = ()
        self._code_until = 0.0
        self._refresh_at: float | None = None

    # --- what is on screen --------------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[DeviceRow, ...]:
        """The devices: this one first, then those that are online, then those that were here last.

        Sessions without a device, as plain clients have them, come last.
        """
        order = sorted(self._devices, key=lambda one: (not one.this, not one.online, -one.seen, one.id))
        others = [one for one in self._sessions if one.device is None]
        return (*(self._row(one) for one in order), *(self._session_row(one) for one in others))

    @property
    def offline(self) -> str:
        """What is told while there is no connection; "" while there is one."""
        return "" if self.connected else NOT_CONNECTED

    @property
    def password_goes(self) -> str:
        """What happens to the password when the chosen device is cut off; "" if nothing does."""
        signs_out = self.chosen is not None and self.chosen.this
        return CUT_OFF_NOTE if self.has_password and not signs_out else ""

    @property
    def waiting(self) -> bool:
        """Whether the list is still to come."""
        return self.connected and not self.loaded and not self.problem

    @property
    def code_left(self) -> str:
        """How long the code counts, as minutes and seconds; "" if it does not any more."""
        left = round(self._code_until - self._clock.monotonic())
        return f"{left // 60}:{left % 60:02}" if self.code and left > 0 else ""

    # --- intents ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Show the list."""
        self.problem = self.told = ""
        self._go(Page.LIST)
        self._load()

    def back(self) -> None:
        """To the list, or away from it."""
        if self.page in {Page.CLOSED, Page.LIST}:
            self.close()
        else:
            self.problem = ""
            self._go(Page.LIST)
            self._load()

    def close(self) -> None:
        """Show nothing of it any more; a code that was shown counts until its time is over."""
        self._devices, self._sessions, self.loaded, self.code = (), (), False, ""
        self._refresh_at = None
        self._go(Page.CLOSED)

    def choose(self, device: int) -> None:
        """Ask whether to cut a device off, or to sign this one out."""
        self.chosen = next((row for row in self.rows if row.id == device), None)
        if self.chosen is not None:
            self.problem = self.told = ""
            self._go(Page.CUT_OFF)

    def cut_off(self) -> None:
        """Cut the chosen device off; this one is signed out."""
        if self.chosen is not None and self.chosen.id is not None and self._may_ask():
            self.busy = True
            self._changes.do(SignOut() if self.chosen.this else CutOff(self.chosen.id))

    def add(self) -> None:
        """Show a code for a further device."""
        self.told, self.code = "", ""
        self._go(Page.CODE)
        self.new_code()

    def new_code(self) -> None:
        """A code in place of the last one, which counts no more then."""
        self.problem = ""
        if self._may_ask():
            self.busy = True
            self._changes.do(MakeCode())

    def edit_password(self) -> None:
        """Show the form for the password."""
        self.problem = self.told = self.password_error = self.repeat_error = ""
        self._go(Page.PASSWORD)

    def edited(self) -> None:
        """What was typed into the form has changed; what was said about it no longer holds."""
        if self.password_error or self.repeat_error:
            self.password_error = self.repeat_error = ""
            self._changes.draw(Part.DEVICES)

    def set_password(self, password: str, repeated: str) -> None:
        """Set or change the password."""
        self.problem = self.repeat_error = ""
        self.password_error = _wrong_password(password)
        if not self.password_error and password != repeated:
            self.repeat_error = "These are not the same. Please type the password again."
        self._changes.draw(Part.DEVICES)
        if not self.password_error and not self.repeat_error and self._may_ask():
            self.busy = True
            self._changes.do(ChangePassword(password))

    def take_password_away(self) -> None:
        """Have no password any more."""
        self.problem = self.password_error = self.repeat_error = ""
        if self._may_ask():
            self.busy = True
            self._changes.do(ChangePassword(None))

    # --- inputs -------------------------------------------------------------------------------------------

    def online(self) -> None:
        """There is a connection."""
        self.connected = True
        self.problem = ""
        if self.page is not Page.CLOSED:
            self._load()
            self._changes.draw(Part.DEVICES)

    def no_connection(self) -> None:
        """There is none; whatever was asked for will not be answered."""
        self.connected = self.busy = False
        self._changes.draw(Part.DEVICES)

    def taken(self, loaded: DevicesLoaded) -> None:
        """The list, or why there is none."""
        if self.page is Page.CLOSED:
            return
        self._plan()
        if not isinstance(loaded.asked, LoadDevices):
            self.busy = False
        self._changes.draw(Part.DEVICES)
        if isinstance(loaded.asked, SignOut) and loaded.devices is not None:
            # The connection ends in a moment, which shows the login.
            return
        if loaded.devices is None:
            if isinstance(loaded.asked, ChangePassword) and loaded.asked.password is not None:
                self.password_error = loaded.problem
            elif not self.busy:
                self.problem = loaded.problem
            return
        if isinstance(loaded.asked, LoadDevices) and self.page in {Page.LIST, Page.CODE}:
            self._greet_new(loaded.devices)
        self._devices, self._sessions = loaded.devices, loaded.sessions
        self.has_password, self.loaded = loaded.password, True
        match loaded.asked:
            case CutOff() if self.page is Page.CUT_OFF and self.chosen is not None:
                self.told = f"{self.chosen.name} was removed."
                self._go(Page.LIST)
            case ChangePassword(password) if self.page is Page.PASSWORD:
                self.told = "Your password is set." if password is not None else "You have no password now."
                self._go(Page.LIST)

    def made(self, made: CodeMade) -> None:
        """A code, or why there is none."""
        if self.page is not Page.CODE:
            return
        self.busy = False
        self.problem = made.problem
        self.code = made.code
        self._code_until = self._clock.monotonic() + made.valid_s
        self._changes.draw(Part.DEVICES)

    # --- time ---------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock.monotonic()
        if self.page is Page.CODE and self.code:
            if now >= self._code_until:
                self.code = ""
            self._changes.draw(Part.DEVICES)
        if self._refresh_at is not None and now >= self._refresh_at:
            self._load()

    @property
    def next_due(self) -> float | None:
        """When `tick` will have something to do, on the monotonic clock."""
        counting = self._clock.monotonic() + 0.5 if self.page is Page.CODE and self.code else None
        return min((one for one in (counting, self._refresh_at) if one is not None), default=None)

    # --- inside -------------------------------------------------------------------------------------------

    def _go(self, page: Page) -> None:
        self.page = page
        self.busy = False
        if page is not Page.CUT_OFF:
            self.chosen = None
        if page is not Page.CODE:
            self.code = ""
        self._changes.draw(Part.DEVICES)

    def _may_ask(self) -> bool:
        self._changes.draw(Part.DEVICES)
        return self.connected and not self.busy

    def _load(self) -> None:
        self._plan()
        if self.connected:
            self._changes.do(LoadDevices())

    def _plan(self) -> None:
        self._refresh_at = self._clock.monotonic() + REFRESH_S

    def _greet_new(self, devices: tuple[Device, ...]) -> None:
        """Tell of a device that has come since the list was taken last; the code has been used then."""
        known = {one.id for one in self._devices}
        new = next((one for one in devices if one.id not in known), None)
        if self.loaded and new is not None:
            self.told = f"{one_line(new.name)} has your name now, too."
            if self.page is Page.CODE:
                self._go(Page.LIST)

    def _row(self, device: Device) -> DeviceRow:
        now, local = self._clock.now_ms(), self._clock.local
        here = "online" if device.online else f"last here {_moment(when(device.seen, now, local))}"
        first = "this device" if device.this else here
        text = f"{first} · added {_moment(when(device.created, now, local))}"
        methods = {session.by for session in self._sessions if session.device == device.id}
        for method in sorted(methods & {LoginMethod.CODE.value, LoginMethod.PASSWORD.value}):
            text += f" · logged in {describe_login(method)}"
        return DeviceRow(device.id, one_line(device.name), device.this, device.online, text)

    def _session_row(self, session: LoggedIn) -> DeviceRow:
        method = describe_login(session.by)
        since = _moment(when(session.since, self._clock.now_ms(), self._clock.local))
        text = f"from {one_line(session.address)} · since {since}"
        if session.plain:
            text += " · plain text"
        if not session.encrypted:
            text += " · not encrypted"
        return DeviceRow(None, f"Logged in {method}".strip(), this=session.this, online=True, text=text)


def _moment(shown: str) -> str:
    """A time of the lists within a sentence."""
    return f"at {shown}" if ":" in shown else shown.replace("Yesterday", "yesterday")


def _wrong_password(password: str) -> str:
    # What the server counts are the characters after they have been composed (RFC 8265, section 4.2).
    if len(unicodedata.normalize("NFC", password)) < MIN_PASSWORD_CHARS:
        return f"That is too short. {RULES}"
    if len(password) > MAX_PASSWORD_CHARS:
        return f"That is too long: at most {MAX_PASSWORD_CHARS} letters, digits or other signs."
    return ""
