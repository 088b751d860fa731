"""The bytes of files, in a folder: whole ones by their hash, and those that are coming.

What has come of a file counts as soon as it is written, so that a transfer goes on where it broke off, whatever broke
it. Which files are wanted is `sqlite.files`' to know.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from twocans.protocol.messages import FileRef
from twocans.storage.disk_space import BLOCK_BYTES, on_disk, room_left

FILES_FOLDER: Final = "files"
"""What the folder is called in the server's."""
PIECE_BYTES: Final = 256 * 1024
"""How much is read at a time."""

MAX_ACCOUNTS: Final = 1000
"""With so many accounts that have uploads, reservations that have ended are forgotten at once."""

_INCOMING: Final = "incoming"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_PART: Final = re.compile(r"([0-9]{1,18})-([0-9a-f]{64})-([0-9]{1,19})")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


class Stopped(Exception):
    """The server stops; what was asked for can be asked for again."""


class NoRoom(Exception):
    """There is no room for more: on the disk, or within what all files may take."""


class Incoming(Struct, frozen=True):
    """A file that an account is bringing: the number of the account, and what it says that the file is."""

    account: int
    file: FileRef

    @property
    def name(self) -> str:
        """What the part is called on disk."""
        return f"{self.account}-{self.file.hash}-{self.file.size}"


class Contents:
    """The files in a folder. May be used from any thread.

    Args:
        folder: where they are, or are to be.
        max_bytes: how much all of them may take, those that are coming included.
        durable: whether what has come is to survive a power cut.
        block_bytes: what each file is rounded up to when it is counted.
        room: returns how many bytes files may still take on the disk.
        clock: the time, in seconds.

    Raises:
        OSError: the folder cannot be made or read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        durable: bool,
        block_bytes: int = BLOCK_BYTES,
        room: Callable[[Path], int] = lambda folder: room_left(folder).beyond_reserve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes = max_bytes
        self.block_bytes = block_bytes
        self._room = room
        self._clock = clock
        self._folder = folder
        self._incoming = folder / _INCOMING
        self._durable = durable
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._whole: dict[str, int] = {}
        self._parts: dict[Incoming, int] = {}
        self._open: set[Incoming] = set()
        self._uploads: dict[int, dict[Incoming, float]] = {}
        """The uploads of each account, and until when room is reserved for the whole of each."""
        folder.mkdir(mode=0o700, exist_ok=True)
        self._incoming.mkdir(mode=0o700, exist_ok=True)
        self._whole = {path.name: size for path, size in whole_files(folder)}
        for entry in os.scandir(self._incoming):
            match = _PART.fullmatch(entry.name)
            if match is not None and entry.is_file(follow_symlinks=False):
                account, hash_, size = match.groups()
                part = Incoming(int(account), FileRef(hash_, int(size)))
                self._parts[part] = entry.stat().st_size
                self._uploads.setdefault(part.account, {})[part] = 0.0
        self._used = sum(map(self.on_disk, [*self._whole.values(), *self._parts.values()]))

    # --- what there is -----------------------------------------------------------------------------------

    @property
    def used(self) -> int:
        """How many bytes of the disk all files take."""
        return self._used

    def on_disk(self, size: int) -> int:
        """Return how many bytes of the disk a file of `size` bytes takes."""
        return on_disk(size, self.block_bytes)

    @property
    def number(self) -> int:
        """How many files are whole."""
        return len(self._whole)

    def has(self, file: FileRef) -> bool:
        """Whether a file is here as a whole."""
        return self._whole.get(file.hash) == file.size

    def hashes(self) -> list[str]:
        """The hashes of all whole files."""
        with self._lock:
            return list(self._whole)

    def come(self, incoming: Incoming) -> int:
        """How much of a file need not be sent any more; less than all of it, as that has not been looked at."""
        return max(0, min(self._parts.get(incoming, 0), incoming.file.size - 1))

    def capacity(self) -> int:
        """Return how many bytes all files together may take: never more than the disk has room for.

        Raises:
            OSError: the disk cannot be asked.
        """
        return min(self._max_bytes, self._used + self._room(self._folder))

    def uploads_of(self, account: int, *, besides: Incoming) -> tuple[int, int]:
        """Return the number of an account's other uploads, and the bytes that they take or have reserved."""
        with self._lock:
            self._forget_expired(account)
            sizes = [self._size_of(one) for one in self._uploads.get(account, ()) if one != besides]
        return len(sizes), sum(sizes)

    def awaited(self, *, besides: Incoming) -> int:
        """Return how many bytes of the disk are still to come of the other uploads that are under way.

        Reservations of others do not count: nobody can keep room from anybody without sending a byte.
        """
        with self._lock:
            return sum(self._size_of(one) - self._taken(one) for one in self._open if one != besides)

    def reserve(self, incoming: Incoming, *, valid_s: float) -> None:
        """Count the whole of an upload that may begin within `valid_s` seconds as its account's."""
        with self._lock:
            if len(self._uploads) >= MAX_ACCOUNTS:
                for account in list(self._uploads):
                    self._forget_expired(account)
            self._uploads.setdefault(incoming.account, {})[incoming] = self._clock() + valid_s

    def is_reserved(self, incoming: Incoming) -> bool:
        """True while an upload may begin without asking again."""
        with self._lock:
            return self._uploads.get(incoming.account, {}).get(incoming, 0.0) > self._clock()

    def _forget_expired(self, account: int) -> None:
        now = self._clock()
        uploads = {
            one: until
            for one, until in self._uploads.get(account, {}).items()
            if until > now or one in self._parts or one in self._open
        }
        if uploads:
            self._uploads[account] = uploads
        else:
            self._uploads.pop(account, None)

    def _size_of(self, incoming: Incoming) -> int:
        """Return what an upload takes: all of it while it may go on without asking again."""
        if incoming in self._open or self._uploads[incoming.account].get(incoming, 0.0) > self._clock():
            return self.on_disk(incoming.file.size)
        return self._taken(incoming)

    def _forget_upload(self, incoming: Incoming) -> None:
        self._used -= self._taken(incoming)
        self._parts.pop(incoming, None)
        self._uploads.get(incoming.account, {}).pop(incoming, None)
        self._forget_expired(incoming.account)

    def _taken(self, incoming: Incoming) -> int:
        come = self._parts.get(incoming)
        return 0 if come is None else self.on_disk(come)

    def path(self, hash_: str) -> Path:
        """Where a whole file is."""
        return self._folder / hash_[:2] / hash_

    def stop(self) -> None:
        """Let those who look at whole files stop doing so."""
        self._stopping.set()

    # --- what comes --------------------------------------------------------------------------------------

    def open_part(self, incoming: Incoming) -> Part:
        """Go on with a file that is coming, or begin; one at a time can.

        Raises:
            NoRoom: the disk is full.
            OSError: it cannot be written, `errno.EBUSY` if somebody else does.
        """
        with self._lock:
            if incoming in self._open:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            self._open.add(incoming)
            self._uploads.setdefault(incoming.account, {}).setdefault(incoming, 0.0)
        path = self._incoming / incoming.name
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW | _BINARY, 0o600)
        except BaseException as error:
            self._open.discard(incoming)
            if isinstance(error, OSError) and error.errno in _FULL:
                raise NoRoom from None
            raise
        come = self.come(incoming)
        os.ftruncate(descriptor, come)
        os.lseek(descriptor, come, os.SEEK_SET)
        self._set_size(incoming, come)
        return Part(
            incoming,
            descriptor,
            come,
            take_room=lambda size: self._take_room(incoming, size),
            closed=lambda: self._open.discard(incoming),
            stopping=self._stopping.is_set,
            durable=self._durable,
        )

    def keep(self, incoming: Incoming) -> None:
        """Put a file that has come and is what it was said to be among the whole ones.

        Raises:
            OSError: it cannot be moved.
        """
        source = self._incoming / incoming.name
        target = self.path(incoming.file.hash)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            source.replace(target)
        except PermissionError:
            # Windows keeps a file in its place while somebody reads it; it is the same one.
            if not self.has(incoming.file):
                raise
            source.unlink()
        if self._durable:
            for folder in (target.parent, self._folder):
                _sync_folder(folder)
        with self._lock:
            self._forget_upload(incoming)
            self._forget_whole(incoming.file.hash)
            self._whole[incoming.file.hash] = incoming.file.size
            self._used += self.on_disk(incoming.file.size)

    def drop(self, incoming: Incoming) -> None:
        """Forget what has come of a file.

        Raises:
            OSError: it cannot be removed.
        """
        (self._incoming / incoming.name).unlink(missing_ok=True)
        with self._lock:
            self._forget_upload(incoming)

    def remove(self, hash_: str) -> None:
        """Delete a whole file.

        Raises:
            OSError: it cannot be deleted.
        """
        self.path(hash_).unlink(missing_ok=True)
        with self._lock:
            self._forget_whole(hash_)

    def drop_stale(self, before_s: float) -> int:
        """Forget files that are coming and have got no further since a time, in Unix seconds; how many.

        Raises:
            OSError: one cannot be removed.
        """
        with self._lock:
            parts = [part for part in self._parts if part not in self._open]
        dropped = 0
        for part in parts:
            try:
                stale = (self._incoming / part.name).stat().st_mtime < before_s
            except FileNotFoundError:
                stale = True
            if stale:
                self.drop(part)
                dropped += 1
        return dropped

    def _take_room(self, incoming: Incoming, size: int) -> bool:
        """Count bytes that are about to be written, or, if negative, that were not after all; whether they fit."""
        fits_disk = size <= 0 or size <= self._room(self._folder)
        with self._lock:
            come = self._parts.get(incoming, 0) + size
            used = self._used + self.on_disk(come) - self._taken(incoming)
            if size > 0 and not (fits_disk and used <= self._max_bytes):
                return False
            self._used, self._parts[incoming] = used, come
            return True

    def _set_size(self, incoming: Incoming, size: int) -> None:
        with self._lock:
            self._used += self.on_disk(size) - self._taken(incoming)
            self._parts[incoming] = size

    def _forget_whole(self, hash_: str) -> None:
        size = self._whole.pop(hash_, None)
        if size is not None:
            self._used -= self.on_disk(size)


class Part:
    """A file that is coming, open to be written; used by one thread at a time.

    Args:
        incoming: which.
        descriptor: where it is written; it is closed here.
        size: how much has come.
        take_room: counts bytes before they are written; tells whether they may be.
        closed: told when it is closed.
        stopping: whether the server stops, and nobody waits for long answers.
        durable: whether what has come is to survive a power cut.
    """

    def __init__(
        self,
        incoming: Incoming,
        descriptor: int,
        size: int,
        *,
        take_room: Callable[[int], bool],
        closed: Callable[[], None],
        stopping: Callable[[], bool],
        durable: bool,
    ) -> None:
        self.incoming = incoming
        self.size = size
        self._descriptor = descriptor
        self._take_room = take_room
        self._closed = closed
        self._is_closed = False
        self._stopping = stopping
        self._durable = durable

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            NoRoom: not all of them could be.
            OSError: the disk fails.
        """
        if not self._take_room(len(data)):
            raise NoRoom
        rest = memoryview(data)
        try:
            while rest:
                written = os.write(self._descriptor, rest)
                self.size += written
                rest = rest[written:]
        except OSError as error:
            self._take_room(-len(rest))
            if error.errno in _FULL:
                raise NoRoom from None
            raise

    def is_right(self) -> bool:
        """Whether what has come is what it was said to be; reads all of it.

        Raises:
            OSError: the disk fails.
            Stopped: the server stops.
        """
        if self.size != self.incoming.file.size:
            return False
        digest = hashlib.sha256()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while piece := os.read(self._descriptor, PIECE_BYTES):
            digest.update(piece)
            if self._stopping():
                raise Stopped
        return digest.hexdigest() == self.incoming.file.hash

    def close(self) -> None:
        """Write nothing more; nothing happens if that is done already.

        Raises:
            OSError: what has come could not be written, and has to come again from its beginning.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._durable:
                os.fsync(self._descriptor)
        except OSError:
            # The system may drop what it could not write, and report success the next time.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            self._take_room(-self.size)
            raise
        finally:
            os.close(self._descriptor)
            self._closed()


def whole_files(folder: Path) -> Iterator[tuple[Path, int]]:
    """The whole files in a folder of contents, and their sizes.

    Raises:
        OSError: the folder cannot be read.
    """
    for part in folder.iterdir():
        if len(part.name) == 2 and part.is_dir():
            for entry in os.scandir(part):
                if _HASH.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat().st_size


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
