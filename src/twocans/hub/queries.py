"""Answers about what was said and who is known: history, search, conversations, people.

One question of a session is under way at a time, so that nobody's questions hold up anybody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from twocans.hub.account import Account
from twocans.hub.backlog import UNREADABLE
from twocans.hub.limits import Limits
from twocans.hub.roster import Roster
from twocans.hub.session import Session
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Chat,
    Chats,
    ChatsQuery,
    Error,
    FindQuery,
    Found,
    History,
    HistoryQuery,
    Results,
    SearchQuery,
)
from twocans.protocol.names import SERVER_NAME, NameInvalid, UserKey, user_key
from twocans.storage.base import Page, Storage

MAX_CHATS: Final = 1000
PREVIEW_CHARS: Final = 100
"""How much of a conversation's last text is shown where all of them together would be too much."""
SERVER_KEY: Final = UserKey(SERVER_NAME.casefold())


class Queries:
    """Answers questions about the log.

    Args:
        storage: the message log.
        roster: who is known.
        limits: how large an answer may be.
    """

    def __init__(self, storage: Storage, roster: Roster, *, limits: Limits) -> None:
        self._storage = storage
        self._roster = roster
        self._limits = limits

    def history(self, session: Session, query: HistoryQuery) -> None:
        """Answer with one page of a conversation, and how far the peer has got with it.

        Raises:
            ProtocolError: there is no such peer.
        """
        account = account_of(session)
        peer = self.peer(query.peer, query.rid)

        def answer(page: Page) -> None:
            if page.failed:
                session.deliver(_unreadable(query.rid))
            else:
                session.deliver(History(rid=query.rid, messages=list(page.messages), more=page.more))
                self._send_receipt_of(session, account, peer)
            _answered(session)

        session.asking = True
        self._storage.conversation(
            account.key,
            peer,
            before=query.before,
            limit=query.limit,
            max_bytes=self._limits.page_bytes,
            on_page=answer,
        )

    def search(self, session: Session, query: SearchQuery) -> None:
        """Answer with one page of what was found in one's own messages.

        Raises:
            ProtocolError: there is no such peer.
        """
        account = account_of(session)
        peer = None if query.peer is None else self.peer(query.peer, query.rid)

        def answer(page: Page) -> None:
            if page.failed:
                session.deliver(_unreadable(query.rid))
            else:
                session.deliver(Results(rid=query.rid, messages=list(page.messages), more=page.more))
            _answered(session)

        session.asking = True
        self._storage.search(
            account.key,
            query.query,
            peer=peer,
            before=query.before,
            limit=query.limit,
            max_bytes=self._limits.page_bytes,
            on_page=answer,
        )

    def chats(self, session: Session, query: ChatsQuery) -> None:
        """Answer with one's conversations, and how far each peer has got with them."""
        account = account_of(session)

        def answer(chats: Sequence[Chat] | None) -> None:
            if chats is None:
                session.deliver(_unreadable(query.rid))
                _answered(session)
                return
            session.deliver(Chats(rid=query.rid, chats=_shortened(list(chats), self._limits.page_bytes)))
            for chat in chats:
                self._send_receipt_of(session, account, user_key(chat.peer))
            _answered(session)

        session.asking = True
        self._storage.chats(account.key, limit=MAX_CHATS, on_chats=answer)

    def find(self, session: Session, query: FindQuery) -> None:
        """Answer with people known here whose name starts with the prefix."""
        try:
            prefix: str = user_key(query.prefix)
        except NameInvalid:
            prefix = query.prefix.casefold()
        session.deliver(Found(rid=query.rid, users=self._roster.find(prefix)))

    def peer(self, name: str, rid: int | str | None) -> UserKey:
        """The key of somebody to look back at a conversation with, the server included.

        Raises:
            ProtocolError: there is no such peer.
        """
        try:
            key = user_key(name)
        except NameInvalid:
            key = None
        if key is None or (key != SERVER_KEY and self._roster.get(key) is None):
            raise ProtocolError(Code.NO_SUCH_USER, "There is nobody by that name here.", rid=rid)
        return key

    def _send_receipt_of(self, session: Session, account: Account, peer: UserKey) -> None:
        reader = self._roster.get(peer)
        if reader is None or reader is account:
            return
        if reader.delivered or reader.read.get(account.key):
            session.deliver_receipt(account, reader)


def account_of(session: Session) -> Account:
    """Whose session it is.

    Raises:
        ProtocolError: nobody's yet.
    """
    if session.account is None:
        raise not_registered(None)
    return session.account


def not_registered(cid: str | None) -> ProtocolError:
    """What is said to whoever has not said who they are."""
    return ProtocolError(Code.NOT_REGISTERED, "Register first: send HELLO with your user name.", cid=cid)


def _unreadable(rid: int | str) -> Error:
    return Error(code=Code.INTERNAL, text=UNREADABLE, rid=rid)


def _shortened(chats: list[Chat], max_bytes: int) -> list[Chat]:
    """The same conversations, with only the beginnings of long texts if all would be too much for one frame."""
    if sum(len(chat.last.text.encode()) for chat in chats) <= max_bytes:
        return chats
    return [
        replace(chat, last=replace(chat.last, text=chat.last.text[: PREVIEW_CHARS - 1] + "…"))
        if len(chat.last.text) > PREVIEW_CHARS
        else chat
        for chat in chats
    ]


def _answered(session: Session) -> None:
    session.asking = False
    if session.account is not None:
        session.answered()
