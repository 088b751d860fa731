"""What the window shows, read from the state that `model` keeps: title, lists, lines and hints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twocans.client.address import DEFAULT_PORT
from twocans.gui.transcript.model import Bubble
from twocans.gui.viewmodel.attaching import Attachment
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.chats import SERVER_KEY, Chats
from twocans.gui.viewmodel.conversation import Conversation
from twocans.gui.viewmodel.devices import MyDevices
from twocans.gui.viewmodel.do_not_disturb import DoNotDisturb
from twocans.gui.viewmodel.finder import Finder
from twocans.gui.viewmodel.hosting import Hosting
from twocans.gui.viewmodel.login import CheckServer, LoginForm
from twocans.gui.viewmodel.muted import Muted
from twocans.gui.viewmodel.nearby import ServerChoice
from twocans.gui.viewmodel.notifications import Notifications
from twocans.gui.viewmodel.operating import Operating
from twocans.gui.viewmodel.own_presence import OwnPresence
from twocans.gui.viewmodel.people import arrange, one_line, when
from twocans.gui.viewmodel.recent import Recent
from twocans.gui.viewmodel.state import (
    Banner,
    Clock,
    Composer,
    Export,
    Header,
    KeyChange,
    KnownServer,
    Notice,
    Part,
    People,
    Preferences,
    Presence,
    Row,
    Screen,
)
from twocans.protocol.messages import Status
from twocans.protocol.names import key_of

NOTICE_S: Final = 7.0
STATUS: Final = {
    Presence.ONLINE: "online",
    Presence.AWAY: "away",
    Presence.BUSY: "busy: do not disturb",
    Presence.OFFLINE: "offline",
    Presence.UNKNOWN: "no connection",
    Presence.SERVER: "announcements",
}
"""What is said of somebody in the line above the chat."""
NOT_ENCRYPTED: Final = "not encrypted: others on the network can read this chat"
_ONLINE: Final = {Status.HERE: Presence.ONLINE, Status.AWAY: Presence.AWAY, Status.BUSY: Presence.BUSY}
REDRAW_S: Final = 30.0
"""How often times in the list are written anew."""


class Presentation:
    """The state of the window, to look at.

    Args:
        clock: the time.
        new_cid: makes the id of a message of one's own.
        check_server: what is wrong with a server's address, as a sentence; None if nothing is.
        preferences: what the user wants to hear and see; shared with whoever changes it.
        server, user: what the login form holds at first.
        recent: the servers that were used last.
        quiet_until_ms, muted: what is not to disturb; see `Quiet`.
    """

    def __init__(
        self,
        clock: Clock,
        new_cid: Callable[[], str],
        check_server: CheckServer,
        *,
        preferences: Preferences | None = None,
        server: str = "localhost",
        user: str = "",
        recent: Sequence[Recent] = (),
        quiet_until_ms: int = 0,
        muted: Sequence[Muted] = (),
    ) -> None:
        self._clock = clock
        self._changes = Changes()
        self.preferences = preferences or Preferences()
        self.form = LoginForm(self._changes, check_server, server=server, user=user)
        self.nearby = ServerChoice(self._changes, self.form, recent)
        self.operating = Operating(
            self._changes,
            clock,
            is_me=lambda name: self.hosting.is_own and key_of(name) == key_of(self.me),
            own_addresses=lambda: () if self.hosting.server is None else self.hosting.server.addresses,
        )
        self.hosting = Hosting(
            self._changes,
            self.form,
            self.operating,
            is_there=lambda key: self.connected and self.server is not None and self.server.key == key,
            at_login=lambda: self.screen is Screen.LOGIN,
        )
        self.chats = Chats(self._changes, clock, new_cid)
        self.finder = Finder(self._changes, clock)
        self.devices = MyDevices(self._changes, clock)
        self.server: KnownServer | None = None
        self.first_use = False
        """Whether nobody has compared the server's key yet, as far as is known."""
        self.key_change: KeyChange | None = None
        self.export: Export | None = None
        self.quiet = DoNotDisturb(self._changes, clock, until_ms=quiet_until_ms, muted=muted)
        self.absence = OwnPresence(self._changes, clock, self.preferences, self.quiet)
        self._attention = Notifications(self._changes, clock, self.preferences, self.quiet)
        self.screen = Screen.LOGIN
        self.notice: Notice | None = None
        self.query = ""
        self._selected: str | None = None
        self._roster: dict[str, str] = {}
        self._unencrypted: set[str] = set()
        self._statuses: dict[str, Status] = {}
        self._own_status = Status.HERE
        self._found: tuple[str, ...] = ()
        self._login: tuple[str, str] | None = None
        self._lost = ""
        self._retry_at: float | None = None
        self._notice_until = 0.0
        self._export_until: float | None = None
        self._leaves_at: float | None = None
        self._back_by = 0.0
        self._left_just_now: tuple[Conversation, float] | None = None
        self._returning: set[str] = set()
        self._caught_up = False
        self._redraw_at = clock.monotonic() + REDRAW_S

    # --- what is on screen --------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the server."""
        return self.chats.connected

    @property
    def me(self) -> str:
        """The user's name, as the server spells it."""
        return self.chats.me

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files that go with the draft of the open chat."""
        return self.chats.open.attachments if self.chats.open is not None else ()

    @property
    def unread(self) -> int:
        """How many messages have not been seen, apart from those in muted chats."""
        return sum(one.unread for key, one in self.chats.all.items() if not self.quiet.is_muted(key))

    @property
    def title(self) -> str:
        """The window's title."""
        if self.screen is Screen.LOGIN:
            return "Twocans"
        count = f"({self.unread}) " if self.unread else ""
        return f"{count}Twocans – {one_line(self.me)}{'' if self.connected else ' (not connected)'}"

    @property
    def banner(self) -> Banner | None:
        """What is told about a lost connection."""
        if self.screen is Screen.LOGIN or self.connected:
            return None
        if self._retry_at is None:
            return Banner(self._lost, "Trying again …")
        left = self._retry_at - self._clock.monotonic()
        return Banner(
            self._lost, f"Trying again in {max(1, round(left))} s" if left > 0 else "Trying again …"
        )

    @property
    def people(self) -> People:
        """The list of people."""
        me, now = key_of(self.me), self._clock.now_ms()
        names = {
            key: one.name for key, one in self.chats.all.items() if one.preview or one.has_draft or one.unread
        }
        names |= {key_of(name): name for name in self._found} | self._roster
        if self.chats.open is not None:
            names.setdefault(self.chats.open.key, self.chats.open.name)
        names.pop(me, None)
        rows = [self._row(key, name, now) for key, name in names.items()]
        items = arrange(rows, self.query, connected=self.connected)
        empty = ""
        if not items:
            empty = (
                f"Nobody here is called “{self.query.strip()}”."
                if self.query.strip()
                else f"You are the first one here. Others can join with {self.invitation}. "
                "For a QR code, choose “Your server” in the menu."
                if self.invitation
                else "You are the first one here. Others appear as soon as they connect."
            )
        return People(items, self._selected, empty)

    @property
    def invitation(self) -> str:
        """The address to tell others, where the user is alone at their own server; "" otherwise."""
        alone = self.connected and not self._roster and self.hosting.runs and self.hosting.is_own
        return self.hosting.place.removesuffix(f":{DEFAULT_PORT}") if alone else ""

    @property
    def header(self) -> Header | None:
        """The line above the open chat."""
        conversation = self.chats.open
        if conversation is None:
            return None
        presence = self._presence(conversation.key)
        status = STATUS[presence]
        if self._is_typing(conversation):
            status = "typing …"
        unencrypted = self._is_unencrypted(conversation.key)
        if unencrypted:
            status = f"{status} · {NOT_ENCRYPTED}"
        muted = self.quiet.is_muted(conversation.key)
        return Header(conversation.key, conversation.name, presence, status, unencrypted, muted)

    @property
    def composer(self) -> Composer:
        """The field to write in."""
        conversation = self.chats.open
        here = conversation is not None and conversation.key in self._roster
        unencrypted = conversation is not None and self._is_unencrypted(conversation.key)
        return self.chats.composer(here=here, unencrypted=unencrypted)

    @property
    def bubbles(self) -> tuple[Bubble, ...]:
        """The open chat's messages."""
        return self.chats.open.bubbles() if self.chats.open is not None else ()

    @property
    def empty_text(self) -> str:
        """What stands in place of messages if there are none."""
        conversation = self.chats.open
        if conversation is None:
            return ""
        if conversation.asked is not None:
            return "Loading …"
        return f"No messages yet. Say hello to {conversation.name}."

    def _tell(self, text: str, peer: str | None = None) -> None:
        self.notice = Notice(text, peer)
        self._notice_until = self._clock.monotonic() + NOTICE_S
        self._changes.draw(Part.NOTICE)

    # --- inside -------------------------------------------------------------------------------------------

    def _presence(self, key: str) -> Presence:
        if key == SERVER_KEY:
            return Presence.SERVER
        if not self.connected:
            return Presence.UNKNOWN
        if key not in self._roster:
            return Presence.OFFLINE
        return _ONLINE[self._statuses.get(key, Status.HERE)]

    def _is_unencrypted(self, key: str) -> bool:
        return key in self._unencrypted and self._presence(key).is_online

    def _is_typing(self, conversation: Conversation) -> bool:
        return conversation.typing_until > self._clock.monotonic()

    def _row(self, key: str, name: str, now_ms: int) -> tuple[Row, int]:
        conversation = self.chats.all.get(key)
        presence = self._presence(key)
        unencrypted, muted = self._is_unencrypted(key), self.quiet.is_muted(key)
        if conversation is None:
            return Row(key, name, presence, unencrypted=unencrypted, muted=muted), 0
        preview, at_ms = "", 0
        last = conversation.preview
        if last is not None:
            text, at_ms, own = last
            preview = f"You: {one_line(text)}" if own else one_line(text)
        draft = conversation.has_draft and conversation is not self.chats.open
        if draft:
            files = ", ".join(one.name for one in conversation.attachments)
            preview = f"Draft: {one_line(conversation.draft if conversation.draft.strip() else files)}"
        row = Row(
            key=key,
            name=name,
            presence=presence,
            unread=conversation.unread,
            preview=preview,
            when=when(at_ms, now_ms, self._clock.local) if at_ms else "",
            draft=draft,
            typing=self._is_typing(conversation),
            unencrypted=unencrypted,
            muted=muted,
        )
        return row, at_ms
