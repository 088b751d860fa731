"""Standard streams that are closed at the start, or whose other end goes away.

`bootstrap.standard_streams` does the first half before these packages can be imported, and for Pythons that cannot run them.
"""

from __future__ import annotations

import os
import sys


def open_closed() -> None:
    """Open closed standard streams on the null device, before a file or socket gets their descriptors.

    Init scripts (`>&- 2>&- <&-`) and windows without a console start programs so.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null == descriptor:
                os.set_inheritable(descriptor, True)
            else:
                os.dup2(null, descriptor)
                os.close(null)
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - open to the end
            setattr(sys, name, stream)


def discard_unwritable() -> None:
    """Drop what standard output and error could not be rid of, so that Python does not fail over it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
