"""A quota of stored bytes for each address: by the hour, by what waits for the disk, and by what the disk has left.

One address may take half of the room that the disk has left beyond its reserve. Once only the reserve is left, each
address may have a little of it stored in an hour, so that others can still chat on a disk that somebody has filled.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 3600.0
"""The time for which stored bytes count for their address, from the first of them on."""
MAX_WAITING_BYTES: Final = 32 * 1024 * 1024
"""The bytes of one address that may wait for the disk: half of what the storage lets wait."""
RESERVED_BYTES: Final = 1024 * 1024
"""The bytes that one address may have stored within the window, however full the disk is."""
CREDIT_BYTES: Final = 256 * 1024
"""The bytes that are granted at a time, so that the quota is not asked for each message."""
DISK_PER_BYTE: Final = 5
"""The bytes of the disk that a byte of text takes at most: in UTF-8, in the write-ahead log and the database, with its index."""
MAX_ADDRESSES: Final = 10_000
"""The number of addresses that are remembered; of more, those that came first are forgotten."""


class AddressUsage:
    """The bytes that messages from one address take."""

    __slots__ = ("credit", "granted", "since_s", "waiting")

    def __init__(self, since_s: float) -> None:
        self.credit = 0
        """Bytes that may be stored before the quota is asked again."""
        self.waiting = 0
        """Bytes that the storage has been given and has not stored yet."""
        self.granted = 0
        """Bytes that have been granted since `since_s`."""
        self.since_s = since_s


class AddressQuota:
    """Grants each address bytes of messages.

    Args:
        max_bytes: the most that one address may have stored within the window; 0 for no limit.
        room: returns how many bytes the disk has left beyond its reserve.
        monotonic_s: a clock that does not go back, in seconds.
    """

    def __init__(self, *, max_bytes: int, room: Callable[[], int], monotonic_s: Callable[[], float]) -> None:
        self._max_bytes = max_bytes or sys.maxsize
        self._room = room
        self._monotonic_s = monotonic_s
        self._usages: dict[str, AddressUsage] = {}

    def usage_of(self, host: str) -> AddressUsage:
        """Return the usage of an address; one object for all of its sessions."""
        usage = self._usages.get(host)
        if usage is None:
            usage = self._usages[host] = AddressUsage(self._monotonic_s())
            if len(self._usages) > MAX_ADDRESSES:
                del self._usages[next(iter(self._usages))]
        return usage

    def grant(self, usage: AddressUsage, size: int) -> bool:
        """Raise the credit of an address to `size` bytes at least; False if that is more than it may have."""
        if usage.waiting + size > MAX_WAITING_BYTES:
            return False
        now = self._monotonic_s()
        if now - usage.since_s >= WINDOW_S:
            usage.since_s, usage.granted = now, usage.credit
        allowed = min(
            max((usage.granted + self._room() // DISK_PER_BYTE) // 2, RESERVED_BYTES), self._max_bytes
        )
        missing, left = size - usage.credit, allowed - usage.granted
        if missing > left:
            return False
        granted = max(missing, min(CREDIT_BYTES, left))
        usage.credit += granted
        usage.granted += granted
        return True
