"""All conversations and the open one: drafts, places, what is unread, what has been seen, sending, history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from twocans.client.events import MessageStored
from twocans.client.outbox import Outgoing
from twocans.client.transfers.model import Transfer, TransferState
from twocans.gui.transcript.model import ViewState
from twocans.gui.viewmodel.attaching import added, told
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.conversation import Conversation
from twocans.gui.viewmodel.drafts import Drafts
from twocans.gui.viewmodel.effects import (
    FetchPicture,
    LoadChats,
    MarkRead,
    SendFiles,
    SendMessage,
    SendTyping,
)
from twocans.gui.viewmodel.entries import Entry, key_of, own_key
from twocans.gui.viewmodel.filecards import FileCards
from twocans.gui.viewmodel.inputs import KeptDraft
from twocans.gui.viewmodel.paging import Paging
from twocans.gui.viewmodel.showing import (
    Append,
    Prepend,
    Reset,
    TranscriptChange,
)
from twocans.gui.viewmodel.state import Clock, Composer, Part
from twocans.protocol.messages import Chat, FileRef, LimitsInForce, Message
from twocans.protocol.names import SERVER_NAME

TYPING_SHOWN_S: Final = 6.0
DEFAULT_TEXT_BYTES: Final = 16_384
_HINT_FROM: Final = 0.8
MOST_PICTURES: Final = 40
"""How many pictures of a chat are fetched at once, the newest."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


SERVER_KEY: Final = key_of(SERVER_NAME)


class Chats(Paging):
    """The conversations of one login.

    Args:
        changes: where changes are noted.
        clock: the time.
        new_cid: makes the id of a message of one's own.
    """

    def __init__(self, changes: Changes, clock: Clock, new_cid: Callable[[], str]) -> None:
        self.files = FileCards(clock)
        """How far the files of messages have got."""
        super().__init__(changes, clock, self.files.card)
        self.drafts = Drafts(changes, clock)
        self._new_cid = new_cid
        self.in_front = False
        self.at_bottom = True
        self.text_bytes = DEFAULT_TEXT_BYTES
        self.file_bytes = 0
        """The size of the largest file that the server takes; 0 for none at all."""
        self._reads_owed: dict[str, int] = {}
        self._doubtful: set[tuple[str, str]] = set()

    # --- the login ----------------------------------------------------------------------------------------

    def begin(self, me: str, *, same: bool) -> None:
        """A new login; the conversations of the `same` user on the same server stay."""
        self.me = me
        if not same:
            self.all.clear()
            self.drafts.forget()
            self.files.begin()
            self._reads_owed.clear()
            self.open = None
            self.epoch = 0
        self.drafts.keep_again(self.all)
        self._doubtful = {
            (conversation.key, entry.key)
            for conversation in self.all.values()
            for entry in conversation.entries
            if entry.waiting
        }
        for conversation in self.all.values():
            conversation.loaded = False

    def online(self, me: str, limits: LimitsInForce, *, fresh: bool) -> None:
        """There is a connection; a `fresh` log starts numbering anew."""
        self.me, self.connected = me, True
        self.text_bytes = limits.text_bytes or DEFAULT_TEXT_BYTES
        self.file_bytes = limits.file_bytes
        if fresh or not self.epoch:
            self.epoch += 1
            self.files.forget_ids()
            self._reads_owed.clear()
            for conversation in self.all.values():
                conversation.freeze_marks(self.epoch)
                conversation.leave_past()
                conversation.loaded = False
            if self.open is not None:
                self._show(self.open, [Reset()])
        for peer, id_ in self._reads_owed.items():
            self._changes.do(MarkRead(peer, id_))
        self._reads_owed.clear()
        self.go_on_loading()

    def offline(self) -> None:
        """There is no connection."""
        self.connected = False
        for conversation in self.all.values():
            conversation.asked = None
            conversation.typing_until = 0.0

    def waiting(self, messages: Iterable[Outgoing]) -> None:
        """Messages of one's own from an earlier time that are still on their way."""
        for message in messages:
            conversation = self.of(message.to)
            self._doubtful.discard((conversation.key, own_key(message.cid)))
            if conversation.get(own_key(message.cid)) is None:
                changes = conversation.queue(
                    message.cid, message.text, self._clock.now_ms(), self.me, message.file
                )
                self._show(conversation, changes)
        for key, entry_key in self._doubtful:
            # Its fate was told when nobody listened any more; if it is stored, the history has it.
            self._show(self.all[key], self.all[key].drop_waiting(entry_key))
        self._doubtful.clear()

    @property
    def unread(self) -> int:
        """How many messages have not been seen."""
        return sum(one.unread for one in self.all.values())

    # --- opening and closing ------------------------------------------------------------------------------

    def show(self, conversation: Conversation, *, at: int | None = None) -> None:
        """Open a chat: its count is cleared, its place and draft are as they were.

        With `at`, the message with that id is what the user wants to see there.
        """
        self._leave()
        self.open = conversation
        self._top_wanted = self._bottom_wanted = False
        self.at_bottom = at is None and (conversation.view is None or conversation.view.at_bottom)
        conversation.unread_at_open = conversation.unread
        conversation.unread_from = self._nth_unread(conversation, conversation.unread)
        self._changes.forget_transcript()
        self._changes.transcript([Reset(conversation.view)])
        self._want_pictures([Reset()])
        self._changes.draw(Part.CHAT | Part.HEADER | Part.COMPOSER | Part.PEOPLE)
        if at is not None:
            self.go_to(at)
            return
        self.load(conversation)
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

    def restore(self, drafts: Iterable[KeptDraft]) -> None:
        """Take in the drafts of an earlier time, except where something was written here meanwhile."""
        for kept in drafts:
            conversation = self.of(kept.name)
            if self.drafts.is_touched(conversation.key):
                continue
            conversation.draft, conversation.attachments = kept.text, kept.attachments
            if kept.changed:
                self.drafts.changed(conversation)
        self._changes.draw(Part.COMPOSER | Part.PEOPLE)

    def set_draft(self, text: str) -> None:
        """What stands in the composer."""
        if self.open is None or self.open.draft == text:
            return
        had = self.open.has_draft
        longer = len(text) > len(self.open.draft)
        self.open.draft = text
        self.drafts.changed(self.open)
        self._changes.draw(Part.COMPOSER)
        if had != self.open.has_draft:
            self._changes.draw(Part.PEOPLE)
        if longer and text.strip() and self.connected:
            self._changes.do(SendTyping(self.open.name))

    def attach(self, paths: Iterable[str]) -> str:
        """Add files to the draft of the open chat; a sentence about those that cannot be sent, if any."""
        if self.open is None or self.open.key == SERVER_KEY:
            return ""
        self.open.attachments, problems = added(self.open.attachments, paths, self.file_bytes)
        self.drafts.changed(self.open)
        self._changes.draw(Part.COMPOSER | Part.PEOPLE)
        return told(problems)

    def detach(self, path: str) -> None:
        """Take a file out of the draft of the open chat."""
        if self.open is not None:
            self.open.attachments = tuple(one for one in self.open.attachments if one.path != path)
            self.drafts.changed(self.open)
            self._changes.draw(Part.COMPOSER | Part.PEOPLE)

    def send_files(self) -> str:
        """Send the files of the draft of the open chat; if some are gone, a sentence, and nothing is sent."""
        conversation = self.open
        if (
            conversation is None
            or not conversation.attachments
            or self._excess(clean(conversation.draft)) > 0
        ):
            return ""
        paths = [one.path for one in conversation.attachments]
        conversation.attachments, problems = added((), paths, self.file_bytes)
        self._changes.draw(Part.COMPOSER | Part.PEOPLE)
        if problems:
            self.drafts.changed(conversation)
            return told(problems)
        conversation.attachments = ()
        conversation.warned = True
        self._changes.do(SendFiles(conversation.name, tuple(paths)))
        self.drafts.changed(conversation)
        return ""

    def send(self) -> bool:
        """Send the draft of the open chat; says whether there was something to send."""
        conversation = self.open
        if conversation is None or conversation.key == SERVER_KEY:
            return False
        text = clean(conversation.draft)
        if not text or self._excess(text) > 0:
            return False
        conversation.draft = ""
        conversation.warned = True
        conversation.unread_from, conversation.unread_at_open = None, 0
        cid = self._new_cid()
        if conversation.leave_past():
            self._show(conversation, [Reset(ViewState())])
            self.load(conversation)
        changes = conversation.queue(cid, text, self._clock.now_ms(), self.me)
        self._show(conversation, changes)
        self._changes.do(SendMessage(conversation.name, text, cid))
        # After the message: a crash in between leaves a draft too many, and never a message too few.
        self.drafts.changed(conversation)
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

    def drop(self, conversation: Conversation, key: str) -> None:
        """Show a message that is not in the log no longer."""
        self._show(conversation, conversation.drop(key))

    def composer(self, *, here: bool, unencrypted: bool) -> Composer:
        """What the field to write in looks like.

        Args:
            here: whether the other side is online.
            unencrypted: whether others on the network can read what is written.
        """
        conversation = self.open
        if conversation is None:
            return Composer(enabled=False, placeholder="")
        if conversation.key == SERVER_KEY:
            return Composer(enabled=False, placeholder="Announcements cannot be answered.")
        placeholder = f"Write to {conversation.name}"
        if not self.connected:
            placeholder = "Not connected. What you send goes out when the connection is back."
        elif not here:
            placeholder = f"Write to {conversation.name}, who is offline"
        over = self._excess(clean(conversation.draft))
        if over > 0:
            return Composer(True, placeholder, f"Too long by about {over:,} characters", overlong=True)
        hint = ""
        if -over < self.text_bytes * (1 - _HINT_FROM):
            hint = f"{-over:,} characters left"
        elif unencrypted and not conversation.warned:
            hint = "Others on the network can read what you write here."
        return Composer(True, placeholder, hint)

    # --- what the server says -----------------------------------------------------------------------------

    def receive(self, message: Message) -> tuple[Conversation, bool]:
        """A live message; says which chat it is in and whether the user has to be told."""
        own = self.is_own(message)
        conversation = self.of(message.to if own else message.sender)
        changes, new = conversation.add(message, own=own, epoch=self.epoch)
        conversation.typing_until = 0.0 if not own else conversation.typing_until
        self._show(conversation, changes)
        self._bound(conversation)
        if own or not new or 0 < message.id <= conversation.seen_id:
            return conversation, False
        if self._visible(conversation):
            self._see(conversation)
            return conversation, False
        conversation.unread += 1
        if conversation is self.open and conversation.unread_from is None and not conversation.ahead:
            conversation.unread_from = conversation.entries[-1].key
        return conversation, True

    def stored(self, event: MessageStored) -> None:
        """The server has a message of one's own."""
        conversation = self.of(event.to)
        message = Message(event.id, event.at, self.me, conversation.name, event.text, event.cid, event.file)
        self._show(conversation, conversation.stored(message, self.epoch))

    def refused(self, cid: str, to: str, text: str) -> None:
        """A message of one's own will not be sent; `text` says why."""
        conversation = self.of(to)
        self._show(conversation, conversation.fail(own_key(cid), text or "It could not be sent."))

    def file_moved(self, transfer: Transfer) -> None:
        """A file is on its way to somebody, or here, and has got further."""
        conversation = self.of(transfer.peer)
        self.files.moved(transfer)
        if not transfer.outgoing:
            key = conversation.key_at(transfer.message_id or 0, self.epoch)
        else:
            key = own_key(transfer.id)
            if transfer.state is TransferState.CANCELLED:
                self.drop(conversation, key)
                return
            if transfer.state is not TransferState.DONE and not conversation.holds(key):
                file = FileRef("", transfer.size)
                now = self._clock.now_ms()
                self._show(conversation, conversation.queue(transfer.id, transfer.name, now, self.me, file))
                return
        self._show(conversation, conversation.shown_anew(key))

    def picture_came(self, hash_: str, path: str) -> None:
        """The picture that some messages carry is here; "" if it could not be had."""
        self.files.picture_came(hash_, path)
        if self.open is not None and path:
            changes: list[TranscriptChange] = []
            for entry in self.open.entries:
                if entry.file is not None and entry.file.hash == hash_:
                    changes += self.open.shown_anew(entry.key)
            self._show(self.open, changes)

    def receipt(self, peer: str, delivered: int, read: int) -> None:
        """How far somebody has got with one's messages."""
        # It may be told before the list of conversations or the page that it follows has been taken in.
        conversation = self.of(peer)
        self._show(conversation, conversation.receipt(delivered, read, self.epoch))

    def read_elsewhere(self, peer: str, id_: int) -> Conversation | None:
        """Another device has read everything up to an id; the conversation, or None if that is no news."""
        conversation = self.of(peer)
        if id_ <= conversation.seen_id:
            return None
        conversation.seen_id = id_
        if conversation.is_whole_after(id_):
            conversation.unread = conversation.received_after(self.epoch, id_)
        else:
            # Some of what is unread is not here, so the server has to count.
            self._changes.do(LoadChats())
        if conversation is self.open and not self._visible(conversation):
            conversation.unread_at_open = conversation.unread
            conversation.unread_from = self._nth_unread(conversation, conversation.unread)
        self._changes.draw(Part.PEOPLE | Part.TITLE | Part.CHAT)
        return conversation

    def typing(self, user: str) -> None:
        """Somebody is writing to this user."""
        conversation = self.of(user)
        conversation.typing_until = self._clock.monotonic() + TYPING_SHOWN_S
        self._changes.draw(Part.PEOPLE | Part.HEADER)

    def listed(self, chats: tuple[Chat, ...]) -> None:
        """The server's own list of conversations: last messages, and what was unread before this login."""
        for chat in chats:
            conversation = self.of(chat.peer)
            # Its text may be a beginning only, so it is for the list, and never a message in the chat.
            conversation.last = chat.last
            conversation.newest_id = max(conversation.newest_id, chat.last.id)
            conversation.unread = self._unread_of(conversation, chat)
            if conversation is self.open and conversation.unread_from is None:
                conversation.unread_at_open = conversation.unread
                conversation.unread_from = self._nth_unread(conversation, conversation.unread)
        self._see_if_visible()
        self._changes.draw(Part.PEOPLE | Part.TITLE)

    # --- inside -------------------------------------------------------------------------------------------

    def _unread_of(self, conversation: Conversation, chat: Chat) -> int:
        """How many messages are unread by the server's count, which may be older than what has been seen here."""
        seen, last = conversation.seen_id, chat.last.id
        counted = chat.unread if last > seen else 0
        if seen and not conversation.ahead and 0 < conversation.whole_from <= seen:
            counted = min(counted, conversation.received_after(self.epoch, seen, last))
        return counted + conversation.received_after(self.epoch, max(last, seen))

    def _show(self, conversation: Conversation, changes: list[TranscriptChange]) -> None:
        super()._show(conversation, changes)
        if conversation is self.open:
            self._want_pictures(changes)

    def _want_pictures(self, changes: Sequence[TranscriptChange]) -> None:
        """Have those pictures fetched that have come into the open chat by these changes."""
        conversation = self.open
        if conversation is None or not self.connected:
            return
        entries: list[Entry | None] = []
        for change in changes:
            match change:
                case Reset():
                    entries += [one for one in conversation.entries if one.file is not None][-MOST_PICTURES:]
                case Append(bubbles) | Prepend(bubbles):
                    entries += [conversation.get(one.key) for one in bubbles if one.file is not None]
                case _:
                    pass
        for entry in entries:
            if entry is not None and self.files.wants_picture(entry):
                self._changes.do(FetchPicture(conversation.message(entry)))

    def _leave(self) -> None:
        if self.open is not None:
            self.open.unread_from, self.open.unread_at_open = None, 0
            if self.open.leave_past():
                self.open.asked = None
            self.open.trim()

    def _visible(self, conversation: Conversation) -> bool:
        return conversation is self.open and self.in_front and self.at_bottom and not conversation.ahead

    def _see_if_visible(self) -> None:
        if self.open is not None and self._visible(self.open):
            self._see(self.open)

    def _see(self, conversation: Conversation) -> None:
        """Everything in this chat counts as read now."""
        if conversation.unread:
            conversation.unread = 0
            self._changes.draw(Part.PEOPLE | Part.TITLE)
        newest = conversation.newest_received(self.epoch)
        if newest > conversation.seen_id:
            conversation.seen_id = conversation.whole_from = newest
            if self.connected:
                self._changes.do(MarkRead(conversation.name, newest))
            else:
                self._reads_owed[conversation.name] = newest

    def _loaded(self, conversation: Conversation, *, failed: bool) -> None:
        if conversation is self.open and conversation.unread_from is None:
            conversation.unread_from = self._nth_unread(conversation, conversation.unread_at_open)
        super()._loaded(conversation, failed=failed)
        self._see_if_visible()

    def _bound(self, conversation: Conversation) -> None:
        """Hold no more of a conversation than its limit, and nothing less of what is in view."""
        if conversation is not self.open:
            conversation.trim()
        elif conversation.trim() if self.at_bottom else conversation.trim_newest():
            self._show(conversation, [Reset()])

    def _nth_unread(self, conversation: Conversation, count: int) -> str | None:
        received = [entry.key for entry in conversation.entries if not entry.own]
        return received[-count] if 0 < count <= len(received) else None

    def _excess(self, text: str) -> int:
        return len(text.encode(errors="replace")) - self.text_bytes


def clean(text: str) -> str:
    """A draft as it can be sent: no control characters, no blank lines around it, no lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub("", text).encode("utf-8", errors="ignore").decode()
    return text.strip("\n").rstrip() if text.strip() else ""
