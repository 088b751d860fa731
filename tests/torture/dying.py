"""Runs a program and kills it with SIGKILL at one line: of its own, or of the client library.

python -m tests.torture.dying LINES PROGRAM ARGUMENTS…: LINES are executed, and not one more.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import twocans.client

if TYPE_CHECKING:
    from _typeshed import TraceFunction


def main() -> None:
    """Take the command line."""
    left, program = int(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    counted = (program, str(Path(twocans.client.__file__).parent))

    def line(_: FrameType, event: str, __: object) -> TraceFunction:
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, _: str, __: object) -> TraceFunction | None:
        return line if frame.f_code.co_filename.startswith(counted) else None

    sys.settrace(call)
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
