"""Files that messages carry: who may bring and fetch which, told by tickets with which that is done over HTTP.

A hash gives access to nothing: whoever brings a file has to bring all of it, unless it has come from or to them before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from itsdangerous import BadData, URLSafeSerializer
from msgspec import Struct, ValidationError, convert, to_builtins
from msgspec.structs import replace

from twocans.hub.access import Access
from twocans.hub.posting import Posting
from twocans.hub.queries import account_of
from twocans.hub.session import Session
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.file_names import readable_size, safe_name
from twocans.protocol.messages import DownloadQuery, Error, FileRef, Message, Send, Ticket, UploadQuery
from twocans.protocol.names import UserKey
from twocans.storage.files import TICKET_S, Carried, FileKeeper, Unkept

FOLDER: Final = "files"
"""What the path of every request begins with."""
LINK_S: Final = 24 * 60 * 60
"""The same for a link that a plain client gets."""

_SALT: Final = "twocans ticket"
_NONE_TAKEN: Final = "This server doesn't accept files."
_SENTENCES: Final = {
    Unkept.UNREADABLE: (
        Code.INTERNAL,
        "Files are unavailable right now. Please try again later.",
    ),
    Unkept.NONE: (Code.NO_SUCH_FILE, "There is no such file for you here any more."),
    Unkept.FULL: (
        Code.STORAGE_FULL,
        "The server has no room for this file. Please tell the person who runs the server.",
    ),
    Unkept.SHARE_FULL: (
        Code.STORAGE_FULL,
        "Your files take as much room on the server as those of one person may. Please send a smaller one.",
    ),
    Unkept.TOO_MANY: (
        Code.RATE_LIMITED,
        "Too many files of yours are on their way. Please wait until some of them are through.",
    ),
}


class Grant(Struct, frozen=True, array_like=True):
    """What a ticket allows: to bring a file, or to fetch the one that the message `id` carries.

    It counts as long as the session that got it could go on: `credential` and `host` are those of that session, and
    `generation` is that of its name.
    """

    user: UserKey
    file: FileRef
    until_s: int
    credential: int | None
    host: str
    id: int | None = None
    generation: int = 0


class NotGranted(Exception):
    """A ticket allows nothing, or no more; the sentence says why."""


class Files:
    """Gives out tickets and knows them again.

    Args:
        keeper: what is kept of files; None if none are taken.
        posting: where messages go.
        access: who may still be here.
        max_bytes: how large a file may be.
        wall_s: the time, in Unix seconds.
    """

    def __init__(
        self,
        keeper: FileKeeper | None,
        posting: Posting,
        access: Access,
        *,
        max_bytes: int,
        wall_s: Callable[[], float],
    ) -> None:
        self.max_bytes = 0 if keeper is None else max_bytes
        """How large a file may be; 0 if none are taken."""
        self._keeper = keeper
        self._posting = posting
        self._access = access
        self._wall_s = wall_s
        self._serializer = None
        if keeper is not None:
            self._serializer = URLSafeSerializer(
                keeper.secret,
                _SALT,
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )

    @property
    def totals(self) -> tuple[int, int]:
        """How many files there are, and how many bytes of files."""
        return (0, 0) if self._keeper is None else self._keeper.totals

    def upload(self, session: Session, query: UploadQuery) -> None:
        """Answer with a ticket for bringing a file, and how much of it is here.

        Raises:
            ProtocolError: it cannot be brought; the sentence says why.
        """
        account = account_of(session)
        keeper = self._taking(query.size, rid=query.rid)
        file = FileRef(query.hash, query.size)

        def answer(offset: int | Unkept) -> None:
            if isinstance(offset, Unkept):
                session.deliver(_refusal(offset, query.rid))
            else:
                ticket = self._ticket(account.key, session, file, valid_s=TICKET_S)
                session.deliver(Ticket(rid=query.rid, ticket=ticket, offset=offset, valid_s=TICKET_S))
            _answered(session)

        session.asking = True
        keeper.offset(account.key, file, answer)

    def download(self, session: Session, query: DownloadQuery) -> None:
        """Answer with a ticket for fetching the file of a message.

        Raises:
            ProtocolError: there are no files here.
        """
        account = account_of(session)
        keeper = self._taking(0, rid=query.rid)

        def answer(carried: Carried | Unkept) -> None:
            if isinstance(carried, Unkept):
                session.deliver(_refusal(carried, query.rid))
            else:
                ticket = self._ticket(account.key, session, carried.file, valid_s=TICKET_S, id_=query.id)
                session.deliver(Ticket(rid=query.rid, ticket=ticket, offset=0, valid_s=TICKET_S))
            _answered(session)

        session.asking = True
        keeper.carried(account.key, query.id, answer)

    def post(self, session: Session, send: Send) -> None:
        """Accept a message that carries a file.

        Raises:
            ProtocolError: it is not accepted; the sentence says why.
        """
        account_of(session)
        if send.file is not None:
            self._taking(send.file.size, cid=send.cid)
        if safe_name(send.text) != send.text:
            raise ProtocolError(
                Code.BAD_REQUEST,
                "That is no name for a file that every system can keep. Please rename the file.",
                cid=send.cid,
            )
        self._posting.post_file(session, send)

    def linked(self, reader: Session, message: Message, file: FileRef, server: str) -> Message:
        """A message with a file as people read it: the file's name, its size, and a link that is good for a day.

        Args:
            reader: the registered session that reads it.
            message: the message.
            file: what it carries.
            server: by which address the reader has reached this server, as in `http://192.168.1.5:5050`.
        """
        name = safe_name(message.text)
        ticket = self._ticket(account_of(reader).key, reader, file, valid_s=LINK_S, id_=message.id)
        url = f"{server}/{FOLDER}/{ticket}/{quote(name, safe='')}"
        return replace(message, text=f"{name} ({readable_size(file.size)}) {url}")

    def granted(self, ticket: str, *, fetching: bool, host: str) -> Grant:
        """What a ticket allows.

        Args:
            ticket: the ticket.
            fetching: true for a download.
            host: the address that it is used from, without the port.

        Raises:
            NotGranted: nothing, or something else.
        """
        if self._serializer is None:
            raise NotGranted(_NONE_TAKEN)
        try:
            grant = convert(self._serializer.loads(ticket), Grant)
        except (BadData, ValidationError):
            raise NotGranted("This link is not valid on this server.") from None
        if (grant.id is not None) is not fetching:
            raise NotGranted("This link is for something else.")
        if self._wall_s() >= grant.until_s:
            raise NotGranted("This link is too old. Please ask for a new one.")
        refusal = self.refusal(grant, host)
        if refusal is not None:
            raise NotGranted(refusal)
        return grant

    def refusal(self, grant: Grant, host: str) -> str | None:
        """Return why a ticket that was good counts no more when used from `host`; None if it still does.

        A ban or the end of a credential is a reason, its time is not: a transfer may take longer.
        """
        for address in {grant.host, host}:
            refusal = self._access.refusal(grant.user, grant.credential, grant.generation, address)
            if refusal is not None:
                return refusal
        return None

    def _ticket(
        self, user: UserKey, session: Session, file: FileRef, *, valid_s: int, id_: int | None = None
    ) -> str:
        if self._serializer is None:
            raise RuntimeError("no files are taken here")
        until_s = int(self._wall_s()) + valid_s
        generation = self._access.generation(user)
        grant = Grant(user, file, until_s, session.credential, session.host, id_, generation)
        return str(self._serializer.dumps(to_builtins(grant)))

    def _taking(self, size: int, *, cid: str | None = None, rid: int | str | None = None) -> FileKeeper:
        """Where files are kept, if one of this size is taken.

        Raises:
            ProtocolError: it is not.
        """
        if self._keeper is None or not self.max_bytes:
            raise ProtocolError(Code.FILE_TOO_LARGE, _NONE_TAKEN, cid=cid, rid=rid)
        if size > self.max_bytes:
            raise ProtocolError(
                Code.FILE_TOO_LARGE,
                f"That file is too large: this server takes files of at most {readable_size(self.max_bytes)}.",
                cid=cid,
                rid=rid,
            )
        return self._keeper


def refusal_text(why: Unkept) -> str:
    """Return the sentence that says why a file is not taken."""
    return _SENTENCES[why][1]


def _refusal(why: Unkept, rid: int | str) -> Error:
    code, text = _SENTENCES[why]
    return Error(code=code, text=text, rid=rid)


def _answered(session: Session) -> None:
    session.asking = False
    if session.account is not None:
        session.answered()
