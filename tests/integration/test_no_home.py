"""A user without a home folder: HOME is not set, and the system knows no user of this number, as in many containers."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import REPOSITORY, Installation, plain_environment
from tests.support.process import environment

pytestmark = pytest.mark.timeout(300)

HOMELESS = [
    *("unshare", "--user", "--map-user=12345"),
    *("env", "-u", "HOME", "-u", "XDG_DATA_HOME", "-u", "XDG_CONFIG_HOME", "-u", "XDG_STATE_HOME"),
]


def homeless(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of ours as such a user, in a folder in which nothing may be left behind."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [*HOMELESS, sys.executable, "-m", *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert list(folder.iterdir()) == []
    return done


@pytest.mark.parametrize("module", ["twocans.server", "twocans.gui"])
def test_help_is_given_without_a_home(tmp_path: Path, module: str) -> None:
    done = homeless(module, "--help", folder=tmp_path)
    assert done.returncode == 0
    assert "--help" in done.stdout


@pytest.mark.parametrize("command", [[], ["config"], ["check"]], ids=["serve", "config", "check"])
def test_server_without_a_home_asks_for_a_folder(tmp_path: Path, command: list[str]) -> None:
    done = homeless("twocans.server", *command, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "This user has no home folder. Name a folder for the server's data: --data DIR, or TWOCANS_DATA=DIR.\n"
    )


def test_server_without_a_home_runs_where_it_is_told_to(tmp_path: Path) -> None:
    options = ["--port", "0", "--host", "127.0.0.1", "--no-announce", "--log-format", "json"]
    with subprocess.Popen(
        [*HOMELESS, sys.executable, "-m", "twocans.server", *options, "--data", str(tmp_path / "data")],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as server:
        assert server.stdout is not None
        assert json.loads(server.stdout.readline())["event"] == "server_started"
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
    assert server.returncode == 0


def test_window_without_a_home_says_what_to_set(tmp_path: Path) -> None:
    done = homeless("twocans.gui", "--no-search", folder=tmp_path)
    assert done.returncode == 1
    assert "no home folder" in done.stderr
    assert "HOME" in done.stderr


def test_first_start_works_without_a_home(fresh: Installation) -> None:
    done = fresh.run("server.py", prefix=HOMELESS)
    assert done.returncode == 0, done.stderr
    assert fresh.run("server.py", prefix=HOMELESS).stderr == ""


def test_pip_keeps_no_cache_where_there_is_no_home_for_it() -> None:
    """It would be in a folder "~" of the current folder."""
    code = (
        "import sys, pathlib, bootstrap.pip_settings as s; print(s.environment(pathlib.Path(sys.executable)))"
    )
    for prefix, cached in (([], True), (HOMELESS, False)):
        said = subprocess.check_output(
            [*prefix, sys.executable, "-c", code], cwd=REPOSITORY, env=plain_environment(), encoding="utf-8"
        )
        assert ("PIP_NO_CACHE_DIR" not in said) is cached
