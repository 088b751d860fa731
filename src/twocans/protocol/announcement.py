"""What a server says of itself to everybody on the network: the TXT record of DNS-SD (RFC 6763, section 6).

Sending and hearing it is left to others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from twocans.protocol.keys import ServerKey

SERVICE_TYPE: Final = "_twocans._tcp.local."
VERSION: Final = b"1"
MAX_NAME_BYTES: Final = 200
"""With its key, a string of the TXT record has 255."""
MAX_ONLINE: Final = 10_000_000
"""More people than this are not announced, nor believed."""

_KEY: Final = re.compile(rb"\A[0-9a-f]{64}\Z")
_NUMBER: Final = re.compile(rb"\A[0-9]{1,8}\Z")
_TRUTH: Final = {b"0": False, b"1": True}
_TLS: Final = {b"offered": False, b"required": True}


class Announcement(Struct, frozen=True, kw_only=True):
    """What a server says of itself. Nobody has checked any of it.

    Args:
        name: what the server is called; anything may stand in it.
        key: the server's key, which it has to prove when somebody connects.
        invite: whether newcomers need a code.
        tls_required: whether connections have to be encrypted.
        online: how many people are online.
    """

    name: str
    key: ServerKey
    invite: bool
    tls_required: bool
    online: int


def to_txt(announcement: Announcement) -> dict[str | bytes, str | bytes | None]:
    """The keys and values of the TXT record."""
    return {
        "v": VERSION,
        "key": announcement.key,
        "name": announcement.name.encode(errors="ignore")[:MAX_NAME_BYTES].decode(errors="ignore"),
        "invite": "1" if announcement.invite else "0",
        "tls": "required" if announcement.tls_required else "offered",
        "online": str(min(announcement.online, MAX_ONLINE)),
    }


def from_txt(txt: Mapping[bytes, bytes | None]) -> Announcement | None:
    """What a TXT record says; None if it is none of a server that this version understands."""
    key, online = txt.get(b"key") or b"", txt.get(b"online") or b""
    try:
        name = (txt.get(b"name") or b"").decode()
    except UnicodeDecodeError:
        return None
    invite = _TRUTH.get(txt.get(b"invite") or b"")
    tls_required = _TLS.get(txt.get(b"tls") or b"")
    if txt.get(b"v") != VERSION or not name or invite is None or tls_required is None:
        return None
    if _KEY.match(key) is None or _NUMBER.match(online) is None or int(online) > MAX_ONLINE:
        return None
    return Announcement(
        name=name,
        key=ServerKey(key.decode()),
        invite=invite,
        tls_required=tls_required,
        online=int(online),
    )
