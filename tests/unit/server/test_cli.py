"""The server's command line: what it accepts, and the sentence for what it does not."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

import pytest

from twocans.server import cli
from twocans.server.operator.log import LogFormat
from twocans.server.settings import sources
from twocans.server.settings.arguments import parse
from twocans.server.settings.config import Concurrency, HistoryMode
from twocans.server.settings.model import Settings, fields, option
from twocans.server.settings.sources import read
from twocans.storage.sqlite import Durability


@pytest.fixture(autouse=True)
def nothing_set_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by variables nor by a file in the folder of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("TWOCANS_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(sources, "default_data_folder", lambda: tmp_path / "user")


def _options(*arguments: str) -> Settings:
    return read(vars(parse(arguments))).settings


def _complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(arguments) == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_defaults_are_those_of_the_brief() -> None:
    options = _options()
    assert (options.host, options.port) == ("0.0.0.0", 5050)  # noqa: S104
    assert options.concurrency is Concurrency.ASYNC
    assert options.history is HistoryMode.ON
    assert options.log_format is LogFormat.TEXT
    assert options.durability is Durability.PROCESS
    assert options.keep_days is None
    assert options.rate_limit == 50.0
    assert isinstance(options.data, Path)


def test_everything_can_be_chosen(tmp_path: Path) -> None:
    options = _options(
        *("--host", "localhost", "--port", "0", "--data", str(tmp_path), "--concurrency", "thread"),
        *("--rate-limit", "2.5", "--history", "off", "--log-format", "json"),
        *("--durability", "power", "--keep-days", "30"),
    )
    assert (options.host, options.port, options.data) == ("127.0.0.1", 0, tmp_path)
    assert options.concurrency is Concurrency.THREAD
    assert options.history is HistoryMode.OFF
    assert options.log_format is LogFormat.JSON
    assert options.durability is Durability.POWER
    assert options.keep_days == 30
    assert options.rate_limit == 2.5


@pytest.mark.parametrize("port", ["0", "1", "5050", "65535", "05050"])
def test_ports_that_exist(port: str) -> None:
    assert _options("--port", port).port == int(port)


@pytest.mark.parametrize("port", ["65536", "-1", "", "http", "50 50", "1e3", "٥٠٥٠", "5050.0", "9" * 5000])
def test_ports_that_do_not_exist_get_a_sentence(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    complaint = _complaint(capsys, f"--port={port}")
    assert "is not a port: a number from 1 to 65535" in complaint


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "127.0.0.1"])  # noqa: S104
def test_addresses_are_taken_as_they_are(host: str) -> None:
    assert _options("--host", host).host == host


@pytest.mark.parametrize(
    "host", ["192.168.1", "192.168.1.256", "::1", "example.org", "", "192.168.01.1", "1"]
)
def test_other_addresses_get_a_sentence(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not an IPv4 address such as 192.168.1.20" in _complaint(capsys, f"--host={host}")


@pytest.mark.parametrize(("rate", "meant"), [("0", 0.0), ("50", 50.0), ("0.5", 0.5), ("1e3", 1000.0)])
def test_rates(rate: str, meant: float) -> None:
    assert _options("--rate-limit", rate).rate_limit == meant


@pytest.mark.parametrize("rate", ["-1", "nan", "inf", "-inf", "fast", "", "1e999"])
def test_other_rates_get_a_sentence(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not a number of messages per second, 0 or more" in _complaint(capsys, f"--rate-limit={rate}")


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "", "week", "9" * 5000])
def test_other_numbers_of_days_get_a_sentence(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    complaint = _complaint(capsys, f"--keep-days={days}")
    assert "days" in complaint.replace("--keep-days", "").replace("_days", "")


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--concurrency", ["async", "thread"]),
        ("--history", ["on", "off"]),
        ("--log-format", ["text", "json"]),
        ("--durability", ["process", "power"]),
    ],
)
def test_other_choices_get_a_sentence_that_names_those_there_are(
    option: str, choices: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    complaint = _complaint(capsys, option, "bogus")
    for choice in choices:
        assert choice in complaint.replace(option, "")


def test_help_names_every_option_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    told = capsys.readouterr().out
    for name in fields():
        assert option(name) in told
    assert "5050" in told


@pytest.mark.parametrize("command", ["config", "export", "backup", "check"])
def test_help_of_a_command_says_in_a_sentence_what_it_does(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, "--help"]) == 0
    usage, sentence, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: server.py {command} ")
    assert re.fullmatch(r"[A-Z][^.]*\.", sentence)


def test_folder_that_is_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for words in ([], ["check"], ["backup", str(tmp_path / "copy.db")]):
        assert cli.main(["--port", "0", "--data", str(file), *words]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        (sentence,) = told.err.splitlines()
        assert "is a file" in sentence
        assert str(file) in sentence
    assert file.read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
@pytest.mark.parametrize("words", [[], ["check"], ["backup", "copy.db"]])
def test_database_that_is_a_pipe_is_not_waited_for(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "messages.db")
    assert cli.main(["--port", "0", "--data", str(tmp_path), *words]) == 1
    assert "messages.db cannot be used (not a file)" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
@pytest.mark.parametrize("name", ["server.log", "security.log"])
def test_log_file_that_is_a_pipe_does_not_hold_up_the_start(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / name)
    assert cli.main(["--port", "0", "--data", str(tmp_path)]) == 1
    assert f"{name} is a pipe. Remove it" in capsys.readouterr().err


def test_taken_port_is_one_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        arguments = ["--host", "127.0.0.1", "--port", str(port), "--data", str(tmp_path)]
        assert cli.main(arguments) == 1
    told = capsys.readouterr()
    assert told.out == ""
    (sentence,) = told.err.splitlines()
    assert sentence.startswith(f"The server could not start. Port {port} is taken: ")
    assert "--port" in sentence


def test_folder_that_cannot_be_one_is_a_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["--port", "0", "--data", str(tmp_path / "file" / "data")]) == 1
    told = capsys.readouterr()
    (sentence,) = told.err.splitlines()
    assert "cannot be written to" in sentence
    assert "--data" in sentence
