"""An attack in a process of its own, so that it takes no time from those who are measured beside it."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import nullcontext
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Final, Self

from tests.hostile.catalogue import ATTACKS
from tests.hostile.tls_relay import tls_relay

PATIENCE_S: Final = 60.0
"""How long an attack is waited for before it counts as hanging."""
_FORK_SERVER: Final = multiprocessing.get_context("forkserver")
# Imports once what each attack needs.
_FORK_SERVER.set_forkserver_preload([__name__])


class Assigned:
    """See `Target`."""

    def __init__(self, port: int, stop: Event, done: Synchronized[int]) -> None:
        self.port = port
        self._stop = stop
        self._done = done

    def over(self) -> bool:
        """See `Target.over`."""
        return self._stop.is_set()

    def count(self, number: int = 1) -> None:
        """See `Target.count`."""
        with self._done.get_lock():
            self._done.value += number


def _attack(name: str, port: int, stop: Event, done: Synchronized[int], *, tls: bool) -> None:
    with tls_relay(port) if tls else nullcontext(port) as there:
        ATTACKS[name].run(Assigned(there, stop, done))


class Attacker:
    """Attacks a server until the end of the block.

    Args:
        name: which attack.
        port: where the server listens.
        tls: True to attack over TLS.
    """

    def __init__(self, name: str, port: int, *, tls: bool = False) -> None:
        self._stop = _FORK_SERVER.Event()
        self._done: Synchronized[int] = _FORK_SERVER.Value("q", 0)
        self._process = _FORK_SERVER.Process(
            target=_attack,
            args=(name, port, self._stop, self._done),
            kwargs={"tls": tls},
            name=name,
            daemon=True,
        )

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._process.join(PATIENCE_S)
        hangs = self._process.is_alive()
        if hangs:
            self._process.kill()
            self._process.join()
        assert not hangs, "the attack did not end in time"
        assert self._process.exitcode == 0, "the attack itself is broken"

    @property
    def done(self) -> int:
        """How far it has got."""
        return self._done.value

    def wait_for(self, number: int) -> None:
        """Wait until it has got so far."""
        deadline = time.monotonic() + PATIENCE_S
        while self.done < number:
            assert self._process.is_alive(), "the attack itself is broken"
            assert time.monotonic() < deadline, f"the attack got no further than {self.done}"
            time.sleep(0.01)
