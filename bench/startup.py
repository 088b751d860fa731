"""How long the programs take to start: the server until it listens, the client until its window stands drawn."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageGrab

from bench.display import display
from bench.figures import percentile
from bench.processes import ROOT, START_S, BenchFailed, environment, stop
from bench.records import Run

STARTS: Final = 5
"""How often each program is started in a turn."""

_STILL_S: Final = 0.1
"""A window stands drawn when its picture is the same so much later."""


def measure(python: Path, turns: int, tell: Callable[[str], None]) -> list[Run]:
    """Start each program several times in each turn.

    Raises:
        BenchFailed: one does not start, or there is no Xvfb.
    """
    ways: tuple[tuple[str, Callable[[], float]], ...] = (
        ("server, python -m twocans.server", lambda: server_s([str(python), "-m", "twocans.server"])),
        ("server, python server.py", lambda: server_s([sys.executable, str(ROOT / "server.py")])),
        ("client, until its window stands", lambda: client_s([str(python), "-m", "twocans.gui"])),
    )
    runs = []
    for turn in range(1, turns + 1):
        for name, start in ways:
            times_ms = [start() * 1000 for _ in range(STARTS)]
            figures = {
                "median_ms": percentile(times_ms, 0.5),
                "p95_ms": percentile(times_ms, 0.95),
                "worst_ms": max(times_ms),
            }
            runs.append(Run(case=name, subject="start", turn=turn, figures=figures))
            tell(f"turn {turn} of {turns} · {name}: {figures['median_ms']:.0f} ms")
    return runs


def server_s(command: Sequence[str]) -> float:
    """Seconds until a server says that it has started; it is ended then.

    Raises:
        BenchFailed: it does not.
    """
    with tempfile.TemporaryDirectory(prefix="twocans-bench-") as data:
        options = [
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-announce",
            "--data",
            data,
            "--log-format",
            "json",
        ]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        try:
            for line in process.stdout or ():
                if b"server_started" in line:
                    return time.perf_counter() - began
        finally:
            stop(process)
            if process.stdout is not None:
                process.stdout.close()
    raise BenchFailed(f"{Path(command[-1]).name} ended before it listened.")


def client_s(command: Sequence[str]) -> float:
    """Seconds until the client's window stands drawn; it is ended then.

    Raises:
        BenchFailed: it does not appear, or there is no Xvfb.
    """
    with display() as screen, tempfile.TemporaryDirectory(prefix="twocans-bench-") as home:
        bare = _picture(screen)
        own = {
            "DISPLAY": screen,
            "HOME": home,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home}/no-bus",
            **{name: f"{home}/{name}" for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")},
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(own),
        )
        try:
            return _drawn_s(screen, bare, began, process)
        finally:
            stop(process)


def _drawn_s(screen: str, bare: Image.Image, began: float, process: subprocess.Popen[bytes]) -> float:
    while time.perf_counter() - began < START_S and process.poll() is None:
        at = time.perf_counter()
        now = _picture(screen)
        if now.tobytes() == bare.tobytes():
            continue
        time.sleep(_STILL_S)
        if _picture(screen).tobytes() == now.tobytes():
            return at - began
    raise BenchFailed("The client's window did not appear.")


def _picture(screen: str) -> Image.Image:
    return ImageGrab.grab(xdisplay=screen)
