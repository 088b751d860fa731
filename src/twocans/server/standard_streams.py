"""Standard streams whose other end is gone."""

from __future__ import annotations

import os
import sys


def discard_unwritable() -> None:
    """Drop what standard output and error could not be rid of, so that Python does not fail over it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
