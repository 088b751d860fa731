"""What is on screen, as plain data: the parts that views read. Filled by `model`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, Flag, auto

from twocans.protocol.keys import ServerKey, is_same_key, readable_key


class Part(Flag):
    """A region of the window; the ones that changed are drawn again."""

    NONE = 0
    SCREEN = auto()
    LOGIN = auto()
    ME = auto()
    PEOPLE = auto()
    CHAT = auto()
    HEADER = auto()
    COMPOSER = auto()
    BANNER = auto()
    NOTICE = auto()
    TITLE = auto()
    SEARCH = auto()
    EXPORT = auto()
    FIRST_USE = auto()
    KEY_CHANGE = auto()
    DEVICES = auto()
    HOSTING = auto()
    QUIET = auto()
    ALL = (
        SCREEN
        | LOGIN
        | ME
        | PEOPLE
        | CHAT
        | HEADER
        | COMPOSER
        | BANNER
        | NOTICE
        | TITLE
        | SEARCH
        | EXPORT
        | FIRST_USE
        | KEY_CHANGE
        | DEVICES
        | HOSTING
        | QUIET
    )


class Screen(Enum):
    """Which of the two screens is shown."""

    LOGIN = "login"
    MAIN = "main"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, passed in.

    `monotonic` is in seconds, `now_ms` in Unix milliseconds; `local` turns those into the user's time.
    """

    monotonic: Callable[[], float]
    now_ms: Callable[[], int]
    local: Callable[[int], datetime]


class Need(Enum):
    """What a server asks for beside the name, as the protocol calls it."""

    INVITE = "invite"
    SECRET = "secret"  # noqa: S105 - a device code or the password


@dataclass(slots=True)
class Login:
    """The login form. An error belongs to the field beside which it is told.

    `needs` shows one more field, for `secret`, which is kept nowhere else; `secret_hint` says what goes there.
    """

    server: str = "localhost"
    user: str = ""
    server_error: str = ""
    user_error: str = ""
    message: str = ""
    connecting: bool = False
    needs: Need | None = None
    secret: str = field(default="", repr=False)
    secret_hint: str = ""
    secret_error: str = ""


@dataclass(frozen=True, slots=True)
class KnownServer:
    """The server that one is at. `problem` says what of its key or one's token cannot be kept, if so."""

    address: str
    name: str
    key: ServerKey
    problem: str = ""

    @property
    def readable(self) -> str:
        """The key as people compare it."""
        return readable_key(self.key)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A server has shown another key than before.

    The new key is what somebody has to bring from the server's console, so it is never on screen. `typed` is what
    they have typed so far.
    """

    address: str
    known: ServerKey
    presented: ServerKey = field(repr=False)
    typed: str = ""

    @property
    def readable(self) -> str:
        """The key before, as people compare it."""
        return readable_key(self.known)

    @property
    def matches(self) -> bool:
        """Whether what was typed is the key that the server has now."""
        return is_same_key(self.typed, self.presented)


class Presence(Enum):
    """Whether somebody is there, as far as is known."""

    ONLINE = "online"
    AWAY = "away"  # online, but not at the computer
    BUSY = "busy"  # online, and not to be disturbed
    OFFLINE = "offline"
    UNKNOWN = "unknown"  # there is no connection to the server
    SERVER = "server"  # not a person

    @property
    def is_online(self) -> bool:
        """Whether it is somebody who gets what is written at once."""
        return self in {Presence.ONLINE, Presence.AWAY, Presence.BUSY}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in the list of people."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the list. `when` is ready to show; `key` stays the same whatever the spelling."""

    key: str
    name: str
    presence: Presence
    unread: int = 0
    preview: str = ""
    when: str = ""
    draft: bool = False
    typing: bool = False
    unencrypted: bool = False
    muted: bool = False


Item = Heading | Row


@dataclass(frozen=True, slots=True)
class People:
    """The list of people, in the order in which it is shown. `empty` says why if it is empty."""

    items: tuple[Item, ...] = ()
    selected: str | None = None
    empty: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The people without the headings."""
        return tuple(item for item in self.items if isinstance(item, Row))


@dataclass(frozen=True, slots=True)
class Header:
    """The line above the open chat."""

    key: str
    name: str
    presence: Presence
    status: str
    unencrypted: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Composer:
    """The field to write in. `hint` is about the length, or who can read it; `overlong` forbids sending."""

    enabled: bool
    placeholder: str
    hint: str = ""
    overlong: bool = False


@dataclass(frozen=True, slots=True)
class Banner:
    """What is told while there is no connection. `countdown` is ready to show."""

    text: str
    countdown: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that goes away by itself; a click on it opens the chat with `peer`, if there is one."""

    text: str
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A conversation that is being saved, or what became of it."""

    text: str
    busy: bool = False
    failed: bool = False


@dataclass(slots=True)
class Preferences:
    """What the view-model itself needs to know of the settings; `away_after_s` is 0 for never."""

    sound: bool = True
    notifications: bool = True
    away_after_s: float = 0


@dataclass(slots=True)
class Pending:
    """Notifications that wait for a moment so that a flood makes one of them."""

    count: int = 0
    text: str = ""
    due: float = 0.0
    sender: str = ""
