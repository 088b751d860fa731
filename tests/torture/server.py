"""A server process that is killed and started again on the same data and the same port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.support.process import START_S, command, environment
from tests.torture.ledger import Broken

READY: Final = "server_started"


class MortalServer:
    """A server that can be killed.

    Args:
        data: its folder.
        options: more of its command line.
    """

    def __init__(self, data: Path, options: Sequence[str]) -> None:
        self._data = data
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._errors = data / "stderr"
        self.port = _free_port()
        self._failure: str | None = None
        self.kills = 0
        self.up = asyncio.Event()

    async def start(self) -> None:
        """Start it, on the port that it had before, and wait until it listens.

        Raises:
            Broken: it does not come up.
        """
        with self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *command(
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    "--no-announce",
                    "--data",
                    str(self._data),
                ),
                *("--rate-limit", "0", "--log-format", "json"),
                *self._options,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._reading = asyncio.create_task(self._read(self._process))
        try:
            await asyncio.wait_for(self.up.wait(), START_S)
        except TimeoutError:
            self._failure = "the server did not start"
        self.check()

    def check(self) -> None:
        """See whether it is alive and well, or was killed.

        Raises:
            Broken: it reported a failure, or ended by itself.
        """
        if self._failure is not None:
            raise Broken(f"{self._failure}; on standard error: {self._errors.read_text()[-2000:]}")

    async def kill(self) -> None:
        """End it with SIGKILL."""
        self.kills += 1
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to stop.

        Raises:
            Broken: it said something on standard error in all its lives, or ended with an error.
        """
        code = await self._end(signal.SIGTERM)
        said = self._errors.read_text()
        if code != 0 or said:
            raise Broken(f"the server ended with {code} and said: {said[-2000:]}")

    async def clean_up(self) -> None:
        """See to it that no process is left, whatever has happened."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
            await self._reading

    async def _end(self, how: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        self._process = None
        self.up.clear()
        if process.returncode is None:
            process.send_signal(how)
        code = await process.wait()
        await self._reading
        self.check()
        return code

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            event = json.loads(line)
            if event["event"] == READY:
                self.up.set()
            elif event["event"] in {"internal_error", "storage_error"}:
                self._failure = f"the server reported {event}"
        if self._process is process:
            self._failure = "the server ended by itself"
            self.up.set()


def _free_port() -> int:
    # Not one of those that the system gives away by itself: while the server is down, somebody could get it.
    for port in random.sample(range(15000, 32000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Broken("there is no free port")
