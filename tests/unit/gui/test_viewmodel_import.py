"""The view-model runs where there is no window toolkit."""

from __future__ import annotations

import subprocess
import sys

from tests.support.process import environment

_PROGRAM = """
import sys
for name in ("tkinter", "_tkinter", "PIL", "ttkbootstrap"):
    sys.modules[name] = None
import twocans.gui.viewmodel
"""


def test_the_view_model_needs_no_window_toolkit() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
