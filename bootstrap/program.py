"""Runs a program of the package `twocans`, by the interpreter of `.venv`: `python -I program.py MODULE ARGUMENT...`.

Where an import fails, `.venv` is set up again, once; if that does not help, a sentence says what is missing. It is run
as a script and imports nothing of `bootstrap`, so that a program costs no more than by `python -m`.
"""

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

#: Says which descriptor the program's life hangs on: when its other end is closed, the program ends.
TIED = "--tied="
#: Says that `.venv` has just been set up again because an import had failed.
MENDED = "--mended"
#: The environment variable by which the options above get through a new set-up, to the program after it.
OPTIONS = "TWOCANS_START"
#: The environment variable that names the Python that `.venv` was made from: one whose `.venv` is being emptied can't tell.
PYTHON = "TWOCANS_PYTHON"

#: A program that is asked to end has so many seconds for it.
max_end_s = 10.0

_ROOT = Path(__file__).absolute().parents[1]
_PROGRAMS = {"twocans.gui": "client_gui.py", "twocans.server": "server.py"}


def main() -> None:
    """Run the program; its exit code is that of this process."""
    options = []
    base = os.environ.pop(PYTHON, "") or str(getattr(sys, "_base_executable", sys.executable))
    while sys.argv[1].startswith("--"):
        option = sys.argv.pop(1)
        if option.startswith(TIED):
            option = f"{TIED}{_end_with(int(option.removeprefix(TIED)))}"
        options.append(option)
    arguments = sys.argv[1:]
    sys.argv[:] = arguments
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    except ImportError as caught:
        # What runpy can't find it reports by an error of its own.
        error = caught.__cause__ if isinstance(caught.__cause__, ImportError) else caught
        lacking = (error.name or "").partition(".")[0]
        sentence = _missing(lacking, error)
        if not sentence and MENDED in options:
            sentence = (
                f"Twocans can't load a package that it needs ({error}), though the folder .venv has been set up again.\n"
                "If a virus scanner removes files from it, make an exception for the Twocans folder, delete the folder "
                ".venv, and start again."
            )
        if sentence:
            sys.exit(sentence)
        print(f"Twocans can't load a package that it needs ({error}).", file=sys.stderr, flush=True)
        _start_again(base, arguments, options)


def _missing(lacking: str, error: ImportError) -> str:
    """Name what is missing if it is not in `.venv`, where a new set-up would bring it; else empty."""
    if lacking == "twocans":
        source = _ROOT.joinpath("src", *str(error.name).split("."))
        if not source.exists() and not source.with_suffix(".py").exists():
            return (
                f"A part of Twocans is missing: {source}\nGet Twocans again and start it from the new folder."
            )
        if not isinstance(error, ModuleNotFoundError):
            return f"Twocans is damaged: {error}\nGet Twocans again and start it from the new folder."
    if lacking in sys.stdlib_module_names:
        return (
            f"This Python lacks its part {lacking} ({error}).\n"
            "Install Python with all its parts, delete the folder .venv, and start Twocans again."
        )
    return ""


def _start_again(base: str, arguments: list[str], options: list[str]) -> None:
    """Start the program anew in this process's place, by the Python `base` that `.venv` was made from."""
    command = [base, "-I", str(_ROOT / _PROGRAMS[arguments[0]]), *arguments[1:]]
    if sys.platform == "win32":
        import subprocess

        sys.exit(subprocess.call(command, env=os.environ | {OPTIONS: MENDED}))
    os.execve(base, command, os.environ | {OPTIONS: " ".join([*options, MENDED])})


def _end_with(descriptor: int) -> int:
    """End this process, as Ctrl-C does, when the other end of a pipe is closed; returns where the pipe is now."""
    if descriptor == 0:
        # The program itself has no input.
        descriptor = os.dup(0)
        os.set_inheritable(descriptor, True)  # also to what takes this process's place
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    main_thread = threading.get_ident()

    def wait() -> None:
        while os.read(descriptor, 4096):
            pass
        if sys.platform == "win32":
            import _thread

            _thread.interrupt_main()
        else:
            signal.pthread_kill(main_thread, signal.SIGINT)  # also wakes it where it waits
        time.sleep(max_end_s)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    return descriptor


if __name__ == "__main__":
    main()
