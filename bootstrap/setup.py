"""Makes the folder `.venv` fit: one set-up at a time, and one that was cut short is done again at the next start."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootstrap import children, lock, pip_settings, remedies, requirements
from bootstrap.environment import (
    Environment,
    Stamp,
    State,
    can_import,
    running_version,
    runs_systems_python,
    this_platform,
)
from bootstrap.pip_settings import PipDamaged, without_python_settings
from bootstrap.progress import Progress, tell
from bootstrap.remedies import SetupFailed


def prepare(
    environment: Environment, groups: Sequence[str], *, needs_tkinter: bool = False, damaged: bool = False
) -> None:
    """See to it that the requirements in `groups` are installed; tells how it gets on when that takes time.

    Args:
        environment: the folder `.venv`.
        groups: of the requirements.
        needs_tkinter: the program has a window.
        damaged: the program could not import one of its packages, so all are installed again.

    Raises:
        SetupFailed: they can't be; says why and what to do.
    """
    wanted = {group: found for group, found in requirements.read(environment.root).items() if group in groups}
    try:
        stamped_at = _stamped_at(environment)
        if not damaged and environment.state(wanted, needs_tkinter=needs_tkinter) is State.READY:
            return
        environment.folder.mkdir(exist_ok=True)
        with _ended_by_sigterm(), lock.locked(environment.lock_file, _tell_of_waiting) as held:
            state = environment.state(wanted, needs_tkinter=needs_tkinter)
            # Another program may have set it up while this one waited.
            if state is State.READY and damaged and _stamped_at(environment) == stamped_at:
                state = State.DAMAGED
            if state is not State.READY:
                tell(state.value)
                with Progress() as progress:
                    _Setup(environment, held, progress).run(state, wanted)
    except OSError as error:
        raise _failure(environment, error) from error


class _Setup:
    """One set-up of an environment, by the holder of its lock."""

    def __init__(self, environment: Environment, held: int, progress: Progress) -> None:
        self._environment = environment
        self._held = held
        self._progress = progress
        self._wheels = environment.root / "wheels"

    def run(self, state: State, wanted: requirements.Requirements) -> None:
        """Carry it out.

        Raises:
            SetupFailed: it has failed; the next start tries again.
            OSError: a file can't be written or removed.
        """
        environment = self._environment
        before = environment.stamp()
        every = requirements.read(environment.root)
        if state is not State.CHANGED:
            _require_venv()
        environment.log.write_text("", encoding="utf-8")
        environment.write_stamp(Stamp(False, this_platform(), "", "", False, {}))
        if state is State.CHANGED:
            # What was installed for the tests earlier is kept in step with the rest.
            kept = before.groups if before is not None else {}
            groups = {group: found for group, found in every.items() if group in wanted or group in kept}
            if self._complete(groups, before):
                return
            self._progress.tell(State.DAMAGED.value)
            _require_venv()
        self._clear()
        self._make()
        groups = {group: found for group, found in every.items() if group in wanted}
        try:
            problems = self._install(groups)
        except PipDamaged as damage:
            problems = [str(damage).strip().rpartition("\n")[2]]
        if problems:
            raise SetupFailed(remedies.packages_incomplete(problems, environment.log))
        self._finish(groups)

    def _complete(self, groups: requirements.Requirements, before: Stamp | None) -> bool:
        """Install what `.venv` lacks; False if it is damaged, so that nothing helps but to make it again."""
        try:
            if self._install(groups):
                return False
        except PipDamaged:
            return False
        except SetupFailed:
            if before is not None:
                self._environment.write_stamp(before)  # pip has undone what it could not finish
            raise
        self._finish(groups)
        return True

    def _finish(self, groups: requirements.Requirements) -> None:
        environment = self._environment
        probe = environment.probe()
        if probe is None:
            raise SetupFailed(f"The folder .venv could not be set up. Details are in {environment.log}")
        self._add_source(probe.packages)
        base = environment.base(probe)
        found = {group: list(needed) for group, needed in groups.items()}
        environment.write_stamp(Stamp(True, this_platform(), probe.python, base, probe.tkinter, found))

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
        self._progress.begin("Creating the folder .venv")
        # Run by whichever Python runs this; the module itself finds the one behind a virtual environment.
        self._check(
            self._run(without_python_settings(), Path(sys.executable), "venv", str(self._environment.folder))
        )

    def _install(self, groups: requirements.Requirements) -> list[str]:
        """Install the requirements; returns what is missing or damaged though pip has reported success.

        Raises:
            PipDamaged: pip can't be run.
            SetupFailed: pip has failed.
        """
        self._progress.begin("Looking up packages")
        variables = pip_settings.environment(self._environment.python)

        def pip(*arguments: str) -> children.Finished:
            return self._run(variables, self._environment.python, "pip", "install", *arguments)

        needed = [one for group, found in groups.items() if group != requirements.FAST for one in found]
        from_wheels = ("--find-links", str(self._wheels)) if self._wheels.is_dir() else ()
        # Asking an index that can't be reached takes long for each package: where wheels may do, they are tried alone.
        if not from_wheels or pip("--no-index", *from_wheels, *needed).code != 0:
            self._check(pip(*from_wheels, *needed))
        if extras := groups.get(requirements.FAST):
            self._progress.begin("Looking for what makes Twocans faster here", counts=False)
            offline = ("--no-index", *from_wheels) if from_wheels else ()
            pip("--only-binary", ":all:", *offline, *extras)  # no matter how it ends: all works without
        self._progress.begin("Checking the packages")
        return self._environment.problems(needed)

    def _run(self, variables: dict[str, str], python: Path, *arguments: str) -> children.Finished:
        return children.run_module(
            python,
            arguments,
            log=self._environment.log,
            held=[self._held],
            environment=variables,
            on_line=self._progress.feed,
        )

    def _check(self, done: children.Finished) -> None:
        if done.code != 0:
            raise SetupFailed(remedies.pip_failed(done.tail, self._environment.root, self._environment.log))

    def _add_source(self, packages: Path) -> None:
        # Relative, so that the folder can be moved, and no matter what letters its name has.
        source = os.path.relpath(self._environment.root / "src", packages)
        (packages / "twocans.pth").write_text(source + "\n", encoding="ascii")


def _stamped_at(environment: Environment) -> int:
    """When the last set-up was finished, in nanoseconds; 0 if none was."""
    try:
        return environment.stamp_file.stat().st_mtime_ns
    except OSError:
        return 0


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
