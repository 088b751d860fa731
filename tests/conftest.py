"""For all tests: what is tried at random takes as long as the machine needs, and the run says what it cannot try here."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.networks import can_make_computers

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

if sys.platform != "win32" and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a shell, and SIGHUP under nohup: programs that tests start would ignore them too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

LEFT_OUT = () if can_make_computers() else ("integration/test_nearby.py",)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what needs more than this machine allows."""
    return collection_path in {Path(__file__).parent / path for path in LEFT_OUT} or None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what is left out."""
    for path in LEFT_OUT:
        terminalreporter.write_line(
            f"tests/{path} is left out: networks of its own need Linux and root."
            " test_nearby_here.py has real multicast on loopback."
        )
