"""Carries out the plan: each load against each server in turn, several times round, with a fresh server every time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import encryption, files, load, lookback, machine, opened, records, startup
from bench.figures import generator_limited
from bench.plan import PLAN, Case, Measurement
from bench.processes import BenchFailed, Cores, raise_descriptor_limit
from bench.records import Measured, Results, Run, Setting
from bench.servers import missing, serving
from bench.subjects import SUBJECTS, Subject

ABOUT_MIN: Final = 30
"""How long all of it takes on a machine with two cores, in minutes."""

_SPARE_FILES: Final = 64
_SHORT_FIGURES: Final = 3


def measure(
    results: Results,
    *,
    only: Sequence[str],
    servers: Sequence[str],
    seconds: float,
    turns: int,
    python: Path,
    out: Path,
) -> Results:
    """Measure, and save after each measurement; returns the results with these in them.

    Args:
        results: those to put these into.
        only: the names of the measurements.
        servers: the names of the servers that are loaded; those not installed are named and left out.
        seconds: how long each run is measured.
        turns: how often each run is made.
        python: the interpreter for our server.
        out: the folder of the results.

    Raises:
        BenchFailed: nothing can be measured here.
    """
    with tempfile.TemporaryDirectory(prefix="twocans-bench-") as folder:
        program = load.build(Path(folder))
        cores = Cores()
        files = raise_descriptor_limit()
        chosen = [SUBJECTS[name] for name in SUBJECTS if name in servers]
        reasons = {subject.name: missing(subject) for subject in chosen}
        for reason in filter(None, reasons.values()):
            print(reason, flush=True)
        there = {subject.name: subject for subject in chosen if not reasons[subject.name]}
        bench = _Bench(program, cores, files, python, seconds, turns, there)
        versions = machine.versions(python, list(there.values()))
        for name in PLAN:
            if name not in only:
                continue
            entry = PLAN[name]
            left_out = [reasons[subject] for subject in entry.subjects if reasons.get(subject)]
            setting = Setting(
                date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
                machine=machine.describe(),
                versions={key: version for key, version in versions.items() if _takes_part(key, entry)},
                seconds=seconds,
                turns=turns,
                left_out=left_out,
            )
            try:
                runs = bench.runs(entry)
            except BenchFailed as failure:
                print(f"{name} is left out: {failure}", flush=True)
                continue
            if not runs:
                continue
            results = Results(
                measurements=results.measurements | {name: Measured(setting=setting, runs=runs)}
            )
            records.save(out, results)
    return results


def _takes_part(version_of: str, entry: Measurement) -> bool:
    """Whether a version says something about a measurement: those of peers only where they were loaded."""
    peers = {subject.label: name for name, subject in SUBJECTS.items() if subject.peer is not None}
    return version_of not in peers or peers[version_of] in entry.subjects


class _Bench:
    """What is the same for all measurements."""

    def __init__(
        self,
        program: Path,
        cores: Cores,
        files: int,
        python: Path,
        seconds: float,
        turns: int,
        subjects: dict[str, Subject],
    ) -> None:
        self._program = program
        self._cores = cores
        self._files = files
        self._python = python
        self._seconds = seconds
        self._turns = turns
        self._subjects = subjects

    def runs(self, entry: Measurement) -> list[Run]:
        """All runs of a measurement.

        Raises:
            BenchFailed: it cannot be made here.
        """
        tell = _teller(entry.name)
        match entry.name:
            case "lookback":
                return lookback.measure(self._python, self._cores, self._turns, tell)
            case "encryption":
                return encryption.measure(self._python, self._cores, self._turns, tell)
            case "files":
                return files.measure(self._python, self._cores, self._turns, tell)
            case "startup":
                return startup.measure(self._python, self._turns, tell)
            case "window":
                return opened.measure(self._python, self._turns, tell)
        runs = []
        for turn in range(1, self._turns + 1):
            for case in entry.cases:
                for name in entry.subjects:
                    if name not in self._subjects or name in case.without:
                        continue
                    run = self._run(case, self._subjects[name], turn)
                    runs.append(run)
                    tell(
                        f"turn {turn} of {self._turns} · {case.name} · {SUBJECTS[name].label}: {_short(run)}"
                    )
        return runs

    def _run(self, case: Case, subject: Subject, turn: int) -> Run:
        if case.load.clients + _SPARE_FILES > self._files:
            failed = f"needs {case.load.clients} open files, and {self._files} are allowed (ulimit -n)"
            return Run(case=case.name, subject=subject.name, turn=turn, figures={}, failed=failed)
        try:
            came = self._load(case, subject)
        except BenchFailed as failure:  # the others may do better
            came = load.Outcome({}, str(failure))
        return Run(case=case.name, subject=subject.name, turn=turn, figures=came.figures, failed=came.failed)

    def _load(self, case: Case, subject: Subject) -> load.Outcome:
        with tempfile.TemporaryDirectory(prefix="twocans-bench-") as folder:
            # A peer that gives up its rights (ngIRCd does, for root) has to read its configuration all the same.
            Path(folder).chmod(0o755)
            with serving(subject, python=self._python, folder=Path(folder), cores=self._cores) as server:
                return load.run(
                    self._program,
                    case.load,
                    subject,
                    server,
                    core=self._cores.generator,
                    seconds=self._seconds * case.load.longer,
                )


def _teller(name: str) -> Callable[[str], None]:
    def tell(line: str) -> None:
        print(f"{name} · {line}", flush=True)

    return tell


def _short(run: Run) -> str:
    """The figure that tells most, for whoever watches."""
    figures = run.figures
    parts: list[str] = []
    for figure, unit, scale, digits in (
        ("per_s", "messages/s", 1.0, 0),
        ("joins_per_s", "joins/s", 1.0, 0),
        ("server_cpu_us_per_unit", "µs", 1.0, 2),
        ("latency_us_p99", "ms p99", 1e-3, 2),
        ("server_bytes_per_connection", "KiB a connection", 1 / 1024, 1),
        ("connect_s", "s to register", 1.0, 1),
    ):
        if figure in figures and len(parts) < _SHORT_FIGURES:
            parts.append(f"{figures[figure] * scale:,.{digits}f} {unit}")
    if generator_limited([run]):
        parts.append("the load generator was the limit")
    if run.failed:
        parts.append(run.failed)
    return ", ".join(parts)
