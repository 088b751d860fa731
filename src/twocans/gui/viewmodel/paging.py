"""Which parts of the conversations are here, and getting others: older, newer, around a message, the newest.

Requests that fail are repeated after a while, and go on after a lost connection. What is unread, drafts and
sending are left to `chats`.
"""

from __future__ import annotations

from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.conversation import Asked, CardOf, Conversation, Stretch
from twocans.gui.viewmodel.effects import (
    Effect,
    LoadAround,
    LoadHistory,
    LoadNewer,
)
from twocans.gui.viewmodel.state import Clock, Part
from twocans.gui.viewmodel.transcript_changes import (
    Append,
    Prepend,
    Reset,
    Reveal,
    TranscriptChange,
)
from twocans.protocol.messages import Message
from twocans.protocol.names import key_of

RETRY_S: Final = 3.0
MAX_CONVERSATIONS: Final = 20_000
"""With how many people there may be a conversation here; the server knows the others."""
NOT_LOADED: Final = "That message could not be loaded. Please try again."


class Paging:
    """The conversations of one login, and the open one.

    Args:
        changes: where changes are noted.
        clock: the time.
        card_of: knows how far the files of messages have got.
    """

    def __init__(self, changes: Changes, clock: Clock, card_of: CardOf) -> None:
        self._card_of = card_of
        self._changes = changes
        self._clock = clock
        self.all: dict[str, Conversation] = {}
        self.open: Conversation | None = None
        self.me = ""
        self.epoch = 0
        self.connected = False
        self.problem = ""
        """A sentence for the user about something that was asked for and could not be had; taken by the model."""
        self._top_wanted = self._bottom_wanted = False
        self._retry_at: float | None = None

    # --- what the view wants ------------------------------------------------------------------------------

    def near_top(self) -> None:
        """The user is about to see the start of what is here: get older messages."""
        self._top_wanted = True
        one = self.open
        if one is not None and (one.loaded or one.ahead) and one.more and one.oldest_id:
            self._ask(one, (Stretch.OLDER, one.oldest_id), LoadHistory(one.name, one.oldest_id))

    def near_bottom(self) -> None:
        """The user is about to see the end of what is here: get newer messages, if there are any."""
        self._bottom_wanted = True
        one = self.open
        if one is not None and one.ahead and one.last_id:
            self._ask(one, (Stretch.NEWER, one.last_id), LoadNewer(one.name, one.last_id))

    def to_newest(self) -> None:
        """Have the newest messages here, if they are not."""
        one = self.open
        if one is not None and one.ahead and self.connected:
            one.asked = None
            self._ask(one, (Stretch.NEWEST, None), LoadHistory(one.name, None))

    def go_to(self, id_: int) -> None:
        """Have a message of the open conversation here, and in view."""
        one = self.open
        if one is None:
            return
        key = one.key_at(id_, self.epoch)
        if key is not None:
            self._changes.transcript([Reveal(key)])
        elif self.connected:
            one.asked = None
            self._ask(one, (Stretch.AROUND, id_), LoadAround(one.name, id_))
        else:
            self.problem = NOT_LOADED

    def load(self, conversation: Conversation) -> None:
        """Get the newest messages, unless something is here."""
        if not conversation.loaded and not conversation.ahead:
            self._ask(conversation, (Stretch.NEWEST, None), LoadHistory(conversation.name, None))

    # --- what has come ------------------------------------------------------------------------------------

    def is_asked(self, peer: str, asked: Asked) -> bool:
        """Whether this is what is waited for, and not an answer to something given up since."""
        conversation = self.all.get(key_of(peer))
        return conversation is not None and conversation.asked == asked

    def page(self, peer: str, messages: tuple[Message, ...] | None, *, more: bool) -> None:
        """A page of the history, the newest or an older one; None if it could not be had."""
        conversation = self.of(peer)
        newest = conversation.asked is None or conversation.asked[0] is Stretch.NEWEST
        conversation.asked = None
        if messages is not None and newest and conversation.ahead:
            changes = conversation.replace(
                messages, more=more, ahead=False, is_own=self.is_own, epoch=self.epoch
            )
            conversation.loaded = True
            self._show(conversation, changes)
        elif messages is not None:
            oldest = conversation.oldest_id
            conversation.loaded = conversation.loaded or newest
            if oldest is None or not messages or messages[0].id <= oldest:
                conversation.more = more and bool(messages)
            changes = conversation.merge(messages, is_own=self.is_own, epoch=self.epoch)
            self._show(conversation, changes)
            if conversation is self.open and conversation.trim_newest():
                self._show(conversation, [Reset()])
        self._loaded(conversation, failed=messages is None)

    def around(
        self, peer: str, id_: int, messages: tuple[Message, ...] | None, *, more: bool, ahead: bool
    ) -> None:
        """The messages around one that is to be shown."""
        conversation = self.of(peer)
        conversation.asked = None
        key = None
        if messages is not None:
            self._have_stretch(conversation, messages, more=more, ahead=ahead)
            key = conversation.key_at(id_, self.epoch)
        if conversation is self.open:
            if key is None:
                self.problem = NOT_LOADED
                self.load(conversation)
            else:
                self._changes.transcript([Reveal(key)])
        self._loaded(conversation, failed=False)

    def newer(self, peer: str, messages: tuple[Message, ...] | None, *, ahead: bool) -> None:
        """What follows the newest message that is here."""
        conversation = self.of(peer)
        conversation.asked = None
        if messages is not None and conversation.ahead:
            last = messages[-1].id if messages else conversation.last_id
            # What came live meanwhile is not here, so it has to be asked for as well.
            ahead = ahead or conversation.newest_id > last
            conversation.loaded = conversation.loaded or not ahead
            changes = conversation.extend(messages, ahead=ahead, is_own=self.is_own, epoch=self.epoch)
            self._show(conversation, changes)
            if conversation is self.open and conversation.trim():
                self._show(conversation, [Reset()])
        self._loaded(conversation, failed=not messages and conversation.ahead)

    def tick(self) -> None:
        """Ask again for what could not be had."""
        if self._retry_at is not None and self._clock.monotonic() >= self._retry_at:
            self._retry_at = None
            self.go_on_loading()

    @property
    def next_due(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        return self._retry_at

    def go_on_loading(self) -> None:
        """Ask for what the view still needs."""
        if self.open is not None:
            self.load(self.open)
            if self._top_wanted:
                self.near_top()
            if self._bottom_wanted:
                self.near_bottom()

    # --- for those who know more --------------------------------------------------------------------------

    def of(self, name: str) -> Conversation:
        """The conversation with somebody, in the spelling that the server uses now."""
        key = key_of(name)
        conversation = self.all.get(key)
        if conversation is None:
            self._make_room()
            conversation = self.all[key] = Conversation(key, name, card_of=self._card_of)
        elif conversation.name != name:
            conversation.name = name
        return conversation

    def _make_room(self) -> None:
        """Forget the conversation that is here for the longest time and holds nothing of the user's own."""
        if len(self.all) < MAX_CONVERSATIONS:
            return
        for key, one in self.all.items():
            if one is not self.open and not one.has_draft and not one.has_unsent:
                del self.all[key]
                return

    def is_own(self, message: Message) -> bool:
        """Whether this user wrote it."""
        return key_of(message.sender) == key_of(self.me)

    def _have_stretch(
        self, conversation: Conversation, messages: tuple[Message, ...], *, more: bool, ahead: bool
    ) -> None:
        """Have another part of a conversation here; `ahead` says whether there are newer messages."""
        ahead = ahead or (bool(messages) and conversation.newest_id > messages[-1].id)
        changes = conversation.replace(messages, more=more, ahead=ahead, is_own=self.is_own, epoch=self.epoch)
        conversation.loaded = conversation.loaded or not ahead
        self._show(conversation, changes)

    def _loaded(self, conversation: Conversation, *, failed: bool) -> None:
        """Something has come, or could not be had."""
        self._changes.draw(Part.CHAT | Part.PEOPLE)
        if failed and self.connected:
            self._retry_at = self._clock.monotonic() + RETRY_S
        elif conversation is self.open:
            self.go_on_loading()

    def _ask(self, conversation: Conversation, asked: Asked, effect: Effect) -> None:
        if self.connected and conversation.asked is None:
            conversation.asked = asked
            self._changes.do(effect)
            self._changes.draw(Part.CHAT)

    def _show(self, conversation: Conversation, changes: list[TranscriptChange]) -> None:
        if not changes:
            return
        self._changes.draw(Part.PEOPLE)
        if conversation is self.open:
            self._changes.transcript(changes)
            # The view tells anew that it is near an end when that end has changed.
            if any(isinstance(change, Reset | Prepend) for change in changes):
                self._top_wanted = False
            if any(isinstance(change, Reset | Append) for change in changes):
                self._bottom_wanted = False
