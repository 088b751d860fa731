"""`python -m bench`: measures the server beside the peers that are installed, and writes tables and plots."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import records, report, runner
from bench.plan import PLAN
from bench.processes import ROOT, BenchFailed
from bench.subjects import SUBJECTS

RESULTS: Final = ROOT / "bench" / "results"
DOCUMENT: Final = ROOT / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command; returns the exit code."""
    options = parser().parse_args(arguments)
    if options.list:
        for entry in PLAN.values():
            print(f"{entry.name:10} {entry.title}: {', '.join(entry.subjects) or 'ours'}")
        return 0
    try:
        results = records.load(options.out)
        if not options.render:
            results = runner.measure(
                results,
                only=options.only or list(PLAN),
                servers=options.servers or list(SUBJECTS),
                seconds=options.seconds,
                turns=options.repeat,
                python=options.python,
                out=options.out,
            )
        report.write(results, options.out, DOCUMENT if options.out.resolve() == RESULTS else None)
    except BenchFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The measurements that were complete are in the results.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """What understands the command line."""
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"{__doc__} Takes about {runner.ABOUT_MIN} minutes; keep the machine free of other work meanwhile.",
    )
    made.add_argument(
        "--only",
        nargs="+",
        choices=PLAN,
        metavar="NAME",
        help="measure these, not all, and keep the results of the others",
    )
    made.add_argument("--list", action="store_true", help="name the measurements and their servers, and end")
    made.add_argument(
        "--servers",
        nargs="+",
        choices=SUBJECTS,
        metavar="NAME",
        help=f"of {', '.join(SUBJECTS)}: load these, not all",
    )
    made.add_argument(
        "--seconds",
        type=_positive,
        default=2.0,
        metavar="S",
        help="how long each run is measured (default: %(default)g)",
    )
    made.add_argument(
        "--repeat",
        type=_count,
        default=3,
        metavar="N",
        help="how often each run is made (default: %(default)d)",
    )
    made.add_argument(
        "--out",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help="where results, tables and plots go (default: bench/results, and from there into docs/performance.md)",
    )
    made.add_argument(
        "--python",
        type=_program,
        default=Path(sys.executable),
        metavar="PATH",
        help="the interpreter for the server, with its packages (default: that of .venv)",
    )
    made.add_argument(
        "--render", action="store_true", help="measure nothing: make tables and plots anew from the results"
    )
    return made


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 600:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0 and up to 600")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 100")
    return int(text)


def _program(text: str) -> Path:
    # Not resolved: behind the link is an interpreter that does not know the packages.
    path = Path(text).absolute()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a program")
    return path


if __name__ == "__main__":
    sys.exit(main())
