"""All conversations and the open one: drafts, places, what is unread, what has been seen, sending, history."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from twocans.gui.transcript.model import ViewState
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.conversation import Conversation, own_key
from twocans.gui.viewmodel.effects import (
    LoadHistory,
    MarkRead,
    Reset,
    SendMessage,
    SendTyping,
    TranscriptChange,
)
from twocans.gui.viewmodel.state import Clock, Composer, Part
from twocans.protocol.errors import ProtocolError
from twocans.protocol.messages import Chat, LimitsInForce, Message
from twocans.protocol.names import SERVER_NAME, user_key

PAGE: Final = 50
TYPING_SHOWN_S: Final = 6.0
DEFAULT_TEXT_BYTES: Final = 16_384
_HINT_FROM: Final = 0.8
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def key_of(name: str) -> str:
    """What all spellings of a name have in common, whatever a peer calls itself."""
    try:
        return user_key(name)
    except ProtocolError:
        return name.casefold()


SERVER_KEY: Final = key_of(SERVER_NAME)


class Chats:
    """The conversations of one login.

    Args:
        changes: where changes are noted.
        clock: the time.
        new_cid: makes the id of a message of one's own.
    """

    def __init__(self, changes: Changes, clock: Clock, new_cid: Callable[[], str]) -> None:
        self._changes = changes
        self._clock = clock
        self._new_cid = new_cid
        self.all: dict[str, Conversation] = {}
        self.open: Conversation | None = None
        self.me = ""
        self.epoch = 0
        self.connected = False
        self.in_front = False
        self.at_bottom = True
        self.text_bytes = DEFAULT_TEXT_BYTES
        self._reads_owed: dict[str, int] = {}

    # --- the login ----------------------------------------------------------------------------------------

    def begin(self, me: str, *, same: bool) -> None:
        """A new login; the conversations of the `same` user on the same server stay."""
        self.me = me
        if not same:
            self.all.clear()
            self._reads_owed.clear()
            self.open = None

    def online(self, me: str, limits: LimitsInForce, *, fresh: bool) -> None:
        """There is a connection; a `fresh` log starts numbering anew."""
        self.me, self.connected = me, True
        self.text_bytes = limits.text_bytes or DEFAULT_TEXT_BYTES
        if fresh or not self.epoch:
            self.epoch += 1
            self._reads_owed.clear()
            for conversation in self.all.values():
                conversation.freeze_marks(self.epoch)
                conversation.loaded = conversation.loading = False
        for peer, id_ in self._reads_owed.items():
            self._changes.do(MarkRead(peer, id_))
        self._reads_owed.clear()
        if self.open is not None:
            self._load(self.open)

    def offline(self) -> None:
        """There is no connection."""
        self.connected = False
        for conversation in self.all.values():
            conversation.loading = False
            conversation.typing_until = 0.0

    def give_up_sending(self, note: str) -> None:
        """Nobody will send what still waits any more."""
        for conversation in self.all.values():
            for entry in [one for one in conversation.entries if one.waiting]:
                self._show(conversation, conversation.fail(entry.key, note))

    def of(self, name: str) -> Conversation:
        """The conversation with somebody, in the spelling that the server uses now."""
        key = key_of(name)
        conversation = self.all.get(key)
        if conversation is None:
            conversation = self.all[key] = Conversation(key, name)
        elif conversation.name != name and key != SERVER_KEY:
            conversation.name = name
        return conversation

    @property
    def unread(self) -> int:
        """How many messages have not been seen."""
        return sum(one.unread for one in self.all.values())

    # --- opening and closing ------------------------------------------------------------------------------

    def show(self, conversation: Conversation) -> None:
        """Open a chat: its count is cleared, its place and draft are as they were."""
        self._leave()
        self.open = conversation
        self.at_bottom = conversation.view is None or conversation.view.at_bottom
        conversation.unread_at_open = conversation.unread
        conversation.unread_from = self._nth_unread(conversation, conversation.unread)
        self._changes.forget_transcript()
        self._changes.transcript([Reset(conversation.view)])
        self._changes.draw(Part.CHAT | Part.HEADER | Part.COMPOSER | Part.PEOPLE)
        self._load(conversation)
        self._see(conversation)

    def close(self) -> None:
        """No chat is open any more."""
        self._leave()
        self.open = None
        self._changes.forget_transcript()
        self._changes.draw(Part.CHAT | Part.HEADER | Part.COMPOSER | Part.PEOPLE)

    def keep_view(self, key: str, view: ViewState | None) -> None:
        """Where the transcript of a chat that is about to be hidden stands."""
        conversation = self.all.get(key)
        if conversation is not None:
            conversation.view = view

    def set_in_front(self, in_front: bool) -> None:
        """The window came to the front, or went away from it."""
        self.in_front = in_front
        self._see_if_visible()

    def set_at_bottom(self, at_bottom: bool) -> None:
        """The transcript shows its end, or does not."""
        self.at_bottom = at_bottom
        self._see_if_visible()

    # --- writing ------------------------------------------------------------------------------------------

    def set_draft(self, text: str) -> None:
        """What stands in the composer."""
        if self.open is None or self.open.draft == text:
            return
        had = bool(self.open.draft.strip())
        longer = len(text) > len(self.open.draft)
        self.open.draft = text
        self._changes.draw(Part.COMPOSER)
        if had != bool(text.strip()):
            self._changes.draw(Part.PEOPLE)
        if longer and text.strip() and self.connected:
            self._changes.do(SendTyping(self.open.name))

    def send(self) -> bool:
        """Send the draft of the open chat; says whether there was something to send."""
        conversation = self.open
        if conversation is None or conversation.key == SERVER_KEY:
            return False
        text = clean(conversation.draft)
        if not text or self._excess(text) > 0:
            return False
        conversation.draft = ""
        conversation.unread_from, conversation.unread_at_open = None, 0
        cid = self._new_cid()
        changes = conversation.queue(cid, text, self._clock.now_ms(), self.me)
        self._show(conversation, changes)
        self._changes.do(SendMessage(conversation.name, text, cid))
        self._changes.draw(Part.COMPOSER | Part.PEOPLE)
        return True

    def retry(self, key: str) -> None:
        """Send a failed message of the open chat again."""
        conversation = self.open
        entry = conversation.get(key) if conversation is not None else None
        if conversation is None or entry is None or not entry.failed:
            return
        self._show(conversation, conversation.requeue(key, self._clock.now_ms()))
        self._changes.do(SendMessage(conversation.name, entry.text, key.removeprefix("own/")))

    def composer(self, *, here: bool) -> Composer:
        """What the field to write in looks like; `here` tells whether the other side is online."""
        conversation = self.open
        if conversation is None:
            return Composer(enabled=False, placeholder="")
        if conversation.key == SERVER_KEY:
            return Composer(enabled=False, placeholder="Announcements cannot be answered.")
        placeholder = f"Write to {conversation.name}"
        if not self.connected:
            placeholder = "Not connected. What you send goes out when the connection is back."
        elif not here:
            placeholder = f"{conversation.name} is not here now"
        over = self._excess(clean(conversation.draft))
        if over > 0:
            return Composer(True, placeholder, f"Too long by about {over:,} characters", overlong=True)
        hint = f"{-over:,} characters left" if -over < self.text_bytes * (1 - _HINT_FROM) else ""
        return Composer(True, placeholder, hint)

    # --- what the server says -----------------------------------------------------------------------------

    def receive(self, message: Message) -> tuple[Conversation, bool]:
        """A live message; says which chat it is in and whether the user has to be told."""
        own = self.is_own(message)
        conversation = self.of(message.to if own else message.sender)
        changes, new = conversation.add(message, own=own, epoch=self.epoch)
        conversation.typing_until = 0.0 if not own else conversation.typing_until
        self._show(conversation, changes)
        if own or not new:
            return conversation, False
        if self._visible(conversation):
            self._see(conversation)
            return conversation, False
        conversation.unread += 1
        if conversation is self.open and conversation.unread_from is None:
            conversation.unread_from = conversation.entries[-1].key
        if conversation is not self.open:
            conversation.trim()
        return conversation, True

    def stored(self, cid: str, to: str, text: str, id_: int, at_ms: int) -> None:
        """The server has a message of one's own."""
        conversation = self.of(to)
        self._show(conversation, conversation.stored(cid, text, id_, at_ms, self.epoch, self.me))

    def refused(self, cid: str, to: str, text: str) -> None:
        """A message of one's own will not be sent; `text` says why."""
        conversation = self.of(to)
        self._show(conversation, conversation.fail(own_key(cid), text or "It could not be sent."))

    def receipt(self, peer: str, delivered: int, read: int) -> None:
        """How far somebody has got with one's messages."""
        conversation = self.all.get(key_of(peer))
        if conversation is not None:
            self._show(conversation, conversation.receipt(delivered, read, self.epoch))

    def typing(self, user: str) -> None:
        """Somebody is writing to this user."""
        conversation = self.of(user)
        conversation.typing_until = self._clock.monotonic() + TYPING_SHOWN_S
        self._changes.draw(Part.PEOPLE | Part.HEADER)

    def listed(self, chats: tuple[Chat, ...]) -> None:
        """The server's own list of conversations: last messages, and what was unread before this login."""
        for chat in chats:
            conversation = self.of(chat.peer)
            conversation.last = chat.last
            if conversation.seen_id:
                conversation.unread = conversation.received_after(self.epoch, conversation.seen_id)
            else:
                conversation.unread = chat.unread + conversation.received_after(self.epoch, chat.last.id)
        self._see_if_visible()
        self._changes.draw(Part.PEOPLE | Part.TITLE)

    def page(self, peer: str, messages: tuple[Message, ...] | None, *, more: bool) -> None:
        """A page of the history, or None if it could not be had."""
        conversation = self.of(peer)
        conversation.loading = False
        if messages is not None:
            conversation.loaded, conversation.more = True, more
            changes = conversation.merge(messages, is_own=self.is_own, epoch=self.epoch)
            self._show(conversation, changes)
            if conversation is self.open and conversation.unread_from is None:
                conversation.unread_from = self._nth_unread(conversation, conversation.unread_at_open)
            self._see_if_visible()
        self._changes.draw(Part.CHAT | Part.PEOPLE)

    def near_top(self) -> None:
        """The user is about to see the start of what is here: get older messages."""
        conversation = self.open
        if conversation is not None and conversation.loaded and conversation.more and conversation.oldest_id:
            self._load(conversation, before=conversation.oldest_id)

    def is_own(self, message: Message) -> bool:
        """Whether this user wrote it."""
        return key_of(message.sender) == key_of(self.me)

    # --- inside -------------------------------------------------------------------------------------------

    def _load(self, conversation: Conversation, before: int | None = None) -> None:
        if conversation.key == SERVER_KEY or not self.connected or conversation.loading:
            return
        if before is None and conversation.loaded:
            return
        conversation.loading = True
        self._changes.do(LoadHistory(conversation.name, before))
        self._changes.draw(Part.CHAT)

    def _leave(self) -> None:
        if self.open is not None:
            self.open.unread_from, self.open.unread_at_open = None, 0
            self.open.trim()

    def _visible(self, conversation: Conversation) -> bool:
        return conversation is self.open and self.in_front and self.at_bottom

    def _see_if_visible(self) -> None:
        if self.open is not None and self._visible(self.open):
            self._see(self.open)

    def _see(self, conversation: Conversation) -> None:
        """Everything in this chat counts as read now."""
        if conversation.unread:
            conversation.unread = 0
            self._changes.draw(Part.PEOPLE | Part.TITLE)
        newest = conversation.newest_received(self.epoch)
        if newest > conversation.seen_id and conversation.key != SERVER_KEY:
            conversation.seen_id = newest
            if self.connected:
                self._changes.do(MarkRead(conversation.name, newest))
            else:
                self._reads_owed[conversation.name] = newest

    def _nth_unread(self, conversation: Conversation, count: int) -> str | None:
        received = [entry.key for entry in conversation.entries if not entry.own]
        return received[-count] if 0 < count <= len(received) else None

    def _excess(self, text: str) -> int:
        return len(text.encode(errors="replace")) - self.text_bytes

    def _show(self, conversation: Conversation, changes: list[TranscriptChange]) -> None:
        if changes and conversation is self.open:
            self._changes.transcript(changes)
        if changes:
            self._changes.draw(Part.PEOPLE)


def clean(text: str) -> str:
    """A draft as it can be sent: no control characters, no blank lines around it, no lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub("", text).encode("utf-8", errors="ignore").decode()
    return text.strip("\n").rstrip() if text.strip() else ""
