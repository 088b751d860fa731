"""Free space less a reserve: a full disk must not keep messages and registrations of everybody from being stored."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final, NamedTuple

MIB: Final = 1024 * 1024
MIN_RESERVE_BYTES: Final = 16 * MIB
"""The reserve on a small disk: room for the database and its write-ahead log."""
MAX_RESERVE_BYTES: Final = 512 * MIB
"""The reserve on a large disk; between the two it is a twentieth of the disk."""
SHORT_BYTES: Final = 64 * MIB
"""With less than this left beyond the reserve a disk is short of room."""
BLOCK_BYTES: Final = 4096
"""What a disk gives to files: whole blocks, and at least one."""
MIN_FREE_INODES: Final = 1000
"""With fewer of these left there is no room for another file, whatever its size."""

FULL_BYTES: Final = MIB
"""With less than this left, a disk is called full where SQLite says that it failed: its shared memory and journal find no room."""


class Room(NamedTuple):
    """Bytes that a disk has left."""

    beyond_reserve: int
    """For files and for floods of messages."""
    reserve: int
    """Of the reserve, for a few messages of everybody; its last quarter is for what is stored besides messages."""

    processed: int = 0
    """Bytes of texts that the storage had processed since its start when this was measured."""

    def less(self, taken: int) -> Room:
        """Return what is left when so many bytes are taken, first of those beyond the reserve."""
        beyond_reserve = self.beyond_reserve - taken
        return self._replace(
            beyond_reserve=max(0, beyond_reserve), reserve=max(0, self.reserve + min(0, beyond_reserve))
        )

    @property
    def is_short(self) -> bool:
        """Whether so little is left that it has to be watched closely."""
        return self.beyond_reserve < SHORT_BYTES


NO_LIMIT: Final = Room(sys.maxsize, sys.maxsize)
"""Where nothing is written to a disk."""


def on_disk(size: int, block_bytes: int = BLOCK_BYTES) -> int:
    """Return how many bytes of the disk a file of `size` bytes takes."""
    return max(1, -(-size // block_bytes)) * block_bytes


def room_left(folder: Path) -> Room:
    """Return how many bytes the disk of `folder` has left.

    Raises:
        OSError: the disk cannot be asked.
    """
    usage = shutil.disk_usage(folder)
    reserve = max(MIN_RESERVE_BYTES, min(MAX_RESERVE_BYTES, usage.total // 20))
    beyond_reserve = 0 if _short_of_inodes(folder) else max(0, usage.free - reserve)
    kept = min(usage.total, reserve) // 4
    return Room(beyond_reserve, max(0, min(usage.free, reserve) - kept))


def is_full(folder: Path) -> bool:
    """True if the disk of `folder` has next to nothing left; false if it cannot be asked."""
    try:
        return shutil.disk_usage(folder).free < FULL_BYTES
    except OSError:
        return False


def _short_of_inodes(folder: Path) -> bool:
    if os.name != "posix":
        return False
    system = os.statvfs(folder)
    # Some file systems count none.
    return system.f_files > 0 and system.f_favail < MIN_FREE_INODES
