"""One set-up at a time: a lock on a file that the system lets go of when its holder ends in any way."""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_ask_again_s = 0.2  # Windows has no lock that waits for as long as it takes


@contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[int]:
    """Hold the lock on `path`, which is made if need be; yields its file descriptor.

    A child that inherits the descriptor holds the lock too (POSIX). `on_wait` is called once if another holds it.

    Raises:
        OSError: the file can't be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _taken(descriptor):
            on_wait()
            _wait_for(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _taken(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_for(descriptor: int) -> None:
        while not _taken(descriptor):
            time.sleep(_ask_again_s)

else:
    import fcntl

    def _taken(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Some network disks have no locks at all; a set-up there goes ahead without.
            return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
        return True

    def _wait_for(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
