"""A screen in memory (Xvfb), so that a window can be measured anywhere, and always on the same screen."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.processes import BenchFailed, stop

SIZE: Final = "1600x1100x24"
_MISSING: Final = "A window is measured on a screen in memory, which needs Xvfb: apt-get install xvfb"


@contextmanager
def display() -> Iterator[str]:
    """An X server of its own; its name, as for `DISPLAY`.

    Raises:
        BenchFailed: Xvfb is not installed, or does not start.
    """
    program = shutil.which("Xvfb")
    if program is None:
        raise BenchFailed(_MISSING)
    reader, writer = os.pipe()
    try:
        process = subprocess.Popen(
            [program, "-displayfd", str(writer), "-screen", "0", SIZE, "-nolisten", "tcp"],
            pass_fds=(writer,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        os.close(writer)
    try:
        with os.fdopen(reader) as told:
            number = told.readline().strip()
        if not number:
            raise BenchFailed("Xvfb did not start.")
        yield f":{number}"
    finally:
        stop(process)
