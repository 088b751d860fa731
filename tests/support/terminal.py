"""A program on a pseudo-terminal, as if somebody sat at it. POSIX only."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Self

from tests.support.deadline import DEADLINE_S
from tests.support.process import START_S

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_=>78])")
ROWS: Final = 50
COLUMNS: Final = 200
CONTROLLED: Final = (
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])",
)
"""Put before a command, makes the terminal its controlling one, as a terminal window does: closing it sends SIGHUP."""


class Terminal:
    """Runs a command on a terminal of 50 rows and 200 columns.

    Args:
        command: what to run.
        env: its environment.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            command,
            env={**env, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        self._name = os.ttyname(slave)
        os.close(slave)
        self._raw = b""
        self._closing, self._close = os.pipe()
        self._ended = False
        self._mark = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(START_S)
        self.close_window()

    @property
    def text(self) -> str:
        """All that was shown, without the escape sequences."""
        return _ESCAPES.sub("", self._raw.decode(errors="replace")).replace("\r", "")

    @property
    def raw(self) -> bytes:
        """All that the terminal was sent, with the escape sequences."""
        return self._raw

    def type(self, keys: str) -> None:
        """Press keys; what is expected next has to be shown after this."""
        with self._changed:
            self._mark = len(self.text)
        os.write(self._master, keys.encode())

    def enter(self, line: str) -> None:
        """Type a line and press Enter."""
        self.type(line + "\r")

    def expect(self, wanted: str, deadline_s: float = DEADLINE_S) -> str:
        """Wait until something is shown that matches a regular expression, since the last keys; the match."""
        pattern = re.compile(wanted, re.MULTILINE)
        with self._changed:
            found = self._changed.wait_for(
                lambda: pattern.search(self.text, self._mark) or self._ended, deadline_s
            )
            match = pattern.search(self.text, self._mark)
            assert match is not None, (
                f"{wanted!r} was not shown (still waiting: {not found}): {self.text[-3000:]}"
            )
            return match.group()

    @contextmanager
    def suspended(self) -> Iterator[int]:
        """Let the terminal take nothing that is written to it, as after Ctrl-S, in this block; its descriptor."""
        terminal = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        try:
            termios.tcflow(terminal, termios.TCOOFF)
            try:
                yield terminal
            finally:
                termios.tcflow(terminal, termios.TCOON)
        finally:
            os.close(terminal)

    def close_window(self) -> None:
        """Close the terminal, whatever still runs in it; nothing happens if that is done already."""
        if self._master < 0:
            return
        os.close(self._close)
        self._thread.join(START_S)
        os.close(self._closing)
        os.close(self._master)
        self._master = -1

    def wait(self) -> int:
        """Wait for the program's end; its exit code."""
        return self.process.wait(START_S)

    def _read(self) -> None:
        while True:
            readable, _, _ = select.select([self._master, self._closing], [], [])
            try:
                chunk = b"" if self._master not in readable else os.read(self._master, 65536)
            except OSError:  # how Linux says that nobody holds the other end any more
                chunk = b""
            with self._changed:
                self._raw += chunk
                self._ended = not chunk
                self._changed.notify_all()
            if not chunk:
                return
