"""The command `python -m bootstrap download`: fills the folder `wheels`, from which a machine without internet sets up."""

import subprocess
import sys

from bootstrap import pip_settings, requirements, setup
from bootstrap.environment import Environment
from bootstrap.remedies import SetupFailed
from bootstrap.start import ROOT


def main(arguments: list[str]) -> int:
    """Carry out the one command there is; returns the exit code."""
    if arguments != ["download"]:
        print("Usage: python -m bootstrap download", file=sys.stderr)
        return 2
    environment = Environment(ROOT)
    try:
        setup.prepare(environment, (requirements.RUN, requirements.FAST))
        wanted = requirements.read(ROOT)
        variables = pip_settings.environment(environment.python)
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    needed = wanted[requirements.RUN] + wanted[requirements.FAST]
    pip = [str(environment.python), "-I", "-m", "pip", "download", "--dest", str(ROOT / "wheels")]
    code = subprocess.call([*pip, *needed], env=variables)
    if code == 0:
        print("The folder wheels now serves machines with the same system and the same version of Python.")
    return code
