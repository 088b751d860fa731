"""A bound name and its devices, as the hub has them in memory."""

from __future__ import annotations

from twocans.hub.codes import PairingCode
from twocans.storage.identities import MAX_CUT_OFF, DeviceRecord


class Device:
    """A device that has a token of a name; times are in Unix milliseconds."""

    __slots__ = ("created", "id", "name", "seen", "token")

    def __init__(self, record: DeviceRecord) -> None:
        self.id = record.id
        self.token = record.token
        self.name = record.name
        self.created = record.created
        self.seen = record.seen


class Ownership:
    """What a bound name is reached by.

    Args:
        password: the hash of its password, if there is one.
    """

    __slots__ = ("code", "cut_off", "devices", "password")

    def __init__(self, password: str | None = None) -> None:
        self.devices: dict[bytes, Device] = {}
        """By the hashes of their tokens."""
        self.cut_off: dict[bytes, None] = {}
        """The hashes of tokens that were cut off, the latest last; at most `MAX_CUT_OFF`."""
        self.password = password
        self.code: PairingCode | None = None

    def remove(self, device: Device) -> None:
        """Cut a device off."""
        del self.devices[device.token]
        self.cut_off[device.token] = None
        if len(self.cut_off) > MAX_CUT_OFF:
            del self.cut_off[next(iter(self.cut_off))]

    def restore(self, device: Device) -> None:
        """Undo `remove`."""
        self.devices[device.token] = device
        self.cut_off.pop(device.token, None)
