"""A flood of joins and leaves is counted in the log, and takes nothing out of the security log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.raw import Peer, PlainPeer
from twocans.server.operator.log_throttle import FOR_PEOPLE, FOR_STRANGERS

MORE = 30


def kept(file: Path) -> list[dict[str, object]]:
    """The events in a log file."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def named(events: list[dict[str, object]], name: str) -> list[dict[str, object]]:
    """The events with a name."""
    return [event for event in events if event["event"] == name]


@pytest.mark.parametrize("mode", ["async", "thread"])
def test_address_that_comes_and_goes_is_counted_and_told_whose_it_is(tmp_path: Path, mode: str) -> None:
    options = ("--concurrency", mode, "--connection-rate", "0", "--new-names-per-address", "0")
    with ServerProcess(*options, data=tmp_path) as server:
        with Peer(server.port) as refused:
            refused.send_line("Server")
            refused.read_line()
        for _ in range(FOR_PEOPLE.per_source + MORE):
            with PlainPeer(server.port, "guest") as guest:
                guest.finish_sending()
                guest.expect_closed()
        assert server.stop() == 0
    everything, security = kept(tmp_path / "server.log"), kept(tmp_path / "security.log")
    told = len(named(everything, "user_joined"))
    (count,) = (one for one in named(everything, "more_of_them") if one["what"] == "user_joined")
    assert FOR_PEOPLE.per_source <= told < FOR_PEOPLE.per_source + MORE
    assert (count["number"], count["source"]) == (FOR_PEOPLE.per_source + MORE - told, "127.0.0.1")
    assert [event["event"] for event in security if event["event"] != "runs_as_root"] == [
        "server_started",
        "name_refused",
        "server_stopping",
        "server_stopped",
    ]


def test_refused_logins_of_an_address_are_counted_in_the_security_log(tmp_path: Path) -> None:
    with ServerProcess(data=tmp_path) as server:
        for _ in range(FOR_STRANGERS.per_source + MORE):
            with Peer(server.port) as peer:
                peer.send_line("two words")
                peer.read_line()
        assert server.stop() == 0
    security = kept(tmp_path / "security.log")
    assert len(named(security, "name_refused")) == FOR_STRANGERS.per_source
    (count,) = named(security, "more_of_them")
    assert (count["what"], count["number"], count["source"]) == ("name_refused", MORE, "127.0.0.1")
    assert security[-1]["event"] == "server_stopped"
