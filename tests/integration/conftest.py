"""What needs a pseudo-terminal, POSIX signals or Linux's /proc is not collected where there is none."""

from __future__ import annotations

import sys

collect_ignore: list[str] = []
if sys.platform == "win32":
    collect_ignore += [
        "test_operator_console.py",
        "test_server_process.py",
        "test_server_start.py",
        "test_torture.py",
    ]
if sys.platform != "linux":
    collect_ignore += ["test_bench.py", "test_keep_alive.py", "test_sqlite_failures.py"]
