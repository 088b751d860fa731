"""What has been read: messages that were in view, in a window in front. Counts the others, and shows a chat from there on.

A read mark covers everything before it. So it follows the view as the user scrolls, but does not pass over unread
messages that a search has left out, and stays while it is not known how many are unread.
"""

from __future__ import annotations

from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.conversation import CardOf, Conversation, Stretch
from twocans.gui.viewmodel.effects import LoadAround, LoadChats, MarkRead
from twocans.gui.viewmodel.entries import Entry, shortened
from twocans.gui.viewmodel.paging import Paging
from twocans.gui.viewmodel.state import Clock, Part
from twocans.gui.viewmodel.transcript_changes import ToUnread
from twocans.protocol.messages import Chat, Message

_UNREAD_PARTS: Final = Part.PEOPLE | Part.TITLE | Part.CHAT


class Reading(Paging):
    """The conversations of one login, with what is unread in each.

    Args:
        changes: where changes are noted.
        clock: the time.
        card_of: knows how far the files of messages have got.
    """

    def __init__(self, changes: Changes, clock: Clock, card_of: CardOf) -> None:
        super().__init__(changes, clock, card_of)
        self.in_front = False
        """True if the window has the keyboard."""
        self.shown = True
        """False while something else is in the place of the chat, as in a narrow window."""
        self.at_bottom = True
        """True if the transcript shows its end, and follows it."""
        self._in_view: tuple[str, str] | None = None
        self._counted = False
        self._awaits_unread = False
        self._jumped = False
        self._reads_owed: dict[str, int] = {}

    @property
    def unread(self) -> int:
        """How many messages have not been read."""
        return sum(one.unread for one in self.all.values())

    # --- what the window tells ----------------------------------------------------------------------------

    def set_in_front(self, in_front: bool) -> None:
        """The window came to the front, or went away from it."""
        came, self.in_front = in_front and not self.in_front, in_front
        self._looked_at_again(came=came)

    def set_shown(self, shown: bool) -> None:
        """The chat came into sight in the window, or something else took its place."""
        came, self.shown = shown and not self.shown, shown
        self._looked_at_again(came=came)

    def set_at_bottom(self, at_bottom: bool) -> None:
        """The transcript shows its end, or does not."""
        self.at_bottom = at_bottom
        self._read_what_is_in_view()

    def set_in_view(self, first: str, last: str) -> None:
        """The first and the last message of which the transcript shows the end."""
        self._in_view = (first, last)
        self._read_what_is_in_view()

    # --- what is asked for --------------------------------------------------------------------------------

    def load(self, conversation: Conversation) -> None:
        """Get the first unread messages if the open chat is to show them, else the newest unless something is here."""
        if conversation is self.open and self._awaits_unread:
            seen = conversation.seen_id
            self._ask(conversation, (Stretch.UNREAD, seen), LoadAround(conversation.name, seen))
        else:
            super().load(conversation)

    def to_newest(self) -> None:
        """Have the newest messages here, and pass over what is unread before them."""
        self._awaits_unread = self._jumped = False
        super().to_newest()

    def go_to(self, id_: int) -> None:
        """Have a message of the open conversation here, and in view."""
        self._awaits_unread, self._jumped, self._in_view = False, True, None
        super().go_to(id_)

    def around_unread(
        self, peer: str, messages: tuple[Message, ...] | None, *, more: bool, ahead: bool
    ) -> None:
        """The messages around the first unread one; None if they could not be had."""
        conversation = self.of(peer)
        conversation.asked = None
        if messages is not None:
            self._have_stretch(conversation, messages, more=more, ahead=ahead)
            if conversation is self.open:
                self._awaits_unread = False
                self._show_from(self._first_unread(conversation))
        self._loaded(conversation, failed=messages is None)

    # --- what the server says -----------------------------------------------------------------------------

    def listed(self, chats: tuple[Chat, ...]) -> None:
        """The server's own list of conversations: last messages, and what was unread before this login."""
        first, self._counted = not self._counted, True
        for chat in chats:
            conversation = self.of(chat.peer)
            if chat.read is not None:
                conversation.marked = True
                conversation.seen_id = max(conversation.seen_id, min(chat.read, chat.last.id))
            # Its text may be a beginning only, so it is for the list, and never a message in the chat.
            conversation.last = shortened(chat.last)
            conversation.newest_id = max(conversation.newest_id, chat.last.id)
            conversation.unread = self._unread_of(conversation, chat)
        opened = self.open
        if opened is not None and not (first and self.at_bottom and self._show_unread()):
            opened.unread_from = opened.unread_from or self._first_unread(opened)
        self._read_what_is_in_view()
        self._changes.draw(_UNREAD_PARTS)

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
        if conversation is self.open and not self._is_looked_at(conversation):
            conversation.unread_from = self._first_unread(conversation)
        self._changes.draw(_UNREAD_PARTS)
        return conversation

    # --- for those who know more --------------------------------------------------------------------------

    def _place(self, conversation: Conversation, at: int | None) -> None:
        """The chat has just been opened: show it from its first unread message on, or from the message with an id."""
        self._in_view, self._awaits_unread, self._jumped = None, False, False
        self.at_bottom = at is None and (conversation.view is None or conversation.view.at_bottom)
        conversation.unread_from = self._first_unread(conversation)
        if at is not None:
            self.go_to(at)
        else:
            self._show_unread()
            self.load(conversation)

    def _arrived(self, conversation: Conversation) -> bool:
        """A message has come live; says whether the user has to be told."""
        looked_at = self._is_looked_at(conversation)
        if looked_at and self._counted and not self._awaits_unread:
            self._read_all(conversation)
            return False
        conversation.unread += 1
        if conversation is self.open and conversation.unread == 1 and not conversation.ahead:
            conversation.unread_from = self._first_unread(conversation)
        self._changes.draw(_UNREAD_PARTS)
        return not looked_at

    def _loaded(self, conversation: Conversation, *, failed: bool) -> None:
        if conversation is self.open:
            if self._awaits_unread and not self._lacks_unread(conversation):
                self._show_unread()
            conversation.unread_from = conversation.unread_from or self._first_unread(conversation)
        super()._loaded(conversation, failed=failed)
        self._read_what_is_in_view()

    # --- inside -------------------------------------------------------------------------------------------

    def _looked_at_again(self, *, came: bool) -> None:
        """What came while nobody looked is shown from its beginning, not from its end."""
        if not (came and self.in_front and self.shown and self.at_bottom and self._show_unread()):
            self._read_what_is_in_view()

    def _show_unread(self) -> bool:
        """Show the open chat from its first unread message on; says whether there is one to show."""
        opened = self.open
        if opened is None or not opened.unread:
            return False
        if self._lacks_unread(opened):
            opened.unread_from = None
            self._awaits_unread = True
            self.load(opened)
            return True
        self._awaits_unread = False
        return self._show_from(self._first_unread(opened))

    def _show_from(self, key: str | None) -> bool:
        if self.open is None or key is None:
            return False
        self.open.unread_from = key
        # Nothing is known of what is in view until the transcript tells.
        self.at_bottom, self._in_view = False, None
        self._changes.transcript([ToUnread(key)])
        self._changes.draw(Part.CHAT)
        return True

    def _first_unread(self, conversation: Conversation) -> str | None:
        """The key of the first unread message; None if there is none, or it is not here."""
        unread = [
            one.key
            for one in conversation.entries
            if _is_received(one, self.epoch) and (one.id > conversation.seen_id or not one.id)
        ]
        if not unread or not conversation.unread:
            return None
        if conversation.ahead:
            return unread[0] if self._reaches_back(conversation) else None
        return unread[-conversation.unread] if conversation.unread <= len(unread) else None

    def _lacks_unread(self, conversation: Conversation) -> bool:
        """True if the first unread message is known to the server only."""
        return bool(conversation.unread) and conversation.marked and self._first_unread(conversation) is None

    def _reaches_back(self, conversation: Conversation) -> bool:
        """True if nothing is missing between what has been read and what is here."""
        return not conversation.more or (conversation.oldest_id or 0) <= conversation.seen_id

    def _is_looked_at(self, conversation: Conversation) -> bool:
        """True if the user sees the end of this conversation."""
        return (
            conversation is self.open
            and self.in_front
            and self.shown
            and self.at_bottom
            and not conversation.ahead
        )

    def _read_what_is_in_view(self) -> None:
        opened = self.open
        if opened is None or not self._counted or self._awaits_unread:
            return
        if self._is_looked_at(opened):
            self._read_all(opened)
        elif self.in_front and self.shown and self._in_view is not None:
            first, last = (opened.get(key) for key in self._in_view)
            if first is None or last is None or (self._jumped and not self._continues(opened, first)):
                return
            self._jumped = False
            self._read_upto(opened, last)

    def _continues(self, conversation: Conversation, first: Entry) -> bool:
        """True if no unread message is before this one."""
        return self._reaches_back(conversation) and not any(
            _is_received(one, self.epoch) and conversation.seen_id < one.id
            for one in conversation.entries[: conversation.entries.index(first)]
        )

    def _read_upto(self, conversation: Conversation, last: Entry) -> None:
        """Everything up to this message counts as read now."""
        upto = conversation.entries[: conversation.entries.index(last) + 1]
        id_ = max((one.id for one in upto if _is_received(one, self.epoch)), default=0)
        if id_ <= conversation.seen_id:
            return
        if conversation.ahead:
            newly = conversation.received_after(self.epoch, conversation.seen_id, id_)
            conversation.unread = max(0, conversation.unread - newly)
        else:
            conversation.unread = min(conversation.unread, conversation.received_after(self.epoch, id_))
        self._mark(conversation, id_)
        self._changes.draw(_UNREAD_PARTS)

    def _read_all(self, conversation: Conversation) -> None:
        """Everything in this chat counts as read now."""
        self._jumped = False
        if conversation.unread:
            conversation.unread = 0
            self._changes.draw(_UNREAD_PARTS)
        newest = conversation.newest_received(self.epoch)
        if newest > conversation.seen_id:
            self._mark(conversation, newest)

    def _mark(self, conversation: Conversation, id_: int) -> None:
        conversation.seen_id = id_
        if self.connected:
            self._changes.do(MarkRead(conversation.name, id_))
        else:
            self._reads_owed[conversation.name] = id_

    def _unread_of(self, conversation: Conversation, chat: Chat) -> int:
        """How many messages are unread by the server's count, which may be older than what has been seen here."""
        seen, last = conversation.seen_id, chat.last.id
        counted = chat.unread if last > seen else 0
        if seen and conversation.is_whole_after(seen):
            counted = min(counted, conversation.received_after(self.epoch, seen, last))
        return counted + conversation.received_after(self.epoch, max(last, seen))


def _is_received(entry: Entry, epoch: int) -> bool:
    return not entry.own and entry.epoch == epoch
