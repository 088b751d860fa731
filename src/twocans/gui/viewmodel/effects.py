"""What the view-model wants done by others, and what it is told apart from the client's own events.

Plain data both ways; `bridge` and `window` act on the effects and report the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from twocans.client.events import Event
from twocans.gui.transcript.model import Bubble, ViewState
from twocans.protocol.messages import Chat, Message

# --- effects: for the asyncio thread ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect to `server` as `user`; what comes of it carries `session`."""

    session: int
    server: str
    user: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Give up the connection, or the attempt to get one, for good."""


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Put a message into the outbox."""

    to: str
    text: str
    cid: str


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Tell the server that everything from `peer` up to `id` has been seen."""

    peer: str
    id: int


@dataclass(frozen=True, slots=True)
class SendTyping:
    """Tell `to` that this user is writing."""

    to: str


@dataclass(frozen=True, slots=True)
class LoadHistory:
    """Ask for the page of the conversation with `peer` before id `before`, the newest one without."""

    peer: str
    before: int | None


@dataclass(frozen=True, slots=True)
class LoadChats:
    """Ask for the list of conversations."""


@dataclass(frozen=True, slots=True)
class FindPeople:
    """Ask for people whose name starts with `prefix`, online or not."""

    prefix: str


@dataclass(frozen=True, slots=True)
class RetryNow:
    """Skip the pause before the next attempt to connect."""


@dataclass(frozen=True, slots=True)
class ShowNotification:
    """Show a native notification which opens the chat with `peer` when it is clicked."""

    peer: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class WithdrawNotifications:
    """Take back the notifications about `peer`, of everybody without one."""

    peer: str | None = None


@dataclass(frozen=True, slots=True)
class PlaySound:
    """Play the short tone for a new message."""


@dataclass(frozen=True, slots=True)
class OpenLink:
    """Open an address in the browser."""

    url: str


@dataclass(frozen=True, slots=True)
class AskLook:
    """Find out whether the desktop is dark."""


# --- effects: for the window ------------------------------------------------------------------------------


class Place(Enum):
    """Where the keyboard focus can be sent."""

    SERVER = "server"
    USER = "user"
    CONNECT = "connect"
    PEOPLE = "people"
    SEARCH = "search"
    COMPOSER = "composer"


@dataclass(frozen=True, slots=True)
class Focus:
    """Move the keyboard focus."""

    place: Place


@dataclass(frozen=True, slots=True)
class RaiseWindow:
    """Bring the window to the front."""


@dataclass(frozen=True, slots=True)
class RememberLogin:
    """Keep the login that worked for the next start."""

    server: str
    user: str


ForBackend: TypeAlias = (
    Connect
    | Disconnect
    | SendMessage
    | MarkRead
    | SendTyping
    | LoadHistory
    | LoadChats
    | FindPeople
    | RetryNow
    | ShowNotification
    | WithdrawNotifications
    | PlaySound
    | OpenLink
    | AskLook
)
ForWindow: TypeAlias = Focus | RaiseWindow | RememberLogin
Effect: TypeAlias = ForBackend | ForWindow


# --- what happens to the transcript on screen -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reset:
    """Show the open chat's bubbles afresh; `view` says where, None for the place now shown."""

    view: ViewState | None = None


@dataclass(frozen=True, slots=True)
class Append:
    """Add bubbles at the end."""

    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class Prepend:
    """Add older bubbles at the start."""

    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """Show one bubble anew, in its place."""

    bubble: Bubble


TranscriptChange: TypeAlias = Reset | Append | Prepend | Replace


# --- inputs -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FromClient:
    """An event of the client that `session` started."""

    session: int
    event: Event


@dataclass(frozen=True, slots=True)
class ConnectRefused:
    """The first attempt to connect failed; `text` is a sentence, `code` the server's code if it said so."""

    session: int
    text: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryLoaded:
    """A page of the conversation with `peer`, oldest first; None if it could not be had."""

    session: int
    peer: str
    messages: tuple[Message, ...] | None
    more: bool = False


@dataclass(frozen=True, slots=True)
class ChatsLoaded:
    """The conversations that the server knows, latest first."""

    session: int
    chats: tuple[Chat, ...]


@dataclass(frozen=True, slots=True)
class PeopleFound:
    """Who was found for `prefix`."""

    session: int
    prefix: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendFailed:
    """The client did not take a message into its outbox; `text` says why."""

    session: int
    to: str
    cid: str
    text: str


@dataclass(frozen=True, slots=True)
class NotificationClicked:
    """The notification about `peer` was clicked."""

    peer: str


@dataclass(frozen=True, slots=True)
class SystemLook:
    """The desktop turned dark or light."""

    dark: bool


@dataclass(frozen=True, slots=True)
class RingBell:
    """Nothing here can play a tone; the toolkit's bell has to do."""


Input: TypeAlias = (
    FromClient
    | ConnectRefused
    | HistoryLoaded
    | ChatsLoaded
    | PeopleFound
    | SendFailed
    | NotificationClicked
    | SystemLook
    | RingBell
)
