"""Plain clients are watched by the system's keep-alive: what Linux itself tells about a connection's timer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.serving import serve
from twocans.server.settings.config import Concurrency

KEEP_ALIVE = 2
TICKS_PER_S = 100
GONE_AFTER_S = 60


def timer(port: int, peer_port: int) -> tuple[int, float]:
    """Which timer runs on the server's end of a connection, and in how many seconds it fires."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, _, running, *_ = line.split()
        if (int(local.partition(":")[2], 16), int(remote.partition(":")[2], 16)) == (port, peer_port):
            kind, _, ticks = running.partition(":")
            return int(kind, 16), int(ticks, 16) / TICKS_PER_S
    raise AssertionError("there is no such connection")


@pytest.mark.parametrize("concurrency", list(Concurrency), ids=lambda mode: mode.value)
def test_silent_plain_connection_is_watched_by_keep_alive_within_the_promised_time(
    concurrency: Concurrency,
) -> None:
    with serve(concurrency=concurrency) as server:
        alice = server.plain("alice")
        kind, fires_in_s = timer(server.port, alice.local_port)
        assert kind == KEEP_ALIVE
        assert 0 < fires_in_s < GONE_AFTER_S / 2
