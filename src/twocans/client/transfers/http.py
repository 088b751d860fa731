"""One HTTP request for one file, to the server of the chat: at its address, encrypted, and with its key or not at all."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, Protocol, cast

import aiohttp
from msgspec import Struct
from yarl import URL

from twocans.client import sentences
from twocans.client.checks import sentence
from twocans.client.link import Where, shown_key, tls_context
from twocans.client.transfers.disk import PIECE_BYTES
from twocans.client.transfers.failures import Cut, Failed
from twocans.client.transfers.meter import Allowance, Metered
from twocans.protocol.keys import ServerKey

IDLE_S: Final = 60.0
"""How long nothing may move, in seconds."""

ANSWER_S: Final = 600.0
"""How long the server may take to look at a whole file, in seconds, and to answer."""

LEAST_BYTES: Final = 64 * 1024
"""The bytes that have to come in `IDLE_S` seconds: a byte now and then is as good as nothing."""

MAX_OVERHEAD_BYTES: Final = 64 * 1024
"""The bytes that a server may send beside a file's content: headers, interim responses, a sentence."""

_TICKET: Final = re.compile(r"[A-Za-z0-9_.~-]+", re.ASCII)
_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})", re.ASCII)
_MAX_SENTENCE_BYTES: Final = 2000


class Source(Protocol):
    """Where the body of an upload comes from."""

    async def piece(self) -> bytes:
        """What comes next; nothing at the end."""
        ...


class _KeyPin(aiohttp.Fingerprint):
    """Compares the server's key, not its certificate: it may have a new one for the same key.

    aiohttp calls it for each connection, before anything is written to it. From then on it is metered.
    """

    def __init__(self, key: ServerKey, allowance: Allowance) -> None:
        super().__init__(bytes.fromhex(key))
        self._key = key
        self._allowance = allowance
        self._transport: asyncio.Transport | None = None

    def check(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        shown = shown_key(transport)
        if shown != self._key:
            host, port = transport.get_extra_info("peername")
            raise aiohttp.ServerFingerprintMismatch(self.fingerprint, bytes.fromhex(shown or ""), host, port)
        inner = cast("asyncio.Protocol", transport.get_protocol())
        transport.set_protocol(Metered(inner, transport, self._allowance))

    def abort(self) -> None:
        """Close the connection at once, without waiting for a peer that reads nothing."""
        if self._transport is not None:
            self._transport.abort()


class _Body:
    """The body of a request, with something to see that it goes on. No generator: nobody would have to close it."""

    def __init__(self, source: Source, idle: asyncio.Timeout) -> None:
        self._source = source
        self._idle = idle
        self.failure: Exception | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        _put_off(self._idle, IDLE_S)
        try:
            piece = await self._source.piece()
        except Failed as failed:
            self.failure = failed
            raise
        if not piece:
            _put_off(self._idle, ANSWER_S)
            raise StopAsyncIteration
        return piece


class Reply(Struct, frozen=True):
    """What the server says instead of a file's content: the status, and a sentence for a person or nothing."""

    status: int
    text: str


class Content:
    """What a server sends of a file.

    Args:
        start: where in the file it begins.
    """

    def __init__(
        self, start: int, size: int, response: aiohttp.ClientResponse, idle: asyncio.Timeout
    ) -> None:
        self.start = start
        self._left = size - start
        self._owed = LEAST_BYTES
        self._response = response
        self._idle = idle

    async def piece(self) -> bytes:
        """What comes next, of any size; nothing at the file's end.

        Raises:
            Cut: the connection was lost before.
            Failed: there is more than there should be.
        """
        try:
            piece = await self._response.content.readany()
        except (aiohttp.ClientError, OSError):
            raise Cut(sentences.FILE_CUT) from None
        self._owed -= len(piece)
        if self._owed <= 0:
            self._owed = LEAST_BYTES
            _put_off(self._idle, IDLE_S)
        if len(piece) > self._left:
            raise Failed(sentences.FILE_GARBLED)
        self._left -= len(piece)
        if not piece and self._left:
            raise Cut(sentences.FILE_CUT)
        return piece


async def put(where: Where, ticket: str, *, first: int, size: int, source: Source, connect_s: float) -> Reply:
    """Bring what a file has from `first` on.

    Raises:
        Cut: the connection was lost, or did not come about.
        Failed: the source failed, or what answers is not the server.
    """
    headers = {"Content-Length": str(size - first), "Content-Type": "application/octet-stream"}
    if size:
        headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
    async with (
        _explained(),
        asyncio.timeout(IDLE_S + connect_s) as idle,
        _session(where, connect_s, MAX_OVERHEAD_BYTES) as session,
    ):
        body = _Body(source, idle)
        try:
            async with session.put(
                _url(where, ticket),
                data=body if size > first else b"",
                headers=headers,
                ssl=tls_context(),
                allow_redirects=False,
                expect100=size > first,
            ) as response:
                return await _reply(response)
        except aiohttp.ClientError:
            if body.failure is not None:
                raise body.failure from None
            raise


async def delete(where: Where, ticket: str, *, connect_s: float) -> None:
    """Cancel an upload: the server removes what it has of the file.

    Raises:
        Cut: the connection was lost, or did not come about.
        Failed: what answers is not the server.
    """
    async with (
        _explained(),
        asyncio.timeout(IDLE_S + connect_s),
        _session(where, connect_s, MAX_OVERHEAD_BYTES) as session,
        session.delete(_url(where, ticket), ssl=tls_context(), allow_redirects=False),
    ):
        pass


@asynccontextmanager
async def get(
    where: Where, ticket: str, *, first: int, size: int, hash_: str, connect_s: float
) -> AsyncIterator[Content | Reply]:
    """What a file has from `first` on, or from its beginning if the server knows better; or why there is nothing.

    Raises:
        Cut: the connection was lost, or did not come about.
        Failed: what answers is not the server, or answers what nobody asked.
    """
    headers = {"Accept-Encoding": "identity"}
    if first:
        headers |= {"Range": f"bytes={first}-", "If-Range": f'"{hash_}"'}
    async with (
        _explained(),
        asyncio.timeout(IDLE_S + connect_s) as idle,
        _session(where, connect_s, size + MAX_OVERHEAD_BYTES) as session,
        session.get(
            _url(where, ticket), headers=headers, ssl=tls_context(), allow_redirects=False
        ) as response,
    ):
        if response.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            yield await _reply(response)
            return
        start = _start(response, first, size)
        _put_off(idle, IDLE_S)
        yield Content(start, size, response, idle)


def _start(response: aiohttp.ClientResponse, first: int, size: int) -> int:
    """Where in the file the body begins.

    Raises:
        Failed: that is not what was asked for.
    """
    start = 0
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not first or found is None or [int(one) for one in found.groups()] != [first, size - 1, size]:
            raise Failed(sentences.FILE_GARBLED)
        start = first
    encoding = response.headers.get("Content-Encoding", "identity").casefold()
    length = response.headers.get("Content-Length")
    if encoding != "identity" or length != str(size - start):
        raise Failed(sentences.FILE_GARBLED)
    return start


@asynccontextmanager
async def _session(where: Where, connect_s: float, most: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Made for one request: no cookies, no proxies, nothing unpacked, and no connection left open.

    Raises:
        Failed: the server has sent more than `most` bytes.
    """
    allowance = Allowance(most)
    pin = _KeyPin(where.key, allowance)
    async with aiohttp.ClientSession(
        # The request has the context and the connector the pin: aiohttp takes one of them from each.
        connector=aiohttp.TCPConnector(ssl=pin, family=socket.AF_INET, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=PIECE_BYTES,
    ) as session:
        try:
            yield session
        except (aiohttp.ClientError, OSError, Cut):
            if allowance.left < 0:
                raise Failed(sentences.FILE_GARBLED) from None
            raise
        finally:
            pin.abort()


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    try:
        yield
    except aiohttp.ServerFingerprintMismatch:
        raise Failed(sentences.OTHER_SERVER) from None
    except aiohttp.ClientResponseError:
        raise Failed(sentences.FILE_GARBLED) from None
    except (aiohttp.ClientError, OSError):  # TimeoutError too
        raise Cut(sentences.FILE_CUT) from None


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    """The status, and if it is a refusal what the server says for a person, as far as it can be shown."""
    if response.status < HTTPStatus.BAD_REQUEST:
        return Reply(response.status, "")
    said = await response.content.read(_MAX_SENTENCE_BYTES)
    return Reply(response.status, sentence(said.decode(errors="replace")))


def _url(where: Where, ticket: str) -> URL:
    """Where a ticket counts.

    Raises:
        Failed: it is none.
    """
    if not _TICKET.fullmatch(ticket):
        raise Failed(sentences.FILE_GARBLED)
    return URL(f"https://{where.host}:{where.port}/files/{ticket}", encoded=True)


def _put_off(idle: asyncio.Timeout, seconds: float) -> None:
    if not idle.expired():
        idle.reschedule(asyncio.get_running_loop().time() + seconds)
