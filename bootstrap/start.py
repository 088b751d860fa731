"""Starts a program of the package `twocans` in the environment `.venv`, setting that up first if need be."""

import sys
from pathlib import Path
from typing import NoReturn

from bootstrap import children, requirements, setup
from bootstrap.environment import Environment
from bootstrap.remedies import SetupFailed

#: The folder of the programs.
ROOT = Path(__file__).resolve().parent.parent


def start(module: str, *, needs_tkinter: bool = False) -> NoReturn:
    """Run `module` with this program's arguments and in its place.

    Ends with exit code 1 and a sentence if the set-up fails, 130 if it is stopped with Ctrl-C.
    """
    environment = Environment(ROOT)
    try:
        setup.prepare(environment, (requirements.RUN, requirements.FAST), needs_tkinter=needs_tkinter)
    except SetupFailed as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        print("Stopped. The next start sets Twocans up.", file=sys.stderr)
        sys.exit(130)
    # -P: the current folder, which may be anything, is not searched for packages.
    children.become([str(environment.python), "-P", "-m", module, *sys.argv[1:]])
