"""The server as a process that cannot start: one sentence, exit code 1, and never a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import START_S, ServerProcess, command, environment, parse_event, run
from tests.support.raw import PlainPeer


def assert_one_sentence(finished: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with exit code 1 and one line on standard error that holds these words."""
    assert finished.returncode == 1, finished
    assert len(finished.stderr.strip().splitlines()) == 1, finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    for word in words:
        assert word in finished.stderr


def test_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = run("--host", "127.0.0.1", "--port", port, data=tmp_path)
    assert_one_sentence(finished, port, "--port")


def test_failed_start_is_an_event_for_programs_and_in_the_log_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = ["--host", "127.0.0.1", "--port", port]
        finished = run(*words, "--log-format", "json", data=tmp_path)
        assert_one_sentence(finished, port)
        (event,) = [parse_event(line) for line in finished.stdout.splitlines()]
        assert (event.verb, event["why"]) == ("start_failed", "port_taken")
        assert f"Port {port} is taken" in event.text("text")
        assert parse_event((tmp_path / "server.log").read_text()) == event
        finished = run(*words, data=tmp_path)
    assert finished.stdout == ""
    assert "start_failed" in (tmp_path / "server.log").read_text().splitlines()[1]


@pytest.mark.parametrize(
    ("words", "exit_code", "why"),
    [
        (["--prot", "5"], 2, "command_line"),
        (["--port", "many"], 2, "settings"),
        (["--max-file", "2GB", "--max-storage", "1GB"], 2, "settings"),
        (["--data", "file"], 1, "other"),
    ],
)
@pytest.mark.parametrize("asked", ["option", "file"])
def test_mistake_is_an_event_for_programs_if_a_json_log_is_asked_for(
    tmp_path: Path, words: list[str], exit_code: int, why: str, asked: str
) -> None:
    (tmp_path / "file").touch()
    settings = tmp_path / "settings.toml"
    settings.write_text('log_format = "json"\n' if asked == "file" else "")
    words = ["--config", str(settings), *words, *(["--log-format=json"] if asked == "option" else [])]
    finished = subprocess.run(
        command(*words),
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert finished.returncode == exit_code
    events = [parse_event(line) for line in finished.stdout.splitlines()]
    if (asked, why) == ("file", "command_line"):
        # The file is not read for a command line that is not understood.
        assert events == []
        return
    assert [(event.verb, event["why"]) for event in events] == [("start_failed", why)]
    assert events[0].text("text").rstrip(".") in finished.stderr


def test_port_of_a_running_server_is_told_as_taken(tmp_path: Path) -> None:
    with ServerProcess() as server:
        finished = run("--host", "127.0.0.1", "--port", str(server.port), data=tmp_path)
        assert_one_sentence(finished, str(server.port))
        with PlainPeer(server.port, "alice") as alice:
            assert alice.users == ["alice"]


def test_address_of_another_machine_is_told_in_one_sentence(tmp_path: Path) -> None:
    assert_one_sentence(run("--host", "192.0.2.1", "--port", "0", data=tmp_path), "192.0.2.1")


def test_port_that_needs_root_is_told_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    finished = subprocess.run(
        unprivileged("--host", "127.0.0.1", "--port", "81", "--data", str(tmp_path / "data")),
        env=environment({"PYTHONDONTWRITEBYTECODE": "1"}),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert_one_sentence(finished, "81", "--port")


def unprivileged(*arguments: str) -> list[str]:
    """Starts the server where the system refuses it ports below 1024, or acts as if it did."""
    allowed_from = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if sys.platform == "linux" and allowed_from.exists() and int(allowed_from.read_text()) > 81:
        if os.geteuid() != 0:
            return command(*arguments)
        # The interpreter may stand where only root may look; giving up the capability is enough.
        return [
            "setpriv",
            "--bounding-set=-net_bind_service",
            "--inh-caps=-net_bind_service",
            *command(*arguments),
        ]
    refuse = """
import socket, sys
from twocans.server.cli import main
class Refused(socket.socket):
    def bind(self, address):
        raise PermissionError(13, "Permission denied")
socket.socket = Refused
sys.exit(main(sys.argv[1:]))
"""
    return [sys.executable, "-c", refuse, *arguments]


def test_a_server_on_localhost_does_not_claim_that_others_can_connect() -> None:
    with ServerProcess("--host", "localhost", json_log=False) as server:
        server.output.wait_for(lambda line: "Only this computer can connect" in line)
        assert server.stop() == 0
        assert not any("Others connect to" in line for line in server.output.all())


def test_folder_without_rights_is_told_in_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert_one_sentence(run("--host", "127.0.0.1", "--port", "0", data=blocked / "data"), "--data")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "70000"),
        ("--port", "-1"),
        ("--port", "chat"),
        ("--port", ""),
        ("--host", "no such host"),
        ("--host", "300.1.1.1"),
        ("--rate-limit", "-1"),
        ("--rate-limit", "nan"),
        ("--rate-limit", "many"),
        ("--concurrency", "fork"),
        ("--history", "maybe"),
        ("--log-format", "xml"),
        ("--nonsense", "1"),
    ],
)
def test_bad_option_is_told_by_name_without_a_traceback(tmp_path: Path, option: str, value: str) -> None:
    finished = run(f"{option}={value}", data=tmp_path)
    assert finished.returncode != 0
    assert option in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "_" not in finished.stderr.replace("--", "").split("error:")[-1]  # no name of a function


def test_help_names_every_option(tmp_path: Path) -> None:
    finished = run("--help", data=tmp_path)
    assert finished.returncode == 0
    for option in (
        "--host",
        "--port",
        "--data",
        "--concurrency",
        "--rate-limit",
        "--history",
        "--log-format",
    ):
        assert option in finished.stdout
    assert "5050" in finished.stdout
