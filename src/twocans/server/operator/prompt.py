"""The prompt at the server's own terminal, on a thread and an event loop of its own: it waits when the terminal does.

Between it and the server go only lines that were typed, answers, and the log, which is shown above the prompt.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TextIO, TypeVar, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.application.run_in_terminal import in_terminal
from prompt_toolkit.completion import NestedCompleter
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from twocans.server.operator.output import Output
from twocans.server.operator.terminal_input import terminal_input

if sys.platform != "win32":
    import termios

STOP_S: Final = 0.5
"""How long the end waits for the terminal, in seconds."""
BUNDLE_S: Final = 0.1
"""How long lines gather after some have been shown, since the prompt is drawn anew each time; in seconds."""

_T = TypeVar("_T")


class Commands(Protocol):
    """What carries out the lines that are typed; called on the server's event loop."""

    def carry_out(self, line: str) -> Sequence[str]:
        """Carry out a line; what to show."""
        ...

    def completions(self) -> Mapping[str, Sequence[str]]:
        """The commands, and what may follow each."""
        ...


class Prompt:
    """Reads commands from the terminal until it ends; create and use it on the server's event loop.

    Args:
        commands: what carries them out.
        history_file: where typed lines are kept; None for nowhere.
        output: shows the log, from now on above the prompt.
        show: shows a line of an answer.
        quit_server: called on Ctrl-C and Ctrl-D.
        terminal_gone: called when the terminal is gone, which ends the prompt and not the server.
    """

    def __init__(
        self,
        commands: Commands,
        *,
        history_file: Path | None,
        output: Output,
        show: Callable[[str], None],
        quit_server: Callable[[], None],
        terminal_gone: Callable[[], None],
    ) -> None:
        self._commands = commands
        self._history_file = history_file
        self._output = output
        self._show = show
        self._quit = quit_server
        self._terminal_gone = terminal_gone
        self._server_loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._stopping = False
        self._talk_task: asyncio.Task[None] | None = None
        self._talk_loop: asyncio.AbstractEventLoop | None = None
        self._restore_terminal = _terminal_restorer()
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)
        self._thread.start()

    async def stop(self) -> bool:
        """End the prompt.

        Returns:
            False if the terminal stands still, and was given up: the thread is still there.
        """
        self._stopping = True
        loop, task = self._talk_loop, self._talk_task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(task.cancel)
        try:
            async with asyncio.timeout(STOP_S):
                await self._ended.wait()
        except TimeoutError:
            self._restore_terminal()
            return False
        return True

    # --- the prompt's thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(self._talk())
        except OSError:  # from writing to a terminal that is gone
            self._on_server_soon(self._terminal_gone)
        except Exception as error:  # noqa: BLE001 - the root of a thread: the server goes on without a prompt
            context = {"message": "the prompt has ended", "exception": error}
            self._on_server_soon(lambda: self._server_loop.call_exception_handler(context))
        self._on_server_soon(self._ended.set)

    async def _talk(self) -> None:
        self._talk_task, self._talk_loop = asyncio.current_task(), asyncio.get_running_loop()
        if self._stopping:
            return
        keys = terminal_input()
        session: PromptSession[str] = PromptSession("> ", history=self._history(), input=keys)
        screen = _AbovePrompt(session, self._talk_loop)
        self._output.show_through(cast("TextIO", screen))
        try:
            while True:
                completions = await self._on_server(self._commands.completions)
                try:
                    line = await session.prompt_async(completer=_completer(completions))
                except (EOFError, KeyboardInterrupt):
                    self._on_server_soon(self._terminal_gone if keys.closed else self._quit)
                    return
                await self._on_server(partial(self._carry_out, line))
        finally:
            self._output.show_through(None)
            screen.close()

    def _history(self) -> History:
        return InMemoryHistory() if self._history_file is None else _History(str(self._history_file))

    async def _on_server(self, work: Callable[[], _T]) -> _T:
        """Do something on the server's event loop."""

        async def run() -> _T:
            return work()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._server_loop))

    def _on_server_soon(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the server's loop may have ended with the program
            self._server_loop.call_soon_threadsafe(work)

    # --- the server's loop -------------------------------------------------------------------------------

    def _carry_out(self, line: str) -> None:
        try:
            answers = self._commands.carry_out(line)
        except Exception as error:  # noqa: BLE001 - the root of a command: the next one may do better
            self._server_loop.call_exception_handler({"message": "a command failed", "exception": error})
            answers = ["The command failed. Details are in the log file; the server keeps running."]
        for answer in answers:
            self._show(answer)


class _AbovePrompt(io.TextIOBase):
    """A stream whose text appears above the prompt; whoever writes to it waits until it does.

    Args:
        session: the prompt.
        loop: the prompt's.
    """

    def __init__(self, session: PromptSession[str], loop: asyncio.AbstractEventLoop) -> None:
        self._session = session
        self._loop = loop
        self._text: list[str] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._printing: concurrent.futures.Future[None] | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has a variable, which a property may stand for
        """See `io.TextIOBase.encoding`."""
        return self._session.output.encoding()

    def isatty(self) -> bool:
        """See `io.IOBase.isatty`."""
        return True

    def write(self, text: str, /) -> int:
        """See `io.TextIOBase.write`."""
        self._text.append(text)
        return len(text)

    def flush(self) -> None:
        """Show what has been written."""
        text, self._text = "".join(self._text), []
        if not text:
            return
        with self._lock:
            if self._over.is_set():
                printing = None
            else:
                printing = asyncio.run_coroutine_threadsafe(self._print(text), self._loop)
                self._printing = printing
        try:
            if printing is None:
                self._print_now(text)
            else:
                printing.result()
        except concurrent.futures.CancelledError:
            self._print_now(text)
        self._over.wait(BUNDLE_S)

    def close(self) -> None:
        """There is no prompt any more: what is still written appears where it was; on the prompt's loop."""
        with self._lock:
            self._over.set()
            if self._printing is not None:
                self._printing.cancel()

    async def _print(self, text: str) -> None:
        async with in_terminal():
            self._print_now(text)

    def _print_now(self, text: str) -> None:
        output = self._session.output
        # Windows forgets it at each flush.
        output.enable_autowrap()
        output.write_raw(text)
        output.flush()


class _History(FileHistory):
    """What was typed before, in a file; without it the prompt works too."""

    def store_string(self, string: str) -> None:
        """See `FileHistory.store_string`."""
        with contextlib.suppress(OSError):
            super().store_string(string)


def _completer(completions: Mapping[str, Sequence[str]]) -> NestedCompleter:
    return NestedCompleter.from_nested_dict(
        {word: dict.fromkeys(words) if words else None for word, words in completions.items()}
    )


def _terminal_restorer() -> Callable[[], None]:
    """What puts the terminal back as it is now, for when the prompt cannot do that itself."""
    if sys.platform == "win32":
        return lambda: None
    terminal = sys.stdin.fileno()
    try:
        before = termios.tcgetattr(terminal)
    except termios.error:
        return lambda: None

    def restore() -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, before)

    return restore
