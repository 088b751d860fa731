"""The settings of the desktop client: one small file in the user's configuration folder.

`TWOCANS_CONFIG_DIR` names another folder, for tests and for shortcuts that keep several clients apart.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
import platformdirs
from msgspec import Meta, Struct

from twocans.gui.viewmodel.muted import MAX_MUTED, Muted
from twocans.gui.viewmodel.recent import MAX_RECENT, Recent

FOLDER_VARIABLE: Final = "TWOCANS_CONFIG_DIR"
FILE_NAME: Final = "client.json"
MAX_AWAY_AFTER_MIN: Final = 24 * 60
_MAX_FILE_BYTES: Final = 256 * 1024


class Look(StrEnum):
    """Dark or light."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Settings(Struct, kw_only=True):
    """What is kept between two starts. `geometry` is Tk's, e.g. `900x640+100+80`.

    `quiet_until_ms` is in Unix milliseconds, 0 for "disturb"; `away_after_min` in minutes, 0 for never.
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
    geometry: Annotated[str, Meta(max_length=60, pattern=r"^(\d+x\d+([+-]-?\d+){2})?$")] = ""


def config_dir() -> Path:
    """The folder of the settings."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("twocans", appauthor=False))


class SettingsFile:
    """Reads and writes the settings.

    Args:
        folder: where the file is kept; made when it is written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def load(self) -> tuple[Settings, str]:
        """The settings, and a sentence for the user if those that were kept cannot be used ("" if they can)."""
        try:
            with self.path.open("rb") as file:
                content = file.read(_MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return Settings(), ""
        except OSError as error:
            return (
                Settings(),
                f"Your settings could not be read ({error.strerror}). The usual ones are in use.",
            )
        if len(content) > _MAX_FILE_BYTES:
            return Settings(), self._set_aside()
        try:
            return msgspec.json.decode(content, type=Settings), ""
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Settings(), self._set_aside()

    def save(self, settings: Settings) -> str:
        """Write the settings; a crash leaves the old or the new ones whole.

        Returns:
            A sentence for the user if they could not be written, "" if they were.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # mkstemp makes the file readable by this user alone.
            descriptor, name = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=self.path.parent)
            temporary = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(msgspec.json.format(msgspec.json.encode(settings), indent=2))
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self.path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            return f"Your settings could not be saved ({error.strerror})."
        return ""

    def _set_aside(self) -> str:
        aside = self.path.with_name(f"{self.path.stem}.damaged{self.path.suffix}")
        with contextlib.suppress(OSError):
            self.path.replace(aside)
            return f"Your settings were damaged, so the usual ones are in use. The old file is {aside.name}."
        return "Your settings were damaged, so the usual ones are in use."
