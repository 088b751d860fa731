"""What the view-model is told: the client's events, and what has come of its effects. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from twocans.client.events import Event
from twocans.client.nearby import Nearby
from twocans.client.outbox import Outgoing
from twocans.gui.viewmodel.attaching import Attachment
from twocans.gui.viewmodel.effects import ChangePassword, CutOff, LoadDevices, SignOut
from twocans.protocol.keys import ServerKey
from twocans.protocol.local_control import Why
from twocans.protocol.messages import Chat, Device, LoggedIn, Message
from twocans.protocol.operator import Answer, Command, People


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
class KeptDraft:
    """A draft of an earlier time; `changed` if it differs from what is on disk, because files are gone."""

    name: str
    text: str
    attachments: tuple[Attachment, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class DraftsLoaded:
    """The drafts on disk; `problem` says which files cannot be sent any more."""

    session: int
    drafts: tuple[KeptDraft, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class KeepingFailed:
    """The server's key, or the token, is kept only until the program ends; `text` says why."""

    session: int
    text: str


@dataclass(frozen=True, slots=True)
class DevicesLoaded:
    """The devices that have one's name, and its sessions, after `asked`; None if that failed, and `problem` says why."""

    session: int
    asked: LoadDevices | CutOff | SignOut | ChangePassword
    devices: tuple[Device, ...] | None
    password: bool = False
    problem: str = ""
    sessions: tuple[LoggedIn, ...] = ()


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
class PictureCame:
    """The picture with this hash is at `path`; "" if it could not be had."""

    session: int
    hash: str
    path: str


@dataclass(frozen=True, slots=True)
class FileRefused:
    """Something could not be done with a file; `text` says why."""

    session: int
    text: str


@dataclass(frozen=True, slots=True)
class FilesChosen:
    """The answer to `ChooseFiles`: paths, none if the user gave it up; None if the desktop has no such dialog."""

    number: int
    paths: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence for the user that belongs to no login."""

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
class ServerRuns:
    """A server of this user runs on this computer.

    `address` is how this computer reaches it, `addresses` are the IPv4 addresses by which others do; `started_at` is
    in Unix milliseconds. One in the `background` was started by a window, and has its log in `folder`. One of an
    earlier version takes no `commands`.
    """

    address: str
    port: int
    key: ServerKey
    started_at: int
    background: bool
    folder: str
    online: int
    addresses: tuple[str, ...]
    commands: bool = True


@dataclass(frozen=True, slots=True)
class ServerTold:
    """So many people are at it now, and by these addresses others reach it."""

    online: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerLog:
    """The end of what is in its log."""

    text: str


@dataclass(frozen=True, slots=True)
class ServerPeople:
    """The people who are connected to it."""

    people: People


@dataclass(frozen=True, slots=True)
class ServerAnswered:
    """The answer to a command, under the number of the command."""

    number: int
    command: Command
    answer: Answer = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerEnded:
    """It has ended; `last` is the last line of its log, "" if there is none."""

    last: str


@dataclass(frozen=True, slots=True)
class ServerNotStarted:
    """It could not be started; `text` is its sentence, `port` the one that it was to listen on, 0 if unknown."""

    why: Why
    text: str
    port: int


@dataclass(frozen=True, slots=True)
class RingBell:
    """Nothing here can play a tone; the toolkit's bell has to do."""


@dataclass(frozen=True, slots=True)
class StartedAgain:
    """The program was started once more with the same profile; `number` is for `AnswerStart`."""

    number: int
    server: str | None
    user: str | None
    connect: bool
    in_tray: bool


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
    | DraftsLoaded
    | KeepingFailed
    | DevicesLoaded
    | CodeMade
    | SendFailed
    | PictureCame
    | FileRefused
    | FilesChosen
    | Told
    | NotificationClicked
    | SystemLook
    | IdleFor
    | ServersNearby
    | ServerRuns
    | ServerTold
    | ServerLog
    | ServerPeople
    | ServerAnswered
    | ServerEnded
    | ServerNotStarted
    | RingBell
    | StartedAgain
)
