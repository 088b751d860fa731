"""What a server is started with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

import platformdirs
from msgspec import Struct

from twocans.hub.limits import Limits
from twocans.storage.sqlite import Durability

DEFAULT_PORT: Final = 5050


class Concurrency(StrEnum):
    """How connections are served."""

    ASYNC = "async"
    THREAD = "thread"


class HistoryMode(StrEnum):
    """Whether messages wait for people who are away and can be looked back at."""

    ON = "on"
    OFF = "off"


class Config(Struct, frozen=True, kw_only=True):
    """The configuration of one server."""

    host: str = "0.0.0.0"  # noqa: S104 - people on the network are to reach it
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
    invite: str | None = None
    """What newcomers have to know; None lets everybody in."""
    limits: Limits = Limits()


def default_data_folder() -> Path:
    """Where a server of this user keeps its files on this system."""
    return platformdirs.user_data_path("twocans-server", appauthor=False)
