"""What encryption costs the server: the same messages, connections and idle clients in the clear and over TLS.

The load generator does not encrypt, so this one is in Python and slower than the server: only the server's own CPU time
and memory are compared.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import psutil

from bench.processes import Cores, pinned
from bench.records import Run
from bench.servers import Serving, serving
from bench.subjects import SUBJECTS

SUBJECT: Final = "plain"
PAIRS: Final = 10
BATCH: Final = 100
TEXT_BYTES: Final = 64
ROUNDS: Final = 200
"""How often each pair's batch is sent in a turn."""
CONNECTIONS: Final = 500
IDLE: Final = 1000
_ANSWER_S: Final = 60.0
_WAYS: Final = ("in the clear", "over TLS")

Connect: TypeAlias = Callable[[int], socket.socket]


def measure(python: Path, cores: Cores, turns: int, tell: Callable[[str], None]) -> list[Run]:
    """Load a fresh server in each turn, both ways.

    Raises:
        BenchFailed: it does not start.
    """
    runs = []
    for turn in range(1, turns + 1):
        for way, connect in zip(_WAYS, (in_the_clear, over_tls()), strict=True):
            with (
                tempfile.TemporaryDirectory(prefix="twocans-bench-") as folder,
                serving(SUBJECTS[SUBJECT], python=python, folder=Path(folder), cores=cores) as server,
                pinned(cores.generator),
            ):
                for name, figures in load(server, connect):
                    runs.append(Run(case=f"{name}, {way}", subject=SUBJECT, turn=turn, figures=figures))
                    shown = ", ".join(f"{figure} {value:,.1f}" for figure, value in figures.items())
                    tell(f"turn {turn} of {turns} · {name}, {way}: {shown}")
    return runs


def load(
    server: Serving,
    connect: Connect,
    *,
    rounds: int = ROUNDS,
    connections: int = CONNECTIONS,
    idle: int = IDLE,
) -> Iterator[tuple[str, dict[str, float]]]:
    """What each thing costs the server: its name, and CPU in microseconds or memory in bytes for each of them."""
    process = psutil.Process(server.pid)
    with ExitStack() as opened:
        pairs = [
            (
                opened.enter_context(_registered(server.port, connect, f"a{n}")),
                opened.enter_context(_registered(server.port, connect, f"b{n}")),
            )
            for n in range(PAIRS)
        ]
        _talk(pairs, 1)
        before = _cpu_s(process)
        _talk(pairs, rounds)
        spent_us = (_cpu_s(process) - before) * 1e6
        yield f"a message, {BATCH} at a time", {"us": spent_us / (rounds * PAIRS * BATCH)}
    before = _cpu_s(process)
    for _ in range(connections):
        with _registered(server.port, connect, "guest"):
            pass
    yield (
        "a connection that comes, registers and goes",
        {"us": (_cpu_s(process) - before) * 1e6 / connections},
    )
    with ExitStack() as opened:
        memory = process.memory_info().rss
        for number in range(idle):
            opened.enter_context(_registered(server.port, connect, f"idle{number}"))
        yield "a client that says nothing", {"kib": (process.memory_info().rss - memory) / idle / 1024}


@contextmanager
def _registered(port: int, connect: Connect, name: str) -> Iterator[socket.socket]:
    with connect(port) as sock:
        sock.sendall(f"{name}\n".encode())
        _read_until(sock, b"\n")
        yield sock
        sock.shutdown(socket.SHUT_RDWR)


def _talk(pairs: list[tuple[socket.socket, socket.socket]], rounds: int) -> None:
    text = b"x" * TEXT_BYTES
    for _ in range(rounds):
        for number, (sender, _) in enumerate(pairs):
            sender.sendall(b"MSG: b%d: %s\n" % (number, text) * BATCH)
        for _, reader in pairs:
            _read_until(reader, b"MSG: ", count=BATCH)


def _read_until(sock: socket.socket, mark: bytes, count: int = 1) -> None:
    # The marks are counted over whole reads; one that is cut counts with the next.
    seen, rest = 0, b""
    while seen < count:
        chunk = rest + sock.recv(1 << 16)
        if chunk == rest:
            raise ConnectionError("the server has closed the connection")
        seen += chunk.count(mark)
        rest = chunk[-len(mark) + 1 :] if len(mark) > 1 else b""


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def in_the_clear(port: int) -> socket.socket:
    """Connect, and encrypt nothing."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def over_tls() -> Connect:
    """Connects over TLS to any server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return lambda port: context.wrap_socket(in_the_clear(port))
