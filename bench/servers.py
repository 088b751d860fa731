"""Starting the servers that are measured: ours by its command line, the peers with configurations from `peers/`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench.processes import BenchFailed, Cores, answers, free_port, running, wait_until
from bench.subjects import Peer, Subject

_CONFIGURATIONS: Final = Path(__file__).parent / "peers"
_SYSTEM_FOLDERS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")


_UNLIMITED: Final = (
    *("--rate-limit", "0", "--max-connections-per-address", "0", "--connection-rate", "0"),
    *("--new-names-per-address", "0"),
    *(
        "--stored-messages-per-sender",
        "0",
        "--stored-bytes-per-sender",
        "0",
        "--stored-bytes-per-address",
        "0",
    ),
)
"""All clients come from one address here, and send as much as they can."""


class Serving(msgspec.Struct, frozen=True):
    """A server that listens on the loopback address."""

    port: int
    pid: int


def program_of(peer: Peer) -> str | None:
    """Where a peer's program is; None if it is not installed."""
    named = os.environ.get(peer.variable)
    path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    return shutil.which(named or peer.program, path=path)


def missing(subject: Subject) -> str:
    """Why a server is left out, and what to do; empty if it is there."""
    peer = subject.peer
    if peer is None or program_of(peer) is not None:
        return ""
    return (
        f"{subject.label} is not installed, and left out: {peer.install}"
        f" (or name the program in {peer.variable})"
    )


@contextmanager
def serving(subject: Subject, *, python: Path, folder: Path, cores: Cores) -> Iterator[Serving]:
    """A fresh server, alone on its core, ended afterwards.

    Args:
        subject: which one.
        python: the interpreter that runs ours.
        folder: an empty folder for all that it writes.
        cores: which cores there are.

    Raises:
        BenchFailed: it does not start.
    """
    if subject.peer is None:
        with _ours(subject.options, python=python, folder=folder, core=cores.server) as ours:
            yield ours
    else:
        with _theirs(subject.name, subject.peer, folder=folder, core=cores.server) as theirs:
            yield theirs


@contextmanager
def _ours(options: tuple[str, ...], *, python: Path, folder: Path, core: int) -> Iterator[Serving]:
    log = folder / "output"
    command = [
        *(
            str(python),
            "-m",
            "twocans.server",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-announce",
            *_UNLIMITED,
        ),
        *("--data", str(folder / "data"), "--log-format", "json", *options),
    ]
    with running(command, core=core, log=log) as process:
        wait_until(lambda: started_port(log) is not None, process, log)
        yield Serving(started_port(log) or 0, process.pid)


def started_port(log: Path) -> int | None:
    """The port that our server has logged; None as long as it has not."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        if "server_started" in line and line.endswith("\n"):
            return int(json.loads(line)["port"])
    return None


@contextmanager
def _theirs(name: str, peer: Peer, *, folder: Path, core: int) -> Iterator[Serving]:
    program = program_of(peer)
    if program is None:
        raise BenchFailed(f"{peer.program} is not installed: {peer.install}")
    port = free_port()
    template = next(_CONFIGURATIONS.glob(f"{name}.*")).read_text(encoding="utf-8")
    config = folder / f"{name}.conf"
    config.write_text(template.replace("@PORT@", str(port)), encoding="utf-8")
    arguments = [argument.format(config=config) for argument in peer.arguments]
    if os.geteuid() == 0:
        arguments += peer.as_root
    log = folder / "output"
    with running([program, *arguments], core=core, log=log) as process:
        wait_until(lambda: answers(port), process, log)
        yield Serving(port, process.pid)
