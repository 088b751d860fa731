"""What the view-model wants done by others: plain data that `backend` and `window` act on. What comes of it is in `inputs`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from twocans.client.drafts import Draft
from twocans.common.transcripts import Form
from twocans.gui.transcript.destination import Destination
from twocans.gui.viewmodel.muted import Muted
from twocans.gui.viewmodel.recent import Recent
from twocans.protocol.keys import ServerKey
from twocans.protocol.messages import Message, Status
from twocans.protocol.operator import Command

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
    """Look for servers on the network, and tell what is found until told to stop; those with these keys come first."""

    known: frozenset[ServerKey] = frozenset()


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
class SendFiles:
    """Send files to somebody."""

    to: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """Write a draft to disk, or remove it there if it is empty."""

    draft: Draft


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
class SignOut:
    """Take one's name from this device."""


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
class FetchFile:
    """Get the file that a message carries, to `path`; with `replace` the user wants to lose what is there."""

    message: Message
    path: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class SaveToDownloads:
    """Save the file of a message in the folder for downloads under this name, or a similar one if it is taken."""

    message: Message
    name: str


@dataclass(frozen=True, slots=True)
class ChooseFiles:
    """Show the desktop's own file dialog; `number` tells its answer from others.

    Args:
        title: of the dialog.
        name: what is offered for a file to be saved; None to choose files that exist, any number of them.
        folder: where the dialog starts; "" to leave that to the desktop.
        kinds: the kinds of files to choose from, as names with endings.
        window: the window that the dialog belongs to, as portals name it, e.g. `x11:1c00004`.
    """

    number: int
    title: str
    name: str | None
    folder: str
    kinds: tuple[tuple[str, str], ...] = ()
    window: str = ""


@dataclass(frozen=True, slots=True)
class FetchPicture:
    """Get the picture that a message carries, to be shown."""

    message: Message


@dataclass(frozen=True, slots=True)
class PauseTransfer:
    """Let a file wait where it is."""

    id: str


@dataclass(frozen=True, slots=True)
class GoOnWithTransfer:
    """Go on with a file that was paused, or has failed."""

    id: str


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    """Give up a file."""

    id: str


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Open a file with the program that the system has for it."""

    path: str


@dataclass(frozen=True, slots=True)
class ShowFile:
    """Show a file in its folder."""

    path: str


@dataclass(frozen=True, slots=True)
class FindServer:
    """Find out whether a server of this user runs on this computer; `again` tries for some seconds."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class StartServer:
    """Start one, unless it runs already; `port` is another than what its settings say."""

    port: int | None = None


@dataclass(frozen=True, slots=True)
class StopServer:
    """Stop it, or give up starting it."""


@dataclass(frozen=True, slots=True)
class FollowServerLog:
    """Tell what is in its log, and whatever comes, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class FollowPeople:
    """Tell who is connected to one's own server, as that changes, of those with `find` in their names; None: no longer."""

    find: str | None


@dataclass(frozen=True, slots=True)
class OperateServer:
    """Have one's own server carry out a command; the answer has the same number."""

    number: int
    command: Command


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """Show a folder of this computer."""

    path: str


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


@dataclass(frozen=True, slots=True)
class AskWhereToSave:
    """Ask where the file of a message of the open chat is to be saved, under `name` if the user agrees."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is here: the key of its message, where it is, and its name."""

    key: str
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class ShowPictures:
    """Show one of several pictures of the open chat in a window of its own."""

    pictures: tuple[Picture, ...]
    index: int


@dataclass(frozen=True, slots=True)
class AskFiles:
    """Ask which files to send to `name`, whose chat has this key."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Quit:
    """Close the window: all that had to be done before has been done."""


@dataclass(frozen=True, slots=True)
class AnswerStart:
    """Tell the further start of the program with this number that the window has done what it asked for."""

    number: int


ForBackend: TypeAlias = (
    Connect
    | Disconnect
    | LookForServers
    | StopLooking
    | SendMessage
    | SendFiles
    | KeepDraft
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
    | SignOut
    | MakeCode
    | ChangePassword
    | RetryNow
    | ShowNotification
    | WithdrawNotifications
    | PlaySound
    | OpenLink
    | AskLook
    | FetchFile
    | FetchPicture
    | SaveToDownloads
    | ChooseFiles
    | PauseTransfer
    | GoOnWithTransfer
    | CancelTransfer
    | OpenFile
    | ShowFile
    | FindServer
    | StartServer
    | StopServer
    | FollowServerLog
    | FollowPeople
    | OperateServer
    | OpenFolder
    | AskIdle
    | AnswerStart
)
ForWindow: TypeAlias = (
    Focus
    | RaiseWindow
    | RememberLogin
    | RememberServers
    | RememberQuiet
    | RememberMuted
    | AskLink
    | AskWhereToSave
    | AskFiles
    | ShowPictures
    | Quit
)
Effect: TypeAlias = ForBackend | ForWindow
