"""Moderation of one's own server: the pages for kicks, bans, codes, freed names and messages to everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import FollowPeople, OperateServer
from twocans.gui.viewmodel.inputs import ServerAnswered
from twocans.gui.viewmodel.operating_rows import (
    BanChoice,
    BanRow,
    PersonRow,
    ban_choices,
    ban_row,
    covers,
    device_line,
    name_choice,
    person_row,
    session_line,
)
from twocans.gui.viewmodel.state import Clock, Part
from twocans.protocol.names import key_of
from twocans.protocol.operator import (
    MAX_ANNOUNCEMENT_CHARS,
    MAX_REASON_CHARS,
    AddBan,
    BanEntry,
    BanList,
    BanTarget,
    CodeGiven,
    Command,
    DeviceList,
    Done,
    FreeName,
    GiveCode,
    Kick,
    LiftBan,
    ListBans,
    ListDevices,
    People,
    Person,
    Refused,
    Say,
)
from twocans.protocol.plurals import counted
from twocans.protocol.text import spelled_out, spelled_out_line

_MAX_TYPED_CHARS: Final = 128


class HostPage(Enum):
    """Which page of the window about one's own server is shown."""

    SERVER = "server"
    KICK = "kick"
    BAN = "ban"
    CODE = "code"
    FREE = "free"
    SAY = "say"
    BANS = "bans"
    NAME = "name"


@dataclass(slots=True)
class _State:
    """The pages' state, forgotten when the window about the server is closed."""

    page: HostPage = HostPage.SERVER
    back_to: HostPage = HostPage.SERVER
    people: tuple[Person, ...] = ()
    total: int = 0
    find: str = ""
    loaded: bool = False
    name: str = ""
    choices: tuple[BanChoice, ...] = ()
    choice: BanChoice | None = None
    bans: BanList | None = None
    ban_find: str = ""
    devices: DeviceList | None = None
    code: str = field(default="", repr=False)
    code_until_ms: int = 0
    told: str = ""
    problem: str = ""
    busy: int = 0


class Operating:
    """The pages, and the intents about them.

    Args:
        changes: where changes are noted.
        clock: the time.
        is_me: true for the user's own name, if they are connected to their own server.
        own_addresses: the addresses by which the server's computer is reached.
    """

    def __init__(
        self,
        changes: Changes,
        clock: Clock,
        *,
        is_me: Callable[[str], bool],
        own_addresses: Callable[[], tuple[str, ...]],
    ) -> None:
        self._changes = changes
        self._clock = clock
        self._is_me = is_me
        self._own_addresses = own_addresses
        self._is_open = False
        self._number = 0
        self._state = _State()

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def page(self) -> HostPage:
        """The page that is shown."""
        return self._state.page

    @property
    def told(self) -> str:
        """A sentence about what the last command did; "" if there is nothing to tell."""
        return self._state.told

    @property
    def problem(self) -> str:
        """Why the last command was not carried out; "" if nothing is wrong."""
        return self._state.problem

    @property
    def busy(self) -> bool:
        """True while an answer is awaited."""
        return self._state.busy > 0

    @property
    def loaded(self) -> bool:
        """True once it is known who is connected."""
        return self._state.loaded

    @property
    def people(self) -> tuple[PersonRow, ...]:
        """The people who are connected, in the order of registration."""
        return tuple(
            person_row(person, self._clock, is_me=self._is_me(person.name)) for person in self._state.people
        )

    @property
    def hidden_people(self) -> int:
        """The number of people who are connected and not listed."""
        return max(0, self._state.total - len(self._state.people))

    @property
    def find(self) -> str:
        """The part of a name that listed people have."""
        return self._state.find

    @property
    def name(self) -> str:
        """The person, or name, that the page is about."""
        return self._state.name

    @property
    def is_connected(self) -> bool:
        """True if the person that the page is about is among those who are listed as connected."""
        return self._person(self._state.name) is not None

    @property
    def choices(self) -> tuple[BanChoice, ...]:
        """The things about a person that can be banned; empty if it is to be typed."""
        return self._state.choices

    @property
    def choice(self) -> BanChoice | None:
        """The one of them that is chosen."""
        return self._state.choice

    @property
    def bans(self) -> tuple[BanRow, ...] | None:
        """The bans, the newest first; None while they are loaded."""
        bans = self._state.bans
        return None if bans is None else tuple(ban_row(entry, self._clock) for entry in bans.bans)

    @property
    def hidden_bans(self) -> int:
        """The number of bans that are not listed."""
        bans = self._state.bans
        return 0 if bans is None else max(0, bans.total - len(bans.bans))

    @property
    def ban_count(self) -> int:
        """The number of bans that fit the search, as far as is known."""
        return 0 if self._state.bans is None else self._state.bans.total

    @property
    def ban_find(self) -> str:
        """The part of names, addresses and keys that listed bans have."""
        return self._state.ban_find

    @property
    def devices(self) -> tuple[str, ...]:
        """A line for each device of the name that was looked up, then one for each of its sessions."""
        found = self._state.devices
        if found is None:
            return ()
        devices = [device_line(device, self._clock) for device in found.devices]
        sessions = [session_line(session, self._clock) for session in found.sessions]
        further = found.session_count - len(found.sessions)
        more = [f"and {counted(further, 'more connection')}"] if further > 0 else []
        return (*devices, *sessions, *more)

    @property
    def devices_text(self) -> str:
        """A sentence about the name that was looked up; "" if none was."""
        devices = self._state.devices
        if devices is None:
            return ""
        name, number = spelled_out_line(devices.name), len(devices.devices)
        if not number and not devices.password:
            return f"{name} belongs to no device: anybody may take the name while it is free."
        owned = counted(number, "device") if number else "no device"
        return f"{name} belongs to {owned}{' and has a password' if devices.password else ''}."

    @property
    def code(self) -> str:
        """The code that was given; "" if none was."""
        return self._state.code

    @property
    def code_until(self) -> str:
        """The end of its time, as people read it."""
        return f"{self._clock.local(self._state.code_until_ms):%H:%M}"

    def warning(self, target: BanTarget, value: str) -> str:
        """A warning that a ban would hit the host; "" if it would not."""
        if target is BanTarget.NAME and self._is_me(value):
            return "That is your own name: you would be shut out yourself."
        if target is BanTarget.ADDRESS and covers(value, ("127.0.0.1", *self._own_addresses())):
            return "This computer has that address: everybody on it would be shut out, you too."
        return ""

    # --- opening and closing ------------------------------------------------------------------------------

    def open(self) -> None:
        """The window about the server is shown: follow who is connected."""
        self._is_open = True
        self._state = _State()
        self._changes.do(FollowPeople(""))
        self._changes.do(OperateServer(0, ListBans()))

    def close(self) -> None:
        """It is shown no longer."""
        if self._is_open:
            self._is_open = False
            self._state = _State()
            self._number += 1  # answers that are still to come are about what is gone
            self._changes.do(FollowPeople(None))

    def search(self, text: str) -> None:
        """List only people with this in their names."""
        if text != self._state.find:
            self._state.find = text
            self._changes.do(FollowPeople(text[:_MAX_TYPED_CHARS].strip()))

    def back(self) -> bool:
        """Leave the page for the one before; False if it was the first."""
        state = self._state
        if state.page is HostPage.SERVER:
            return False
        self._show(state.back_to if state.page is not state.back_to else HostPage.SERVER)
        return True

    # --- pages --------------------------------------------------------------------------------------------

    def ask_kick(self, name: str) -> None:
        """Show what kicking somebody does."""
        self._show(HostPage.KICK, name)

    def ask_ban(self, name: str) -> None:
        """Show what can be banned about somebody who is connected."""
        person = self._person(name)
        self._state.choices = (name_choice(name),) if person is None else ban_choices(person)
        self._state.choice = self._state.choices[0]
        self._show(HostPage.BAN, name)

    def ask_typed_ban(self) -> None:
        """Let a name, an address or the key of a device be typed, to be banned."""
        self._state.choices, self._state.choice = (), None
        self._show(HostPage.BAN, "")

    def choose(self, choice: BanChoice) -> None:
        """Choose what is to be banned."""
        if choice != self._state.choice:
            self._state.choice = choice
            self._draw()

    def ask_code(self, name: str) -> None:
        """Show what a code does."""
        self._state.code = ""
        self._show(HostPage.CODE, name)

    def ask_free(self, name: str) -> None:
        """Show what freeing a name does."""
        self._show(HostPage.FREE, name)

    def write(self) -> None:
        """Show the field for a message to everybody."""
        self._show(HostPage.SAY)

    def show_bans(self) -> None:
        """Show all bans."""
        self._show(HostPage.BANS)
        self.search_bans("", again=True)

    def search_bans(self, text: str, *, again: bool = False) -> None:
        """List only bans with this in them."""
        if again or text != self._state.ban_find:
            self._state.ban_find = text
            self._changes.do(OperateServer(self._number, ListBans(find=text[:_MAX_TYPED_CHARS].strip())))

    def show_name(self, name: str = "") -> None:
        """Show what can be done about a name, also one that is not online; it is looked up if it is known."""
        self._state.devices = None
        self._show(HostPage.NAME, name)
        if name:
            self.look_up(name)

    def typed_name(self, name: str) -> None:
        """Take what stands in the field for a name."""
        if name.strip() != self._state.name:
            self._state.name, self._state.devices, self._state.problem = name.strip(), None, ""
            self._draw()

    # --- commands -----------------------------------------------------------------------------------------

    def kick(self, reason: str) -> None:
        """Kick the person that the page is about."""
        if self._fits(reason, MAX_REASON_CHARS, "A reason"):
            self._do(Kick(name=self._state.name, reason=reason.strip()))

    def ban(self, reason: str) -> None:
        """Ban what is chosen."""
        choice = self._state.choice
        if choice is not None and self._fits(reason, MAX_REASON_CHARS, "A reason"):
            self._do(AddBan(target=choice.target, value=choice.value, reason=reason.strip()))

    def ban_typed(self, target: BanTarget, value: str, reason: str) -> None:
        """Ban what was typed."""
        if not value.strip():
            self._fail("Type what is to be banned.")
        elif self._fits(value, _MAX_TYPED_CHARS, "That") and self._fits(reason, MAX_REASON_CHARS, "A reason"):
            self._do(AddBan(target=target, value=value.strip(), reason=reason.strip()))

    def unban(self, entry: BanEntry) -> None:
        """Lift a ban."""
        self._do(LiftBan(target=entry.target, value=entry.value))

    def say(self, text: str) -> None:
        """Send a message to everybody online."""
        if not text.strip():
            self._fail("Type the message first.")
        elif self._fits(text, MAX_ANNOUNCEMENT_CHARS, "A message"):
            self._do(Say(text=text.strip()))

    def look_up(self, name: str) -> None:
        """Find out which devices a name has."""
        if self._is_name(name):
            self._do(ListDevices(name=name.strip()))

    def give_code(self) -> None:
        """Make a code for the name that the page is about."""
        if self._is_name(self._state.name):
            self._do(GiveCode(name=self._state.name))

    def free(self) -> None:
        """Free the name that the page is about."""
        if self._is_name(self._state.name):
            self._do(FreeName(name=self._state.name))

    # --- inputs -------------------------------------------------------------------------------------------

    def listed(self, people: People) -> None:
        """Take the list of who is connected now."""
        if self._is_open:
            self._state.people, self._state.total = people.people, people.total
            self._state.loaded = True
            self._draw()

    def answered(self, answered: ServerAnswered) -> None:
        """Take the answer to a command."""
        if not self._is_open:
            return
        state, command, answer = self._state, answered.command, answered.answer
        if isinstance(command, ListBans):
            if isinstance(answer, BanList) and command.find == state.ban_find.strip():
                state.bans = answer
            elif isinstance(answer, Refused) and state.page is HostPage.BANS:
                state.problem = spelled_out(answer.text)
            self._draw()
            return
        if answered.number != self._number:
            # Its page was left meanwhile, and it was carried out all the same.
            if isinstance(answer, Done):
                state.told, state.problem = spelled_out(answer.text), ""
            elif isinstance(answer, Refused):
                self._fail(spelled_out(answer.text))
            self._draw()
            return
        state.busy = 0
        match answer:
            case Refused(text=text):
                state.problem = spelled_out(text)
            case Done(text=text):
                self._done(command, spelled_out(text))
            case CodeGiven(code=code, valid_s=valid_s):
                state.code = code
                state.code_until_ms = self._clock.now_ms() + valid_s * 1000
            case DeviceList():
                state.devices = answer
            case _:
                pass  # nothing else is an answer to these commands
        self._draw()

    # --- inside -------------------------------------------------------------------------------------------

    def _done(self, command: Command, text: str) -> None:
        if isinstance(command, LiftBan | AddBan):
            self.search_bans(self._state.ban_find, again=True)
        if isinstance(command, FreeName):
            self._state.devices = None
        if not isinstance(command, LiftBan):
            self.back()
        self._state.told = text

    def _do(self, command: Command) -> None:
        """Have a command carried out; a second press meanwhile does nothing."""
        if self._state.busy:
            return
        self._state.busy, self._state.problem, self._state.told = 1, "", ""
        self._number += 1
        self._changes.do(OperateServer(self._number, command))
        self._draw()

    def _show(self, page: HostPage, name: str | None = None) -> None:
        state = self._state
        if page is not HostPage.SERVER:
            state.back_to = state.page if state.page in {HostPage.BANS, HostPage.NAME} else HostPage.SERVER
        state.page, state.problem, state.told, state.busy = page, "", "", 0
        self._number += 1
        if name is not None:
            state.name = name
        self._draw()

    def _fail(self, problem: str) -> None:
        self._state.problem, self._state.told = problem, ""
        self._draw()

    def _fits(self, text: str, most: int, what: str) -> bool:
        if len(text.strip()) > most:
            self._fail(f"{what} has at most {most} characters; this has {len(text.strip())}.")
            return False
        return True

    def _is_name(self, name: str) -> bool:
        if not name.strip():
            self._fail("Type a name first.")
            return False
        return self._fits(name, _MAX_TYPED_CHARS, "A name")

    def _draw(self) -> None:
        self._changes.draw(Part.HOSTING)

    def _person(self, name: str) -> Person | None:
        return next((one for one in self._state.people if key_of(one.name) == key_of(name)), None)
