"""`python -m bench` from a checkout: sets up `.venv` if need be, and goes on in it with `bench.cli`."""

import os
import sys

from bootstrap import requirements, setup
from bootstrap.environment import Environment
from bootstrap.remedies import SetupFailed
from bootstrap.start import ROOT


def main() -> None:
    """Start the command in the environment of the tests, which has what draws the plots."""
    if sys.platform != "linux":
        sys.exit(
            "The bench needs Linux: its load generator uses epoll, and it reads from /proc what servers use."
        )
    environment = Environment(ROOT)
    try:
        setup.prepare(environment, (requirements.RUN, requirements.FAST, requirements.DEV))
    except SetupFailed as failure:
        sys.exit(str(failure))
    python = str(environment.python)
    os.execv(python, [python, "-m", "bench.cli", *sys.argv[1:]])  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main()
