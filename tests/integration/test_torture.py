"""A short run of each kind of the torture; `python -m tests.torture` runs it for as long as one likes."""

from __future__ import annotations

import random

import pytest

from tests.torture import bot
from tests.torture.plan import Kill
from tests.torture.run import Torture

SEED = random.SystemRandom().getrandbits(32)


@pytest.mark.parametrize(
    ("concurrency", "durability"), [("async", "process"), ("thread", "process"), ("async", "power")]
)
def test_killed_server_loses_nothing_and_doubles_nothing(concurrency: str, durability: str) -> None:
    """Bare peers write at full speed, and cut their own connections; the server is killed under them."""
    _run(
        Torture(
            seed=SEED, concurrency=concurrency, durability=durability, is_enough=lambda rounds: rounds >= 12
        )
    )


@pytest.mark.parametrize("kill", list(Kill))
def test_killed_client_or_server_loses_nothing_and_doubles_nothing(kill: Kill) -> None:
    """Programs on the client library write to one another; they or the server or both are killed."""
    _run(Torture(seed=SEED, accounts=4, writers="library", kill=kill, is_enough=lambda rounds: rounds >= 8))


def test_killed_bot_replies_to_each_message_exactly_once() -> None:
    """The example that people copy, killed at any line; `python -m tests.torture.bot` kills it a hundred times."""
    print(f"seed {SEED}")
    assert bot.run(kills=20, seed=SEED).messages > 20


def _run(torture: Torture) -> None:
    # The seed repeats what was said and which counts were waited for.
    print(f"seed {torture.seed}")
    outcome = torture.run()
    assert outcome.acknowledged > 0
    assert outcome.server_kills + outcome.client_kills > 1
