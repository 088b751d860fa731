"""`run_tests.py`: everything that has to hold, from the style of the code to the behaviour of the windows.

Steps that read the code and the tests of the window, which mostly wait, run beside the tests that use all cores.
"""

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bootstrap import audit, machine, requirements, setup
from bootstrap.environment import Environment
from bootstrap.pip_settings import without_python_settings
from bootstrap.remedies import SetupFailed, file_failed
from bootstrap.start import ROOT

#: No step takes nearly as long; one that does hangs.
max_step_s = 1800

_NO_TESTS_RAN = 5  # pytest's exit code for it


class Counts(NamedTuple):
    """What became of the tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


class Step(NamedTuple):
    """One command; `report` is the file that pytest writes its counts to, if it is pytest.

    One that `needs_network` may end with `audit.NOT_RUN` and say in the last line of its output why.
    """

    name: str
    command: Sequence[str]
    report: Path | None = None
    needs_network: bool = False


class Result(NamedTuple):
    """How a step ended; `not_run` says why it could not be run here, which is neither good nor bad."""

    name: str
    code: int
    seconds: float
    counts: Counts | None
    not_run: str = ""


def main(arguments: Sequence[str]) -> int:
    """Run every check, or only the tests that `arguments` select; returns the exit code."""
    environment = Environment(ROOT)
    try:
        environment.folder.mkdir(exist_ok=True)
    except OSError as error:
        print(file_failed(error, ROOT))
        return 1
    try:
        machine.prepare(environment.folder / "system.log")
    except SetupFailed as failure:
        if not arguments:
            print(failure)
            return 1
        # Whoever selects tests may have selected some that need none of it.
        print(f"{failure}\nGoing on without.", file=sys.stderr)
    try:
        setup.prepare(environment, (requirements.RUN, requirements.FAST, requirements.DEV))
    except SetupFailed as failure:
        print(failure)
        return 1
    with tempfile.TemporaryDirectory() as reports:
        if arguments:
            results = [_run(_pytest(environment, "Tests", Path(reports), *arguments), captured=False)]
        else:
            results = _run_lanes(_lanes(environment, Path(reports)))
    return _summarize(results)


def _lanes(environment: Environment, reports: Path) -> list[list[Step]]:
    ruff = str(environment.command("ruff"))
    python = str(environment.python)
    importlinter = "from importlinter.cli import lint_imports_command as run; run()"
    everywhere = [
        *("tests/unit", "tests/contract", "tests/fuzz", "tests/hostile", "tests/misbehaving"),
        "tests/integration",
    ]
    programs = [
        "src",
        "bootstrap",
        "server.py",
        "client_gui.py",
        "run_tests.py",
        "tools",
        "examples",
        "bench",
    ]
    return [
        [_pytest(environment, "Tests", reports, *everywhere, "-n", "logical", "--dist", "load")],
        [
            Step("Format", [ruff, "format", "--check", "."]),
            Step("Lint", [ruff, "check", "."]),
            Step("Types", [python, "-m", "mypy"]),
            # Its own command holds the path of this folder, and would not survive a move.
            Step("Layers", [python, "-c", importlinter]),
            Step("Security", [python, "-m", "bandit", "--quiet", "-c", "pyproject.toml", "-r", *programs]),
            Step("Packages", [python, "-m", "bootstrap.audit"], needs_network=True),
            # They mostly wait: for windows, servers and other clients.
            _pytest(environment, "Window tests", reports, "tests/gui", "-n", "3", "--dist", "load"),
        ],
    ]


def _pytest(environment: Environment, name: str, reports: Path, *arguments: str) -> Step:
    report = reports / f"{name}.xml"
    return Step(name, [str(environment.python), "-m", "pytest", f"--junit-xml={report}", *arguments], report)


def _run_lanes(lanes: Sequence[Sequence[Step]]) -> list[Result]:
    """Run the lanes beside one another and the steps of each in turn; a step that fails stops none."""
    results: list[Result] = []

    def run(lane: Sequence[Step]) -> None:
        results.extend(_run(step, captured=True) for step in lane)

    threads = [threading.Thread(target=run, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    order = [step.name for lane in reversed(lanes) for step in lane]
    return sorted(results, key=lambda result: order.index(result.name))


def _run(step: Step, *, captured: bool) -> Result:
    """Run one step; its output is shown as it comes, or `captured` and shown whole at the end."""
    began = time.monotonic()
    output = "" if captured else None
    try:
        done = subprocess.run(
            step.command,
            check=False,
            cwd=ROOT,
            env=without_python_settings() | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if captured else None,
            stderr=subprocess.STDOUT if captured else None,
            encoding="utf-8",
            errors="replace",
            timeout=max_step_s,
        )
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as hung:
        code = 1
        said = hung.stdout.decode(errors="replace") if hung.stdout else ""
        output = f"{said}\nStopped after {max_step_s} s.\n"
    counts = None if step.report is None else _counts(step.report, code)
    not_run = ""
    if step.needs_network and code == audit.NOT_RUN:
        code, not_run = 0, (output or "").strip().rpartition("\n")[2]
    result = Result(step.name, code, time.monotonic() - began, counts, not_run)
    # One call, so that the steps of another lane can't come between.
    print(f"\n=== {step.name}\n{output or ''}{_line(result)}", flush=True)
    return result


def _counts(report: Path, code: int) -> Counts:
    """Read what pytest counted; a run that ended badly without a failed test counts as one."""
    found = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    try:
        suite = re.search(r"<testsuite\b[^>]*>", report.read_text(encoding="utf-8"))
    except OSError:
        suite = None
    for name, number in re.findall(r'(\w+)="(\d+)"', suite[0] if suite else ""):
        if name in found:
            found[name] = int(number)
    failed = found["failures"] + found["errors"]
    passed = max(0, found["tests"] - failed - found["skipped"])
    if code != 0 and failed == 0:
        failed = 1
    return Counts(passed, failed, found["skipped"])


def _line(result: Result) -> str:
    if result.not_run:
        return f"{result.name:<14}not run: {result.not_run}"
    verdict = "ok" if result.code == 0 else "ran no test" if result.code == _NO_TESTS_RAN else "FAILED"
    counted = "" if result.counts is None else f"  {result.counts}"
    return f"{result.name:<14}{verdict:<12}{result.seconds:6.1f} s{counted}"


def _summarize(results: Sequence[Result]) -> int:
    print("\n=== Summary")
    for result in results:
        print(_line(result))
    counted = [result.counts for result in results if result.counts is not None]
    print(Counts(*(sum(column) for column in zip(*counted, strict=True))), flush=True)
    return 0 if all(result.code == 0 for result in results) else 1
