"""Does once, at the start, what opens files when it is done for the first time.

A server that has no descriptors left could not do it later: the import fails, and with it whatever needed it.
"""

from __future__ import annotations

from twocans.protocol.names import skeletons


def warm_up() -> None:
    """Load the data that libraries load when they are first used."""
    skeletons("ж")  # the table of letters that look alike
