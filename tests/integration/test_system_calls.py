"""How many system calls a message is, counted on a fixed script, so that a step backwards shows on any machine.

Linux only: strace counts them. The bounds are a little above what it is.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.process import Output, ServerProcess
from tests.support.raw import JsonPeer, Peer, PlainPeer

TURNS = 20
MESSAGES = 32


@contextmanager
def counted_calls(pid: int, calls: Counter[str]) -> Iterator[None]:
    """Count the system calls that all threads of a process make in this block."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        strace = subprocess.Popen(
            ["strace", "-f", "-p", str(pid), "-o", str(trace)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        said = Output(strace.stderr)
        try:
            answer = said.wait_for(lambda line: "attach" in line)
            assert " attached" in answer, (
                f"{answer}. Allow it: sudo sysctl kernel.yama.ptrace_scope=0, or run the tests as root"
            )
            yield
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait(30.0)
        for line in trace.read_text(errors="replace").splitlines():
            call = line.split(maxsplit=1)[1]
            # How often threads wait for each other is a matter of chance.
            if call[0].isalpha() and "resumed>" not in call and not call.startswith("futex"):
                calls[call.partition("(")[0]] += 1


def plain_pair(server: ServerProcess) -> tuple[PlainPeer, PlainPeer]:
    return PlainPeer(server.port, "alice"), PlainPeer(server.port, "bob")


def json_pair(server: ServerProcess) -> tuple[JsonPeer, JsonPeer]:
    return JsonPeer(server.port, "alice"), JsonPeer(server.port, "bob")


def chunk(sender: Peer, turn: int) -> bytes:
    if isinstance(sender, PlainPeer):
        return b"MSG: bob: hello\n" * MESSAGES
    return b"".join(
        f'MSG: {{"to":"bob","text":"hello","cid":"{turn}-{number}"}}\n'.encode() for number in range(MESSAGES)
    )


@pytest.mark.parametrize(
    ("options", "pair", "most"),
    [
        (["--history", "off"], plain_pair, 0.12),
        (["--history", "off"], json_pair, 0.16),
        (["--history", "off", "--concurrency", "thread"], plain_pair, 0.25),
        ([], json_pair, 0.75),
    ],
    ids=["plain", "json", "thread", "stored"],
)
def test_system_calls_for_each_message_of_a_chunk(
    options: list[str], pair: Callable[[ServerProcess], tuple[Peer, Peer]], most: float
) -> None:
    with ServerProcess("--rate-limit", "0", *options) as server:
        alice, bob = pair(server)
        with alice, bob:
            calls: Counter[str] = Counter()
            with counted_calls(server.process.pid, calls):
                for turn in range(TURNS):
                    alice.sendall(chunk(alice, turn))
                    got = 0
                    while got < MESSAGES:
                        got += bob.read_line().startswith("MSG: ")
            each = sum(calls.values()) / (TURNS * MESSAGES)
            assert each <= most, calls
