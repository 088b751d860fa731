"""Files on this computer's disk. All of it may block, and is called in threads only."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from twocans.client import sentences
from twocans.client.transfers.failures import Changed, Failed

PIECE_BYTES: Final = 256 * 1024
"""How much of a file is in memory at once."""

MAX_NAME_BYTES: Final = 255
"""What systems have for a name."""

_HASH_BYTES: Final = 2 * 1024 * 1024
_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV}
)
"""What file systems say that have no second name for a file."""


class Look(Struct, frozen=True):
    """What tells that a file has not been changed, without reading it."""

    size: int
    modified_ns: int


class Stopped(Exception):
    """Nobody waits for the result any more."""


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Errors become sentences.

    Raises:
        Failed: in place of OSError and of names that no system takes.
    """
    try:
        yield
    except OSError as error:
        gone = path
        if error.errno in {errno.ENOENT, errno.ENOTDIR} and not os.path.isdir(path.parent):  # noqa: PTH112 - never raises
            gone = path.parent
        raise Failed(sentences.disk(gone, error)) from None
    except ValueError:
        raise Failed(sentences.disk(path, FileNotFoundError(errno.ENOENT, ""))) from None


def look(path: Path) -> Look:
    """What is there, without opening it: a pipe would block.

    Raises:
        Failed: it is no file, or cannot be looked at.
    """
    with explained(path):
        return _look(path, path.stat())


def hash_file(path: Path, stop: threading.Event, progress: Callable[[int], None]) -> tuple[str, Look]:
    """The SHA-256 of a file in hexadecimal digits, and what it was like.

    Args:
        path: the file.
        stop: ends it early.
        progress: gets the number of bytes that are done, now and then.

    Raises:
        Failed: it cannot be read, or somebody changed it meanwhile.
        Stopped: `stop` was set.
    """
    look(path)
    digest, done = hashlib.sha256(), 0
    with explained(path), path.open("rb", buffering=0) as file:
        before = _look(path, os.fstat(file.fileno()))
        buffer = memoryview(bytearray(_HASH_BYTES))
        while count := file.readinto(buffer):
            if stop.is_set():
                raise Stopped
            if done + count > before.size:
                break  # it may grow for ever
            digest.update(buffer[:count])
            done += count
            progress(done)
        if _look(path, os.fstat(file.fileno())) != before or done != before.size:
            raise Changed(sentences.file_changed(path.name))
    return digest.hexdigest(), before


def open_source(path: Path, offset: int, known: Look) -> BinaryIO:
    """A file to read from an offset on.

    Raises:
        Failed: it cannot be read, or is not what it was.
    """
    if look(path) != known:
        raise Changed(sentences.file_changed(path.name))
    with explained(path):
        file = path.open("rb", buffering=0)
        try:
            file.seek(offset)
        except BaseException:
            file.close()
            raise
        return file


def read_piece(file: BinaryIO, path: Path, most: int) -> bytes:
    """What comes next, at most so many bytes.

    Raises:
        Failed: it cannot be read, or has become shorter.
    """
    with explained(path):
        piece = file.read(min(most, PIECE_BYTES))
    if not piece:
        raise Changed(sentences.file_changed(path.name))
    return piece


class Part:
    """An incoming file until it is whole, under a name that is nobody else's, beside the one that it will have.

    Args:
        path: where it is.
        into: what a person knows it as.
    """

    def __init__(self, path: Path, into: Path) -> None:
        self.path = path
        self._into = into
        self._file: BinaryIO | None = None

    def size(self) -> int | None:
        """How much of it is there, in bytes; None if there is no such file.

        Raises:
            Failed: something else is there, or it cannot be looked at.
        """
        with explained(self._into):
            try:
                status = self.path.lstat()
            except FileNotFoundError:
                return None
            return _look(self._into, status).size

    def open(self, keep: int) -> None:
        """Make it if it is not there, and throw away what is beyond a size.

        Raises:
            Failed: it cannot be written.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        with explained(self._into):
            self._file = os.fdopen(os.open(self.path, flags, 0o666), "r+b", buffering=0)
            self._file.truncate(keep)
            self._file.seek(keep)

    def write(self, piece: bytes | bytearray) -> None:
        """Write what comes next, or as much of it as the disk takes.

        Raises:
            Failed: the disk does not take it all.
        """
        if self._file is None:
            raise ValueError("it is not open")
        with explained(self._into), memoryview(piece) as left:
            done = 0
            while done < len(left):
                done += self._file.write(left[done:])

    def close(self) -> None:
        """Close it; any number of times."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def sync(self) -> None:
        """Have what is written on the disk.

        Raises:
            Failed: the disk does not take it.
        """
        with explained(self._into), self.path.open("r+b", buffering=0) as file:
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Remove it, if it is there and can be."""
        with contextlib.suppress(OSError, ValueError):
            self.path.unlink()

    def place(self, path: Path) -> bool:
        """Give it its name once it is whole; False if something has that name already, which stays.

        Raises:
            Failed: it does not work.
        """
        with explained(self._into):
            try:
                if sys.platform == "win32":
                    self.path.rename(path)
                else:
                    _rename_into_nothing(self.path, path)
            except FileExistsError:
                # After a crash between the two names of one file.
                if not path.is_file() or not self.path.samefile(path):
                    return False
                self.path.unlink()
        return True

    def replace(self, path: Path) -> None:
        """Give it its name once it is whole, in place of an ordinary file that has it.

        Raises:
            Failed: it does not work, or a device, pipe, socket or link has that name.
        """
        with explained(self._into):
            if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
                raise Failed(sentences.not_replaced(path.name))
            self.path.replace(path)


def part_path(into: Path, id_: str) -> Path:
    """Where a file that becomes `into` is until it is whole."""
    tail = f".{id_[-12:]}.part"
    head = into.name.encode(errors="ignore")[: MAX_NAME_BYTES - len(tail)].decode(errors="ignore")
    return into.with_name(head + tail)


def names_beside(path: Path) -> Iterator[Path]:
    """The name itself, and others for when it is taken."""
    yield path
    for number in range(1, 1000):
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")


def _rename_into_nothing(part: Path, path: Path) -> None:
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # An empty file of that name is made first: whoever else wants the name then finds it taken.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        part.replace(path)
    else:
        part.unlink()


def _look(path: Path, status: os.stat_result) -> Look:
    if not stat.S_ISREG(status.st_mode):
        raise Failed(sentences.no_file(path.name, is_folder=stat.S_ISDIR(status.st_mode)))
    return Look(status.st_size, status.st_mtime_ns)
