"""What a session has missed, sent page by page at the pace of its reader, then live without a hole.

While the backlog is under way, new messages are not delivered to the session: they are in the log, and the
last page is the one after which the log holds nothing newer. From that moment on the session is live.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twocans.hub import resumed_marks
from twocans.hub.account import Account
from twocans.hub.limits import Limits
from twocans.hub.roster import Roster
from twocans.hub.session import Reason, Session
from twocans.protocol import plain
from twocans.protocol.messages import Message, ReadMark, Synced
from twocans.protocol.names import user_key
from twocans.storage.base import Page, Storage

PAGE_MESSAGES: Final = 200
UNREADABLE: Final = (
    "The server cannot read your messages just now. They are not lost; please try again later."
)


class Backlog:
    """Brings sessions up to date.

    Args:
        storage: the message log.
        roster: who is known.
        limits: how large a page may be.
    """

    def __init__(self, storage: Storage, roster: Roster, limits: Limits) -> None:
        self._storage = storage
        self._roster = roster
        # A reader that has only begun with a page is not to be cut off for it.
        self._max_bytes = min(limits.page_bytes, limits.send_queue_bytes // 4)

    def start(self, session: Session, account: Account, *, after: int, resumes: bool) -> None:
        """Send all messages with ids above `after`, then the marks that moved last to one that resumes, then SYNCED.

        Args:
            session: whom to.
            account: whose inbox.
            after: the last id that need not be sent.
            resumes: True if the session said `after`. Then messages that the account itself has sent so far belong to
                it. What other devices send from now on belongs to it in any case, unless the session is plain.
        """
        session.cursor = after
        self._next(session, account, own_after=0 if resumes else account.last, resumes=resumes)

    def _next(self, session: Session, account: Account, *, own_after: int, resumes: bool) -> None:
        if account.last <= session.cursor:
            if resumes:
                resumed_marks.tell(session, account, self._roster)
            self._finish(session, account)
            return
        seen = account.last
        others_only = session.plain or session.cursor < own_after

        def send(page: Page) -> None:
            if session.account is None:
                return
            if page.failed:
                # Going on would pass over what could not be read, for good.
                session.end(Reason.STORAGE_FAILED, UNREADABLE)
                return
            messages, more = page.messages, page.more
            if session.plain:
                fitting = self._fitting(messages)
                more = more or len(fitting) < len(messages)
                messages = fitting
            end = messages[-1].id if messages and more else max(seen, messages[-1].id if messages else 0)
            if others_only and not session.plain and end > own_after:
                # From here on the account's own messages count too, so this page ends here.
                end = own_after
                messages = [message for message in messages if message.id <= end]
            if session.plain:
                session.files_due = any(message.file is not None for message in messages)
            for message in messages:
                if message.id not in session.acked:
                    session.deliver_message(message)
            if account.read and not session.plain and not resumes:
                _tell_read(session, account, messages)
            session.cursor = max(session.cursor, end)
            session.when_drained(lambda: self._next(session, account, own_after=own_after, resumes=resumes))

        self._storage.inbox(
            account.key,
            after=session.cursor,
            own=not others_only,
            limit=PAGE_MESSAGES,
            max_bytes=self._max_bytes,
            on_page=send,
        )

    def _fitting(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The first of these messages, as many as a page holds as a plain reader gets them: each line has a name."""
        size = 0
        for place, message in enumerate(messages):
            size += len(plain.encode(message))
            if place and size > self._max_bytes:
                return messages[:place]
        return messages

    def _finish(self, session: Session, account: Account) -> None:
        session.live = True
        session.acked = frozenset()
        if not session.plain:
            session.deliver(Synced(last=max(account.last, session.cursor)))


def _tell_read(session: Session, account: Account, messages: Sequence[Message]) -> None:
    """Tell a device up to where others of the account have read what it has missed."""
    peers = {message.sender for message in messages if message.to == account.name}
    for peer in peers:
        upto = account.read.get(user_key(peer), 0)
        if upto:
            session.deliver(ReadMark(peer=peer, id=upto))
