"""Processes that the start of a program needs: helpers that end with it, and the program that takes its place."""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

#: How many lines of a helper's output are kept for finding out why it failed.
max_tail_lines = 400

# Run by the helper's Python before the helper itself. Its standard input is a pipe whose other end we hold: when we
# end, however that comes about, the pipe ends, and so does the helper. Nothing is left working on .venv unseen.
_TIED = """
import os, runpy, sys, threading
def end_with_parent():
    while os.read(0, 4096):
        pass
    os._exit(1)
threading.Thread(target=end_with_parent, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class Finished(NamedTuple):
    """How a helper ended: its exit code and the last lines of its output, both streams together."""

    code: int
    tail: str


def run_module(
    python: Path,
    arguments: Sequence[str],
    *,
    log: Path,
    held: Sequence[int] = (),
    environment: dict[str, str],
) -> Finished:
    """Run `python -m ARGUMENTS` to its end, adding its output to `log`; it ends when this process does.

    Args:
        python: the interpreter, run in isolated mode: the user's PYTHONPATH and the current folder play no part.
        arguments: the module and its arguments.
        log: a log that can't be written to is done without.
        held: file descriptors that the helper holds open too (POSIX), and with them the locks on them.
        environment: all of its environment variables.

    Raises:
        OSError: the interpreter can't be run.
    """
    # -u: what was said is in the log even when the helper is killed.
    command = [str(python), "-I", "-u", "-c", _TIED, *arguments]
    tail: deque[str] = deque(maxlen=max_tail_lines)
    inherited = () if sys.platform == "win32" else tuple(held)
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=inherited,
        env=environment,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            _note(log, "$ python -m " + " ".join(arguments) + "\n")
            for line in child.stdout or ():
                tail.append(line)
                _note(log, line)
            code = child.wait()
        except BaseException:
            # Ctrl-C or a signal in our own process. `with` would wait for the child, so it is ended first.
            child.kill()
            raise
    return Finished(code, "".join(tail))


def _note(log: Path, line: str) -> None:
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError:
        # The disk is full, say. The helper meets the same and tells; a second report of it helps nobody.
        return


def become(command: list[str]) -> NoReturn:
    """Run `command` in this process's place; its signals and exit code are those of this process."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as under pythonw
            stream.flush()
    if sys.platform == "win32":
        sys.exit(run_as_child(command))  # exec there starts a second process and ends this one at once
    os.execv(command[0], command)


def run_as_child(command: Sequence[str]) -> int:
    """Run `command` with this process's standard streams and return its exit code.

    Ctrl-C reaches both processes; only the child acts on it.
    """
    before = signal.signal(signal.SIGINT, _leave_it_to_the_child)
    try:
        return subprocess.call(command)
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_it_to_the_child(_signal_number: int, _frame: object) -> None:
    # A handler, as a signal that is ignored would be ignored by the child too.
    return
