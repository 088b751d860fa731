"""Two computers on a network of their own: Linux network namespaces, joined by a virtual cable. It needs root."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

from msgspec import Struct

from tests.support.process import Output, environment

_NUMBERS: Final = itertools.count()


def can_make_computers() -> bool:
    """Whether this is Linux, and root."""
    return sys.platform == "linux" and os.geteuid() == 0


class Computer(Struct, frozen=True):
    """One end of the cable: its namespace, its interface and its address."""

    namespace: str
    interface: str
    address: str

    def runs(self, *command: str) -> list[str]:
        """What runs a command there."""
        return ["ip", "netns", "exec", self.namespace, *command]

    def ip(self, *words: str) -> None:
        """Change its network."""
        _ip("-n", self.namespace, *words)

    def drop(self, what: str, *, way: str) -> None:
        """Put up a firewall that drops something on its way, which is `input` or `output`."""
        rules = f"table ip wall {{ chain {way} {{ type filter hook {way} priority 0; {what} drop; }}; }}"
        subprocess.run(self.runs("nft", rules), check=True, stdin=subprocess.DEVNULL)

    def drop_nothing(self) -> None:
        """Take the firewall down."""
        subprocess.run(self.runs("nft", "flush", "ruleset"), check=True, stdin=subprocess.DEVNULL)


@contextmanager
def two_computers(*, joined: bool = True) -> Iterator[tuple[Computer, Computer]]:
    """Two computers, whose network is up if they are `joined`."""
    names = [f"two{os.getpid()}x{next(_NUMBERS)}" for _ in range(2)]
    one, two = (Computer(name, f"lan{number}", f"10.77.0.{number + 1}") for number, name in enumerate(names))
    made: list[Computer] = []
    try:
        for computer in (one, two):
            _ip("netns", "add", computer.namespace)
            made.append(computer)
            computer.ip("link", "set", "lo", "up")
        cable = ("link", "add", one.interface, "netns", one.namespace, "type", "veth")
        _ip(*cable, "peer", "name", two.interface, "netns", two.namespace)
        for computer in (one, two):
            computer.ip("addr", "add", f"{computer.address}/24", "dev", computer.interface)
            if joined:
                computer.ip("link", "set", computer.interface, "up")
        yield one, two
    finally:
        for computer in made:
            _ip("netns", "del", computer.namespace)


class Program:
    """A Python module that runs on one of them.

    Args:
        computer: where.
        arguments: the module's name and its arguments.
    """

    def __init__(self, computer: Computer, *arguments: str) -> None:
        self.process = subprocess.Popen(
            computer.runs(sys.executable, "-m", *arguments),
            env=environment() | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.output = Output(self.process.stdout)
        self.errors = Output(self.process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        errors = self.errors.all()
        assert not errors, "\n".join(errors)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL)
