"""The list of all targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import client, http, lines, names, server, shown, storage

TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        *lines.TARGETS,
        *names.TARGETS,
        *server.TARGETS,
        *http.TARGETS,
        *client.TARGETS,
        *shown.TARGETS,
        *storage.TARGETS,
    )
}
