"""The address of a server as people type it, or as a link that they scan. Looking the name up is left to `link`."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from twocans.client.errors import AddressInvalid
from twocans.protocol.keys import ServerKey

DEFAULT_PORT: Final = 5050
MAX_HOST_CHARS: Final = 253
SCHEME: Final = "twocans://"
_KEY: Final = re.compile(r"key=([0-9a-fA-F]{64})", re.ASCII)
_EXAMPLE: Final = "for example 192.168.1.5 or 192.168.1.5:5050"


class Address(Struct, frozen=True):
    """Where a server is: a host name or IPv4 address, and a TCP port."""

    host: str
    port: int = DEFAULT_PORT

    def __post_init__(self) -> None:
        # Programs without types pass what they like; it would fail in the resolver, or after it.
        host: object = self.host
        port: object = self.port
        if not (isinstance(host, str) and isinstance(port, int)):
            raise TypeError(f"an address is a host and the number of a port, not {host!r} and {port!r}")
        if not host or not 1 <= port <= 65535:
            raise ValueError(f"{self} is no address: it takes a host, and a port from 1 to 65535")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Link(Struct, frozen=True):
    """An address together with the key that the server has to have, as it stands in a QR code."""

    address: Address
    key: ServerKey

    def __str__(self) -> str:
        return f"{SCHEME}{self.address}?key={self.key}"


def parse_link(text: str) -> Link | None:
    """The link that somebody scanned or pasted; None if it is no link but perhaps an address.

    Raises:
        AddressInvalid: it is one that is not whole.
    """
    text = text.strip()
    if text[: len(SCHEME)].casefold() != SCHEME:
        return None
    where, _, rest = text[len(SCHEME) :].partition("?")
    key = _KEY.fullmatch(rest)
    if key is None:
        raise AddressInvalid("That link is not whole. Copy or scan all of it, or type the server's address.")
    return Link(parse_address(where.removesuffix("/")), ServerKey(key[1].lower()))


def as_address(address: Address | str) -> Address:
    """Return an address, whichever way it was given.

    Raises:
        AddressInvalid: the text is none.
        TypeError: it is neither.
    """
    if isinstance(address, str):
        return parse_address(address)
    if not isinstance(address, Address):
        raise TypeError(f"an address is a str or an Address, not {type(address).__name__}")
    return address


def parse_address(text: str) -> Address:
    """The address that somebody typed: `host` or `host:port`; also that of a link.

    Raises:
        AddressInvalid: it is none; the sentence says what is wrong with it.
    """
    text = text.strip()
    link = parse_link(text)
    if link is not None:
        return link.address
    if not text:
        raise AddressInvalid(f"The server's address is missing. Type what the server shows, {_EXAMPLE}.")
    if "://" in text or "/" in text:
        raise AddressInvalid(f"That looks like a web address. Type only the server's address, {_EXAMPLE}.")
    if any(char.isspace() for char in text):
        raise AddressInvalid("An address has no spaces. Check it for typing mistakes.")
    if not text.isprintable():
        raise AddressInvalid(f"That address has signs that cannot be read. Type it again, {_EXAMPLE}.")
    if text.count(":") > 1 or "[" in text:
        raise AddressInvalid(
            f"That looks like an IPv6 address. Type the server's IPv4 address or name, {_EXAMPLE}."
        )
    host, colon, port = text.partition(":")
    if not host:
        raise AddressInvalid(f"The address says no computer before the colon. Type both, {_EXAMPLE}.")
    if len(host) > MAX_HOST_CHARS:
        raise AddressInvalid("That address is too long. Check it for typing mistakes.")
    _check_numbers(host)
    return Address(host, _parse_port(port) if colon else DEFAULT_PORT)


def _parse_port(port: str) -> int:
    # The length bounds the work of int(); the greatest port has five digits.
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise AddressInvalid(
            f"The port after the colon is a number from 1 to 65535; without one it is {DEFAULT_PORT}."
        )
    return int(port)


def _check_numbers(host: str) -> None:
    # The resolver takes `10.1` for 10.0.0.1 and `300` for 0.0.1.44, which nobody means.
    parts = host.removesuffix(".").split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return
    if len(parts) != 4 or any(len(part) > 3 or int(part) > 255 for part in parts):
        raise AddressInvalid(f"A numeric address is four numbers from 0 to 255, {_EXAMPLE}.")
