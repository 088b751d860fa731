"""Installations to start, and what is not collected where there is no pseudo-terminal, POSIX signal or Linux /proc."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.installation import Installation, install

collect_ignore: list[str] = []
if sys.platform == "win32":
    collect_ignore += [
        "test_closed_streams.py",
        "test_closed_terminal.py",
        "test_operator_console.py",
        "test_server_process.py",
        "test_server_start.py",
        "test_torture.py",
    ]
if sys.platform != "linux":
    collect_ignore += ["test_bench.py", "test_keep_alive.py", "test_sqlite_failures.py"]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation that has been started once; tests take copies of it."""
    installation = install(tmp_path_factory.mktemp("pristine") / "twocans")
    done = installation.run("server.py")
    assert done.returncode == 0, done.stderr
    return installation


@pytest.fixture
def ready(pristine: Installation, tmp_path: Path) -> Installation:
    """An installation that has been set up, in a place that it was moved to."""
    return pristine.copy(tmp_path / "ready")


@pytest.fixture
def fresh(tmp_path: Path) -> Installation:
    """An installation that has never been started, in a folder with a name that needs quoting."""
    return install(tmp_path / "Two & cans (über)!")
