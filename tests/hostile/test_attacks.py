"""Each limit under attack: memory is bounded, nothing is left behind, and two people beside it chat on."""

from __future__ import annotations

from typing import Final

import pytest

from tests.hostile.catalogue import ATTACKS
from tests.hostile.logins import BY_LOGIN
from tests.hostile.siege import MIB, besiege
from twocans.server.settings.config import Concurrency

ROUNDS: Final = 50
ANY_MIB: Final = 32
"""What any attack may take: caches fill, and Python keeps memory for itself."""
CONNECTION_MIB: Final = 0.125
"""What any connection may take: a chunk, an unfinished line, and what OpenSSL keeps."""
SHARE: Final = 500
"""How many times as much of the server's time as the pair an attack may get, by the CPU time that both take.

The pair gets less where other programs run, since it waits for its turn on the processor twice in each round.
"""
THREADED: Final = (
    "silent connections",
    "bytes one by one",
    "TLS handshakes",
    "endless lines",
    "nested JSON",
    "messages",
    "stored bytes",
    "unread",
    "unread over TLS",
    "passwords of many addresses",
    "names bound after use",
    "unfinished requests",
    "uploads",
    "slow uploads",
    "unread files",
    *BY_LOGIN,
)
"""What is not the same if each client has a thread."""
BY_TLS: Final = ("texts of line breaks", "long names", "searches", "resumes", "tickets", "slow uploads")
"""What is not the same over TLS, besides what is over TLS by itself."""


@pytest.mark.parametrize(
    ("name", "concurrency", "tls"),
    [
        *((name, Concurrency.ASYNC, "clear") for name in ATTACKS),
        *((name, Concurrency.THREAD, "clear") for name in THREADED),
        *((name, concurrency, "TLS") for name in BY_TLS for concurrency in Concurrency),
    ],
    ids=lambda value: str(value).replace(" ", "-"),
)
def test_server_bounds_what_an_attack_takes_and_serves_others_meanwhile(
    name: str, concurrency: Concurrency, tls: str
) -> None:
    attack = ATTACKS[name]
    siege = besiege(name, concurrency, rounds=ROUNDS, tls=tls == "TLS")
    assert siege.growth < (ANY_MIB + attack.connections * CONNECTION_MIB + attack.memory_mib) * MIB
    assert siege.most.descriptors <= siege.before.descriptors + attack.connections + attack.files + 10
    assert siege.loud_cpu_s < SHARE * siege.quiet_cpu_s
