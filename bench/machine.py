"""On what machine, and with what versions, something was measured."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.processes import ROOT, BenchFailed, environment
from bench.servers import program_of
from bench.subjects import Subject

_PROBE: Final = """
import importlib.metadata, json, platform, sqlite3, sysconfig

def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"

optimized = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
print(json.dumps({
    "Python": "%s %s, built %s --enable-optimizations, by %s" % (
        platform.python_implementation(), platform.python_version(),
        "with" if optimized else "without", platform.python_compiler()),
    "SQLite": sqlite3.sqlite_version,
    "uvloop": version("uvloop"),
    "msgspec": version("msgspec"),
}))
"""


def describe() -> dict[str, str]:
    """The processor, how many cores this process may use, and the kernel."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions(python: Path, subjects: Sequence[Subject]) -> dict[str, str]:
    """What takes part, by name: ours, what ours stands on, the peers.

    Raises:
        BenchFailed: the interpreter cannot be run.
    """
    told = _said([str(python), "-c", _PROBE])
    if not told.startswith("{"):
        raise BenchFailed(f"{python} cannot run our server: {told or 'it said nothing'}")
    found: dict[str, str] = {"Twocans": _commit()} | json.loads(told)
    for subject in subjects:
        program = None if subject.peer is None else program_of(subject.peer)
        if subject.peer is not None and program is not None:
            found[subject.label] = version_in(_said([program, *subject.peer.version]))
    return found


def version_in(text: str) -> str:
    """The first thing that looks like a version in what a program says of itself."""
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else "of unknown version"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    head = _said(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    changed = _said(["git", "-C", str(ROOT), "status", "--porcelain", "--", "src"])
    return f"{head}{', with changes' if changed else ''}"


def _said(command: Sequence[str]) -> str:
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), check=False
        ).stdout.strip()
    except OSError:
        return ""
