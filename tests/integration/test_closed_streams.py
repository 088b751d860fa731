"""Programs whose standard streams are closed at the start work, tell what they have to elsewhere, and end in order."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.closed_streams import ALL, COMBINATIONS, NULL_STREAMS, closing, name
from tests.support.installation import Installation
from tests.support.process import START_S, ServerProcess, command, environment, parse_event
from tests.support.raw import Frame, JsonPeer, PlainPeer, eventually
from tests.support.tls import client_context

every_combination = pytest.mark.parametrize("closed", COMBINATIONS, ids=name)


def logged(data: Path) -> list[Frame]:
    """The events in the log file so far, whole lines only."""
    log = data / "server.log"
    text = log.read_text() if log.exists() else ""
    return [parse_event(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def await_port(data: Path) -> int:
    """Where the server listens, once it does."""
    eventually(lambda: any(event.verb == "server_started" for event in logged(data)))
    return next(event for event in logged(data) if event.verb == "server_started").number("port")


def chat(port: int) -> None:
    """Two people come, talk and leave."""
    with PlainPeer(port, "alice") as alice, JsonPeer(port, "bob", tls=client_context()) as bob:
        alice.say("bob", "hello")
        assert bob.expect("MSG")["text"] == "hello"


@every_combination
def test_server_works_and_stops_in_order(tmp_path: Path, closed: tuple[int, ...]) -> None:
    work_and_stop(tmp_path, closed, "async")


def test_server_with_threads_works_and_stops_in_order(tmp_path: Path) -> None:
    work_and_stop(tmp_path, ALL, "thread")


def work_and_stop(data: Path, closed: tuple[int, ...], mode: str) -> None:
    """Start a server, use it, stop it, and look at what it has told."""
    start = [*closing(closed), *command()]
    with ServerProcess("--concurrency", mode, data=data, start=start, json_log=False) as server:
        chat(await_port(data))
        assert server.stop() == 0
        events = logged(data)
        assert events[-1].verb == "server_stopped"
        assert "internal_error" not in [event.verb for event in events]
        assert server.errors.all() == []
        told = "\n".join(server.output.all())
        assert ("alice joined" in told) is (1 not in closed)


@every_combination
def test_server_in_the_background_writes_its_console_log(tmp_path: Path, closed: tuple[int, ...]) -> None:
    start = [*closing(closed), *command()]
    with ServerProcess("--background", data=tmp_path, start=start, json_log=False) as server:
        chat(await_port(tmp_path))
        assert server.stop() == 0
        assert (server.output.all() == ['{"state":"started"}']) is (1 not in closed)
        assert server.errors.all() == []
    shown = (tmp_path / "console.log").read_text()
    assert "alice joined" in shown
    assert shown.endswith("The server has stopped.\n")


@pytest.mark.parametrize("closed", [(1,), (2,), ALL], ids=name)
def test_server_that_cannot_start_ends_with_exit_code_1(tmp_path: Path, closed: tuple[int, ...]) -> None:
    (tmp_path / "messages.db").mkdir()
    start = [*closing(closed), *command()]
    with ServerProcess("--background", data=tmp_path, start=start, json_log=False) as server:
        assert server.wait() == 1
        assert len(server.errors.all()) == (2 not in closed)


PROGRAM = (
    NULL_STREAMS
    + """
import json, sys
with open(sys.argv[1], "w") as file:
    json.dump(on_null_device(), file)
"""
)


def install_program(installation: Installation) -> None:
    """Let the programs tell which of their standard streams are the null device."""
    for package in ("server", "gui"):
        (installation.root / "src" / "twocans" / package / "__main__.py").write_text(
            PROGRAM, encoding="utf-8"
        )


@every_combination
def test_program_gets_the_null_device_for_what_was_closed(
    ready: Installation, tmp_path: Path, closed: tuple[int, ...]
) -> None:
    install_program(ready)
    for program in ("server.py", "client_gui.py"):
        done = ready.run(program, str(tmp_path / program), prefix=closing(closed))
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / program).read_text()) == list(closed)


def test_first_start_sets_up_with_all_streams_closed(fresh: Installation, tmp_path: Path) -> None:
    install_program(fresh)
    done = fresh.run("server.py", str(tmp_path / "told"), prefix=closing(ALL))
    assert done.returncode == 0
    assert json.loads((tmp_path / "told").read_text()) == [0, 1, 2]
    assert fresh.log


@pytest.mark.parametrize("closed", [(1,), ALL], ids=name)
def test_command_that_shows_its_result_ends_with_exit_code_0(tmp_path: Path, closed: tuple[int, ...]) -> None:
    with ServerProcess(data=tmp_path) as server:
        assert server.stop() == 0
    check = [*closing(closed), *command("check", "--data", str(tmp_path))]
    assert subprocess.run(check, check=False, env=environment(), timeout=START_S).returncode == 0
