"""A session bus and a desktop's notification service, as processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.support.process import ROOT, Output, environment

SERVICE = ROOT / "tests" / "gui" / "notification_service.py"


class SessionBus:
    """A D-Bus daemon.

    Args:
        socket: where it listens; free again once it has ended.
    """

    def __init__(self, socket: Path) -> None:
        self.address = f"unix:path={socket}"
        self._socket = socket

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, again at the same address."""
        self._process = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address={self.address}"],
            stdout=subprocess.PIPE,
        )
        self._said = Output(self._process.stdout)
        self._said.wait_for(lambda line: line.startswith("unix:"))

    def stop(self) -> None:
        """End it; all its connections end."""
        self._process.terminate()
        self._process.wait()
        self._said.all()
        self._socket.unlink(missing_ok=True)


class Notifications:
    """A notification service on the session bus.

    Args:
        capability: one more that it has.
    """

    def __init__(self, capability: str = "") -> None:
        self.reads_markup = capability == "body-markup"
        self._process = subprocess.Popen(
            [sys.executable, str(SERVICE), capability],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.output = Output(self._process.stdout)
        self.output.wait_for(lambda line: line == "ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.close()

    def shown(self, text: str) -> bool:
        """True if a notification with this text has come."""
        return any(text in line for line in self.output.lines())

    def wait_for(self, text: str) -> None:
        """Wait until a line of its output has this text."""
        self.output.wait_for(lambda line: text in line)

    def click(self, number: int = 0) -> None:
        """Click on a notification, on the last one without its number."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n".encode())
        self._process.stdin.flush()

    def hang(self) -> None:
        """Answer nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again, what was asked meanwhile too."""
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, as it ends itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self.output.all()
