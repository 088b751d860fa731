"""Ends the server in order when its user or the system asks: by signal, or by closing the terminal or console window."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

AskToStop = Callable[[str], None]

CONSOLE_EVENTS: Final = {
    2: "its console window was closed",
    5: "its user logs off",
    6: "the system shuts down",
}
"""Events of a Windows console that no signal of Python stands for, by number; CTRL_CLOSE_EVENT is the first."""
CONSOLE_CLOSE_S: Final = 5.0
"""How long Windows lets a program go on after such an event, in seconds."""


class StopSignals:
    """Asks a server to stop, from `install` on, until `finished`."""

    def __init__(self) -> None:
        self._handles_hangup = False
        self._finished = threading.Event()
        self._ask: AskToStop | None = None
        self._keep: object = None  # ctypes holds no reference to what it calls

    def install(self, loop: asyncio.AbstractEventLoop, ask_to_stop: AskToStop) -> None:
        """Call `ask_to_stop` on the loop with the reason, as often as somebody asks; on the main thread."""

        def ask_soon(reason: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(ask_to_stop, reason)

        self._ask = ask_soon
        for number, reason in (
            (signal.SIGINT, "Ctrl-C was pressed"),
            (signal.SIGTERM, "the system asked for it"),
        ):
            try:
                loop.add_signal_handler(number, ask_to_stop, reason)
            except NotImplementedError:  # on Windows
                signal.signal(number, lambda *_, reason=reason: ask_soon(reason))
        if sys.platform == "win32":
            signal.signal(signal.SIGBREAK, lambda *_: ask_soon("Ctrl-Break was pressed"))
            self._keep = _on_console_event(self.console_event)
        elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup has it ignored
            # Not by the loop, whose end would bring the default back: a shell and the system send more than one.
            signal.signal(signal.SIGHUP, lambda *_: ask_soon("its terminal was closed"))
            self._handles_hangup = True

    def console_event(self, event: int) -> bool:
        """Stop on an event of a Windows console, called on a thread of the system's own.

        Windows ends the process when this returns, so it waits until the server has stopped.

        Returns:
            False for an event that is a signal of Python's.
        """
        reason = CONSOLE_EVENTS.get(event)
        if reason is None or self._ask is None:
            return False
        self._ask(reason)
        self._finished.wait(CONSOLE_CLOSE_S)
        return True

    def finished(self) -> None:
        """The server has stopped and written all that it had to."""
        self._finished.set()
        if sys.platform != "win32" and self._handles_hangup:
            # The interpreter brings the default back for what has a handler when it ends.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)


if sys.platform == "win32":

    def _on_console_event(handle: Callable[[int], bool]) -> object:
        import ctypes
        from ctypes import wintypes

        handler = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(handle)
        # Without a console there is nothing to hear of, and this fails.
        ctypes.windll.kernel32.SetConsoleCtrlHandler(handler, True)
        return handler
