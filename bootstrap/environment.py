"""The folder `.venv` beside the programs: whether it fits what they need. Leaves making it so to `setup`.

What it was set up with stands in `.venv/twocans.json`, so a later start needs no more than to read that. The folder
may be moved or copied along with the programs: nothing in it that they use says where it is.
"""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from bootstrap import remedies
from bootstrap.children import NO_WINDOW
from bootstrap.remedies import SetupFailed
from bootstrap.requirements import Requirements

#: Printed by the interpreter of `.venv` to tell about itself. Importing tkinter finds a damaged one too.
_PROBE = """
import json, sys, sysconfig
try:
    import tkinter
except ImportError:
    tkinter = None
print(json.dumps({
    "python": "%d.%d" % sys.version_info[:2],
    "base": getattr(sys, "_base_executable", sys.executable),
    "tkinter": tkinter is not None,
    "packages": sysconfig.get_path("purelib"),
}))
"""


class State(Enum):
    """What has to be done to `.venv` before a program can start; the value is what the user is told."""

    READY = ""
    NEW = "Setting up Twocans for its first start: its packages go into the folder .venv. This can take a minute."
    CHANGED = "Twocans has changed: updating its packages in the folder .venv."
    INTERRUPTED = "The last set-up did not finish: doing it again, which can take a minute."
    DAMAGED = (
        "A package in the folder .venv is missing or damaged: setting it up again, which can take a minute."
    )
    BROKEN = "The folder .venv does not work here any more: setting it up again, which can take a minute."
    WINDOWLESS = "The folder .venv has no tkinter: setting it up again with this Python, which has it."


class Stamp(NamedTuple):
    """What `.venv` was set up with."""

    complete: bool
    platform: str
    python: str
    base: str
    tkinter: bool
    groups: dict[str, list[str]]


class Probe(NamedTuple):
    """What the interpreter of `.venv` says of itself.

    Attributes:
        python: its version, as in "3.12".
        base: the interpreter that it was made from.
        tkinter: whether that can be imported.
        packages: where its packages are.
    """

    python: str
    base: str
    tkinter: bool
    packages: Path


class Environment:
    """`.venv` in the folder of the programs, `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.log = self.folder / "setup.log"
        self.lock_file = self.folder / "setup.lock"
        self.stamp_file = self.folder / "twocans.json"
        self._scripts = self.folder / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        """The interpreter that runs the programs."""
        return self._scripts / ("python.exe" if sys.platform == "win32" else "python")

    def command(self, name: str) -> Path:
        """Return where the command `name` of an installed package is."""
        return self._scripts / (f"{name}.exe" if sys.platform == "win32" else name)

    def state(self, wanted: Requirements, *, needs_tkinter: bool = False) -> State:
        """Say what has to be done before a program that wants these requirements can start.

        Raises:
            SetupFailed: the window is wanted, and no Python at hand has tkinter.
        """
        stamp = self.stamp()
        state = self._state_by_stamp(stamp, wanted)
        if not needs_tkinter:
            return state
        if stamp is None or state not in (State.READY, State.CHANGED):
            require_tkinter()
        elif stamp.base == running_base():
            require_tkinter(known_to_work=stamp.tkinter)
        elif not stamp.tkinter and not ((probe := self.probe()) and probe.tkinter):
            # Made from another Python than the one that runs now, which may have what that one lacks.
            require_tkinter()
            return State.WINDOWLESS
        return state

    def _state_by_stamp(self, stamp: Stamp | None, wanted: Requirements) -> State:
        if stamp is not None and not stamp.complete:
            return State.INTERRUPTED
        if not self.python.exists():  # also when it is a link to a Python that is gone
            return State.NEW if stamp is None else State.BROKEN
        if stamp is None:
            # Somebody made this .venv by hand. If it works, it is completed rather than thrown away.
            probe = self.probe()
            return State.NEW if probe is None or _version(probe.python) < (3, 11) else State.CHANGED
        if stamp.platform != this_platform() or not self._still_is(stamp):
            return State.BROKEN
        if any(stamp.groups.get(group) != found for group, found in wanted.items()):
            return State.CHANGED
        return State.READY

    def _still_is(self, stamp: Stamp) -> bool:
        """Whether the interpreter still is of the version that the packages were installed for."""
        if sys.platform == "win32":  # a copy there, that reads from a file where the original is
            return Path(stamp.base).exists()
        if self.base() == stamp.base:
            return True
        # An update may have moved it (good) or put a newer version in its place (which would find no package).
        probe = self.probe()
        return probe is not None and probe.python == stamp.python

    def base(self, probe: Probe | None = None) -> str:
        """Return the interpreter behind the one in `.venv`."""
        if sys.platform == "win32" and probe is not None:
            return probe.base
        return os.path.realpath(self.python)

    def stamp(self) -> Stamp | None:
        """Read what `.venv` was set up with; None if that was not done by this program."""
        try:
            found: object = json.loads(self.stamp_file.read_text(encoding="utf-8"))
            return Stamp(**found) if isinstance(found, dict) else None
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return None

    def write_stamp(self, stamp: Stamp) -> None:
        """Replace the stamp, whole or not at all."""
        new = self.stamp_file.with_suffix(".new")
        new.write_text(json.dumps(stamp._asdict(), indent=1), encoding="utf-8")
        new.replace(self.stamp_file)

    def problems(self, needed: Sequence[str]) -> list[str]:
        """Name the packages that are missing or damaged, of those that these requirements lead to.

        Raises:
            OSError: the interpreter of `.venv` does not run.
        """
        script = Path(__file__).with_name("installed.py")
        done = self._ask(str(script), *needed)
        return done.stdout.splitlines() if done.returncode == 0 else done.stderr.splitlines()[-1:]

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), "-I", *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            creationflags=NO_WINDOW,
        )

    def probe(self) -> Probe | None:
        """Ask the interpreter of `.venv` about itself; None if it does not run."""
        try:
            told: object = json.loads(self._ask("-c", _PROBE).stdout)
        except (OSError, ValueError):
            return None
        if not isinstance(told, dict):
            return None
        base, packages = os.path.realpath(told["base"]), Path(told["packages"])
        return Probe(str(told["python"]), base, bool(told["tkinter"]), packages)


def this_platform() -> str:
    """Name what compiled packages depend on, besides the version of Python."""
    return sys.platform if sys.platform == "win32" else f"{sys.platform} {os.uname().machine}"


def running_base() -> str:
    """Return the interpreter that runs this, behind the virtual environment that it may be in."""
    return os.path.realpath(str(getattr(sys, "_base_executable", sys.executable)))


def running_version() -> str:
    """Return the version of the Python that runs this, as in "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def runs_systems_python() -> bool:
    """Whether the Python that runs this is the one that the system's own packages extend."""
    return running_base() == os.path.realpath("/usr/bin/python3")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def can_import(name: str) -> bool:
    """Whether a module is there. It is looked for and not imported, which would take longer."""
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def has_tkinter(*, known_to_work: bool = False) -> bool:
    """Whether the Python that runs this has tkinter; one that worked earlier is not tried, only looked for."""
    if known_to_work:
        return can_import("tkinter") and can_import("_tkinter")
    try:
        importlib.import_module("tkinter")
    except ImportError:
        return False
    return True


def require_tkinter(*, known_to_work: bool = False) -> None:
    """Raise SetupFailed if the Python that runs this has no tkinter."""
    if not has_tkinter(known_to_work=known_to_work):
        raise SetupFailed(
            remedies.tkinter_missing(
                remedies.this_system(), version=running_version(), from_system=runs_systems_python()
            )
        )
