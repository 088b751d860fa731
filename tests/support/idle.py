"""IDLE's side of a program that is run with F5: its helper process is the real one, its shell keeps what it is told."""

from __future__ import annotations

import linecache
import subprocess
import time
from collections.abc import Mapping
from idlelib import rpc
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MAX_WAIT_S: Final = 60.0


class _Client(rpc.RPCClient):  # type: ignore[misc]  # idlelib has no types
    """Does not end the tests when the helper has ended."""

    def handle_EOF(self) -> None:  # noqa: N802 - the name is idlelib's
        raise EOFError


class _Console:
    """What the helper calls to show something, with the names that IDLE has for it."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def write(self, text: str, kind: str) -> int:
        self.shown.append((kind, text))
        return len(text)

    def getvar(self, _: str) -> bool:
        return False


class Idle:
    """IDLE with a helper process.

    Args:
        python: the interpreter that runs IDLE.
        environment: its variables.
    """

    def __init__(self, python: str, environment: Mapping[str, str]) -> None:
        self._console = _Console()
        self._client = _Client(("127.0.0.1", 0))
        port = self._client.listening_sock.getsockname()[1]
        code = "__import__('idlelib.run').run.main(False)"
        self._helper = subprocess.Popen([python, "-c", code, str(port)], env=environment, cwd="/")
        self._client.listening_sock.settimeout(MAX_WAIT_S)
        self._client.accept()
        self._client.register("console", self._console)
        self._client.register("linecache", linecache)
        self._seq = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._client.listening_sock.close()
        self._client.close()

    def run(self, program: Path, *arguments: str) -> None:
        """Begin to run a program as F5 does, or `Run... Customized` if it has arguments."""
        prepare = f"import sys; __file__ = {str(program)!r}; sys.argv = {[str(program), *arguments]!r}"
        self._client.remotequeue("exec", "runcode", (compile(prepare, "<idle>", "exec"),), {})
        code = compile(program.read_text(encoding="utf-8"), str(program), "exec")
        self._seq = self._client.asyncqueue("exec", "runcode", (code,), {})

    def wait(self) -> None:
        """Wait until the program has ended and the prompt is back."""
        deadline = time.monotonic() + MAX_WAIT_S
        while self._client.pollresponse(self._seq, wait=0.05) is None:
            assert time.monotonic() < deadline, self._console.shown

    def wait_for(self, text: str) -> None:
        """Wait until standard output has a text, before the program ends."""
        deadline = time.monotonic() + MAX_WAIT_S
        while text not in self.text():
            assert self._client.pollresponse(self._seq, wait=0.05) is None, self._console.shown
            assert time.monotonic() < deadline, self._console.shown

    def interrupt(self) -> None:
        """Press Ctrl-C in the shell."""
        self._client.asynccall("exec", "interrupt_the_server", (), {})

    def end(self) -> None:
        """Close the shell, or restart it, as F5 does with what it has started before."""
        self._helper.kill()
        self._helper.wait()

    def text(self, kind: str = "stdout") -> str:
        """What the shell shows of a stream."""
        return "".join(text for shown, text in self._console.shown if shown == kind)
