"""Hands over to the program in `.venv`: in this process's place, or beside it where others need this process.

A development environment runs a program in a helper process of its own, which shows the output and lets it be stopped.
Replaced by another program, that helper is lost, and so is a debugger.
"""

import io
import os
import queue
import runpy
import signal
import site
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn, TextIO

from bootstrap import program
from bootstrap.children import NO_WINDOW
from bootstrap.environment import Environment, running_base

#: The debuggers of VS Code, PyCharm and others. They may show the output elsewhere, and still follow the program.
_REMOTE_DEBUGGERS = ("debugpy", "pydevd")

# How often to look for the program's end, and for a simulated Ctrl-C, which does not interrupt a wait.
_poll_s = 0.1
# The rest of the output comes at once, unless something that the program has started holds the pipe open.
_max_rest_s = 5.0

_Output = queue.SimpleQueue[tuple[TextIO, str]]


def hand_over(environment: Environment, module: str, options: Sequence[str]) -> NoReturn:
    """Run `module` with this program's arguments in `environment`; this process ends with its exit code.

    Args:
        environment: has been set up.
        module: one of the package `twocans`.
        options: those of `bootstrap.program`.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as under pythonw
            stream.flush()
    remote = any(name in sys.modules for name in _REMOTE_DEBUGGERS)
    debugged = remote or sys.gettrace() is not None or "pdb" in sys.modules
    shown_elsewhere = not (_is_original(sys.stdout) and _is_original(sys.stderr))
    if debugged and (remote or not shown_elsewhere) and _is_run_by(environment):
        _run_here(module)
    os.environ[program.PYTHON] = running_base()
    if shown_elsewhere:
        sys.exit(_run_relayed(environment, module, options))
    if debugged or sys.flags.interactive or sys.flags.inspect or hasattr(sys, "ps1"):
        sys.exit(_run_tied(environment, module, options))
    command = _command(environment, module, options)
    if sys.platform == "win32":
        sys.exit(run_as_child(command))  # exec there starts a second process and ends this one at once
    try:
        os.execv(command[0], command)
    except OSError as error:  # another program may be setting .venv up again
        print(
            f"{command[0]} can't be run ({error.strerror}).\nStart again in a moment. If that does not help, delete the "
            "folder .venv first.",
            file=sys.stderr,
        )
        sys.exit(1)


def _is_original(stream: TextIO | None) -> bool:
    """True for a standard stream that Python has opened itself; under pythonw there is none."""
    return stream is None or (
        isinstance(stream, io.TextIOWrapper) and stream in (sys.__stdout__, sys.__stderr__)
    )


def _is_run_by(environment: Environment) -> bool:
    """True if this process runs the interpreter of `environment`."""
    return os.path.realpath(sys.prefix) == os.path.realpath(environment.folder)


def _command(environment: Environment, module: str, options: Sequence[str]) -> list[str]:
    # -I: neither the current folder nor PYTHONPATH, which may hold anything, is searched for packages. The user's
    # choice of UTF-8 (PYTHONUTF8), which it leaves out too, is passed on.
    utf8 = ["-X", "utf8"] if sys.flags.utf8_mode else []
    script = str(Path(program.__file__).resolve())
    return [str(environment.python), "-I", *utf8, script, *options, module, *sys.argv[1:]]


def _run_here(module: str) -> NoReturn:
    """Run `module` in this process, which runs the interpreter of `.venv`, so that breakpoints in it hold."""
    site.addsitedir(sysconfig.get_path("purelib"))  # may have been filled since this process has begun
    sys.argv[0] = module
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


def _run_tied(environment: Environment, module: str, options: Sequence[str]) -> int:
    """Run `module` as a child with this process's standard streams, which ends with this process (POSIX)."""
    if sys.platform == "win32":
        return run_as_child(_command(environment, module, options))
    reading, writing = os.pipe()
    try:
        command = _command(environment, module, [*options, f"{program.TIED}{reading}"])
        return run_as_child(command, held=[reading])
    finally:
        os.close(reading)
        os.close(writing)


def run_as_child(command: Sequence[str], *, held: Sequence[int] = ()) -> int:
    """Run `command` with this process's standard streams and return its exit code.

    Ctrl-C reaches both processes; only the child acts on it.

    Args:
        command: the program and its arguments.
        held: file descriptors that the child has too (POSIX).
    """
    before = signal.signal(signal.SIGINT, _leave_it_to_the_child)
    try:
        return subprocess.call(command, pass_fds=held)
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_it_to_the_child(_signal_number: int, _frame: object) -> None:
    # A handler, as a signal that is ignored would be ignored by the child too.
    return


def _run_relayed(environment: Environment, module: str, options: Sequence[str]) -> int:
    """Run `module` as a child and write its output to `sys.stdout` and `sys.stderr`, which are no files of the system.

    Ctrl-C, which a development environment may only simulate, asks the child to end; a second one ends it.
    """
    command = _command(environment, module, [*options, f"{program.TIED}0"])
    command[1:1] = ["-u", "-X", "utf8"]
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        creationflags=NO_WINDOW,
        start_new_session=sys.platform != "win32",
    )
    output: _Output = queue.SimpleQueue()
    readers = [
        threading.Thread(target=_read, args=(source, sink, output), daemon=True)
        for source, sink in ((child.stdout, sys.stdout), (child.stderr, sys.stderr))
    ]

    def ask_to_end(*_: object) -> None:
        if child.stdin is None or child.stdin.closed:
            child.kill()  # it has been asked before
        else:
            child.stdin.close()

    before = signal.signal(signal.SIGINT, ask_to_end)
    try:
        for reader in readers:
            reader.start()
        while child.poll() is None:
            _show(output)
        for reader in readers:
            reader.join(_max_rest_s)
        while not output.empty():
            _show(output)
    finally:
        signal.signal(signal.SIGINT, before)
        if child.stdin is not None:
            child.stdin.close()
    return child.returncode


def _read(source: IO[str] | None, sink: TextIO, output: _Output) -> None:
    if source is not None:
        with source:
            for line in source:
                output.put((sink, line))


def _show(output: _Output) -> None:
    try:
        sink, line = output.get(timeout=_poll_s)
    except queue.Empty:
        return
    print(line, end="", file=sink, flush=True)
