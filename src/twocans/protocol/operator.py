"""Commands of the server's operator on its control socket, and the answers. `running` has the lines around them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from twocans.protocol.messages import Status

MAX_ENTRIES: Final = 100
"""People or bans in one answer. `find` narrows the list down if there are more."""
MAX_SESSIONS: Final = 10
"""Sessions of one person in an answer; further ones are counted."""
MAX_SESSIONS_OF_NAME: Final = 100
"""Sessions in an answer about one name; further ones are counted."""
MAX_REASON_CHARS: Final = 200
MAX_ANNOUNCEMENT_CHARS: Final = 2000
MAX_ANSWER_BYTES: Final = 1024 * 1024
"""The longest line of an answer."""
_MAX_DEVICES: Final = 200
"""More devices than one name may have."""

_Name = Annotated[str, Meta(max_length=128)]
_Reason = Annotated[str, Meta(max_length=MAX_REASON_CHARS)]
_Long = Annotated[str, Meta(max_length=4096)]
_Count = Annotated[int, Meta(ge=0)]


class BanTarget(StrEnum):
    """The kind of thing that is banned."""

    NAME = "name"
    ADDRESS = "address"
    DEVICE = "device"


# --- commands ------------------------------------------------------------------------------------------------


class ListPeople(Struct, frozen=True, kw_only=True, tag_field="do", tag="people"):
    """List who is connected; `find` is a part of their names."""

    find: _Name = ""


class Kick(Struct, frozen=True, kw_only=True, tag_field="do", tag="kick"):
    """End the sessions of a name."""

    name: _Name
    reason: _Reason = ""


class AddBan(Struct, frozen=True, kw_only=True, tag_field="do", tag="ban"):
    """Ban a name, an address or network, or the key of a device."""

    target: BanTarget
    value: _Name
    reason: _Reason = ""


class LiftBan(Struct, frozen=True, kw_only=True, tag_field="do", tag="unban"):
    """Lift a ban."""

    target: BanTarget
    value: _Name


class ListBans(Struct, frozen=True, kw_only=True, tag_field="do", tag="bans"):
    """List the bans; `find` is a part of what is banned."""

    find: _Name = ""


class Say(Struct, frozen=True, kw_only=True, tag_field="do", tag="say"):
    """Send a message from `Server` to everybody online."""

    text: Annotated[str, Meta(max_length=MAX_ANNOUNCEMENT_CHARS)]


class ListDevices(Struct, frozen=True, kw_only=True, tag_field="do", tag="devices"):
    """List the devices of a name."""

    name: _Name


class GiveCode(Struct, frozen=True, kw_only=True, tag_field="do", tag="code"):
    """Make a code that shows a code for logging in on a new device."""

    name: _Name


class FreeName(Struct, frozen=True, kw_only=True, tag_field="do", tag="free"):
    """Let anybody register a name that belongs to devices."""

    name: _Name


Command: TypeAlias = ListPeople | Kick | AddBan | LiftBan | ListBans | Say | ListDevices | GiveCode | FreeName


# --- answers -------------------------------------------------------------------------------------------------


class Connected(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One session of a person.

    Args:
        address: the peer's, without the port.
        since: when it was registered, in Unix milliseconds.
        encrypted: false if others on the network can read it.
        plain: true for netcat and the like.
        device: what the device calls itself; "" if the name does not belong to one.
        key: what the operator calls that device by; "" likewise.
        by: the `LoginMethod` by which it came in; "" from an older server.
    """

    address: Annotated[str, Meta(max_length=64)]
    since: int
    encrypted: bool
    plain: bool = False
    device: Annotated[str, Meta(max_length=64)] = ""
    key: Annotated[str, Meta(max_length=16)] = ""
    by: Annotated[str, Meta(max_length=16)] = ""


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who is online.

    Args:
        owned: true if the name belongs to devices, so that a code can be given and the name be freed.
        sessions: at most `MAX_SESSIONS` of them; `session_count` counts all.
    """

    name: _Name
    status: Status
    owned: bool
    sessions: Annotated[tuple[Connected, ...], Meta(max_length=MAX_SESSIONS)]
    session_count: _Count


class People(Struct, frozen=True, kw_only=True, tag_field="answer", tag="people"):
    """The people who are connected, in the order of registration; `total` counts those who are not listed, too."""

    people: Annotated[tuple[Person, ...], Meta(max_length=MAX_ENTRIES)]
    total: _Count


class BanEntry(Struct, frozen=True, kw_only=True):
    """A ban; `value` is what lifts it, `at` is in Unix milliseconds."""

    target: BanTarget
    value: _Name
    reason: _Long
    at: int


class BanList(Struct, frozen=True, kw_only=True, tag_field="answer", tag="bans"):
    """The bans, the newest first; `total` counts those that are not listed, too."""

    bans: Annotated[tuple[BanEntry, ...], Meta(max_length=MAX_ENTRIES)]
    total: _Count


class OwnedDevice(Struct, frozen=True, kw_only=True):
    """A device of a name; times are in Unix milliseconds."""

    key: Annotated[str, Meta(max_length=16)]
    name: Annotated[str, Meta(max_length=64)]
    created: int
    seen: int
    online: bool


class DeviceList(Struct, frozen=True, kw_only=True, tag_field="answer", tag="devices"):
    """The devices of a name; without any and without a password it belongs to nobody.

    Args:
        sessions: the newest `MAX_SESSIONS_OF_NAME` of those connected under it, the newest first;
            `session_count` counts all.
    """

    name: _Name
    devices: Annotated[tuple[OwnedDevice, ...], Meta(max_length=_MAX_DEVICES)]
    password: bool
    sessions: Annotated[tuple[Connected, ...], Meta(max_length=MAX_SESSIONS_OF_NAME)] = ()
    session_count: _Count = 0


class CodeGiven(Struct, frozen=True, kw_only=True, tag_field="answer", tag="code"):
    """A code for one device of a name; it counts for `valid_s` seconds."""

    name: _Name
    code: Annotated[str, Meta(max_length=32)]
    valid_s: _Count


class Done(Struct, frozen=True, kw_only=True, tag_field="answer", tag="done"):
    """The command was carried out; `text` says in sentences what came of it."""

    text: _Long


class Refused(Struct, frozen=True, kw_only=True, tag_field="answer", tag="refused"):
    """The command was not carried out; `text` says why."""

    text: _Long


Answer: TypeAlias = People | BanList | DeviceList | CodeGiven | Done | Refused
