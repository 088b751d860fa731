"""A view-model with a clock of the test's own, and short words for what happens to it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from twocans.client.events import CaughtUp, Event, MessageReceived, MessageStored, Online
from twocans.client.outbox import Outgoing
from twocans.gui.transcript.model import ViewState
from twocans.gui.viewmodel import Update, ViewModel
from twocans.gui.viewmodel.effects import (
    Connect,
    Effect,
    SendMessage,
)
from twocans.gui.viewmodel.inputs import (
    ChatsLoaded,
    FromClient,
    OutboxOpened,
)
from twocans.gui.viewmodel.muted import Muted
from twocans.gui.viewmodel.state import Clock, Preferences, Row
from twocans.gui.viewmodel.transcript_changes import Reset, ToUnread, TranscriptChange
from twocans.protocol.keys import ServerKey, server_key
from twocans.protocol.messages import Chat, FileRef, LimitsInForce, Message

KEY = server_key(b"the server's")
LIMITS = LimitsInForce(line_bytes=65536, text_bytes=16384, rate=0, burst=0, file_bytes=10_000_000)
START_MS = int(datetime(2026, 5, 4, 12, 0, tzinfo=UTC).timestamp() * 1000)

E = TypeVar("E", bound=Effect)


class Desk:
    """Somebody at a window."""

    def __init__(
        self,
        *,
        server: str = "localhost",
        user: str = "alice",
        quiet_until_ms: int = 0,
        muted: Sequence[Muted] = (),
    ) -> None:
        self.seconds = 1000.0
        self.sees_everything = True
        self.preferences = Preferences()
        self._cids = (f"cid-{number}" for number in itertools.count(1))
        self._ids = itertools.count(1)
        self.effects: list[Effect] = []
        self.updates: list[Update] = []
        self.vm = ViewModel(
            Clock(lambda: self.seconds, self.now_ms, lambda ms: datetime.fromtimestamp(ms / 1000, UTC)),
            lambda: next(self._cids),
            lambda text: "An address has no spaces." if " " in text else None,
            preferences=self.preferences,
            server=server,
            user=user,
            quiet_until_ms=quiet_until_ms,
            muted=muted,
        )

    def now_ms(self) -> int:
        return START_MS + round((self.seconds - 1000.0) * 1000)

    def take(self) -> Update:
        update = self.vm.take()
        self.updates.append(update)
        self.effects.extend(update.effects)
        self._look(update.transcript)
        return update

    def _look(self, changes: Sequence[TranscriptChange]) -> None:
        """Tell what is in view after such changes: everything, unless the test has a smaller window."""
        opened = self.vm.chats.open
        placed = any(
            isinstance(one, ToUnread) or (isinstance(one, Reset) and (one.view or ViewState()).at_bottom)
            for one in changes
        )
        if opened is None or not placed or not self.sees_everything:
            return
        self.vm.set_at_bottom(not opened.ahead)
        bubbles = self.vm.bubbles
        if bubbles:
            self.vm.set_in_view(bubbles[0].key, bubbles[-1].key)
        self.effects.extend(self.vm.take().effects)

    def all(self, kind: type[E]) -> list[E]:
        """Every effect of this kind so far."""
        self.take()
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def forget(self) -> None:
        """Look only at effects from now on."""
        self.take()
        self.effects.clear()

    def later(self, seconds: float) -> None:
        self.seconds += seconds
        self.vm.tick()

    # --- what happens ---

    def event(self, *events: Event) -> None:
        for event in events:
            self.vm.handle(FromClient(self.vm.form.session, event))

    def welcome(self, *others: str, key: ServerKey = KEY) -> Online:
        me = self.vm.form.state.user
        return Online(me, "server", (me, *others), LIMITS, True, key)

    def log_in(self, *others: str, front: bool = True, key: ServerKey = KEY) -> None:
        self.vm.connect()
        assert self.all(Connect)
        self.event(self.welcome(*others, key=key), CaughtUp(0))
        self.list_chats()
        self.vm.set_in_front(front)
        self.forget()

    def online_again(self, *others: str, fresh: bool = False) -> None:
        me = self.vm.me
        self.event(Online(me, "server", (me, *others), LIMITS, fresh, KEY), CaughtUp(0))
        self.list_chats()

    def list_chats(self, *chats: Chat) -> None:
        """The server's list of conversations comes."""
        self.vm.handle(ChatsLoaded(self.vm.form.session, chats))

    def message(
        self, sender: str, text: str, *, to: str = "", cid: str = "", file: FileRef | None = None
    ) -> Message:
        number = next(self._ids)
        return Message(
            number, self.now_ms(), sender, to or self.vm.me, text, cid or f"{sender}-{number}", file
        )

    def receive(
        self, sender: str, text: str, *, to: str = "", cid: str = "", file: FileRef | None = None
    ) -> Message:
        message = self.message(sender, text, to=to, cid=cid, file=file)
        self.event(MessageReceived(message))
        return message

    def write(self, text: str) -> str:
        """Type and send in the open chat; the cid."""
        before = len(self.all(SendMessage))
        self.vm.set_draft(text)
        self.vm.send()
        sent = self.all(SendMessage)
        assert len(sent) == before + 1
        return sent[-1].cid

    def stored(self, cid: str, to: str, text: str) -> int:
        number = next(self._ids)
        self.event(MessageStored(cid, to, text, number, self.now_ms()))
        return number

    def outbox(self, *waiting: Outgoing, problem: str = "") -> None:
        self.vm.handle(OutboxOpened(self.vm.form.session, waiting, problem))

    # --- what is seen ---

    @property
    def texts(self) -> list[str]:
        return [bubble.text for bubble in self.vm.bubbles]

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.vm.people.rows]

    def row(self, name: str) -> Row:
        self.take()
        return next(row for row in self.vm.people.rows if row.name == name)
