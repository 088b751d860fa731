"""Connections that come and go in great number leave nothing behind."""

from __future__ import annotations

import contextlib
import threading

import psutil

from tests.contract.frames import chat
from tests.support.process import ServerProcess, command
from tests.support.raw import (
    Closed,
    JsonPeer,
    Peer,
    PlainPeer,
    decode,
    eventually,
    hello,
)
from twocans.server.settings.config import Concurrency


def descriptors(server: ServerProcess) -> int:
    return psutil.Process(server.process.pid).num_fds()


def threads(server: ServerProcess) -> int:
    return psutil.Process(server.process.pid).num_threads()


def test_churn_leaks_no_descriptor_and_no_thread_and_leaves_the_right_list(process: ServerProcess) -> None:
    with PlainPeer(process.port, "watcher") as watcher, JsonPeer(process.port, "other") as other:
        watcher.await_users(["watcher", "other"])
        before = descriptors(process), threads(process)

        def churn(worker: int) -> None:
            for number in range(60):
                try:
                    come_and_go(process.port, f"w{worker}n{number}", worker + number)
                except Closed:
                    continue

        workers = [threading.Thread(target=churn, args=(worker,)) for worker in range(6)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        with PlainPeer(process.port, "last") as last:
            watcher.await_users(["watcher", "other", "last"])
            last.await_users(["watcher", "other", "last"])
            # Everybody else has been seen to leave by now, so it has been told before this one comes.
            with PlainPeer(process.port, "sign"):
                other.expect("JOINED", user="sign")
            online = {"watcher", "other"}
            for frame in other.skipped:
                (online.add if frame.verb == "JOINED" else online.discard)(frame.text("user"))
            assert online == {"watcher", "other", "last"}
        watcher.await_users(["watcher", "other"])
        eventually(lambda: (descriptors(process), threads(process)) <= before)
        assert process.process.poll() is None


def come_and_go(port: int, name: str, way: int) -> None:
    """Connect, say something, and leave in one of several ways."""
    with Peer(port) as peer:
        match way % 6:
            case 0:
                pass
            case 1:
                peer.reset()
            case 2:
                peer.sendall(name.encode() + b"\n")
                peer.read_line()
                peer.reset()
            case 3:
                peer.sendall(hello(name) + b"BYE: {}\n")
                peer.expect_closed()
            case 4:
                peer.sendall(hello(name))
                assert decode(peer.read_line()).verb == "WELCOME"
            case _:
                peer.sendall(name.encode() + b"\nMSG: watcher: hi\n")
                peer.finish_sending()
                peer.expect_closed()


def test_reset_before_it_is_accepted_stops_nothing(process: ServerProcess) -> None:
    for _ in range(200):
        Peer(process.port).reset()
    with JsonPeer(process.port, "alice") as alice, JsonPeer(process.port, "bob") as bob:
        chat(alice, bob)


def test_server_out_of_descriptors_goes_on_when_some_are_free_again(concurrency: Concurrency) -> None:
    """With 64 descriptors allowed in all, most of a hundred connections cannot be accepted, or are closed."""
    limited = ["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", *command()]
    with (
        ServerProcess("--concurrency", concurrency.value, start=limited) as process,
        JsonPeer(process.port, "alice") as alice,
    ):
        with contextlib.ExitStack() as crowd:
            for _ in range(100):
                crowd.enter_context(Peer(process.port))
            alice.drain()
        eventually(lambda: lets_in(process, "carol"))
        with JsonPeer(process.port, "bob") as bob:
            chat(alice, bob)


def lets_in(server: ServerProcess, name: str) -> bool:
    """True if somebody new gets in; a server that has not seen all leave yet says that it is full."""
    try:
        with Peer(server.port) as peer:
            peer.send_line(name)
            return peer.read_line().startswith("LIST")
    except (Closed, ConnectionError):
        return False
