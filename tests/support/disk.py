"""Disks that are full and folders without rights, for processes that a test starts, on Linux."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from tests.support.forked import ForkedProcess

_CHUNK: Final = 64 * 1024


def without_privileges() -> list[str]:
    """What to start a process with so that a folder's rights hold for it even if this is root."""
    if os.geteuid():
        return []
    dropped = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"]


def on_small_disk(folder: Path, *, size_kib: int, filled: bool = False) -> list[str]:
    """What to start a process with so that it sees an empty disk of that size in a folder.

    The disk is seen by that process alone, and by `seen_by`; it is gone when the process ends.
    """
    unshare = (
        ["unshare", "--mount"] if not os.geteuid() else ["unshare", "--user", "--map-root-user", "--mount"]
    )
    script = 'mount -t tmpfs -o size="$1" tmpfs "$0" || exit 99; '
    if filled:
        script += 'cat /dev/zero >"$0/ballast" 2>/dev/null; '
    script += 'shift; exec "$@"'
    return [*unshare, "sh", "-c", script, str(folder), f"{size_kib}k"]


def seen_by(process: subprocess.Popen[bytes] | ForkedProcess, folder: Path) -> Path:
    """A folder as a process sees it."""
    return Path("/proc", str(process.pid), "root", *folder.absolute().parts[1:])


def fill(folder: Path) -> Path:
    """Take all the room that a disk has; the file that takes it."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        size = _CHUNK
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
    return ballast
