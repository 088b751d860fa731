"""People, bans and devices of one's own server, as lines that are ready to show."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from twocans.gui.viewmodel.state import Clock, Presence
from twocans.protocol.logins import LoginMethod, describe_login
from twocans.protocol.messages import Status
from twocans.protocol.operator import BanEntry, BanTarget, Connected, OwnedDevice, Person
from twocans.protocol.plurals import counted
from twocans.protocol.text import spelled_out_line

MAX_LINES: Final = 3
"""Sessions of one person that get a line each."""
_PRESENCE: Final = {
    Status.HERE: Presence.ONLINE,
    Status.AWAY: Presence.AWAY,
    Status.BUSY: Presence.BUSY,
}
_CALLED: Final = {
    BanTarget.NAME: "The name",
    BanTarget.ADDRESS: "The address",
    BanTarget.DEVICE: "The device",
}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who is connected; `lines` says of each session where it is from. `owned`: the name has devices."""

    name: str
    presence: Presence
    lines: tuple[str, ...]
    owned: bool
    is_me: bool


@dataclass(frozen=True, slots=True)
class BanRow:
    """A ban, ready to show; `entry` is what lifts it."""

    entry: BanEntry
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class BanChoice:
    """One of the things about a person that can be banned."""

    target: BanTarget
    value: str
    text: str
    consequence: str


def person_row(person: Person, clock: Clock, *, is_me: bool) -> PersonRow:
    """Somebody who is connected, ready to show."""
    lines = [_person_line(session, clock) for session in person.sessions[:MAX_LINES]]
    if person.session_count > MAX_LINES:
        lines.append(f"and {counted(person.session_count - MAX_LINES, 'more connection')}")
    return PersonRow(
        name=person.name,
        presence=_PRESENCE[person.status],
        lines=tuple(lines),
        owned=person.owned,
        is_me=is_me,
    )


def ban_row(entry: BanEntry, clock: Clock) -> BanRow:
    """A ban, ready to show."""
    what = f"{_CALLED[entry.target]} {spelled_out_line(entry.value)}"
    reason = f": {spelled_out_line(entry.reason)}" if entry.reason else ""
    return BanRow(entry, what, f"since {_when(entry.at, clock)}{reason}")


def device_line(device: OwnedDevice, clock: Clock) -> str:
    """A device of a name, with its key."""
    seen = "online" if device.online else f"last here {_when(device.seen, clock)}"
    name = spelled_out_line(device.name)
    return f"{name} · {device.key} · since {_when(device.created, clock)} · {seen}"


def _person_line(session: Connected, clock: Clock) -> str:
    line = _line(session, clock)
    if session.by in {LoginMethod.CODE, LoginMethod.PASSWORD}:
        line += f" · logged in {describe_login(session.by)}"
    return line


def session_line(session: Connected, clock: Clock) -> str:
    """A session of a name, with what it came in by."""
    return f"Connected {describe_login(session.by)}".rstrip() + f" · {_line(session, clock)}"


def _line(session: Connected, clock: Clock) -> str:
    parts = [session.address, f"since {_when(session.since, clock)}"]
    if session.device:
        parts.append(spelled_out_line(session.device))
    elif session.plain:
        parts.append("plain text")
    if not session.encrypted:
        parts.append("not encrypted")
    return " · ".join(parts)


def _when(at_ms: int, clock: Clock) -> str:
    at, now = clock.local(at_ms), clock.local(clock.now_ms())
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%d %b %Y %H:%M}"


def ban_choices(person: Person) -> tuple[BanChoice, ...]:
    """Return what can be banned about somebody: the name, and each address and device that they are connected by."""
    addresses = dict.fromkeys(session.address for session in person.sessions)
    devices = {session.key: session.device for session in person.sessions if session.key}
    return (
        name_choice(person.name),
        *(
            BanChoice(
                BanTarget.ADDRESS,
                address,
                f"The address {address}",
                "Nobody can connect from there, under any name.",
            )
            for address in addresses
        ),
        *(
            BanChoice(
                BanTarget.DEVICE,
                key,
                f"The device {spelled_out_line(device)} ({key})",
                "It cannot come back under another name; other devices can.",
            )
            for key, device in devices.items()
        ),
    )


def name_choice(name: str) -> BanChoice:
    """Banning a name, by itself."""
    return BanChoice(
        BanTarget.NAME,
        name,
        f"The name {spelled_out_line(name)}",
        "They can come back under another name; ban the device or the address, too, if they do.",
    )


def covers(text: str, addresses: tuple[str, ...]) -> bool:
    """True if a typed address or network has one of the addresses in it."""
    try:
        network = IPv4Network(text.strip(), strict=False)
        return any(IPv4Address(one) in network for one in addresses)
    except ValueError:
        return False
