"""All conversations and the open one: drafts, places, what is unread, what has been seen, sending, history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from twocans.client.events import MessageStored
from twocans.client.outbox import Outgoing
from twocans.client.transfers.model import Transfer, TransferState
from twocans.gui.transcript.model import ViewState
from twocans.gui.viewmodel.attaching import added, renamed, told
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.conversation import Conversation
from twocans.gui.viewmodel.drafts import Drafts
from twocans.gui.viewmodel.effects import (
    FetchPicture,
    MarkRead,
    SendFiles,
    SendMessage,
    SendTyping,
)
from twocans.gui.viewmodel.entries import Entry, own_key
from twocans.gui.viewmodel.filecards import FileCards
from twocans.gui.viewmodel.inputs import KeptDraft
from twocans.gui.viewmodel.reading import Reading
from twocans.gui.viewmodel.state import Clock, Composer, Part
from twocans.gui.viewmodel.transcript_changes import (
    Append,
    Prepend,
    Reset,
    TranscriptChange,
)
from twocans.protocol.messages import FileRef, LimitsInForce, Message
from twocans.protocol.names import SERVER_NAME, key_of
from twocans.protocol.plurals import counted

TYPING_SHOWN_S: Final = 6.0
DEFAULT_TEXT_BYTES: Final = 16_384
_HINT_FROM: Final = 0.8
MAX_ALL_CHARS: Final = 16_000_000
"""How many characters of texts all conversations hold together, about; an entry counts for `ENTRY_CHARS` more."""
ENTRY_CHARS: Final = 200
MOST_PICTURES: Final = 40
"""How many pictures of a chat are fetched at once, the newest."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


SERVER_KEY: Final = key_of(SERVER_NAME)


class Chats(Reading):
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
        self.text_bytes = DEFAULT_TEXT_BYTES
        self.file_bytes = 0
        """The size of the largest file that the server takes; 0 for none at all."""
        self._doubtful: set[tuple[str, str]] = set()
        self._grown = 0

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
        self._counted = False
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

    # --- opening and closing ------------------------------------------------------------------------------

    def show(self, conversation: Conversation, *, at: int | None = None) -> None:
        """Open a chat, from its first unread message on if there is one; else its place is as it was.

        With `at`, the message with that id is what the user wants to see there.
        """
        self._leave()
        self.open = conversation
        self._top_wanted = self._bottom_wanted = False
        self._changes.forget_transcript()
        self._changes.transcript([Reset(conversation.view)])
        self._want_pictures([Reset()])
        self._changes.draw(Part.CHAT | Part.HEADER | Part.COMPOSER | Part.PEOPLE)
        self._place(conversation, at)

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
        """Add files to the draft of the open chat; a sentence about those that cannot be sent, or not under their names."""
        if self.open is None or self.open.key == SERVER_KEY:
            return ""
        before = self.open.attachments
        self.open.attachments, problems = added(before, paths, self.file_bytes)
        self.drafts.changed(self.open)
        self._changes.draw(Part.COMPOSER | Part.PEOPLE)
        return told(problems) or renamed(self.open.attachments[len(before) :])

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
        conversation.unread_from, self._awaits_unread = None, False
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
            return Composer(
                True, placeholder, f"Too long by about {counted(over, 'character')}", overlong=True
            )
        hint = ""
        if -over < self.text_bytes * (1 - _HINT_FROM):
            hint = f"{counted(-over, 'character')} left"
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
        self._grown += len(message.text) + ENTRY_CHARS
        self._show(conversation, changes)
        self._bound(conversation)
        if own or not new or 0 < message.id <= conversation.seen_id:
            return conversation, False
        return conversation, self._arrived(conversation)

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

    def typing(self, user: str) -> None:
        """Somebody is writing to this user."""
        conversation = self.of(user)
        conversation.typing_until = self._clock.monotonic() + TYPING_SHOWN_S
        self._changes.draw(Part.PEOPLE | Part.HEADER)

    # --- inside -------------------------------------------------------------------------------------------

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
            self.open.unread_from = None
            if self.open.leave_past():
                self.open.asked = None
            self.open.trim()

    def _bound(self, conversation: Conversation) -> None:
        """Hold no more of a conversation, and of all, than their limits, and nothing less of what is in view."""
        self._bound_all()
        if not conversation.may_be_large:
            return
        if conversation is not self.open:
            conversation.trim()
        elif conversation.trim() if self.at_bottom else conversation.trim_newest():
            self._show(conversation, [Reset()])

    def _loaded(self, conversation: Conversation, *, failed: bool) -> None:
        self._grown += conversation.chars
        self._bound_all()
        super()._loaded(conversation, failed=failed)

    def _bound_all(self) -> None:
        """Forget what can be loaded again, of those conversations first in which the least has happened lately."""
        if self._grown <= MAX_ALL_CHARS // 4:
            return
        self._grown = 0
        sizes = {key: one.chars + ENTRY_CHARS * len(one.entries) for key, one in self.all.items()}
        total = sum(sizes.values())
        if total <= MAX_ALL_CHARS * 3 // 4:
            return
        for key, one in sorted(self.all.items(), key=lambda item: item[1].newest_id):
            if total <= MAX_ALL_CHARS // 2:
                break
            if one is not self.open:
                one.release()
                total -= sizes[key]

    def _excess(self, text: str) -> int:
        return len(text.encode(errors="replace")) - self.text_bytes


def clean(text: str) -> str:
    """A draft as it can be sent: no control characters, no blank lines around it, no lone surrogates."""
    text = _sendable(text)
    return text.strip("\n").rstrip() if text.strip() else ""


def loses_characters(text: str) -> bool:
    """Return True if a draft holds characters that cannot be sent."""
    return len(_sendable(text)) < len(_with_line_feeds(text))


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _sendable(text: str) -> str:
    return _CONTROL.sub("", _with_line_feeds(text)).encode("utf-8", errors="ignore").decode()
