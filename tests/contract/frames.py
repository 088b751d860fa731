"""What the tests of the contract ask of frames, peers and processes again and again."""

from __future__ import annotations

import psutil

from tests.support.process import ServerProcess
from tests.support.raw import Frame, JsonPeer


def ids(frames: list[Frame]) -> list[int]:
    return [frame.number("id") for frame in frames]


def texts(frames: list[Frame]) -> list[str]:
    return [frame.text("text") for frame in frames]


def gone(watcher: JsonPeer, peer: JsonPeer) -> None:
    """`peer` leaves, and everybody knows."""
    peer.send("BYE")
    peer.expect_closed()
    watcher.expect("LEFT", user=peer.name)


def memory(server: ServerProcess) -> int:
    """Resident memory in bytes."""
    size: int = psutil.Process(server.process.pid).memory_info().rss
    return size


def chat(alice: JsonPeer, bob: JsonPeer, messages: int = 20) -> None:
    """Two people exchange messages, each waiting for the other."""
    for number in range(messages):
        alice.deliver("bob", f"ping {number}")
        bob.expect("MSG", text=f"ping {number}")
        bob.deliver("alice", f"pong {number}")
        alice.expect("MSG", text=f"pong {number}")
