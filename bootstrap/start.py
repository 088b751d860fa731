"""Starts a program of the package `twocans` in the environment `.venv`, setting that up first if need be."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from bootstrap import program, requirements, setup
from bootstrap.environment import Environment
from bootstrap.handover import hand_over
from bootstrap.remedies import SetupFailed

#: The folder of the programs.
ROOT = Path(__file__).resolve().parent.parent


def start(module: str, *, needs_tkinter: bool = False) -> NoReturn:
    """Run `module` with this program's arguments and, where it can be, in its place.

    Ends with exit code 1 and a sentence if the set-up fails, 130 if it is stopped with Ctrl-C.
    """
    environment = Environment(ROOT)
    options = os.environ.pop(program.OPTIONS, "").split()
    try:
        setup.prepare(
            environment,
            (requirements.RUN, requirements.FAST),
            needs_tkinter=needs_tkinter,
            damaged=program.MENDED in options,
        )
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("Stopped. The next start sets Twocans up.", file=sys.stderr)
        sys.exit(130)
    hand_over(environment, module, options)
