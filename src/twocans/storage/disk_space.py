"""Free space less a reserve: a full disk must not keep messages and registrations of everybody from being stored."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024
MIN_RESERVE_BYTES: Final = 16 * MIB
"""The reserve on a small disk: room for the database and its write-ahead log."""
MAX_RESERVE_BYTES: Final = 512 * MIB
"""The reserve on a large disk; between the two it is a twentieth of the disk."""
BLOCK_BYTES: Final = 4096
"""What a disk gives to files: whole blocks, and at least one."""
MIN_FREE_INODES: Final = 1000
"""With fewer of these left there is no room for another file, whatever its size."""


def on_disk(size: int, block_bytes: int = BLOCK_BYTES) -> int:
    """Return how many bytes of the disk a file of `size` bytes takes."""
    return max(1, -(-size // block_bytes)) * block_bytes


def unreserved_bytes(folder: Path) -> int:
    """Return how many bytes the disk of `folder` has left for files and for floods of messages.

    Raises:
        OSError: the disk cannot be asked.
    """
    usage = shutil.disk_usage(folder)
    reserve = max(MIN_RESERVE_BYTES, min(MAX_RESERVE_BYTES, usage.total // 20))
    return 0 if _short_of_inodes(folder) else max(0, usage.free - reserve)


def _short_of_inodes(folder: Path) -> bool:
    if os.name != "posix":
        return False
    system = os.statvfs(folder)
    # Some file systems count none.
    return system.f_files > 0 and system.f_favail < MIN_FREE_INODES
