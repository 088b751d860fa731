"""The bench is for Linux; elsewhere its parts cannot even be imported."""

from __future__ import annotations

import sys

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]
