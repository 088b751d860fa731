"""The server as a real process whose settings come from a file, the environment and options."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.process import START_S, ServerProcess, command, environment
from tests.support.raw import JsonPeer

CODE = "geheim-99"
NO_CODE = (
    "what was given, which is not shown here, is not a code of 4 to 64 printable characters without spaces"
)


def _run(*words: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def test_config_shows_what_is_in_force_and_from_where(tmp_path: Path) -> None:
    file = tmp_path / "twocans.toml"
    file.write_text(f'port = 0\nmax_accounts = 77\ninvite = "{CODE}"\n')
    variables = {"TWOCANS_DATA": str(tmp_path), "TWOCANS_MAX_ACCOUNTS": "88", "TWOCANS_PROT": "1"}
    finished = _run("--keep-days", "30", "config", variables=variables)
    assert finished.returncode == 0, finished
    rows = [line.split() for line in finished.stdout.splitlines()]
    assert ["port", "0", str(file)] in rows
    assert ["max_accounts", "88", "people", "TWOCANS_MAX_ACCOUNTS"] in rows
    assert ["keep_days", "30", "days", "--keep-days"] in rows
    assert ["data", str(tmp_path), "TWOCANS_DATA"] in rows
    assert ["invite", "(set)", str(file)] in rows
    assert ["host", "0.0.0.0", "default"] in rows  # noqa: S104 - the default
    assert rows[-1][-1] == f"{file}."
    assert finished.stderr.splitlines() == ["TWOCANS_PROT is not a known setting. Did you mean TWOCANS_PORT?"]
    assert CODE not in finished.stdout + finished.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["twocans.toml"]


def test_config_takes_the_folder_and_the_file_before_and_after_it(tmp_path: Path) -> None:
    file = tmp_path / "named.toml"
    file.write_text("port = 0\n")
    places = ["--data", str(tmp_path), "--config", str(file)]
    before, after = _run(*places, "config", variables={}), _run("config", *places, variables={})
    assert before.returncode == 0, before
    assert before.stdout == after.stdout
    assert ["port", "0", str(file)] in [line.split() for line in before.stdout.splitlines()]


def test_server_keeps_to_the_limits_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "named.toml"
    file.write_text(
        "max_line_bytes = 5000\nmax_text_bytes = 700\nrate_limit = 7\nburst_s = 3\nmax_file = '1.5 MB'\n"
    )
    with (
        ServerProcess("--config", str(file), "--rate-limit", "9") as server,
        JsonPeer(server.port, "alice") as alice,
    ):
        assert alice.welcome.fields["limits"] == {
            "line_bytes": 5000,
            "text_bytes": 700,
            "rate": 9.0,
            "burst": 27,
            "file_bytes": 1_500_000,
        }


def test_wrong_settings_are_sentences_and_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "twocans.toml"
    file.write_text("max_line_bytes = 12\nmax_conections = 1\n")
    variables = {"TWOCANS_DATA": str(tmp_path), "TWOCANS_TLS": "never", "TWOCANS_INVITE": f"{CODE} {CODE}"}
    for words in (["--port", "0"], ["config"]):
        finished = _run(*words, variables=variables)
        assert finished.returncode == 2
        assert finished.stdout == ""
        assert finished.stderr.splitlines() == [
            f"{file}: max_line_bytes is 12, but has to be a number from 1024 to 16777216.",
            f"{file}: max_conections is not a setting. Did you mean max_connections?",
            f"TWOCANS_INVITE: {NO_CODE}.",
            "TWOCANS_TLS: never is not one of offered, required.",
        ]


def test_broken_file_is_a_sentence_with_the_line_and_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "twocans.toml"
    file.write_text("port = 1\nhost = here\n")
    finished = _run("--data", str(tmp_path), variables={})
    assert finished.returncode == 2
    (sentence,) = finished.stderr.splitlines()
    assert sentence.startswith(str(file))
    assert "at line 2" in sentence


def test_commands_and_the_client_do_not_load_what_checks_settings(tmp_path: Path) -> None:
    program = """
import sys
from twocans.server.cli import main
main(["check", "--data", sys.argv[1]])
import twocans.client.client
assert not [name for name in sys.modules if name.startswith("pydantic")]
"""
    python = command()[0]
    finished = subprocess.run(
        [python, "-c", program, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
