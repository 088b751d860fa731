"""Small files in the user's folders that are for their owner alone, and locks between processes."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import platformdirs

FOLDER_VARIABLE: Final = "TWOCANS_DATA_DIR"
LOCK_S: Final = 5.0
"""How long to wait for another process, in seconds; it needs a lock for milliseconds."""
_LOOK_AGAIN_S: Final = 0.01


def data_folder() -> Path:
    """Where everything is kept; `TWOCANS_DATA_DIR` names another folder than the system's."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("twocans", appauthor=False)


def make_folder(path: Path) -> None:
    """Make a folder for its owner alone, if it is not there.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def read_file(path: Path, limit: int) -> bytes | None:
    """What is in a file, at most `limit` bytes; None if there is none.

    Raises:
        OSError: it cannot be read, or is a pipe or a device, where reading may never end.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
        with path.open("rb") as file:
            return file.read(limit)
    except (FileNotFoundError, NotADirectoryError):
        return None


def set_aside(path: Path, *, companions: Sequence[str] = ()) -> Path:
    """Rename a damaged file, so that it is neither used nor overwritten.

    Args:
        path: the file.
        companions: endings of files beside it that belong to it; they go first.

    Returns:
        Its new path, with the date in it.

    Raises:
        OSError: it cannot be renamed.
    """
    name = f"{path.stem}.damaged-{time.strftime('%Y-%m-%d')}"
    numbers = (f"-{number}" if number else "" for number in itertools.count())
    aside = next(
        one for one in (path.with_name(f"{name}{n}{path.suffix}") for n in numbers) if not one.exists()
    )
    for ending in companions:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    path.rename(aside)
    return aside


def write_file(path: Path, content: bytes) -> None:
    """Write a file for its owner alone; whatever happens, it has the old content or the new one.

    Raises:
        OSError: it cannot be written.
    """
    make_folder(path.parent)
    # mkstemp makes the file readable by this user alone.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _replace(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _replace(new: Path, path: Path) -> None:
    give_up_at = time.monotonic() + LOCK_S
    while True:
        try:
            new.replace(path)
        except PermissionError:
            # Windows does not replace a file that somebody is reading just now.
            if sys.platform != "win32" or time.monotonic() >= give_up_at:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def try_lock(path: Path) -> int | None:
    """Hold a lock until the descriptor is closed or the process ends; None if somebody else holds it.

    Raises:
        OSError: the file cannot be made.
    """
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, after whoever has it now; blocks for up to `LOCK_S` seconds.

    Raises:
        OSError: the file cannot be made, or another process does not let go.
    """
    make_folder(path.parent)
    give_up_at = time.monotonic() + LOCK_S
    while (file := try_lock(path)) is None:
        if time.monotonic() >= give_up_at:
            raise TimeoutError(f"{path} stays locked")
        time.sleep(_LOOK_AGAIN_S)
    try:
        yield
    finally:
        os.close(file)
