"""A terminal or pipe that takes nothing holds up neither the chat, nor the log file, nor the end of the server."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.frames import chat
from tests.support.deadline import DEADLINE_S
from tests.support.process import START_S, command, environment, parse_event
from tests.support.raw import Frame, JsonPeer, PlainPeer, eventually
from tests.support.terminal import Terminal
from tests.support.tls import client_context

LOCAL_FLAGS = 3
PEOPLE = 40


@pytest.fixture(params=["async", "thread"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    return [
        *("--host", "127.0.0.1", "--port", "0", "--data", str(tmp_path), "--no-announce"),
        *("--concurrency", request.param, "--rate-limit", "0"),
    ]


@pytest.fixture(params=["clear", "tls"])
def tls(request: pytest.FixtureRequest) -> ssl.SSLContext | None:
    return client_context() if request.param == "tls" else None


@pytest.fixture
def terminal(options: list[str]) -> Iterator[Terminal]:
    with Terminal(command(*options), environment()) as terminal:
        terminal.expect(r"Type help[^>]*>", START_S)
        yield terminal


def logged(data: Path) -> list[Frame]:
    """What is in the log file, but for details of faults."""
    lines = (data / "server.log").read_text().splitlines()
    return [parse_event(line) for line in lines if line.startswith("{")]


def names(data: Path) -> list[str]:
    return [event.verb for event in logged(data)] if (data / "server.log").exists() else []


def port_of(data: Path) -> int:
    return next(event for event in logged(data) if event.verb == "server_started").number("port")


def crowd_comes_and_goes(port: int, tls: ssl.SSLContext | None) -> None:
    """Cause lines that are shown, while two people talk."""
    with JsonPeer(port, "alice", tls=tls) as alice, JsonPeer(port, "bob", tls=tls) as bob:
        for number in range(PEOPLE):
            PlainPeer(port, f"guest{number}", tls=tls).close()
            chat(alice, bob, messages=1)


def test_chat_goes_on_while_the_terminal_takes_nothing_and_all_is_shown_afterwards(
    terminal: Terminal, tmp_path: Path, tls: ssl.SSLContext | None
) -> None:
    with terminal.suspended():
        crowd_comes_and_goes(port_of(tmp_path), tls)
        # The file does not wait for the terminal.
        eventually(lambda: names(tmp_path).count("user_left") == PEOPLE + 2)
        assert "guest1 joined" not in terminal.text
    terminal.expect(rf"guest{PEOPLE - 1} joined")
    terminal.enter("users")
    terminal.expect("Nobody is online")


def test_signal_ends_the_server_while_the_terminal_takes_nothing(
    terminal: Terminal, tmp_path: Path, tls: ssl.SSLContext | None
) -> None:
    with terminal.suspended() as device:
        with JsonPeer(port_of(tmp_path), "alice", tls=tls) as alice:
            eventually(lambda: "user_joined" in names(tmp_path))
            terminal.process.send_signal(signal.SIGTERM)
            assert [frame["reason"] for frame in alice.read_frames("BYE")] == ["server_stopping"]
        assert terminal.process.wait(DEADLINE_S) == 0
        # What is typed at the shell afterwards is seen.
        assert termios.tcgetattr(device)[LOCAL_FLAGS] & termios.ECHO
    assert names(tmp_path)[-1] == "server_stopped"
    assert "Traceback" not in terminal.text


def no_input() -> list[int]:
    return [os.open(os.devnull, os.O_RDONLY)]


def terminal_input() -> list[int]:
    """A terminal at which somebody sits, whose output goes elsewhere: `server.py | tee log`."""
    master, slave = os.openpty()
    return [slave, master]


@pytest.mark.parametrize("standard_input", [no_input, terminal_input])
def test_chat_and_the_end_do_not_wait_for_a_pipe_that_nobody_reads(
    options: list[str], tmp_path: Path, tls: ssl.SSLContext | None, standard_input: Callable[[], list[int]]
) -> None:
    with ExitStack() as ends:
        reading, writing = os.pipe()
        ends.callback(os.close, reading)
        ends.callback(os.close, writing)
        fill(writing)
        stdin, *others = standard_input()
        for descriptor in (stdin, *others):
            ends.callback(os.close, descriptor)
        server = subprocess.Popen(
            command(*options),
            env=environment() | {"TERM": "xterm"},
            stdin=stdin,
            stdout=writing,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            eventually(lambda: "server_started" in names(tmp_path))
            crowd_comes_and_goes(port_of(tmp_path), tls)
            eventually(lambda: names(tmp_path).count("user_left") == PEOPLE + 2)
            server.send_signal(signal.SIGTERM)
            assert server.wait(DEADLINE_S) == 0
        finally:
            server.kill()
            server.wait()
    assert names(tmp_path)[-1] == "server_stopped"


def fill(pipe: int) -> None:
    """Write into a pipe until it takes no more; whoever writes to it next waits."""
    os.set_blocking(pipe, False)
    try:
        while True:
            os.write(pipe, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(pipe, True)
