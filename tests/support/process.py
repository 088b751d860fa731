"""The server as a real process, and what it says on standard output."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Self

from tests.support.deadline import DEADLINE_S
from tests.support.forked import ForkedProcess, can_fork, run_forked
from tests.support.raw import Frame

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 60.0
"""How long a process may take to start on a busy machine, in seconds."""


def command(*arguments: str) -> list[str]:
    """What starts the server."""
    return [sys.executable, "-m", "twocans.server", *arguments]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for it: this source tree, no colours, output as it comes."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COVERAGE"))}
    return (
        kept
        | {
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
        }
        | dict(extra or {})
    )


def run(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run the server with arguments with which it ends by itself; it keeps what it keeps in `data`."""
    if can_fork:
        return run_forked(["--data", str(data), *arguments], environment(), START_S)
    return subprocess.run(
        command("--data", str(data), *arguments),
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


class Output:
    """The lines of a stream, read by a thread of its own so that nothing ever blocks the writer.

    Args:
        stream: what to read; None for nothing.
    """

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def lines(self) -> list[str]:
        """What has come so far."""
        with self._changed:
            return list(self._lines)

    def all(self) -> list[str]:
        """Everything, once the stream has ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, START_S), self._lines[-20:]
            return list(self._lines)

    def wait_for(self, wanted: Callable[[str], bool], deadline_s: float = DEADLINE_S) -> str:
        """The first line of all that is wanted; waits for it."""
        seen = 0
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if wanted(line):
                        return line
                seen = len(self._lines)
                assert not self._ended, f"the output ended: {self._lines[-20:]}"
                assert self._changed.wait(deadline_s), f"nothing more came: {self._lines[-20:]}"

    def _read(self, stream: IO[bytes] | None) -> None:
        with stream or io.BytesIO() as lines:
            for line in lines:
                with self._changed:
                    self._lines.append(line.decode().rstrip("\r\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class ServerProcess:
    """A server on a free port of the loopback address, with a folder of its own.

    Args:
        arguments: more options.
        json_log: whether it logs events for machines, which tell the port; else the caller looks for itself.
        start: another way to start it, instead of `command`.
        stdin: its standard input.
        stdout: a descriptor for its standard output, which is then not read here; needs `port`.
        port: where to listen, if not on a port of the system's choice.
        data: a folder that stays afterwards, instead of its own.
        announce: whether it announces itself to its network, which it should in one of the test's own only.
        forked: True to fork it where that is possible, which is for tests whose subject is not the start.
    """

    def __init__(
        self,
        *arguments: str,
        json_log: bool = True,
        start: Sequence[str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        port: int = 0,
        data: Path | None = None,
        announce: bool = False,
        forked: bool = False,
    ) -> None:
        self._data = tempfile.TemporaryDirectory(prefix="twocans-")
        folder = self._data.name if data is None else str(data)
        options = ["--host", "127.0.0.1", "--port", str(port), "--data", folder]
        options += ["--host", "0.0.0.0"] if announce else ["--no-announce"]  # noqa: S104 - all of its network
        options += arguments
        if json_log:
            options += ["--log-format", "json"]
        self.process: subprocess.Popen[bytes] | ForkedProcess
        if forked and can_fork:
            self.process = ForkedProcess(options, environment())
        else:
            self.process = subprocess.Popen(
                [*start, *options] if start is not None else command(*options),
                env=environment(),
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
            )
        assert self.process.stderr is not None
        self.output = Output(self.process.stdout)
        self.errors = Output(self.process.stderr)
        self.started = Frame("server_started")
        self.port = port
        if json_log and stdout == subprocess.PIPE:
            try:
                self.started = self.event("server_started", deadline_s=START_S)
            except AssertionError as error:
                self.kill()
                raise AssertionError(f"{error}; on standard error: {self.errors.all()}") from None
            self.port = self.started.number("port")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def event(self, name: str, /, *, deadline_s: float = DEADLINE_S, **fields: str | int) -> Frame:
        """The first event with this name and these fields; waits for it."""

        def wanted(line: str) -> bool:
            event = parse_event(line)
            return event.verb == name and all(event.fields.get(key) == value for key, value in fields.items())

        return parse_event(self.output.wait_for(wanted, deadline_s))

    def events(self) -> list[Frame]:
        """All events so far."""
        return [parse_event(line) for line in self.output.lines()]

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Ask it to stop and wait for its end; its exit code."""
        self.process.send_signal(signal_number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(START_S)

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(START_S)
        self.output.all()
        self.errors.all()
        self._data.cleanup()


def parse_event(line: str) -> Frame:
    """An event of the JSON log."""
    fields = json.loads(line)
    assert isinstance(fields, dict), line
    name = fields.pop("event")
    assert isinstance(name, str), line
    return Frame(name, fields)
