"""One connection to a server: TCP over IPv4, and TLS, without which nothing is sent.

Whether the server's key is the right one is left to `credentials`, what the bytes mean to `session`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final, Protocol, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from twocans.client import sentences
from twocans.client.address import Address
from twocans.client.checks import sentence
from twocans.client.events import Loss
from twocans.client.timing import Ending
from twocans.protocol.keys import ServerKey, server_key

REFUSAL_S: Final = 1.0
"""How long a server may take to say in the clear why it does not let anybody in."""

_MAX_REFUSAL_BYTES: Final = 1024
_FROM_SERVER: Final = b"MSG: Server: "

MAX_EARLY_BYTES: Final = 64 * 1024
"""How much a server may say before it is checked until nothing more is read from it."""


class AttemptFailed(Exception):
    """No connection came about."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending


class LinkUser(Protocol):
    """What a link calls; never after `link_closed`."""

    def link_received(self, link: Link, chunk: bytes) -> None:
        """Bytes came."""
        ...

    def link_writable(self, link: Link) -> None:
        """What was written is mostly under way; more may be."""
        ...

    def link_closed(self, link: Link) -> None:
        """The connection is gone, whoever ended it."""
        ...


class Where(Struct, frozen=True):
    """Who is at the other end: an IPv4 address, a port, and the key that the server has proved to have."""

    host: str
    port: int
    key: ServerKey


class Link(asyncio.Protocol):
    """The connection. What comes before `begin` waits: nothing is to be heard from a server that is not checked.

    Args:
        user: whom to tell.
    """

    where: Where
    """Whom it is connected to; known once it stands."""

    def __init__(self, user: LinkUser) -> None:
        self.writable = False
        """Whether there is room to write: a peer that does not read must not fill this machine's memory."""
        self.reading = True
        self._user = user
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()
        self._begun = False
        self._early = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # Not asked with isinstance(): uvloop's transports have the methods of the class, but are not of it.
        self._transport = cast("asyncio.Transport", transport)
        self.writable = True

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._begun:
            self._user.link_received(self, data)
            return
        self._early += data
        if len(self._early) > MAX_EARLY_BYTES:
            self.pause_reading()

    def begin(self) -> None:
        """The server is the right one: hear it."""
        self._begun = True
        early, self._early = bytes(self._early), bytearray()
        if early:
            self._user.link_received(self, early)
        self.resume_reading()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self.writable = False

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self.writable = True
        self._user.link_writable(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the event loop's signature
        """Called by the event loop."""
        self.writable = False
        self._closed.set()
        self._user.link_closed(self)

    def write(self, data: bytes) -> None:
        """Send bytes, soon."""
        if self._transport is not None:
            self._transport.write(data)

    def pause_reading(self) -> None:
        """Leave what comes to the system, whose buffer is small: the server notices and waits."""
        if self.reading and self._transport is not None:
            self.reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in again what comes."""
        if not self.reading and self._transport is not None:
            self.reading = True
            self._transport.resume_reading()

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return self._closed.is_set()

    def abort(self) -> None:
        """Close at once; what is not sent yet never will be."""
        if self._transport is not None:
            self._transport.abort()

    async def finish(self, *, within_s: float) -> None:
        """Close after everything is sent and the server has closed, but in any case after a time.

        A connection that is closed with bytes unread is reset, and a reset takes away what the other side
        has not read yet: so the server goes first, when it has read the goodbye that was written last. TLS over
        asyncio has no half-closed connections with which to ask it.
        """
        transport = self._transport
        if transport is None:
            return
        try:
            async with asyncio.timeout(within_s):
                self.resume_reading()
                await self._closed.wait()
        except TimeoutError:
            pass
        finally:
            transport.abort()
        await self._closed.wait()


class NotEncrypted(AttemptFailed):
    """What answers does not speak TLS, or none that is safe today."""


async def open_link(address: Address, user: LinkUser, *, within_s: float) -> Link:
    """Connect and encrypt.

    Raises:
        NotEncrypted: something answers, and nothing was sent to it.
        AttemptFailed: it did not work, with a sentence that says why.
    """
    link = Link(user)
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + within_s
    try:
        async with asyncio.timeout_at(give_up_at):
            sock = await _connected_socket(address, within_s)
    except (OSError, UnicodeError) as error:
        raise AttemptFailed(sentences.unreachable(address, error, within_s=within_s)) from None
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError as error:
        sock.close()
        raise AttemptFailed(sentences.unreachable(address, error, within_s=within_s)) from None
    where = str(address)
    try:
        async with asyncio.timeout_at(give_up_at):
            # The empty name says that there is none to compare: the key is what counts.
            transport, _ = await loop.create_connection(
                lambda: link, sock=sock, ssl=tls_context(), server_hostname=""
            )
    except TimeoutError:
        sock.close()
        raise AttemptFailed(Ending(Loss.UNREACHABLE, sentences.no_welcome(where, within_s))) from None
    except OSError as error:
        refusal = await _refusal(address)
        if refusal:
            raise AttemptFailed(Ending(Loss.REFUSED, sentences.refused(where, refusal))) from None
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            raise NotEncrypted(Ending(Loss.PROTOCOL, sentences.not_encrypted(where))) from None
        raise AttemptFailed(Ending(Loss.UNREACHABLE, sentences.hung_up(where))) from None
    key = shown_key(transport)
    if key is None:
        link.abort()
        raise NotEncrypted(Ending(Loss.PROTOCOL, sentences.not_encrypted(where)))
    host, port = transport.get_extra_info("peername")
    link.where = Where(host, port, key)
    return link


async def _refusal(address: Address) -> str:
    """What a server says in the clear to whom it does not let in, before it has heard anything; nothing if nothing.

    By the time at which TLS fails its words are lost, so it is asked once more by a connection that only listens.
    """
    try:
        async with asyncio.timeout(REFUSAL_S):
            with await _connected_socket(address, REFUSAL_S) as sock:
                said = await asyncio.get_running_loop().sock_recv(sock, _MAX_REFUSAL_BYTES)
    except OSError:
        return ""
    line = said.partition(b"\n")[0]
    return (
        sentence(line.removeprefix(_FROM_SERVER).decode(errors="replace"))
        if line.startswith(_FROM_SERVER)
        else ""
    )


def tls_context() -> ssl.SSLContext:
    """For connections to servers whose key is compared afterwards, before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    # Nobody vouches for a server of one's own network: it is known by its key, which `credentials` compares
    # before a byte is sent, and that the server has this key is proved by TLS itself.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shown_key(transport: asyncio.BaseTransport) -> ServerKey | None:
    """The key that the server at the other end has proved to have; None if there is none that can be read."""
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    certificate = None if connection is None else connection.getpeercert(binary_form=True)
    if certificate is None:
        return None
    try:
        public_key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return None
    return server_key(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


async def _connected_socket(address: Address, within_s: float) -> socket.socket:
    """A socket that is connected to one of the addresses of a name, tried one after the other.

    A computer may have several, of which some lead nowhere: each gets its share of the time.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + within_s
    found = await loop.getaddrinfo(address.host, address.port, family=socket.AF_INET, type=socket.SOCK_STREAM)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for index, (*_, where) in enumerate(found):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            async with asyncio.timeout((give_up_at - loop.time()) / (len(found) - index)):
                await loop.sock_connect(sock, where)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure
