"""Files and pictures on the clipboard: where the files are, and pictures made into files."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tkinter as tk
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

import structlog
from PIL import Image, ImageGrab

from twocans.common.atomic_file import make_folder, write_file
from twocans.gui.backend.pictures import FORMATS

MAX_BYTES: Final = 64 * 1024 * 1024
KEPT_DAYS: Final = 7
"""The days for which pasted pictures are kept; those that a draft or an upload names are kept longer."""
_TEXTS: Final = frozenset({"UTF8_STRING", "STRING", "TEXT", "COMPOUND_TEXT", "text/plain"})
_URIS: Final = "text/uri-list"
_PROGRAMS: Final = (
    ("wl-paste", ("--no-newline", "--type")),
    ("xclip", ("-selection", "clipboard", "-out", "-target")),
)
_ANSWER_S: Final = 3.0
_ABOUT: Final = frozenset({"TARGETS", "TIMESTAMP", "MULTIPLE", "SAVE_TARGETS", "TK_APPLICATION", "TK_WINDOW"})
"""What a clipboard has beside its content."""
TOO_LARGE: Final = (
    f"The copied picture is larger than {MAX_BYTES // 1024**2} MB. Save it in a file, and send that."
)
UNREADABLE: Final = "The copied picture cannot be read. Copy it again, or save it in a file and send that."
NOT_HERE: Final = "What was copied is not a file on this computer. Save it here first, and send that."
NOTHING: Final = "The clipboard has no text, file or picture, so there is nothing to paste."
_IMAGES: Final = (("image/png", ".png"), ("image/jpeg", ".jpg"))

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Unpasteable(Exception):
    """The clipboard holds nothing that can be pasted; `text` is a sentence for the user."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Pasting:
    """Looks at the clipboard.

    Args:
        widget: of the window.
        folder: where pasted pictures are put.
        now: the local time.
        in_use: returns the files that are still to be sent; None if that cannot be known.
    """

    def __init__(
        self,
        widget: tk.Misc,
        folder: Path,
        now: Callable[[], datetime],
        in_use: Callable[[], Collection[str] | None],
    ) -> None:
        self._widget = widget
        self._folder = folder
        self._now = now
        self._in_use = in_use
        self._x11 = _is_x11(widget)

    def files(self) -> list[str]:
        """Return the paths of copied files, or that of the copied picture, which is a file now; none if it is a text.

        Raises:
            Unpasteable: nothing on the clipboard can be pasted.
        """
        try:
            return self._on_x11() if self._x11 else self._elsewhere()
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            log.warning("pasting_failed", reason=str(error))
            raise Unpasteable(UNREADABLE) from error

    def _on_x11(self) -> list[str]:
        targets = _targets(self._widget)
        if _URIS in targets:
            files = paths_of(_bytes_of(self._get(_URIS)).decode(errors="replace"))
            if files:
                return files
        if targets & _TEXTS:
            return []
        for target, suffix in _IMAGES:
            if target in targets:
                # Tk takes nothing above 400 KB that comes in one piece.
                content = _by_program(target) or _bytes_of(self._get(target))
                if len(content) > MAX_BYTES:
                    raise Unpasteable(TOO_LARGE)
                _check_picture(content)
                return [self._store(content, suffix)]
        if _URIS in targets:
            raise Unpasteable(NOT_HERE)
        if targets - _ABOUT:
            raise Unpasteable(NOTHING)
        return []

    def _elsewhere(self) -> list[str]:
        with contextlib.suppress(tk.TclError):
            if self._widget.clipboard_get():
                return []
        found = ImageGrab.grabclipboard()
        if isinstance(found, Image.Image):
            make_folder(self._folder)
            path = self._new_path(".png")
            found.save(path)
            return [str(path)]
        return [str(path) for path in found or ()]

    def _get(self, target: str) -> str:
        return _get(self._widget, target)

    def _store(self, content: bytes, suffix: str) -> str:
        make_folder(self._folder)
        path = self._new_path(suffix)
        write_file(path, content)
        return str(path)

    def _new_path(self, suffix: str) -> Path:
        now = self._now()
        remove_old(self._folder, now, self._in_use)
        stem = f"Pasted image {now:%Y-%m-%d %H.%M.%S}"
        path, number = self._folder / f"{stem}{suffix}", 1
        while path.exists():
            number += 1
            path = self._folder / f"{stem} ({number}){suffix}"
        return path


def remove_old(folder: Path, now: datetime, in_use: Callable[[], Collection[str] | None]) -> None:
    """Remove the pictures that are older than `KEPT_DAYS` and not to be sent any more."""
    old = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if now.timestamp() - path.stat().st_mtime > KEPT_DAYS * 86_400:
                old.append(path)
    kept = in_use() if old else None
    if kept is None:
        return
    for path in old:
        if str(path) not in kept:
            with contextlib.suppress(OSError):
                path.unlink()


def has_text(widget: tk.Misc) -> bool:
    """True if there is text on the clipboard."""
    if _is_x11(widget):
        return bool(_targets(widget) & _TEXTS)
    try:
        return bool(widget.clipboard_get())
    except tk.TclError:
        return False


def has_files(widget: tk.Misc) -> bool:
    """True if there are files or a picture on the clipboard."""
    if _is_x11(widget):
        return bool(_targets(widget) & {_URIS, *(target for target, _ in _IMAGES)})
    try:
        return bool(ImageGrab.grabclipboard())
    except (OSError, ValueError, Image.DecompressionBombError):
        return False


def _is_x11(widget: tk.Misc) -> bool:
    return str(widget.tk.call("tk", "windowingsystem")) == "x11"


def _targets(widget: tk.Misc) -> set[str]:
    """The kinds that the clipboard can be had as, on X11."""
    return set(_get(widget, "TARGETS").split())


def _get(widget: tk.Misc, target: str) -> str:
    try:
        get: Callable[..., object] = widget.selection_get
        return str(get(selection="CLIPBOARD", type=target))
    except tk.TclError:
        return ""


def paths_of(uris: str) -> list[str]:
    """The files of this computer in a list of URIs (RFC 2483)."""
    files = []
    for line in uris.splitlines():
        parts = urlsplit(line.strip())
        if parts.scheme == "file" and parts.path:
            files.append(os.fsdecode(unquote_to_bytes(parts.path)))
    return files


def _by_program(target: str) -> bytes:
    """What the clipboard has of a kind, if there is a program that can tell; b"" otherwise."""
    for name, arguments in _PROGRAMS:
        found = shutil.which(name)
        if found is not None and (name != "wl-paste" or "WAYLAND_DISPLAY" in os.environ):
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                return subprocess.run(  # noqa: S603  no shell, and nothing in it comes from outside
                    [found, *arguments, target],
                    capture_output=True,
                    timeout=_ANSWER_S,
                    check=False,
                    stdin=subprocess.DEVNULL,
                ).stdout
    return b""


def _check_picture(content: bytes) -> None:
    """Raise `Unpasteable` for what is cut off, damaged or no picture."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            image.verify()
    except Image.DecompressionBombError:
        pass  # a file like any other, if it is not shown
    except (OSError, SyntaxError, ValueError) as error:
        log.warning("pasting_failed", reason=str(error))
        raise Unpasteable(UNREADABLE) from error


def _bytes_of(answer: str) -> bytes:
    """What Tk has made numbers of, as in `0x89 0x50`, because it is no text."""
    try:
        return bytes(int(number, 16) for number in answer.split())
    except ValueError:
        return answer.encode(errors="surrogateescape")
