"""Lines for the person who runs the server: on the screen, and in the log file.

Each is written to by a thread of its own with a bounded queue: a terminal, pipe or disk that stands still holds up
neither the server nor the other one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from rich.console import Console
from rich.text import Text

from twocans.protocol.text import spelled_out

MAX_WAITING_LINES: Final = 10_000
"""How many lines may wait to be written."""
MAX_WAITING_CHARS: Final = 8 * 1024 * 1024
"""How long those may be together, in characters."""
TOGETHER_CHARS: Final = 16 * 1024
"""About how much of what has gathered is written at once."""
CLOSE_S: Final = 2.0
"""How long the end waits for what is to be written, in seconds."""
LOG_FILE: Final = "server.log"
SECURITY_FILE: Final = "security.log"
"""Events about security, in a file of their own, so that no others can turn it over."""
LOG_FILE_BYTES: Final = 1024 * 1024
LOG_FILES: Final = 3

Line: TypeAlias = Text | str


class LineWriter:
    """Writes lines on a thread of its own; what cannot be written in time is counted, not waited for.

    Args:
        name: the thread's.
        write: writes lines that have gathered; may wait.
        notice: makes the line that stands for so many that could not be written.
    """

    def __init__(
        self, name: str, write: Callable[[Sequence[Line]], None], notice: Callable[[int], Line]
    ) -> None:
        self._write = write
        self._notice = notice
        self._queue: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._dropped = 0
        # Each is counted by one side alone, so that they need no lock; what waits is the difference.
        self._put_chars = 0
        self._taken_chars = 0
        self._thread = threading.Thread(target=self._write_all, name=name, daemon=True)
        self._thread.start()

    def put(self, line: Line) -> None:
        """Write a line, if there is room for it in the queue."""
        waiting_chars = self._put_chars - self._taken_chars
        if self._queue.qsize() >= MAX_WAITING_LINES or waiting_chars >= MAX_WAITING_CHARS:
            self._dropped += 1
            return
        self._tell_dropped()
        self._enqueue(line)

    def finish(self) -> None:
        """Take no more lines; the thread ends when all are written."""
        self._tell_dropped()
        self._queue.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False if there is something that could not be written in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _tell_dropped(self) -> None:
        if self._dropped:
            self._enqueue(self._notice(self._dropped))
            self._dropped = 0

    def _enqueue(self, line: Line) -> None:
        self._put_chars += len(line)
        self._queue.put(line)

    def _write_all(self) -> None:
        ended = False
        while not ended:
            lines: list[Line] = []
            size = 0
            line = self._queue.get()
            with contextlib.suppress(queue.Empty):
                while line is not None:
                    lines.append(line)
                    size += len(line)
                    self._taken_chars += len(line)
                    if size > TOGETHER_CHARS:
                        break
                    line = self._queue.get_nowait()
            ended = line is None
            if lines:
                # Where nobody reads any more, nothing is written any more.
                with contextlib.suppress(OSError, ValueError):
                    self._write(lines)


class Output:
    """Shows lines, and keeps them in a file.

    Args:
        stream: where to show them; None for the standard output of the moment.
        styled: whether it is a terminal.
        log_file: where to keep them, if given.
        security_file: where to keep those about security as well, if given.
        console_file: shown there, if given, and not on the stream.
    """

    def __init__(
        self,
        *,
        stream: TextIO | None,
        styled: bool,
        log_file: Path | None,
        security_file: Path | None = None,
        console_file: Path | None = None,
    ) -> None:
        self.notice: Callable[[int], tuple[Line, str]] = lambda _: ("", "")
        """What to show and to keep in place of so many lines that could not be written."""
        self._stream = stream
        self._instead: TextIO | None = None
        self._console = Console(file=stream, highlight=False, soft_wrap=True) if styled else None
        self._file = _open_log_file(log_file) if log_file is not None else None
        self._security_file = _open_log_file(security_file) if security_file is not None else None
        self._console_file = _open_log_file(console_file) if console_file is not None else None
        self._screen = LineWriter("screen", self._show, lambda number: self.notice(number)[0])
        self._kept = LineWriter(
            "log file", lambda lines: _keep(self._file, lines), lambda number: self.notice(number)[1]
        )
        self._security = LineWriter(
            "security log",
            lambda lines: _keep(self._security_file, lines),
            lambda number: self.notice(number)[1],
        )

    def put(self, shown: Line, kept: str, *, security: bool = False) -> None:
        """Show a line, and keep one in the log file and, if it is about security, in that file; empty ones are left out."""
        if kept and self._file is not None:
            self._kept.put(kept)
        if kept and security and self._security_file is not None:
            self._security.put(kept)
        if shown:
            self._screen.put(shown)

    def show_through(self, stream: TextIO | None) -> None:
        """Show what comes from now on through another stream; None for the one of the beginning."""
        self._instead = stream

    def close(self, *, timeout_s: float = CLOSE_S) -> bool:
        """Write what is waiting.

        Returns:
            False if something stands still, and was given up after the time-out: its thread is still there.
        """
        deadline = time.monotonic() + timeout_s
        self._screen.finish()
        self._kept.finish()
        self._security.finish()
        ended = True
        for writer, file in (
            (self._security, self._security_file),
            (self._kept, self._file),
            (self._screen, self._console_file),
        ):
            if not writer.join(max(0.0, deadline - time.monotonic())):
                ended = False
            elif file is not None:
                file.close()
        return ended

    def _show(self, lines: Sequence[Line]) -> None:
        if self._console_file is not None:
            self._console_file.emit(_record("\n".join([str(line) for line in lines])))
            return
        stream = self._instead or self._stream or sys.stdout
        if self._console is None:
            text = "".join([f"{line}\n" for line in lines])
        else:
            self._console.file = stream
            # Captured, since rich would keep what it could not write.
            with self._console.capture() as captured:
                for line in lines:
                    self._console.print(line)
            text = captured.get()
        try:
            stream.write(text)
        except UnicodeEncodeError:
            # The stream's encoding lacks a letter; it is written as an escape.
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def _keep(file: RotatingFileHandler | None, lines: Sequence[Line]) -> None:
    if file is not None:
        file.emit(_record("\n".join([spelled_out(str(line)) for line in lines])))


class _PrivateLogFile(RotatingFileHandler):
    """A log file that only its owner can read, and whose failures hold nobody up."""

    def _open(self) -> TextIOWrapper:
        # pathlib's open has no opener, which alone gives the file its rights as it is made.
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=_open_private)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """A full disk must not stop the chat: what is shown on the console goes on."""

    def close(self) -> None:
        """Close the file; what a full disk has no room for is left out, and the server ends all the same."""
        with contextlib.suppress(OSError):
            super().close()


def _record(text: str) -> logging.LogRecord:
    return logging.LogRecord("twocans", logging.INFO, "", 0, text, None, None)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _open_log_file(path: Path) -> RotatingFileHandler:
    handler = _PrivateLogFile(path, maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler
