"""Files that are about to be sent: what is known of them, and which cannot be."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from twocans.protocol.file_names import readable_size, safe_name
from twocans.protocol.text import spelled_out

MAX_ATTACHMENTS: Final = 100
"""How many files go at once."""
NO_FILES: Final = "This server doesn't accept files. Ask the person who runs it."
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a draft. `size` is in bytes; `picture` tells whether it promises to be an image."""

    path: str
    name: str
    size: int
    picture: bool

    @property
    def size_text(self) -> str:
        """Its size, for people."""
        return readable_size(self.size)


def is_picture(name: str) -> bool:
    """Whether a file promises to be an image, going by its name."""
    return PurePath(name).suffix.casefold() in _PICTURES


def look_at(path: str, most: int) -> Attachment | str:
    """What is known of a file, or a sentence that says why it cannot be sent.

    Args:
        path: where it is.
        most: how many bytes the server takes.
    """
    if _ADDRESS.match(path):
        return f"“{spelled_out(path)}” is not a file on this computer. Save it here first, and send that."
    name = safe_name(PurePath(path).name)
    shown = f"“{spelled_out(name)}”"
    try:
        path.encode()
    except UnicodeEncodeError:
        return f"{shown} has a name that is no text. Rename it, and choose it again."
    try:
        about = Path(path).stat()
        if stat.S_ISDIR(about.st_mode):
            return f"{shown} is a folder. Only files can be sent, so pack it into a ZIP file."
        if not stat.S_ISREG(about.st_mode):
            return f"{shown} is not an ordinary file."
        if not os.access(path, os.R_OK):
            return f"{shown} cannot be read."
    except FileNotFoundError:
        return f"{shown} is not there any more."
    except (OSError, ValueError):
        return f"{shown} cannot be read."
    if about.st_size > most:
        return f"{shown} is too large: this server takes files of up to {readable_size(most)}."
    return Attachment(path, name, about.st_size, is_picture(name))


def added(
    before: Sequence[Attachment], paths: Iterable[str], most: int
) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """The files with those at `paths`, each once, and the sentences about those that were left out.

    `most` is how many bytes the server takes of one, 0 if it takes none.
    """
    if not most:
        return tuple(before), (NO_FILES,)
    files = {one.path: one for one in before}
    problems: list[str] = []
    for path in dict.fromkeys(paths):
        if path in files:
            continue
        if len(files) >= MAX_ATTACHMENTS:
            problems.append(f"More than {MAX_ATTACHMENTS} files cannot be sent at once.")
            break
        found = look_at(path, most)
        if isinstance(found, str):
            problems.append(found)
        else:
            files[path] = found
    return tuple(files.values()), tuple(problems)


def renamed(files: Iterable[Attachment]) -> str:
    """A sentence about files whose recipients see another name; "" if there are none."""
    changed = [one for one in files if one.name != PurePath(one.path).name]
    if not changed:
        return ""
    first = changed[0]
    shown = spelled_out(PurePath(first.path).name)
    more = f" {len(changed) - 1} more are renamed, too." if len(changed) > 1 else ""
    return f"“{shown}” is sent as “{first.name}”: its name cannot be used on every system.{more}"


def told(problems: Sequence[str]) -> str:
    """What was left out, in one line."""
    if len(problems) < 2:
        return "".join(problems)
    return f"{problems[0]} {len(problems) - 1} more could not be taken."
