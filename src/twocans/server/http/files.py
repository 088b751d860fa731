"""The requests by which files are brought and fetched, and nothing else.

What a request may do says its ticket; see docs/protocol.md, section "Files".
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from functools import partial
from http import HTTPStatus
from io import FileIO
from typing import Final
from urllib.parse import quote

from aiohttp import web

from twocans.hub.files import FOLDER, Files, Grant, NotGranted, refusal_text
from twocans.hub.hub import EventLog
from twocans.protocol.file_names import safe_name
from twocans.protocol.messages import FileRef
from twocans.protocol.names import UserKey
from twocans.protocol.plurals import counted
from twocans.server.connection.transport import Timers
from twocans.server.http.io_pool import Bringing, IoPool
from twocans.server.http.least_speed import LeastSpeed
from twocans.server.http.peer import HttpPeer, peer_of
from twocans.server.identity.permissions import describe_storage_error
from twocans.server.settings.config import TlsMode
from twocans.storage.contents import PIECE_BYTES, NoRoom, Part, Stopped
from twocans.storage.files import Unkept

MAX_TRANSFERS: Final = 256
"""How many files may be moved at once."""
MAX_TRANSFERS_PER_PERSON: Final = 16
"""How many of them by one person."""
MAX_TRANSFERS_PER_ADDRESS: Final = 64
"""The most of them with one address."""
RETRY_S: Final = 5
"""When to try again if there are so many, in seconds."""

_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")
_WANTED: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")
_NOT_HERE: Final = "There is nothing here. This server is for chatting; use the Twocans client."


class _Refused(Exception):
    """A request is refused; the sentence says why."""

    def __init__(self, status: HTTPStatus, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class FileService:
    """Answers requests.

    Args:
        files: knows tickets.
        movers: move bytes; None if no files are taken.
        tls: whether requests have to be encrypted.
        log: is told of files that have come.
        speed_timers: clock and timers for the speed of transfers.
    """

    def __init__(
        self, files: Files, io_pool: IoPool | None, *, tls: TlsMode, log: EventLog, speed_timers: Timers
    ) -> None:
        self._files = files
        self._io_pool = io_pool
        self._tls = tls
        self._log = log
        self._speed_timers = speed_timers
        self._by_user: Counter[UserKey] = Counter()
        self._by_host: Counter[str] = Counter()
        self._transfers: dict[HttpPeer, Grant] = {}

    def end_refused(self) -> None:
        """End the transfers whose tickets count no more."""
        for peer, grant in list(self._transfers.items()):
            if self._files.refusal(grant, peer.host) is not None:
                peer.abort()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        peer = peer_of(request.transport)
        if peer is None:
            raise ConnectionResetError
        peer.begin()
        try:
            return await self._answer(request, peer)
        except _Refused as refused:
            return plain(refused.status, refused.text, refused.headers)
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise
            self._log("storage_error", error=describe_storage_error(error))
            return plain(
                HTTPStatus.INTERNAL_SERVER_ERROR, "The server has a disk error. Please try again later."
            )
        finally:
            peer.answered()

    async def _answer(self, request: web.BaseRequest, peer: HttpPeer) -> web.StreamResponse:
        if self._tls is TlsMode.REQUIRED and not peer.encrypted:
            raise _Refused(HTTPStatus.FORBIDDEN, "This server takes encrypted connections only: use https.")
        root, _, rest = request.path.removeprefix("/").partition("/")
        ticket = rest.partition("/")[0]
        if root != FOLDER or not ticket or self._io_pool is None:
            raise _Refused(HTTPStatus.NOT_FOUND, _NOT_HERE)
        fetching = request.method in ("GET", "HEAD")
        if not fetching and request.method not in ("PUT", "DELETE"):
            raise _Refused(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "Download files with GET, upload them with PUT, and cancel an upload with DELETE.",
                Allow="GET, HEAD, PUT, DELETE",
            )
        try:
            grant = self._files.granted(ticket, fetching=fetching, host=peer.host)
        except NotGranted as refused:
            raise _Refused(HTTPStatus.FORBIDDEN, str(refused)) from None
        crowded = self._crowded(grant.user, peer.host)
        if crowded:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, crowded, Retry_After=str(RETRY_S))
        self._by_user[grant.user] += 1
        self._by_host[peer.host] += 1
        self._transfers[peer] = grant
        try:
            if fetching:
                return await self._send(request, self._io_pool, grant)
            if request.method == "DELETE":
                return await self._cancel(peer, self._io_pool, grant)
            return await self._take(request, peer, self._io_pool, grant)
        finally:
            del self._transfers[peer]
            self._by_user -= Counter({grant.user: 1})
            self._by_host -= Counter({peer.host: 1})

    def _crowded(self, user: UserKey, host: str) -> str:
        """Return why one more transfer has to wait; "" if it need not."""
        if len(self._transfers) >= MAX_TRANSFERS:
            return "Too many transfers are running. Please try again in a moment."
        if self._by_user[user] >= MAX_TRANSFERS_PER_PERSON:
            return "Too many files of yours are under way. Please try again in a moment."
        if self._by_host[host] >= MAX_TRANSFERS_PER_ADDRESS:
            return "Too many files are under way from your address. Please try again in a moment."
        return ""

    # --- fetching ------------------------------------------------------------------------------------------

    async def _send(self, request: web.BaseRequest, io_pool: IoPool, grant: Grant) -> web.StreamResponse:
        carried = await io_pool.carried(grant.user, grant.id or 0)
        if carried is Unkept.UNREADABLE:
            raise _Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The server cannot read its messages just now. Please try again later.",
                Retry_After=str(RETRY_S),
            )
        if isinstance(carried, Unkept) or carried.file != grant.file:
            raise _gone()
        if not io_pool.contents.has(grant.file):
            raise _Refused(HTTPStatus.NOT_FOUND, "This file is not on the server any more.")
        size = grant.file.size
        span = _wanted(request, grant.file)
        headers = _headers() | {
            "Accept-Ranges": "bytes",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(safe_name(carried.name), safe='')}",
            "Content-Type": "application/octet-stream",
            "ETag": _etag(grant.file),
        }
        if span is None:
            response = web.StreamResponse(status=HTTPStatus.OK, headers=headers)
            span = range(size)
        else:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
            response = web.StreamResponse(status=HTTPStatus.PARTIAL_CONTENT, headers=headers)
        response.content_length = len(span)
        path = io_pool.contents.path(grant.file.hash)
        try:
            async with io_pool.opened(lambda: path.open("rb", buffering=0)) as file:
                await response.prepare(request)
                if request.method == "GET":
                    await io_pool.move(lambda: file.seek(span.start))
                    await _send_from(file, len(span), response, io_pool)
                await response.write_eof()
        except FileNotFoundError:
            raise _gone() from None
        return response

    # --- bringing ------------------------------------------------------------------------------------------

    async def _take(
        self, request: web.BaseRequest, peer: HttpPeer, io_pool: IoPool, grant: Grant
    ) -> web.StreamResponse:
        first = _brought(request, grant.file)
        incoming = io_pool.incoming(grant.user, grant.file)
        if not io_pool.contents.is_reserved(incoming):
            # Its ticket is from before a restart, or the upload has ended meanwhile.
            offset = await io_pool.reserve(grant.user, grant.file)
            if isinstance(offset, Unkept):
                raise _Refused(HTTPStatus.INSUFFICIENT_STORAGE, refusal_text(offset), Upload_Offset="0")
            if offset == grant.file.size and grant.file.size:
                return _created()
        peer.expect_body(request.content, request.content_length)
        device = _device_of(grant)
        bringing = await io_pool.begin(incoming, peer, device)
        if bringing.kept:
            peer.expect_body(None)
            return _created()
        io_pool.join(incoming, device)
        try:
            come = io_pool.contents.come(incoming)
            if first != come:
                raise _not_there(come)
            async with io_pool.opened(lambda: io_pool.contents.open_part(incoming)) as part:
                return await self._fill(request, peer, io_pool, part, bringing)
        except NoRoom:
            # A part that can't go on would take the room of messages, and of files that fit.
            await io_pool.drop(incoming)
            raise _Refused(
                HTTPStatus.INSUFFICIENT_STORAGE,
                "The server has no room for this file. Please tell the person who runs the server.",
                Upload_Offset="0",
            ) from None
        finally:
            peer.expect_body(None)
            io_pool.ended(incoming, bringing)

    async def _cancel(self, peer: HttpPeer, io_pool: IoPool, grant: Grant) -> web.StreamResponse:
        """Cancel the upload of one device; what has come stays while another one of the account needs it."""
        incoming, device = io_pool.incoming(grant.user, grant.file), _device_of(grant)
        if not io_pool.contents.is_reserved(incoming):
            # Either the file is there as a whole, or nothing of it.
            offset = await io_pool.reserve(grant.user, grant.file)
            if offset == grant.file.size and grant.file.size:
                return _created()
        io_pool.leave(incoming, device)
        if not io_pool.is_moving_elsewhere(incoming, device):
            bringing = await io_pool.begin(incoming, peer, device)
            if bringing.kept:
                return _created()
            try:
                if not io_pool.is_shared(incoming):
                    await io_pool.drop(incoming)
            finally:
                io_pool.ended(incoming, bringing)
        return plain(HTTPStatus.OK, "The upload is cancelled.")

    async def _fill(
        self,
        request: web.BaseRequest,
        peer: HttpPeer,
        io_pool: IoPool,
        part: Part,
        bringing: Bringing,
    ) -> web.StreamResponse:
        incoming = part.incoming
        try:
            if request.headers.get("Expect", "").lower() == "100-continue":
                peer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._fill_from(request, io_pool, part)
            if part.size < incoming.file.size:
                return plain(
                    HTTPStatus.ACCEPTED,
                    "Partial upload received. Send the rest.",
                    {"Upload-Offset": str(io_pool.contents.come(incoming))},
                )
            right = await io_pool.finish(part, bringing)
        except Stopped:
            raise ConnectionResetError from None
        if not right:
            raise _Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "What has come is not the file that was announced. Please bring it again from its beginning.",
                Upload_Offset="0",
            )
        self._log("file_stored", bytes=incoming.file.size)
        return _created()

    async def _fill_from(self, request: web.BaseRequest, io_pool: IoPool, part: Part) -> None:
        """Write what comes, up to the end of the request."""
        size = part.incoming.file.size
        try:
            async with asyncio.timeout(None) as patience:
                speed = LeastSpeed(self._speed_timers, lambda: patience.reschedule(0.0))
                while True:
                    data = b""
                    speed.start_waiting()
                    try:
                        data = await request.content.readany()
                    finally:
                        speed.stop_waiting(len(data))
                    if not data:
                        return
                    if part.size + len(data) > size:
                        raise _Refused(
                            HTTPStatus.BAD_REQUEST, "The upload is longer than the announced file."
                        )
                    await io_pool.move(partial(part.write, data))
        except TimeoutError:
            raise _too_slow(part.size) from None
        except web.RequestPayloadError:
            raise ConnectionResetError from None


def _device_of(grant: Grant) -> int | str:
    """Return an id for the device of a grant; of a name that is not bound, its address."""
    return grant.host if grant.credential is None else grant.credential


async def _send_from(file: FileIO, size: int, response: web.StreamResponse, io_pool: IoPool) -> None:
    while size:
        piece = await io_pool.move(partial(file.read, min(PIECE_BYTES, size)))
        if not piece:
            raise ConnectionResetError("the file is shorter than it was")
        size -= len(piece)
        await response.write(piece)


def plain(status: HTTPStatus, text: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that is a sentence."""
    return web.Response(status=status, text=f"{text}\n", headers=_headers() | (headers or {}))


def _created() -> web.Response:
    return plain(HTTPStatus.CREATED, "The file is here.")


def _gone() -> _Refused:
    return _Refused(HTTPStatus.GONE, "The message with this file was deleted, and so was the file.")


def _not_there(come: int) -> _Refused:
    return _Refused(
        HTTPStatus.CONFLICT,
        f"{counted(come, 'byte')} of the file arrived; resume there.",
        Upload_Offset=str(come),
    )


def _too_slow(come: int) -> _Refused:
    return _Refused(
        HTTPStatus.REQUEST_TIMEOUT,
        f"This upload was too slow, so it was ended. {counted(come, 'byte')} of the file arrived; resume there.",
        Upload_Offset=str(come),
    )


def _headers() -> dict[str, str]:
    return {"Server": "Twocans", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}


def _etag(file: FileRef) -> str:
    return f'"{file.hash}"'


def _wanted(request: web.BaseRequest, file: FileRef) -> range | None:
    """Which bytes are asked for (RFC 9110, section 14.2); None for all of them."""
    given = _WANTED.fullmatch(request.headers.get("Range", "").strip())
    if given is None or request.headers.get("If-Range", _etag(file)) != _etag(file):
        return None
    first, last = given.groups()
    if first:
        span = range(int(first), min(int(last), file.size - 1) + 1 if last else file.size)
        if last and int(last) < int(first):
            return None
    elif last:
        span = range(max(0, file.size - int(last)), file.size)
    else:
        return None
    if not span:
        raise _Refused(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"The file is {counted(file.size, 'byte')} long.",
            Content_Range=f"bytes */{file.size}",
        )
    return span


def _brought(request: web.BaseRequest, file: FileRef) -> int:
    """From which byte on a file is brought.

    Raises:
        _Refused: what is said of it does not fit.
    """
    length = request.content_length
    given = request.headers.get("Content-Range")
    if given is None:
        return 0
    match = _RANGE.fullmatch(given.strip())
    if match is None:
        raise _Refused(HTTPStatus.BAD_REQUEST, "That Content-Range was not understood.")
    first, last, size = map(int, match.groups())
    if size != file.size or not first <= last < size or (length is not None and length != last - first + 1):
        raise _Refused(HTTPStatus.BAD_REQUEST, "That Content-Range does not fit the file or the request.")
    return first
