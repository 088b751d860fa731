"""Files that are there whole or not at all, and that only their owner can read."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path


class NewFileError(Exception):
    """The file cannot be made; the sentence says why and what to do."""


@contextlib.contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[Path]:
    """Make a file: the block fills the one that it is given, which becomes `path` when the block has ended well.

    Args:
        path: the file to be.
        replace: whether an ordinary file that has the name already gives way. Devices, pipes, sockets and links never do.

    Raises:
        NewFileError: it cannot be made, or is there already.
    """
    _refuse_special(path)
    if not replace and os.path.lexists(path):
        raise _exists(path)
    try:
        # In the same folder, so that it is a matter of the name only; and out of everybody's reach.
        workshop = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=".unfinished-"))
    except OSError as error:
        raise NewFileError(f"{path} cannot be written ({_why(error)}). Choose another place") from None
    try:
        unfinished = workshop / "unfinished"
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield unfinished
        _sync(unfinished)
        _place(unfinished, path, replace=replace)
    except OSError as error:
        raise NewFileError(f"{path} could not be written ({_why(error)})") from None
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _place(unfinished: Path, path: Path, *, replace: bool) -> None:
    if replace:
        _refuse_special(path)  # again: the block may have taken long
        unfinished.replace(path)
        return
    try:
        os.link(unfinished, path)  # alone among these it never replaces what has appeared meanwhile
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, NotImplementedError):  # a file system without links
        if os.path.lexists(path):
            raise _exists(path) from None
        unfinished.rename(path)


def _refuse_special(path: Path) -> None:
    """Refuse to put a file in place of anything but an ordinary one.

    A file in place of `/dev/null` breaks the system, and one in place of a link leaves what it leads to as it was.

    Raises:
        NewFileError: something else has the name.
    """
    try:
        is_folder, mode = path.is_dir(), path.lstat().st_mode
    except OSError:  # nothing is there, or making the file says what is wrong
        return
    if is_folder:
        raise NewFileError(f"{path} is a folder. Name a file in it")
    if stat.S_ISLNK(mode):
        raise NewFileError(
            f"{path} is a symbolic link, which is never replaced. Name the file that it leads to"
        )
    if not stat.S_ISREG(mode):
        raise NewFileError(f"{path} is a {_kind(mode)}, which is never replaced. Name an ordinary file")


def _kind(mode: int) -> str:
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return "device"
    return "socket" if stat.S_ISSOCK(mode) else "pipe"


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _exists(path: Path) -> NewFileError:
    return NewFileError(f"{path} exists already. Choose another name, or let --force replace it")


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
