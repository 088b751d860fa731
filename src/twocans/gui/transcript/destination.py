"""Where a link leads: which scheme and host a browser makes of it, and whether its text could hide that.

The host is found as in the URL Standard (WHATWG): after the last `@`, in ASCII (IDNA), numbers as an IP address.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

MAX_HOST_CHARS: Final = 253
"""DNS has no longer names; of a longer host the end is shown, which says whose it is."""
_MAX_QUOTED_CHARS: Final = 40
_SAFE: Final = "%/:?#[]@!$&'()*+,;=~"
_AUTHORITY: Final = re.compile(r"[^/?#]*")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a link leads. All of it is printable ASCII but what `warnings` quote.

    Attributes:
        url: what to open.
        scheme: with the signs behind it, as in `https://`.
        host: the computer that is asked, or for mailto the mailbox; with the port if it has one.
        rest: what follows the host.
        warnings: why the link's text could be taken for another destination, as sentences; most links have none.
    """

    url: str
    scheme: str
    host: str
    rest: str
    warnings: tuple[str, ...] = ()


def destination(target: str) -> Destination:
    """Where `target` leads, which is that of a `Link`: http, https or mailto."""
    scheme, _, after = target.partition(":")
    if scheme.lower() == "mailto":
        mailbox, sign, rest = after.partition("?")
        person, _, written = mailbox.rpartition("@")
        host, warnings = _host(written)
        url = f"mailto:{quote(person, _SAFE)}@{host}{sign}{rest}"
        return Destination(
            url, "mailto:", f"{quote(person, _SAFE)}@{host}", _ascii(f"{sign}{rest}"), warnings
        )
    after = after.removeprefix("//")
    authority = _AUTHORITY.match(after)
    place = authority[0] if authority else ""
    rest = after[len(place) :]
    login, at, place = place.rpartition("@")
    written, port = _split_port(place)
    host, warnings = _host(written)
    if at:
        warning = f"{_quoted(login)} stands before the @ and is not where it leads: that is only a name to log in with."
        warnings = (warning, *warnings)
    before = f"{scheme.lower()}://"
    # What a browser makes of the host is not left to the browser, so that it is what was shown.
    url = f"{before}{login}{at}{host}{port}{rest}"
    return Destination(url, before, _shortened(f"{host}{port}"), _ascii(rest), warnings)


def _split_port(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, bracket, port = place.partition("]")
        return host + bracket, port
    host, colon, port = place.partition(":")
    return host, colon + port


def _host(written: str) -> tuple[str, tuple[str, ...]]:
    """The host as it is asked for, and what is to be said about the way it was written."""
    host = written.lower()
    warnings: tuple[str, ...] = ()
    if not host.isascii():
        host = _in_ascii(written)
        warnings = (
            f"{_quoted(written)} has letters that can look like others. This is how computers write it.",
        )
    number = _ip_address(host)
    if number is not None and number != host:
        warnings = (*warnings, f"{_quoted(written)} is an unusual way to write a computer's number.")
        host = number or host
    return host, warnings


def _in_ascii(host: str) -> str:
    # Tables of half a megabyte, loaded for the first host that is not ASCII.
    import idna

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        # Some browsers are less strict than the standard, with emoji for example.
        labels = unicodedata.normalize("NFKC", host).casefold().split(".")
        return ".".join(
            label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels
        )


def _ip_address(host: str) -> str | None:
    """The usual form of an IP address, "" if a browser would refuse it; None for a name."""
    if host.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            return ""
    parts = host.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    numbers = [_number(part) for part in parts]
    *bytes_, last = [-1 if number is None else number for number in numbers]
    room = 256 ** (4 - len(bytes_)) if len(bytes_) < 4 else 0
    if not (0 <= last < room and all(0 <= byte < 256 for byte in bytes_)):
        return ""
    for place, byte in enumerate(bytes_):
        last += byte * 256 ** (3 - place)
    return str(ipaddress.IPv4Address(last))


def _number(part: str) -> int | None:
    if len(part) > 64 or not _NUMBER.fullmatch(part):
        return None
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    if len(part) > 1 and part.startswith("0"):
        return int(part, 8) if set(part) <= set("01234567") else None
    return int(part)


def _ascii(text: str) -> str:
    return quote(text, _SAFE)


def _shortened(host: str) -> str:
    return host if len(host) <= MAX_HOST_CHARS else f"...{host[-MAX_HOST_CHARS:]}"


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= _MAX_QUOTED_CHARS else text[:_MAX_QUOTED_CHARS] + '…'}”"
