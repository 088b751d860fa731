"""How long tests wait for what has to happen."""

from typing import Final

DEADLINE_S: Final = 60.0
"""Bounds a wait that would never end, in seconds; no test passes or fails by the speed of the machine."""
