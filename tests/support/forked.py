"""Servers that are forked from a process which has imported everything: most of a start's time is spent on that.

`python -m tests.support.forked` is that process. A test whose subject is the start itself starts the server in full.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).parents[2]
can_fork: Final = sys.platform == "linux"
_MAX_BYTES: Final = 200_000
_DESCRIPTORS: Final = 4


class ForkedProcess:
    """A server, with the part of `subprocess.Popen` that tests use.

    Args:
        arguments: the server's.
        environment: all of its environment variables.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        (out, out_there), (err, err_there) = os.pipe(), os.pipe()
        self.stdout: IO[bytes] = io.BufferedReader(io.FileIO(out))
        self.stderr: IO[bytes] = io.BufferedReader(io.FileIO(err))
        self._status, status_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        in_there = os.open(os.devnull, os.O_RDONLY)
        request = json.dumps([self.args, dict(environment), str(Path.cwd())]).encode()
        with status_there:
            there = [in_there, out_there, err_there, status_there.fileno()]
            socket.send_fds(_forker(), [request], there)
            for descriptor in there[:3]:
                os.close(descriptor)
        self.pid = int(self._status.recv(100))

    def poll(self) -> int | None:
        """Return the exit code, or None as long as it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns the exit code."""
        if self.returncode is None:
            self._status.settimeout(timeout)
            try:
                self.returncode = int(self._status.recv(100))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def run_forked(
    arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a command of the server to its end."""
    process = ForkedProcess(arguments, environment)
    with ThreadPoolExecutor() as threads:
        read = [threads.submit(stream.read) for stream in (process.stdout, process.stderr)]
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        out, err = (one.result().decode() for one in read)
    for stream in (process.stdout, process.stderr):
        stream.close()
    return subprocess.CompletedProcess(process.args, code, out, err)


@functools.cache
def _forker() -> socket.socket:
    """Start the process that forks, once in each process of the tests."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    variables = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked", str(there.fileno())],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables,
        stdin=subprocess.DEVNULL,
        pass_fds=[there.fileno()],
    )
    there.close()

    def end() -> None:
        here.close()
        process.wait()

    atexit.register(end)
    return here


def _serve(requests: socket.socket) -> list[str]:
    """Fork a process for each request; returns its arguments in that process only."""
    running: dict[int, tuple[int, socket.socket]] = {}
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != requests.fileno():
                pid, status = running.pop(descriptor)
                poll.unregister(descriptor)
                os.close(descriptor)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with status, contextlib.suppress(OSError):  # nobody may want to know
                    status.send(str(code).encode())
                continue
            message, streams, _, _ = socket.recv_fds(requests, _MAX_BYTES, _DESCRIPTORS)
            if not message:
                for pid, _ in running.values():
                    os.kill(pid, signal.SIGKILL)
                raise SystemExit
            arguments, variables, folder = json.loads(message)
            pid = os.fork()
            if pid == 0:
                requests.close()
                for pidfd, (_, status) in running.items():
                    os.close(pidfd)
                    status.close()
                os.close(streams.pop())
                _become(streams, variables, folder)
                return list(arguments)
            for stream in streams[:3]:
                os.close(stream)
            status = socket.socket(fileno=streams[3])
            status.send(str(pid).encode())
            pidfd = os.pidfd_open(pid)
            running[pidfd] = (pid, status)
            poll.register(pidfd, select.POLLIN)


def _become(streams: Sequence[int], variables: Mapping[str, str], folder: str) -> None:
    """Take over standard streams, environment and folder."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # Those that Python made at the start remember of what kind the files were.
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), encoding="utf-8", errors="backslashreplace", write_through=True
    )
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    from twocans.server.cli import main

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    sys.argv[1:] = _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.exit(main())
