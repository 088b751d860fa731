"""The example bot and a server whose words would act in a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.misbehaving.modes import GREETINGS
from tests.misbehaving.server import Mode, in_thread
from tests.support.deadline import DEADLINE_S
from tests.support.process import ROOT, environment


@pytest.mark.parametrize(
    "mode",
    [mode for mode in GREETINGS if mode.name in {"an error with escapes", "a plain refusal with escapes"}],
    ids=lambda mode: mode.name,
)
def test_what_a_server_says_reaches_no_terminal_raw(tmp_path: Path, mode: Mode) -> None:
    with in_thread() as server:
        server.modes.append(mode)
        bot = subprocess.run(
            [
                *(sys.executable, str(ROOT / "examples" / "echo_bot.py")),
                *("--server", f"127.0.0.1:{server.port}", "--user", "alice"),
            ],
            cwd=tmp_path,
            env=environment({"TWOCANS_DATA_DIR": str(tmp_path)}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
    assert bot.returncode == 1
    said = (bot.stdout + bot.stderr).decode()
    assert said.strip()
    assert all(line.isprintable() for line in said.split("\n"))
