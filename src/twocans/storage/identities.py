"""The interface for what lasts of people's identities: the devices and passwords of names, and who is banned.

Every change returns at once and answers through a callback, called on the thread of the hub, when it will outlive
the process; or at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from twocans.protocol.names import UserKey

MAX_CUT_OFF: Final = 100
"""Of how many devices of a name it is known that they were cut off; of more, the latest."""
OnKept: TypeAlias = Callable[[bool], None]
"""Told whether a change is kept; it is not if the disk does not take it."""


class DeviceRecord(Struct, frozen=True):
    """One device of a name. `token` is the SHA-256 of its token; times are in Unix milliseconds."""

    id: int
    token: bytes
    name: str
    created: int
    seen: int


class OwnedName(Struct, frozen=True):
    """A name that is bound to devices, and the hash of its password, if there is one.

    `cut_off` are the digests of the tokens that were cut off, the latest last.
    """

    key: UserKey
    name: str
    password: str | None
    devices: tuple[DeviceRecord, ...]
    cut_off: tuple[bytes, ...] = ()


class CutOff(Struct, frozen=True):
    """A device that is cut off at a time in Unix milliseconds; `token` is the digest of its token."""

    device_id: int
    token: bytes
    at: int


class BanKind(StrEnum):
    """What is banned."""

    NAME = "name"
    KEY = "key"
    ADDRESS = "address"


class Ban(Struct, frozen=True):
    """A ban: `value` is the key of a name, the digest of a device's token in hexadecimal, or an IPv4 network."""

    kind: BanKind
    value: str
    why: str
    at: int


class Identities(Protocol):
    """What is kept of names and bans."""

    def owned(self) -> Iterable[OwnedName]:
        """All names that were bound when this was opened."""
        ...

    def generations(self) -> Mapping[UserKey, int]:
        """The generations of the names that had been freed when this was opened; see `free`."""
        ...

    def bans(self) -> Iterable[Ban]:
        """All bans that there were when this was opened."""
        ...

    def add_device(self, user: UserKey, name: str, device: DeviceRecord, on_kept: OnKept) -> None:
        """Bind a name to one more device; `name` is its spelling, and the id is new."""
        ...

    def saw_device(self, device_id: int, seen: int) -> None:
        """A device has been here at that time; nobody waits for this to be kept."""
        ...

    def cut_off(self, user: UserKey, cut: CutOff, on_kept: OnKept, *, with_password: bool) -> None:
        """Take a device from a name, and the password too if need be; that it was cut off is remembered."""
        ...

    def set_password(self, user: UserKey, hashed: str | None, on_kept: OnKept) -> None:
        """Keep the hash of a bound name's password, or none."""
        ...

    def free(self, user: UserKey, generation: int, on_kept: OnKept) -> None:
        """Take all devices and the password from a name, which is in a new generation from then on."""
        ...

    def add_ban(self, ban: Ban, on_kept: OnKept) -> None:
        """Keep a ban; it takes the place of one of the same thing."""
        ...

    def remove_ban(self, kind: BanKind, value: str, on_kept: OnKept) -> None:
        """Lift a ban."""
        ...


class MemoryIdentities:
    """For a server that keeps nothing: the hub itself remembers everything until it ends."""

    def owned(self) -> Iterable[OwnedName]:
        """See `Identities.owned`."""
        return ()

    def generations(self) -> Mapping[UserKey, int]:
        """See `Identities.generations`."""
        return {}

    def bans(self) -> Iterable[Ban]:
        """See `Identities.bans`."""
        return ()

    def add_device(self, user: UserKey, name: str, device: DeviceRecord, on_kept: OnKept) -> None:
        """See `Identities.add_device`."""
        on_kept(True)

    def saw_device(self, device_id: int, seen: int) -> None:
        """See `Identities.saw_device`."""

    def cut_off(self, user: UserKey, cut: CutOff, on_kept: OnKept, *, with_password: bool) -> None:
        """See `Identities.cut_off`."""
        on_kept(True)

    def set_password(self, user: UserKey, hashed: str | None, on_kept: OnKept) -> None:
        """See `Identities.set_password`."""
        on_kept(True)

    def free(self, user: UserKey, generation: int, on_kept: OnKept) -> None:
        """See `Identities.free`."""
        on_kept(True)

    def add_ban(self, ban: Ban, on_kept: OnKept) -> None:
        """See `Identities.add_ban`."""
        on_kept(True)

    def remove_ban(self, kind: BanKind, value: str, on_kept: OnKept) -> None:
        """See `Identities.remove_ban`."""
        on_kept(True)
