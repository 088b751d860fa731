"""What the view-model wants done by others, and what it is told apart from the client's own events.

Plain data both ways; `bridge` and `window` act on the effects and report the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from twocans.client.events import Event
from twocans.client.nearby import Nearby
from twocans.client.outbox import Outgoing
from twocans.client.transcripts import Form
from twocans.gui.transcript.destination import Destination
from twocans.gui.transcript.model import Bubble, ViewState
from twocans.gui.viewmodel.muted import Muted
from twocans.gui.viewmodel.recent import Recent
from twocans.protocol.keys import ServerKey
from twocans.protocol.messages import Chat, Device, Message, Status

# --- effects: for the asyncio thread ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect to `server` as `user`; what comes of it carries `session`.

    `secret` is a device code or the password, `invite` what newcomers are asked for. `accept` is a key that the user
    has brought from the server's console: from now on it is that server's. `expected` is the one that was announced.
    """

    session: int
    server: str
    user: str
    secret: str | None = field(default=None, repr=False)
    invite: str | None = field(default=None, repr=False)
    accept: ServerKey | None = None
    expected: ServerKey | None = None


@dataclass(frozen=True, slots=True)
class LookForServers:
    """Look for servers on the network, and tell what is found until told to stop."""


@dataclass(frozen=True, slots=True)
class StopLooking:
    """Look for servers no longer."""


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
class SetStatus:
    """Let others know whether this user is here and may be disturbed."""

    status: Status


@dataclass(frozen=True, slots=True)
class LoadHistory:
    """Ask for the page of the conversation with `peer` before id `before`, the newest one without."""

    peer: str
    before: int | None


@dataclass(frozen=True, slots=True)
class LoadAround:
    """Ask for the messages with `peer` before and after the one with this id."""

    peer: str
    id: int


@dataclass(frozen=True, slots=True)
class LoadNewer:
    """Ask for the messages with `peer` that follow id `after`."""

    peer: str
    after: int


@dataclass(frozen=True, slots=True)
class LoadChats:
    """Ask for the list of conversations."""


@dataclass(frozen=True, slots=True)
class FindPeople:
    """Ask for people whose name starts with `prefix`, online or not."""

    prefix: str


@dataclass(frozen=True, slots=True)
class SearchMessages:
    """Ask for messages with these words, with `peer` or everybody, before id `before`; the answer has `number`."""

    number: int
    query: str
    peer: str | None
    before: int | None


@dataclass(frozen=True, slots=True)
class ExportChat:
    """Save the whole conversation with `peer` in a file."""

    peer: str
    path: str
    form: Form


@dataclass(frozen=True, slots=True)
class CancelExport:
    """Stop saving; the file is as it was before."""


@dataclass(frozen=True, slots=True)
class LoadDevices:
    """Ask for the devices that have one's name."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """Cut another device off."""

    device: int


@dataclass(frozen=True, slots=True)
class MakeCode:
    """Ask for a code that lets one more device in."""


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Set or change the password of one's name; None takes it away."""

    password: str | None = field(repr=False)


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


@dataclass(frozen=True, slots=True)
class AskIdle:
    """Find out how long nobody has touched the computer."""


# --- effects: for the window ------------------------------------------------------------------------------


class Place(Enum):
    """Where the keyboard focus can be sent."""

    SERVER = "server"
    USER = "user"
    SECRET = "secret"  # noqa: S105 - the field for it
    CONNECT = "connect"
    PEOPLE = "people"
    SEARCH = "search"
    COMPOSER = "composer"
    FINDER = "finder"


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


@dataclass(frozen=True, slots=True)
class RememberServers:
    """Keep these for the next start: the servers that were used last."""

    recent: tuple[Recent, ...]


@dataclass(frozen=True, slots=True)
class RememberQuiet:
    """Keep until when nothing is to disturb, in Unix milliseconds; 0 for "not at all"."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class RememberMuted:
    """Keep the muted chats for the next start."""

    muted: tuple[Muted, ...]


@dataclass(frozen=True, slots=True)
class AskLink:
    """Ask whether to open a link whose text could be taken for another destination."""

    destination: Destination


ForBackend: TypeAlias = (
    Connect
    | Disconnect
    | LookForServers
    | StopLooking
    | SendMessage
    | MarkRead
    | SendTyping
    | SetStatus
    | LoadHistory
    | LoadAround
    | LoadNewer
    | LoadChats
    | FindPeople
    | SearchMessages
    | ExportChat
    | CancelExport
    | LoadDevices
    | CutOff
    | MakeCode
    | ChangePassword
    | RetryNow
    | ShowNotification
    | WithdrawNotifications
    | PlaySound
    | OpenLink
    | AskLook
    | AskIdle
)
ForWindow: TypeAlias = (
    Focus | RaiseWindow | RememberLogin | RememberServers | RememberQuiet | RememberMuted | AskLink
)
Effect: TypeAlias = ForBackend | ForWindow


# --- what happens to the transcript on screen -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reset:
    """Show the open chat's bubbles afresh; `view` says where, None for the place now shown."""

    view: ViewState | None = None


@dataclass(frozen=True, slots=True)
class Append:
    """Add bubbles at the end. With `hold` they are no news: the view stays even if its end is shown."""

    bubbles: tuple[Bubble, ...]
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Prepend:
    """Add older bubbles at the start."""

    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """Show one bubble anew, in its place."""

    bubble: Bubble


@dataclass(frozen=True, slots=True)
class Reveal:
    """Bring one bubble into view."""

    key: str


TranscriptChange: TypeAlias = Reset | Append | Prepend | Replace | Reveal


# --- inputs -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FromClient:
    """An event of the client that `session` started."""

    session: int
    event: Event


@dataclass(frozen=True, slots=True)
class ConnectRefused:
    """The first attempt to connect failed; `text` is a sentence, `code` the server's code if it said so.

    `needs` is what the server asks for. If its key is not the one that is `known`, it is the one `presented`.
    """

    session: int
    text: str
    code: str | None = None
    needs: str | None = None
    known: ServerKey | None = None
    presented: ServerKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HistoryLoaded:
    """The page of the conversation with `peer` that was asked for, oldest first; None if it could not be had."""

    session: int
    peer: str
    before: int | None
    messages: tuple[Message, ...] | None
    more: bool = False


@dataclass(frozen=True, slots=True)
class AroundLoaded:
    """Messages around an id, oldest first, None if they could not be had.

    `more` says whether there are older ones, `ahead` whether there are newer ones.
    """

    session: int
    peer: str
    id: int
    messages: tuple[Message, ...] | None
    more: bool = False
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class NewerLoaded:
    """Messages that follow an id, oldest first, None if they could not be had; `ahead`: there are newer ones."""

    session: int
    peer: str
    after: int
    messages: tuple[Message, ...] | None
    ahead: bool = False


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
class ResultsLoaded:
    """What the search `number` found, newest first; None if it failed, and `problem` says why."""

    session: int
    number: int
    messages: tuple[Message, ...] | None
    more: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ExportMoved:
    """So many messages of the conversation that is being saved have been read."""

    session: int
    peer: str
    count: int


@dataclass(frozen=True, slots=True)
class ExportEnded:
    """The conversation is saved, or could not be; `text` says so."""

    session: int
    text: str
    failed: bool


@dataclass(frozen=True, slots=True)
class OutboxOpened:
    """What waits to be sent from an earlier time; `problem` says why it cannot outlive the window, if so."""

    session: int
    waiting: tuple[Outgoing, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class KeepingFailed:
    """The server's key, or the token, is kept only until the program ends; `text` says why."""

    session: int
    text: str


@dataclass(frozen=True, slots=True)
class DevicesLoaded:
    """The devices that have one's name, after `asked`; None if that failed, and `problem` says why."""

    session: int
    asked: LoadDevices | CutOff | ChangePassword
    devices: tuple[Device, ...] | None
    password: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CodeMade:
    """A code for one more device, which counts for so many seconds; "" if there is none, and `problem` says why."""

    session: int
    code: str = field(repr=False)
    valid_s: int = 0
    problem: str = ""


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
class IdleFor:
    """So many seconds nobody has touched the computer; None if the system does not say."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class ServersNearby:
    """What is known of the servers nearby has changed."""

    known: Nearby


@dataclass(frozen=True, slots=True)
class RingBell:
    """Nothing here can play a tone; the toolkit's bell has to do."""


Input: TypeAlias = (
    FromClient
    | ConnectRefused
    | HistoryLoaded
    | AroundLoaded
    | NewerLoaded
    | ChatsLoaded
    | PeopleFound
    | ResultsLoaded
    | ExportMoved
    | ExportEnded
    | OutboxOpened
    | KeepingFailed
    | DevicesLoaded
    | CodeMade
    | SendFailed
    | NotificationClicked
    | SystemLook
    | IdleFor
    | ServersNearby
    | RingBell
)
