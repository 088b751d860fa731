"""Processes that the bench starts and ends: each on the core that it was given."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
START_S: Final = 20.0
"""How long a program may take to start, in seconds."""
STOP_S: Final = 20.0
POLL_S: Final = 0.01


class BenchFailed(Exception):
    """Something stands in the way; the text is a sentence for a person."""


class Cores:
    """The two cores that are used: one for the server, the other for all that loads it.

    Raises:
        BenchFailed: this process may use one core only.
    """

    def __init__(self) -> None:
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2:
            raise BenchFailed(
                "Server and load generator need a core each, and this process may use only one:"
                " on one core they would measure each other."
            )
        # The two threads of one core have numbers that are neighbours, or half of all apart: first and last are neither,
        # where there is more than one core.
        self.server, self.generator = usable[0], usable[-1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started within runs on one core, and nowhere else."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_descriptor_limit() -> int:
    """Let this process and what it starts have as many open files as the system allows; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """For our programs: this source tree, and nothing of the user's Python settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"} | dict(extra or {})


@contextmanager
def running(
    command: Sequence[str], *, core: int, log: Path, extra: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program, on one core, with its output in a file; ended afterwards.

    Raises:
        BenchFailed: it cannot be run.
    """
    try:
        with pinned(core), log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(extra),
            )
    except OSError as error:
        raise BenchFailed(f"{command[0]} cannot be run: {error.strerror}") from error
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process; at once, if it does not end by itself."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a program to be ready.

    Raises:
        BenchFailed: it ended, or it took too long.
    """
    deadline = time.monotonic() + START_S
    while not done():
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise BenchFailed(
                f"{_program_of(process)} did not start; last it said: {(said or ['nothing'])[-1]}"
            )
        time.sleep(POLL_S)


def _program_of(process: subprocess.Popen[bytes]) -> str:
    command = process.args
    return Path(str(command[0] if isinstance(command, list) else command)).name


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether something listens on a port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
