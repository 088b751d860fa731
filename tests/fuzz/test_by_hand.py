"""The program that feeds targets for long: what it says where it can't."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHOUT_ATHERIS = """
import runpy, sys
sys.modules["atheris"] = None
sys.argv[0] = "fuzz"
runpy.run_module("tests.fuzz", run_name="__main__")
"""


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Start it where atheris is not installed."""
    command = [sys.executable, "-c", WITHOUT_ATHERIS, *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, encoding="utf-8")


def test_without_atheris_it_says_how_to_install_it() -> None:
    done = started("framing")
    assert done.returncode == 2
    assert f'{sys.executable} -m pip install "atheris' in done.stdout
    assert done.stderr == ""


def test_target_that_there_is_not_is_told_with_those_that_there_are() -> None:
    done = started("nonsense")
    assert done.returncode == 2
    assert "there is no target nonsense" in done.stderr
    assert "connection" in done.stderr
