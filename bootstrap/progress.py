"""Shows how a set-up gets on: in one line that changes, on a terminal, and with a line for each step elsewhere."""

import io
import re
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

_FOUND = re.compile(r"(?:Collecting|Processing|Requirement already satisfied:) ")
_DOWNLOADED = re.compile(r"\s*(?:Downloading|Using cached) (?!.*\.metadata)")
_INSTALLING = re.compile(r"Installing collected packages: (.*)")
_redraw_s = 1.0


class Progress:
    """The progress of one set-up, from where it is entered as a context manager to where it is left.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = _writes_to_terminal()
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._step = self._text = ""
        self._shown_chars = self._found = self._downloaded = 0
        self._counts = True
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self._terminal:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._terminal:
            self._ticker.join()
        if kind is None:
            self.tell(f"Twocans is set up, after {self._seconds()} s.")
        else:
            self._clear()

    def tell(self, line: str) -> None:
        """Show a line that stays."""
        with self._lock:
            self._clear()
            tell(line)

    def begin(self, step: str, *, counts: bool = True) -> None:
        """Show what is being done from now on; unless it `counts`, pip's output changes nothing in that."""
        self._found = self._downloaded = 0
        self._counts = counts
        self._show(step, step)

    def feed(self, line: str) -> None:
        """Take a line of pip's output into account."""
        if not self._counts:
            return
        if _FOUND.match(line):
            self._found += 1
            self._show("Looking up packages", f"Looking up packages ({self._found} so far)")
        elif _DOWNLOADED.match(line):
            self._downloaded += 1
            self._show("Downloading packages", f"Downloading packages ({self._downloaded} so far)")
        elif match := _INSTALLING.match(line):
            number = match[1].count(",") + 1
            step = f"Installing {number} package{'s' if number > 1 else ''}"
            self._show(step, step)

    def _show(self, step: str, text: str) -> None:
        with self._lock:
            new, self._step, self._text = step != self._step, step, text
            if self._terminal:
                self._draw()
            elif new:
                tell(f"{step}…")

    def _tick(self) -> None:
        while not self._ended.wait(_redraw_s):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        if self._text:
            text = f"{self._text}… {self._seconds()} s"
            print(f"\r{text.ljust(self._shown_chars)}", end="", file=sys.stderr, flush=True)
            self._shown_chars = len(text)

    def _clear(self) -> None:
        if self._shown_chars:
            print(f"\r{' ' * self._shown_chars}\r", end="", file=sys.stderr, flush=True)
            self._shown_chars = 0

    def _seconds(self) -> int:
        return int(self._clock() - self._began)


def tell(line: str) -> None:
    """Tell the user; not on standard output, which is the program's own."""
    print(line, file=sys.stderr, flush=True)


def _writes_to_terminal() -> bool:
    # IDLE's shell says that it is a terminal, and shows a carriage return as a letter.
    return isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr.isatty()
