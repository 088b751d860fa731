"""The settings of the desktop client: one small file in the user's configuration folder.

`TWOCANS_CONFIG_DIR` names another folder, for tests and for shortcuts that keep several clients apart.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Hashable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
import platformdirs
from msgspec import Meta, Struct

from twocans.common.atomic_file import locked, read_file, write_file
from twocans.gui.viewmodel.muted import MAX_MUTED, Muted
from twocans.gui.viewmodel.recent import MAX_RECENT, Recent
from twocans.protocol.text_files import decode_text_file

FOLDER_VARIABLE: Final = "TWOCANS_CONFIG_DIR"
FILE_NAME: Final = "client.json"
MAX_AWAY_AFTER_MIN: Final = 24 * 60
MAX_FOLDER: Final = 4096
"""Characters of a folder's path that is kept."""
_MAX_FILE_BYTES: Final = 256 * 1024

_T = TypeVar("_T")


class Look(StrEnum):
    """Dark or light."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Settings(Struct, kw_only=True):
    """What is kept between two starts. `geometry` is Tk's, e.g. `900x640+100+80`, when the window is not `maximised`.

    `folder` is the one that a file dialog was used in last. `quiet_until_ms` is in Unix milliseconds, 0 for "disturb";
    `away_after_min` in minutes, 0 for never.
    """

    server: Annotated[str, Meta(max_length=300)] = "localhost"
    recent: Annotated[list[Recent], Meta(max_length=MAX_RECENT)] = []
    user: Annotated[str, Meta(max_length=100)] = ""
    look: Look = Look.SYSTEM
    text_size: Annotated[float, Meta(ge=0.5, le=3.0)] = 1.0
    sound: bool = True
    notifications: bool = True
    quiet_until_ms: Annotated[int, Meta(ge=0)] = 0
    muted: Annotated[list[Muted], Meta(max_length=MAX_MUTED)] = []
    away_after_min: Annotated[int, Meta(ge=0, le=MAX_AWAY_AFTER_MIN)] = 10
    keep_in_tray: bool = False
    folder: Annotated[str, Meta(max_length=MAX_FOLDER)] = ""
    geometry: Annotated[str, Meta(max_length=60, pattern=r"^(\d+x\d+([+-]-?\d+){2})?$")] = ""
    maximised: bool = False


def config_dir() -> Path:
    """The folder of the settings."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("twocans", appauthor=False))


class SettingsFile:
    """Reads and writes the settings. Several windows may share the file: each writes only what it has changed.

    Args:
        folder: where the file is kept; made when it is written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._base = Settings()
        """What was last read or written here: what differs from it was changed here since."""
        self._seen: tuple[int, ...] | None = None

    def load(self) -> tuple[Settings, str]:
        """The settings, and a sentence for the user if those that were kept cannot be used ("" if they can)."""
        try:
            settings, problem = self._read() or Settings(), ""
        except OSError as error:
            settings = Settings()
            problem = f"Your settings could not be read ({error.strerror}). The usual ones are in use."
        except ValueError:
            settings, problem = Settings(), self._set_aside()
        self._base = copy.copy(settings)
        return settings, problem

    def save(self, settings: Settings) -> str:
        """Write what has changed since it was last read or written; a crash leaves the old or the new file whole.

        What another window has written meanwhile is kept, and taken over into `settings`.

        Returns:
            A sentence for the user if they could not be written, "" if they were.
        """
        try:
            try:
                with locked(self.path.with_suffix(".lock")):
                    self._merge_and_write(settings)
            except TimeoutError:
                # A program that hangs must not keep this one from its settings.
                self._merge_and_write(settings)
        except OSError as error:
            return f"Your settings could not be saved ({error.strerror or 'the file is in use'})."
        return ""

    def follow(self, settings: Settings) -> None:
        """Take over what another window has written since; nothing happens if the file cannot be read."""
        try:
            if self._stamp() == self._seen:
                return
            theirs = self._read()
        except (OSError, ValueError):
            return
        if theirs is not None:
            _assign(settings, _merge(self._base, settings, theirs))
            self._base = theirs

    def _merge_and_write(self, settings: Settings) -> None:
        try:
            theirs = self._read()
        except ValueError:
            self._set_aside()
            theirs = None
        except OSError:
            theirs = None
        if theirs is not None:
            _assign(settings, _merge(self._base, settings, theirs))
        write_file(self.path, msgspec.json.format(msgspec.json.encode(settings), indent=2))
        self._base = copy.copy(settings)
        self._seen = self._stamp()

    def _read(self) -> Settings | None:
        """What is in the file; None if there is none.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged.
        """
        seen = self._stamp()
        content = read_file(self.path, _MAX_FILE_BYTES + 1)
        if content is None:
            return None
        try:
            if len(content) > _MAX_FILE_BYTES:
                raise ValueError("the file is too long")
            settings = msgspec.json.decode(decode_text_file(content), type=Settings)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None
        self._seen = seen
        return settings

    def _stamp(self) -> tuple[int, ...] | None:
        """What tells that the file is another one than before; None if there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_size, found.st_mtime_ns)

    def _set_aside(self) -> str:
        aside = self.path.with_name(f"{self.path.stem}.damaged{self.path.suffix}")
        with contextlib.suppress(OSError):
            self.path.replace(aside)
            return f"Your settings were damaged, so the usual ones are in use. The old file is {aside.name}."
        return "Your settings were damaged, so the usual ones are in use."


def changed_fields(before: Settings, after: Settings) -> frozenset[str]:
    """The names of the fields that differ."""
    return frozenset(
        name for name in Settings.__struct_fields__ if getattr(before, name) != getattr(after, name)
    )


def _assign(settings: Settings, source: Settings) -> None:
    """Give settings the values of others; whoever holds them sees these."""
    for name in Settings.__struct_fields__:
        setattr(settings, name, getattr(source, name))


def _merge(base: Settings, ours: Settings, theirs: Settings) -> Settings:
    """Apply to `theirs` what `ours` has changed since `base`; lists are merged entry by entry."""
    merged = copy.copy(theirs)
    for name in changed_fields(base, ours):
        setattr(merged, name, getattr(ours, name))
    merged.recent = _merge_recent(base.recent, ours.recent, theirs.recent)
    merged.muted = _merge_muted(base.muted, ours.muted, theirs.muted)
    return merged


def _merge_recent(base: Sequence[Recent], ours: Sequence[Recent], theirs: Sequence[Recent]) -> list[Recent]:
    """The latest come first."""
    new, kept = _changes(base, ours, theirs, lambda one: one.key)
    return [*new, *kept][:MAX_RECENT]


def _merge_muted(base: Sequence[Muted], ours: Sequence[Muted], theirs: Sequence[Muted]) -> list[Muted]:
    """The latest come last."""
    new, kept = _changes(base, ours, theirs, lambda one: (one.server, one.user, one.peer))
    return [*kept, *new][-MAX_MUTED:]


def _changes(
    base: Sequence[_T], ours: Sequence[_T], theirs: Sequence[_T], key: Callable[[_T], Hashable]
) -> tuple[list[_T], list[_T]]:
    """Our new entries, and those of theirs that we have neither replaced nor removed."""
    if list(base) == list(ours):
        return [], list(theirs)
    new = [one for one in ours if one not in base]
    gone = {key(one) for one in base} - {key(one) for one in ours} | {key(one) for one in new}
    return new, [one for one in theirs if key(one) not in gone]
