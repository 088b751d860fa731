"""Makes the folder `.venv` fit: one set-up at a time, and one that was cut short is done again at the next start."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootstrap import children, lock, remedies, requirements
from bootstrap.environment import (
    Environment,
    Stamp,
    State,
    can_import,
    running_version,
    runs_systems_python,
    this_platform,
)
from bootstrap.remedies import SetupFailed

_PIP_ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


def prepare(environment: Environment, groups: Sequence[str], *, needs_tkinter: bool = False) -> None:
    """See to it that the requirements in `groups` are installed; tells in one line when that takes time.

    Raises:
        SetupFailed: they can't be; says why and what to do.
    """
    wanted = {group: found for group, found in requirements.read(environment.root).items() if group in groups}
    try:
        if environment.state(wanted, needs_tkinter=needs_tkinter) is State.READY:
            return
        environment.folder.mkdir(exist_ok=True)
        with _ended_by_sigterm(), lock.locked(environment.lock_file, _tell_of_waiting) as held:
            state = environment.state(wanted, needs_tkinter=needs_tkinter)
            if state is not State.READY:
                tell(state.value)
                _Setup(environment, held).run(state, wanted)
    except OSError as error:
        raise _failure(environment, error) from error


class _Setup:
    """One set-up of an environment, by the holder of its lock."""

    def __init__(self, environment: Environment, held: int) -> None:
        self._environment = environment
        self._held = held
        self._wheels = environment.root / "wheels"

    def run(self, state: State, wanted: requirements.Requirements) -> None:
        environment = self._environment
        afresh = state is not State.CHANGED
        before = environment.stamp()
        if afresh:
            _require_venv()
        environment.log.write_text("", encoding="utf-8")
        environment.write_stamp(Stamp(False, this_platform(), "", "", False, {}))
        if afresh:
            self._clear()
            self._make()
        # What was installed for the tests earlier is kept in step with the rest.
        kept = before.groups if before is not None and not afresh else {}
        every = requirements.read(environment.root)
        groups = {group: found for group, found in every.items() if group in wanted or group in kept}
        try:
            self._install(groups)
        except SetupFailed:
            if before is not None and not afresh:
                environment.write_stamp(before)  # pip has undone what it could not finish
            raise
        probe = environment.probe()
        if probe is None:
            raise SetupFailed(f"The folder .venv could not be set up. Details are in {environment.log}")
        self._add_source(probe.packages)
        base = environment.base(probe)
        environment.write_stamp(Stamp(True, this_platform(), probe.python, base, probe.tkinter, groups))

    def _clear(self) -> None:
        """Empty the folder, but for what the set-up itself uses."""
        environment = self._environment
        for entry in environment.folder.iterdir():
            if entry in (environment.lock_file, environment.stamp_file, environment.log):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def _make(self) -> None:
        # Run by whichever Python runs this; the module itself finds the one behind a virtual environment.
        self._check(self._run(Path(sys.executable), "venv", str(self._environment.folder)))

    def _install(self, groups: requirements.Requirements) -> None:
        needed = [one for group, found in groups.items() if group != requirements.FAST for one in found]
        from_wheels = ("--find-links", str(self._wheels)) if self._wheels.is_dir() else ()
        # Asking an index that can't be reached takes long for each package: where wheels may do, they are tried alone.
        if not from_wheels or self._pip("--no-index", *from_wheels, *needed).code != 0:
            self._check(self._pip(*from_wheels, *needed))
        if extras := groups.get(requirements.FAST):
            offline = ("--no-index", *from_wheels) if from_wheels else ()
            self._pip("--only-binary", ":all:", *offline, *extras)  # no matter how it ends: all works without

    def _pip(self, *arguments: str) -> children.Finished:
        return self._run(self._environment.python, "pip", "install", *arguments)

    def _run(self, python: Path, *arguments: str) -> children.Finished:
        return children.run_module(
            python, arguments, log=self._environment.log, held=[self._held], environment=pip_environment()
        )

    def _check(self, done: children.Finished) -> None:
        if done.code != 0:
            raise SetupFailed(remedies.pip_failed(done.tail, self._environment.root, self._environment.log))

    def _add_source(self, packages: Path) -> None:
        # Relative, so that the folder can be moved, and no matter what letters its name has.
        source = os.path.relpath(self._environment.root / "src", packages)
        (packages / "twocans.pth").write_text(source + "\n", encoding="ascii")


def pip_environment() -> dict[str, str]:
    """Return the environment for pip: the user's, with what would lead it out of `.venv` overruled."""
    inherited = {name: value for name, value in os.environ.items() if name not in _PIP_ELSEWHERE}
    return inherited | {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def tell(line: str) -> None:
    """Tell the user; not on standard output, which is the program's own."""
    print(line, file=sys.stderr, flush=True)


def _tell_of_waiting() -> None:
    tell("Another Twocans program is setting up the folder .venv: waiting for it to finish.")


def _require_venv() -> None:
    if not (can_import("venv") and can_import("ensurepip")):
        raise SetupFailed(
            remedies.venv_missing(
                remedies.this_system(), version=running_version(), from_system=runs_systems_python()
            )
        )


def _failure(environment: Environment, error: OSError) -> SetupFailed:
    if isinstance(error, PermissionError) and sys.platform == "win32" and environment.python.exists():
        return SetupFailed(
            f"Something in {environment.folder} is in use.\nClose the other Twocans windows and start again."
        )
    return SetupFailed(remedies.file_failed(error, environment.root))


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end this process as Ctrl-C does: along with its helper, not leaving that behind."""

    def end(signal_number: int, _frame: object) -> None:
        raise SystemExit(128 + signal_number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
