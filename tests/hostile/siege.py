"""A server, two people who chat, and an attack: what is measured before, meanwhile and after."""

from __future__ import annotations

import math
import time
from typing import Final, NamedTuple

from tests.hostile.attacker import PATIENCE_S, Attacker
from tests.hostile.catalogue import ATTACKS
from tests.hostile.pair import Delays, Pair, Usage
from tests.support.process import ServerProcess
from tests.support.raw import eventually
from twocans.server.operator.log_throttle import ALLOWANCES
from twocans.server.settings.config import Concurrency

QUIET_ROUNDS: Final = 100
MIB: Final = 1024 * 1024


class Siege(NamedTuple):
    """What an attack has come to."""

    before: Usage
    most: Usage
    quiet: Delays
    loud: Delays
    quiet_cpu_s: float
    """The CPU time of the server for one round of the pair without the attack."""
    loud_cpu_s: float
    """The same with it, and with all that the attack takes meanwhile."""
    done: int
    """How far the attack has got while it was measured."""

    @property
    def growth(self) -> int:
        """By how many bytes the server's memory has grown at most."""
        return self.most.memory - self.before.memory


def besiege(
    name: str, concurrency: Concurrency, *, rounds: int, pause_s: float = 0.0, tls: bool = False
) -> Siege:
    """Attack a server while two people chat, and see that it ends as it was, without having said a wrong word.

    Args:
        name: which attack.
        concurrency: how the server serves.
        rounds: how many rounds the pair goes during the attack.
        pause_s: how long it thinks before each, in seconds.
        tls: True to attack over TLS.
    """
    attack = ATTACKS[name]
    with (
        ServerProcess("--concurrency", concurrency.value, *attack.options) as server,
        Pair(server, invite=attack.invite) as pair,
    ):
        pair.chat(10)
        start = pair.gauge.now()
        quiet = pair.chat(QUIET_ROUNDS, pause_s=pause_s)
        before = pair.gauge.now()
        began = time.monotonic()
        with Attacker(name, server.port, tls=tls) as attacker:
            attacker.wait_for(attack.least)
            if attack.met:
                eventually(lambda: _is_met(server, *attack.met), PATIENCE_S)
            from_there = attacker.done, pair.gauge.now()
            loud = pair.chat(rounds, pause_s=pause_s)
            done, after = attacker.done, pair.gauge.now()
        took_s = time.monotonic() - began
        if not attack.lingers:
            eventually(lambda: _is_back(pair.gauge.now(), before, attack.threads))
        pair.chat(1)
        told = [event.verb for event in server.events()]
        most = pair.gauge.most
        assert server.stop() == 0
        assert server.errors.all() == []
    assert "internal_error" not in told
    for event, allowance in ALLOWANCES.items():
        most_told = allowance.overall + math.ceil(took_s * allowance.overall_per_s)
        assert told.count(event) <= most_told, event
    return Siege(
        before=before,
        most=most,
        quiet=quiet,
        loud=loud,
        quiet_cpu_s=(before.cpu_s - start.cpu_s) / QUIET_ROUNDS,
        loud_cpu_s=(after.cpu_s - from_there[1].cpu_s) / rounds,
        done=done - from_there[0],
    )


def _is_met(server: ServerProcess, event: str, *values: str) -> bool:
    return any(one.verb == event and {*values} <= {*one.fields.values()} for one in server.events())


def _is_back(now: Usage, before: Usage, kept_threads: int) -> bool:
    # The thread that checks passwords stays once there has been one, and SQLite keeps what it has opened.
    return now.descriptors <= before.descriptors + 2 and now.threads <= before.threads + 1 + kept_threads
