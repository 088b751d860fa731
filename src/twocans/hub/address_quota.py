"""A quota of stored bytes for each address: by the hour, by what waits for the disk, and by what the disk has left.

One address may take half of the room that the disk has left beyond its reserve. Once only the reserve is left, it may
take a sixteenth of that in an hour, so that others can still chat on a disk that somebody has filled.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from twocans.storage.disk_space import Room

WINDOW_S: Final = 3600.0
"""The time for which stored bytes count for their address, from the first of them on."""
MAX_WAITING_BYTES: Final = 32 * 1024 * 1024
"""The bytes of one address that may wait for the disk: half of what the storage lets wait."""
RESERVED_BYTES: Final = 1024 * 1024
"""The most that one address may have stored within the window out of the reserve."""
RESERVE_SHARES: Final = 16
"""One address may take this fraction of what is left of the reserve: so many of them leave a third of it."""
CREDIT_BYTES: Final = 16 * 1024
"""The bytes that are granted at a time, so that the quota is not asked for each message."""
DISK_PER_BYTE: Final = 5
"""The bytes of the disk that a byte of text takes at most: in UTF-8, in the write-ahead log and the database, with its index."""
MAX_ADDRESSES: Final = 10_000
"""The number of addresses that are remembered; of more, those that came first are forgotten."""


class AddressUsage:
    """The bytes that messages from one address take."""

    __slots__ = ("credit", "granted", "reserved", "since_s", "waiting")

    def __init__(self, since_s: float) -> None:
        self.credit = 0
        """Bytes that may be stored before the quota is asked again."""
        self.waiting = 0
        """Bytes that the storage has been given and has not stored yet."""
        self.granted = 0
        """Bytes that have been granted since `since_s`, those out of the reserve apart."""
        self.reserved = 0
        """Bytes that have been granted out of the reserve since `since_s`."""
        self.since_s = since_s


class AddressQuota:
    """Grants each address bytes of messages.

    Args:
        max_bytes: the most that one address may have stored within the window; 0 for no limit.
        room: returns how many bytes the disk has left.
        monotonic_s: a clock that does not go back, in seconds.
    """

    def __init__(self, *, max_bytes: int, room: Callable[[], Room], monotonic_s: Callable[[], float]) -> None:
        self._max_bytes = max_bytes or sys.maxsize
        self._room = room
        self._monotonic_s = monotonic_s
        self._usages: dict[str, AddressUsage] = {}
        self.promised = 0
        """Bytes that have been granted to anybody since the start, or are the server's own."""

    def usage_of(self, host: str) -> AddressUsage:
        """Return the usage of an address; one object for all of its sessions."""
        usage = self._usages.get(host)
        if usage is None:
            usage = self._usages[host] = AddressUsage(self._monotonic_s())
            if len(self._usages) > MAX_ADDRESSES:
                forgotten = self._usages.pop(next(iter(self._usages)))
                self.promised -= forgotten.credit
                forgotten.credit = 0
        return usage

    def grant(self, usage: AddressUsage, size: int) -> bool:
        """Raise the credit of an address to `size` bytes at least; False if that is more than it may have."""
        if usage.waiting + size > MAX_WAITING_BYTES:
            return False
        now = self._monotonic_s()
        if now - usage.since_s >= WINDOW_S:
            usage.since_s, usage.granted, usage.reserved = now, usage.credit, 0
        missing = size - usage.credit
        beyond_reserve, reserve = self._room_for_texts()
        within_hour = self._max_bytes - usage.granted - usage.reserved
        left = min((usage.granted + beyond_reserve) // 2 - usage.granted, within_hour)
        if missing <= left:
            granted = max(missing, min(CREDIT_BYTES, left))
            usage.granted += granted
        else:
            share = min((usage.reserved + reserve) // RESERVE_SHARES, RESERVED_BYTES)
            if missing > min(share - usage.reserved, within_hour):
                return False
            granted = missing
            usage.reserved += granted
        usage.credit += granted
        self.promised += granted
        return True

    @property
    def is_disk_full(self) -> bool:
        """Whether next to nothing is left but the reserve."""
        return self._room_for_texts()[0] < CREDIT_BYTES

    def _room_for_texts(self) -> tuple[int, int]:
        """Return how many bytes of text fit on the disk beyond its reserve, and into the reserve."""
        room = self._room()
        unstored = max(0, self.promised - room.processed)
        beyond_reserve, reserve, _ = room.less(unstored * DISK_PER_BYTE)
        return beyond_reserve // DISK_PER_BYTE, reserve // DISK_PER_BYTE
