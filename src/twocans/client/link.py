"""One TCP connection to a server, IPv4. What the bytes mean is left to `session`."""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol, cast

from twocans.client import sentences
from twocans.client.address import Address
from twocans.client.settings import Ending


class AttemptFailed(Exception):
    """No connection came about."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending


class LinkUser(Protocol):
    """What a link calls; never after `link_closed`."""

    def link_opened(self, link: Link) -> None:
        """The connection stands."""
        ...

    def link_received(self, link: Link, chunk: bytes) -> None:
        """Bytes came."""
        ...

    def link_writable(self, link: Link) -> None:
        """What was written is mostly under way; more may be."""
        ...

    def link_closed(self, link: Link) -> None:
        """The connection is gone, whoever ended it."""
        ...


class Link(asyncio.Protocol):
    """The connection.

    Args:
        user: whom to tell.
    """

    def __init__(self, user: LinkUser) -> None:
        self.writable = False
        """Whether there is room to write: a peer that does not read must not fill this machine's memory."""
        self.reading = True
        self._user = user
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # Not asked with isinstance(): uvloop's transports have the methods of the class, but are not of it.
        self._transport = cast("asyncio.Transport", transport)
        self.writable = True
        self._user.link_opened(self)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._user.link_received(self, data)

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

    def abort(self) -> None:
        """Close at once; what is not sent yet never will be."""
        if self._transport is not None:
            self._transport.abort()

    async def finish(self, *, within_s: float) -> None:
        """Close after everything is sent and the server has closed too, but in any case after a time.

        A connection that is closed with bytes unread is reset, and a reset takes away what the other side
        has not read yet: so the server goes first.
        """
        transport = self._transport
        if transport is None:
            return
        try:
            async with asyncio.timeout(within_s):
                if not transport.is_closing():
                    transport.write_eof()
                self.resume_reading()
                await self._closed.wait()
        except TimeoutError:
            pass
        finally:
            transport.abort()
        await self._closed.wait()


async def open_link(address: Address, user: LinkUser, *, within_s: float) -> Link:
    """Connect.

    Raises:
        AttemptFailed: it did not work, with a sentence that says why.
    """
    link = Link(user)
    try:
        async with asyncio.timeout(within_s):
            sock = await _connected_socket(address, within_s)
    except (OSError, UnicodeError) as error:
        raise AttemptFailed(sentences.unreachable(address, error, within_s=within_s)) from None
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().create_connection(lambda: link, sock=sock)
    except OSError as error:
        sock.close()
        raise AttemptFailed(sentences.unreachable(address, error, within_s=within_s)) from None
    return link


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
