"""One conversation: its messages in order, each once, and what is known about them.

A message is recognised by its sender and cid, so that one which arrives live, in a page of the history and
again after a reconnect is shown once. The order is that of the server's ids; what waits to be sent is last.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from twocans.gui.transcript.model import Bubble, FileCard, Status, ViewState
from twocans.gui.viewmodel.attaching import Attachment
from twocans.gui.viewmodel.entries import (
    Entry,
    Position,
    entry_of,
    message_key,
    own_key,
    position,
    shortened,
    shown_text,
)
from twocans.gui.viewmodel.transcript_changes import (
    Append,
    Prepend,
    Replace,
    Reset,
    TranscriptChange,
)
from twocans.protocol.messages import FileRef, Message

MAX_ENTRIES: Final = 4000
"""How many messages of one conversation are held; the oldest go first and can be loaded again."""
MAX_CHARS: Final = 4_000_000
"""How many characters of texts of one conversation are held; the same holds for them."""
_TRIMMED_TO: Final = 3000
_TRIMMED_TO_CHARS: Final = 3_000_000
_MAX_EPOCH: Final = 2**62


class Stretch(Enum):
    """Which part of a conversation is asked for."""

    NEWEST = "newest"
    OLDER = "older"
    NEWER = "newer"
    AROUND = "around"
    UNREAD = "unread"


Asked = tuple[Stretch, int | None]
"""What is asked for, and the id from which it is counted."""
CardOf = Callable[[Entry], FileCard | None]
"""What a message's file looks like; None if it carries none."""


def _no_card(_: Entry) -> None:
    return None


@dataclass(slots=True)
class Conversation:
    """The messages exchanged with one person, and this window's state of it: draft, place, what is unread.

    `epoch` counts the server's logs: ids of different logs cannot be compared, later logs come later.
    `entries` are without a hole between them; older ones exist if `more`, newer ones if `ahead`. As long as those
    are not here, what waits to be sent is not either, since it comes after them.
    Everything up to `seen_id` has been seen, here or on another device, as far as known; with `marked` the server has
    told. `warned` tells that the user has written although others can read it. `card_of` knows how
    far files have got.
    """

    key: str
    name: str
    draft: str = ""
    attachments: tuple[Attachment, ...] = ()
    view: ViewState | None = None
    unread: int = 0
    unread_from: str | None = None
    seen_id: int = 0
    marked: bool = False
    warned: bool = False
    delivered: int = 0
    read: int = 0
    marks_epoch: int = 0
    loaded: bool = False
    asked: Asked | None = None
    more: bool = False
    ahead: bool = False
    last: Message | None = None
    newest_id: int = 0
    typing_until: float = 0.0
    card_of: CardOf = _no_card
    entries: list[Entry] = field(default_factory=list)
    _by_key: dict[str, Entry] = field(default_factory=dict)
    _frozen: dict[str, Status] = field(default_factory=dict)
    _count: int = 0
    _aside: list[Entry] = field(default_factory=list)
    _grown: int = 0

    # --- reading ------------------------------------------------------------------------------------------

    def bubbles(self) -> tuple[Bubble, ...]:
        """Everything there is to show, oldest first."""
        return tuple(self.bubble(entry) for entry in self.entries)

    def bubble(self, entry: Entry) -> Bubble:
        """What `entry` looks like."""
        return Bubble(
            key=entry.key,
            own=entry.own,
            text=entry.text,
            at_ms=entry.at_ms,
            status=self._status(entry),
            note=entry.note,
            file=self.card_of(entry) if entry.file is not None else None,
        )

    def get(self, key: str) -> Entry | None:
        """The message with this key."""
        return self._by_key.get(key)

    @property
    def has_draft(self) -> bool:
        """Whether something is written, or some file is chosen, that has not been sent."""
        return bool(self.draft.strip() or self.attachments)

    @property
    def has_unsent(self) -> bool:
        """Whether something is on its way to the server, or was refused."""
        return bool(self._aside) or any(not entry.id for entry in self.entries)

    @property
    def preview(self) -> tuple[str, int, bool] | None:
        """The last message's text, time and whether it is one's own; None if there is none."""
        shown = self._aside if self.ahead else self.entries
        if shown:
            last = shown[-1]
            return last.shown, last.at_ms, last.own
        if self.last is not None:
            text = shown_text(self.last.text, self.last.file)
            return text, self.last.at, self.last.sender != self.name
        return None

    @property
    def oldest_id(self) -> int | None:
        """The id before which the next older page ends, in the log of the newest message."""
        epoch = max((entry.epoch for entry in self.entries), default=0)
        return min((entry.id for entry in self.entries if entry.epoch == epoch and entry.id), default=None)

    @property
    def last_id(self) -> int:
        """The id of the newest message that is here, 0 if none is."""
        epoch = max((entry.epoch for entry in self.entries), default=0)
        return max((entry.id for entry in self.entries if entry.epoch == epoch), default=0)

    @property
    def chars(self) -> int:
        """How many characters the texts that are here have."""
        return sum(len(entry.text) for entry in self.entries)

    @property
    def may_be_large(self) -> bool:
        """True if so much has come live that it has to be looked at whether it is too much."""
        return len(self.entries) > MAX_ENTRIES or self._grown > MAX_CHARS // 4

    def key_at(self, id_: int, epoch: int) -> str | None:
        """The key of the message with this id, if it is here."""
        return next((one.key for one in self.entries if one.id == id_ and one.epoch == epoch), None)

    def newest_received(self, epoch: int) -> int:
        """The id of the newest message from the other side in this log, 0 if there is none."""
        for entry in reversed(self.entries):
            if not entry.own and entry.epoch == epoch and entry.id:
                return entry.id
        return 0

    def received_after(self, epoch: int, id_: int, upto: int | None = None) -> int:
        """How many messages from the other side are newer than `id_` in this log, and no newer than `upto`."""
        return sum(
            1
            for one in self.entries
            if not one.own and one.epoch == epoch and one.id > id_ and (upto is None or one.id <= upto)
        )

    def is_whole_after(self, id_: int) -> bool:
        """Whether no message that is newer than `id_` is missing here."""
        return not self.ahead and (id_ >= self.newest_id or 0 < (self.oldest_id or 0) <= id_)

    # --- changing -----------------------------------------------------------------------------------------

    def queue(
        self, cid: str, text: str, at_ms: int, sender: str, file: FileRef | None = None
    ) -> list[TranscriptChange]:
        """Show a message of one's own that is about to be sent."""
        entry = Entry(own_key(cid), True, text, at_ms, sender, self._last_position(), file=file)
        if self.ahead:
            self._aside.append(entry)
            return []
        return [self._insert(entry)]

    def holds(self, key: str) -> bool:
        """Whether the message with this key is here, or waits aside."""
        return key in self._by_key or any(one.key == key for one in self._aside)

    def message(self, entry: Entry) -> Message:
        """A message that is in the log, as the log has it; without its cid."""
        to = self.name if entry.own else ""
        return Message(entry.id, entry.at_ms, entry.sender, to, entry.text, "", entry.file)

    def shown_anew(self, key: str | None) -> list[TranscriptChange]:
        """What is known about a message beside it has changed."""
        entry = None if key is None else self._by_key.get(key)
        return [] if entry is None else [Replace(self.bubble(entry))]

    def requeue(self, key: str, at_ms: int) -> list[TranscriptChange]:
        """A failed message is sent again: it goes to the end, without its note."""
        entry = self._by_key[key]
        self._take_out(entry)
        entry.note = ""
        entry.at_ms = at_ms
        entry.position = self._last_position()
        self._insert(entry)
        return [Reset()]

    def drop_waiting(self, key: str) -> list[TranscriptChange]:
        """A message that waits is shown no longer."""
        entry = self._by_key.get(key)
        return self.drop(key) if entry is None or entry.waiting else []

    def drop(self, key: str) -> list[TranscriptChange]:
        """A message that is not in the log is shown no longer."""
        self._aside = [one for one in self._aside if one.key != key]
        entry = self._by_key.get(key)
        if entry is None or entry.id:
            return []
        self._take_out(entry)
        return [Reset()]

    def fail(self, key: str, note: str) -> list[TranscriptChange]:
        """A message could not be sent. It stays where it is now, whatever comes after it."""
        for aside in self._aside:
            if aside.key == key:
                aside.note = note
        entry = self._by_key.get(key)
        if entry is None or entry.id:
            return []
        before = self._by_order_before(entry)
        self._take_out(entry)
        entry.note = note
        epoch, id_ = (before.position[0], before.position[1]) if before else (0, 0)
        entry.position = (epoch, id_, self._next())
        change = self._insert(entry)
        return [Replace(self.bubble(entry))] if isinstance(change, Append) else [Reset()]

    def stored(self, message: Message, epoch: int) -> list[TranscriptChange]:
        """The server has a message of one's own."""
        key = own_key(message.cid)
        self.newest_id = max(self.newest_id, message.id)
        if self.ahead and key not in self._by_key:
            self._aside = [one for one in self._aside if one.key != key]
            self.last = shortened(message)
            return []
        if key not in self._by_key:
            return [self._insert(entry_of(message, True, epoch))]
        return self._settle(self._by_key[key], message, epoch)

    def add(self, message: Message, *, own: bool, epoch: int) -> tuple[list[TranscriptChange], bool]:
        """Take a live message in; also says whether it is new here."""
        known = self._by_key.get(message_key(message, own=own))
        if known is not None:
            return self._settle(known, message, epoch), False
        self.newest_id = max(self.newest_id, message.id)
        if self.ahead:
            self.last = shortened(message)
            return [], True
        self._grown += len(message.text)
        entry = entry_of(message, own, epoch)
        if not message.id:  # what the server itself says is in no log: it comes after all that is here
            last = max((one.id for one in self.entries if one.epoch == epoch), default=0)
            entry.position = (epoch, last, self._next())
        return [self._insert(entry)], True

    def merge(
        self, messages: Iterable[Message], *, is_own: Callable[[Message], bool], epoch: int
    ) -> list[TranscriptChange]:
        """Take a page of the history in."""
        fresh: list[Entry] = []
        moved = False
        for message in messages:
            own = is_own(message)
            known = self._by_key.get(message_key(message, own=own))
            if known is None:
                fresh.append(entry_of(message, own, epoch))
            elif self._settle(known, message, epoch):
                moved = True
        if not fresh:
            return [Reset()] if moved else []
        fresh.sort(key=position)
        self._by_key.update((entry.key, entry) for entry in fresh)
        if self.entries and not moved and fresh[-1].position < self.entries[0].position:
            self.entries[:0] = fresh
            return [Prepend(tuple(self.bubble(entry) for entry in fresh))]
        self.entries = sorted([*self.entries, *fresh], key=position)
        return [Reset()]

    def replace(
        self,
        messages: Sequence[Message],
        *,
        more: bool,
        ahead: bool,
        is_own: Callable[[Message], bool],
        epoch: int,
    ) -> list[TranscriptChange]:
        """Have another part of the conversation here than so far; messages oldest first."""
        self._put_aside()
        self.entries = [entry_of(message, is_own(message), epoch) for message in messages]
        self._by_key = {entry.key: entry for entry in self.entries}
        self.more = more
        self._set_ahead(ahead)
        return [Reset(ViewState())]

    def extend(
        self, messages: Sequence[Message], *, ahead: bool, is_own: Callable[[Message], bool], epoch: int
    ) -> list[TranscriptChange]:
        """Take in what follows the newest message that is here; messages oldest first."""
        fresh = [
            entry_of(message, is_own(message), epoch)
            for message in messages
            if message_key(message, own=is_own(message)) not in self._by_key
        ]
        self.entries += fresh
        self._by_key.update((entry.key, entry) for entry in fresh)
        moved = not ahead and any(one.failed for one in self._aside)
        added = [*fresh, *([] if ahead else self._aside)]
        self._set_ahead(ahead)
        if moved:
            return [Reset()]
        return [Append(tuple(self.bubble(entry) for entry in added), hold=True)] if added else []

    def leave_past(self) -> bool:
        """Forget a part that does not reach the newest message; says whether it was one."""
        if not self.ahead:
            return False
        self.entries, self._by_key = [], {}
        self.loaded = self.more = False
        self._set_ahead(False)
        return True

    def receipt(self, delivered: int, read: int, epoch: int) -> list[TranscriptChange]:
        """The other side has got so far with one's messages; marks only grow."""
        if self.marks_epoch != epoch:
            self.marks_epoch, self.delivered, self.read = epoch, 0, 0
        before = (self.delivered, self.read)
        self.delivered = max(self.delivered, delivered, read)
        self.read = max(self.read, read)
        changes: list[TranscriptChange] = []
        for entry in reversed(self.entries):
            if not entry.own or entry.epoch != epoch or not entry.id:
                continue
            if entry.id <= before[1]:
                break
            if before[0] < entry.id <= self.delivered or before[1] < entry.id <= self.read:
                changes.append(Replace(self.bubble(entry)))
        return changes

    def freeze_marks(self, epoch: int) -> None:
        """A new log begins: what was delivered and read in the old one stays as it is."""
        for entry in self.entries:
            if entry.own and entry.id and entry.epoch == self.marks_epoch and entry.epoch != epoch:
                self._frozen[entry.key] = self._status(entry)
        self.marks_epoch, self.delivered, self.read, self.seen_id = epoch, 0, 0, 0
        self.newest_id, self.marked = 0, False

    def trim(self) -> bool:
        """Let the oldest messages go if there are too many; says whether any went."""
        if not self._is_too_large():
            return False
        kept = self.entries[-_TRIMMED_TO:]
        kept = kept[-_fitting(reversed(kept)) :]
        self.entries = kept
        self._by_key = {entry.key: entry for entry in kept}
        self._frozen = {key: mark for key, mark in self._frozen.items() if key in self._by_key}
        self.more = True
        return True

    def trim_newest(self) -> bool:
        """Let the newest messages go if there are too many; says whether any went."""
        if not self._is_too_large():
            return False
        self._put_aside()
        self.entries = self.entries[:_TRIMMED_TO]
        self.entries = self.entries[: _fitting(self.entries)]
        self._by_key = {entry.key: entry for entry in self.entries}
        self.ahead = True
        return True

    def release(self) -> None:
        """Forget all that can be loaded again; what is on its way to the server, or was refused, stays."""
        self._put_aside()
        self.entries, self._by_key, self._frozen = [], {}, {}
        self.loaded = self.more = False
        self.view = None
        self._grown = 0
        self._set_ahead(False)

    # --- inside -------------------------------------------------------------------------------------------

    def _is_too_large(self) -> bool:
        self._grown = 0
        return len(self.entries) > MAX_ENTRIES or self.chars > MAX_CHARS

    def _status(self, entry: Entry) -> Status:
        if not entry.own:
            return Status.NONE
        if entry.note:
            return Status.FAILED
        if not entry.id:
            return Status.WAITING
        if entry.epoch != self.marks_epoch:
            return self._frozen.get(entry.key, Status.SENT)
        if entry.id <= self.read:
            return Status.READ
        return Status.DELIVERED if entry.id <= self.delivered else Status.SENT

    def _put_aside(self) -> None:
        """What has no place in the log yet comes after everything in it."""
        newest = next((one for one in reversed(self.entries) if one.id), None)
        if newest is not None and not self.ahead:
            self.newest_id = max(self.newest_id, newest.id)
            self.last = Message(
                newest.id, newest.at_ms, newest.sender, self.name, newest.text, "", newest.file
            )
        self._aside += [entry for entry in self.entries if not entry.id]
        self.entries = [entry for entry in self.entries if entry.id]

    def _set_ahead(self, ahead: bool) -> None:
        self.ahead = ahead
        if not ahead:
            for entry in self._aside:
                if entry.key not in self._by_key:
                    self._insert(entry)
            self._aside.clear()

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _last_position(self) -> Position:
        return (_MAX_EPOCH, 0, self._next())

    def _by_order_before(self, entry: Entry) -> Entry | None:
        settled = [one for one in self.entries if one.position < entry.position and not one.waiting]
        return settled[-1] if settled else None

    def _settle(self, entry: Entry, message: Message, epoch: int) -> list[TranscriptChange]:
        """An entry gets its place in the log."""
        if entry.id == message.id and entry.epoch == epoch:
            return []
        index = self.entries.index(entry)
        self._take_out(entry)
        entry.id, entry.epoch, entry.at_ms, entry.note = message.id, epoch, message.at, ""
        entry.file = message.file
        entry.position = (epoch, message.id, 0)
        self._insert(entry)
        self._frozen.pop(entry.key, None)
        if self.entries[min(index, len(self.entries) - 1)] is entry:
            return [Replace(self.bubble(entry))]
        return [Reset()]

    def _take_out(self, entry: Entry) -> None:
        self.entries.remove(entry)
        del self._by_key[entry.key]

    def _insert(self, entry: Entry) -> TranscriptChange:
        at_end = bisect_right(self.entries, entry.position, key=position) == len(self.entries)
        insort(self.entries, entry, key=position)
        self._by_key[entry.key] = entry
        return Append((self.bubble(entry),)) if at_end else Reset()


def _fitting(entries: Iterable[Entry]) -> int:
    """Return how many of the first entries fit into what a trimmed conversation holds; at least one."""
    count = chars = 0
    for entry in entries:
        chars += len(entry.text)
        if count and chars > _TRIMMED_TO_CHARS:
            break
        count += 1
    return max(1, count)
