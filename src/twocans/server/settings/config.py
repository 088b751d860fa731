"""What a server is started with."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

import platformdirs
from msgspec import Struct

from twocans.hub.limits import Limits
from twocans.protocol.local_control import FOLDER_NAME
from twocans.storage.sqlite import Durability

ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - people on the network are to reach it
DEFAULT_PORT: Final = 5050


class Concurrency(StrEnum):
    """How connections are served."""

    ASYNC = "async"
    THREAD = "thread"


class HistoryMode(StrEnum):
    """Whether messages wait for people who are away and can be looked back at."""

    ON = "on"
    OFF = "off"


class TlsMode(StrEnum):
    """Whether connections have to be encrypted."""

    OFFERED = "offered"
    REQUIRED = "required"


class SettingsInvalid(Exception):
    """Settings cannot be what they are said to be.

    Args:
        problems: a sentence for each problem.
        json_log: true if those settings that can be ask for a log for programs.
    """

    def __init__(self, problems: list[str], *, json_log: bool = False) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.json_log = json_log


class Config(Struct, frozen=True, kw_only=True):
    """The configuration of one server."""

    host: str = ANY_ADDRESS
    """The IPv4 address to listen on."""
    port: int = DEFAULT_PORT
    """The TCP port; 0 lets the system choose one."""
    data: Path | None = None
    """The folder for everything that the server keeps; None keeps nothing."""
    durability: Durability = Durability.PROCESS
    keep_days: int | None = None
    """How many days a message keeps its text; None for ever."""
    concurrency: Concurrency = Concurrency.ASYNC
    history: HistoryMode = HistoryMode.ON
    tls: TlsMode = TlsMode.OFFERED
    cert: Path | None = None
    """The certificate to show instead of the server's own, in PEM, with those it was signed by after it."""
    key: Path | None = None
    """The private key that belongs to `cert`, in PEM and without a password; both are given or neither."""
    allow: tuple[IPv4Network, ...] = ()
    """The networks that clients may connect from; empty for all."""
    deny: tuple[IPv4Network, ...] = ()
    """The networks that they may not connect from, even if `allow` has them."""
    invite: str | None = None
    """What newcomers have to know; None lets everybody in. It is never shown or logged."""
    background: bool = False
    """Whether nobody sits before it: what it would show goes into a file in its folder."""
    announce: bool = False
    """Whether the server announces itself to the network."""
    limits: Limits = Limits()


NO_DATA_FOLDER: Final = Path()
"""In place of a default folder for data where the user has no home folder, so that one has to be named."""
HOME_MISSING: Final = (
    "This user has no home folder. Name a folder for the server's data: --data DIR, or TWOCANS_DATA=DIR."
)


def default_data_folder() -> Path:
    """Where a server of this user keeps its files on this system; `NO_DATA_FOLDER` if the user has no home folder."""
    try:
        folder = platformdirs.user_data_path(FOLDER_NAME, appauthor=False)
    except RuntimeError:  # no HOME is set, and the system does not know the user either
        return NO_DATA_FOLDER
    return folder if folder.is_absolute() else NO_DATA_FOLDER
