"""Sockets that programs of one user on this computer find each other by: files that only their user can connect to.

Windows has a port on the loopback address instead. Anybody on the computer can connect to that, so those who listen ask
for a secret, on all systems alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

IN_FILES: Final = sys.platform != "win32"
"""True where sockets are files."""
LOOPBACK: Final = "127.0.0.1"
MAX_PATH_BYTES: Final = 103
"""The longest path of a socket that every system takes."""
_DESCRIPTORS: Final = Path("/proc/self/fd")
"""Folders by the numbers of their descriptors, on Linux: as short as paths can be."""

Place: TypeAlias = int | str
"""The address of a socket: a port, or a path that may be relative to the folder of the program that listens."""


class LocalListener:
    """A listening socket for programs of this user.

    Args:
        folder: where it is to be. Where that has no room for a socket, as file systems of other systems have not, it is
            in a folder of its own for temporary files.
        name: what it is called there; what is left over of a program that was killed is replaced.

    Raises:
        OSError: it cannot be made in either folder.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.place: Place
        """The address that programs connect to, see `open_connection`."""
        if not IN_FILES:
            self.socket = socket.create_server((LOOPBACK, 0))
            self.place = int(self.socket.getsockname()[1])
            return
        try:
            remove_socket(folder, name)
            self.socket, self.place = _listen_at(folder / name), name
        except OSError:
            remove_socket(folder, name)
            own = Path(tempfile.mkdtemp(prefix="twocans-"))  # for this user alone
            self.place = str(own / name)
            try:
                self.socket = _listen_at(own / name)
            except OSError:
                remove_socket(folder, self.place)
                raise

    def remove(self) -> None:
        """Let nobody find the socket any more. It is closed by whoever accepts connections on it."""
        remove_socket(self._folder, self.place)


def remove_socket(folder: Path, place: Place) -> None:
    """Remove what a listener has left, if anything. Nothing but sockets is removed, and folders of their own."""
    if isinstance(place, int):
        return
    path = folder / place
    with contextlib.suppress(OSError, ValueError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
        if Path(place).is_absolute():
            path.parent.rmdir()


def connect(folder: Path, place: Place, *, timeout_s: float) -> socket.socket:
    """Connect to the listener of another program; blocks for up to `timeout_s` seconds.

    Raises:
        OSError: nobody listens there.
    """
    if isinstance(place, int):
        return socket.create_connection((LOOPBACK, place), timeout_s)
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.settimeout(timeout_s)
        with _short_path(folder / place) as path:
            connected.connect(path)
    except BaseException:
        connected.close()
        raise
    return connected


async def open_connection(
    folder: Path, place: Place, *, limit: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the listener of another program, as `asyncio.open_connection` does.

    Raises:
        OSError: nobody listens there.
    """
    if isinstance(place, int):
        return await asyncio.open_connection(LOOPBACK, place, limit=limit)
    with _short_path(folder / place) as path:
        return await asyncio.open_unix_connection(path, limit=limit)


def _listen_at(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        with _short_path(path) as short_path:
            listener.bind(short_path)
        # Nobody can connect before it listens.
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def _short_path(path: Path) -> Iterator[str]:
    """A path to the same socket that the system takes, however deep its folder is; good within the block.

    Raises:
        OSError: there is none.
    """
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_DESCRIPTORS / str(folder) / path.name)
    finally:
        os.close(folder)
