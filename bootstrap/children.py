"""Helper processes that the start of a program needs; they end with it."""

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

#: Keeps Windows from opening a console for a process where this one has none.
if sys.platform == "win32":
    NO_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    NO_WINDOW = 0

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
    on_line: Callable[[str], None],
) -> Finished:
    """Run `python -m ARGUMENTS` to its end, adding its output to `log`; it ends when this process does.

    Args:
        python: the interpreter, run in isolated mode: the user's PYTHONPATH and the current folder play no part.
        arguments: the module and its arguments.
        log: a log that can't be written to is done without.
        held: file descriptors that the helper holds open too (POSIX), and with them the locks on them.
        environment: all of its environment variables.
        on_line: told each line of its output.

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
        creationflags=NO_WINDOW,
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
                on_line(line)
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
