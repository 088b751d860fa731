"""The load generator `chatload`: building it, and running one load against one server."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec

from bench.plan import Load
from bench.processes import BenchFailed, pinned
from bench.servers import Serving
from bench.subjects import Subject

_SOURCE: Final = Path(__file__).parent / "chatload" / "chatload.c"
_WARMUP_S: Final = 0.5
_SETTLE_S: Final = 0.3
_CONNECT_S: Final = 30.0
_SPARE_S: Final = 60.0
"""How much longer than planned a run may take before it is given up."""


class Outcome(msgspec.Struct, frozen=True):
    """What a run of the load generator told; `failed` says what went wrong, if something did."""

    figures: dict[str, float]
    failed: str = ""


def build(folder: Path) -> Path:
    """Compile the load generator into a folder.

    Raises:
        BenchFailed: there is no compiler, or it fails.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise BenchFailed(
            "The load generator has to be compiled, and there is no C compiler: apt-get install gcc libc6-dev"
        )
    program = folder / "chatload"
    built = subprocess.run(
        [compiler, "-O2", "-Wall", "-Wextra", "-o", str(program), str(_SOURCE)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise BenchFailed(f"The load generator could not be compiled:\n{built.stderr}")
    return program


def arguments(load: Load, subject: Subject, server: Serving, *, seconds: float) -> list[str]:
    """The command line of the load generator, with what each server needs to be treated fairly."""
    quiet = load.workload in ("idle", "churn")
    made = {
        "port": server.port,
        "server-pid": server.pid,
        "protocol": subject.protocol,
        "workload": load.workload,
        "clients": load.clients,
        "payload": load.payload_bytes,
        "seconds": seconds,
        "warmup": 0 if load.workload == "idle" else _WARMUP_S * load.longer,
        "settle": _SETTLE_S,
        "connect-timeout": _CONNECT_S,
    }
    if load.window:
        made["window"] = load.window
    if load.rate_per_s:
        made["rate"] = load.rate_per_s
    if load.at_once:
        made["concurrency"] = load.at_once
    if subject.peer is not None:
        made["connect-batch"] = (
            subject.peer.idle_batch if load.workload == "idle" else subject.peer.connect_batch
        )
    if subject.protocol == "plain" and quiet:
        made["ready"] = "list"
    line = ["--json"]
    for name, value in made.items():
        line += [f"--{name}", str(value)]
    if subject.ack and not quiet:
        line.append("--ack")
    return line


def run(
    program: Path, load: Load, subject: Subject, server: Serving, *, core: int, seconds: float
) -> Outcome:
    """Load a server on its loopback port from one core, and tell what came of it."""
    command = [str(program), *arguments(load, subject, server, seconds=seconds)]
    longest_s = seconds + _WARMUP_S + _CONNECT_S + _SPARE_S
    try:
        with pinned(core):
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=longest_s,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return Outcome({}, f"The load generator did not end within {longest_s:.0f} s.")
    if not done.stdout.startswith("{"):
        return Outcome({}, done.stderr.strip() or f"The load generator ended with code {done.returncode}.")
    return outcome(done.stdout, acknowledged=subject.ack)


def outcome(text: str, *, acknowledged: bool) -> Outcome:
    """Read what the load generator printed. `per_s` is what was delivered and, where asked for, acknowledged too."""
    told = json.loads(text)
    figures = {key: float(value) for key, value in told.items() if isinstance(value, int | float)}
    if "delivered_per_s" in figures:
        figures["per_s"] = figures["delivered_per_s"]
        if acknowledged and "acked_per_s" in figures:
            figures["per_s"] = min(figures["per_s"], figures["acked_per_s"])
    wrong = [
        f"{figures[name]:.0f} {name.replace('_', ' ')}"
        for name in ("errors", "out_of_order", "disconnects")
        if figures.get(name)
    ]
    if "first_error" in told:
        wrong.append(f"the first: {told['first_error']}")
    return Outcome(figures, ", ".join(wrong))
