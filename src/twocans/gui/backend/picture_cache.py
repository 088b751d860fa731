"""Pictures that were fetched to be shown, in a folder of the user's, named by what they are; the oldest go first."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path, PurePath
from typing import Final

from twocans.common.atomic_file import data_folder, make_folder
from twocans.protocol.messages import Message

MAX_BYTES: Final = 256 * 1024 * 1024
"""How much is kept from one start to the next."""

_NAME: Final = re.compile(r"([0-9a-f]{64})\.[a-z]{2,5}\Z")


def default_folder() -> Path:
    """Where the pictures of this user are."""
    return data_folder() / "pictures"


class PictureCache:
    """The folder of the pictures.

    Args:
        folder: where; made when the first picture comes.
        max_bytes: how much is kept when it is tidied.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def path(self, message: Message) -> Path:
        """Where the picture of a message is, or is to be. The folder is there, as far as it can be made."""
        hash_ = message.file.hash if message.file is not None else ""
        with contextlib.suppress(OSError):
            make_folder(self._folder)
        return self._folder / f"{hash_}{PurePath(message.text).suffix.casefold()}"

    def hash_of(self, path: Path) -> str | None:
        """The hash of the picture that is at a path; None if that is none of these."""
        match = _NAME.match(path.name)
        return match[1] if match is not None and path.parent == self._folder else None

    def tidy(self) -> None:
        """Let those go that came first, if there are too many."""
        with contextlib.suppress(OSError):
            found = [(path.stat(), path) for path in self._folder.iterdir()]
            found.sort(key=lambda one: one[0].st_mtime, reverse=True)
            size = 0
            for about, path in found:
                size += about.st_size
                if size > self._max_bytes:
                    path.unlink()
