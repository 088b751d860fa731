"""Two people who chat over TLS while others attack, and what the server takes meanwhile."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import NamedTuple, Self

import psutil

from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer
from tests.support.tls import client_context


class Usage(NamedTuple):
    """What a process takes: resident memory in bytes, open descriptors, threads, and CPU time in seconds."""

    memory: int
    descriptors: int
    threads: int
    cpu_s: float


class Gauge:
    """Looks at the process of a server; what it has taken at most is remembered.

    Args:
        server: whose.
    """

    def __init__(self, server: ServerProcess) -> None:
        self._process = psutil.Process(server.process.pid)
        self.most = self.now()

    def now(self) -> Usage:
        """What it takes at the moment."""
        with self._process.oneshot():
            cpu = self._process.cpu_times()
            return Usage(
                self._process.memory_info().rss,
                self._process.num_fds(),
                self._process.num_threads(),
                cpu.user + cpu.system,
            )

    def look(self) -> None:
        """Remember what it takes at the moment."""
        now, most = self.now(), self.most
        self.most = Usage(
            max(now.memory, most.memory),
            max(now.descriptors, most.descriptors),
            max(now.threads, most.threads),
            now.cpu_s,
        )


class Delays(NamedTuple):
    """How long messages took from one person to the other, in seconds."""

    median: float
    longest: float


class Pair:
    """Alice and bob. Each message is awaited by the other before the next, and nothing else may come.

    Args:
        server: where they chat.
        invite: what it asks newcomers for; None for nothing.
    """

    def __init__(self, server: ServerProcess, *, invite: str | None = None) -> None:
        self.gauge = Gauge(server)
        self._delays: list[float] = []
        self._number = 0
        self._stack = ExitStack()
        with ExitStack() as stack:
            self._alice = stack.enter_context(
                JsonPeer(server.port, "alice", invite=invite, tls=client_context())
            )
            self._bob = stack.enter_context(JsonPeer(server.port, "bob", invite=invite, tls=client_context()))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def chat(self, rounds: int, *, pause_s: float = 0.0) -> Delays:
        """Go to and fro so many times.

        Args:
            rounds: how many times.
            pause_s: how long they think before each, in seconds.
        """
        self._delays.clear()
        for _ in range(rounds):
            time.sleep(pause_s)
            self._tell(self._alice, self._bob)
            self._tell(self._bob, self._alice)
            self.gauge.look()
        return Delays(statistics.median(self._delays), max(self._delays))

    def _tell(self, sender: JsonPeer, reader: JsonPeer) -> None:
        self._number += 1
        text = f"message {self._number}"
        began = time.perf_counter()
        cid = sender.say(reader.name, text)
        message = reader.expect("MSG")
        self._delays.append(time.perf_counter() - began)
        assert (message["from"], message["text"]) == (sender.name, text)
        sender.expect("ACK", cid=cid)
        for peer in (sender, reader):
            assert not [frame for frame in peer.skipped if frame.verb in ("MSG", "ERROR", "BYE")]
            peer.skipped.clear()
