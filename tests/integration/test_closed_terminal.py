"""A terminal that is closed, and SIGHUP, end the server in order; where SIGHUP is ignored, it keeps running without a prompt."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import START_S, ServerProcess, command, environment, parse_event
from tests.support.raw import Frame, JsonPeer, PlainPeer, eventually
from tests.support.terminal import CONTROLLED, Terminal

NOHUP: Final = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])",
)
BACKGROUND: Final = (
    sys.executable,
    "-c",
    """
import os, signal, sys
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.execvp(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
)
"""Puts a command into the background of its terminal, where reading fails with EIO and writing does not."""


@pytest.fixture(params=["async", "thread"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both ways of serving connections."""
    return str(request.param)


class AtTerminal(Terminal):
    """A server on a terminal that is its controlling one.

    Args:
        data: its folder.
        mode: how it serves.
        prefix: put before its command.
    """

    def __init__(self, data: Path, mode: str, *, prefix: Sequence[str] = ()) -> None:
        options = ["--host", "127.0.0.1", "--port", "0", "--data", str(data), "--no-announce"]
        start = command(*options, "--concurrency", mode)
        super().__init__([*CONTROLLED, *prefix, *start], environment())
        self._log = data / "server.log"
        self.expect("Type help for what you can do here", START_S)

    def events(self, name: str) -> list[Frame]:
        """The events of this name in the log file."""
        lines = self._log.read_text().splitlines()
        # A fault has lines of details.
        events = [parse_event(line) for line in lines if line.startswith("{")]
        return [event for event in events if event.verb == name]

    @property
    def port(self) -> int:
        """Where it listens."""
        self.expect_event("server_started")
        return self.events("server_started")[0].number("port")

    def expect_event(self, name: str) -> None:
        """Wait for an event in the log file."""
        eventually(lambda: bool(self.events(name)))


def expect_goodbye(peer: JsonPeer) -> None:
    """Read up to the server's goodbye for everybody."""
    assert [frame["reason"] for frame in peer.read_frames("BYE")] == ["server_stopping"]


def test_hangup_signal_says_goodbye_and_ends_with_exit_code_0(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server, JsonPeer(server.port, "alice") as alice:
        server.process.send_signal(signal.SIGHUP)
        expect_goodbye(alice)
        assert server.wait() == 0
        assert server.event("server_stopping")["why"] == "its terminal was closed"
        assert server.events()[-1].verb == "server_stopped"
        assert server.errors.all() == []


def test_window_that_is_closed_says_goodbye_and_ends_with_exit_code_0(tmp_path: Path, mode: str) -> None:
    with AtTerminal(tmp_path, mode) as terminal, JsonPeer(terminal.port, "alice") as alice:
        terminal.expect("alice joined")
        terminal.close_window()
        expect_goodbye(alice)
        assert terminal.wait() == 0
        assert terminal.events("server_stopping")[0]["why"] == "its terminal was closed"
        assert terminal.events("server_stopped")
        assert terminal.events("internal_error") == []
        assert not (tmp_path / "server.json").exists()


def test_hangup_signals_that_follow_do_not_cut_the_end_short(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server:
        for _ in range(20):
            server.process.send_signal(signal.SIGHUP)
        server.event("server_stopping")
        server.process.send_signal(signal.SIGHUP)
        assert server.wait() == 0
        assert server.events()[-1].verb == "server_stopped"


def test_server_under_nohup_ignores_the_hangup_signal(mode: str) -> None:
    with ServerProcess("--concurrency", mode, start=[*NOHUP, *command()]) as server:
        server.process.send_signal(signal.SIGHUP)
        with PlainPeer(server.port, "alice"):
            server.event("user_joined", user="alice")
        assert server.stop() == 0
        assert server.event("server_stopping")["why"] == "the system asked for it"


def test_server_under_nohup_goes_on_without_a_prompt_when_its_window_is_closed(
    tmp_path: Path, mode: str
) -> None:
    with AtTerminal(tmp_path, mode, prefix=NOHUP) as terminal, JsonPeer(terminal.port, "alice") as alice:
        terminal.expect("alice joined")
        terminal.close_window()
        terminal.expect_event("terminal_gone")
        with PlainPeer(terminal.port, "bob") as bob:
            bob.say("alice", "still there?")
            assert alice.expect("MSG")["text"] == "still there?"
        terminal.process.send_signal(signal.SIGTERM)
        expect_goodbye(alice)
        assert terminal.wait() == 0
        assert terminal.events("internal_error") == []


def test_terminal_that_cannot_be_read_ends_the_prompt_and_not_the_server(tmp_path: Path, mode: str) -> None:
    with AtTerminal(tmp_path, mode, prefix=BACKGROUND) as terminal, JsonPeer(terminal.port, "alice") as alice:
        terminal.type("users\r")
        terminal.expect_event("terminal_gone")
        terminal.process.send_signal(signal.SIGTERM)
        expect_goodbye(alice)
        assert terminal.wait() == 0
        assert terminal.events("internal_error") == []
