"""A server that has no descriptors left serves those who are there, lets newcomers in again, and stops. Linux only."""

from __future__ import annotations

import contextlib
import resource
import subprocess
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.deadline import DEADLINE_S
from tests.support.forked import ForkedProcess
from tests.support.http import Document, bring
from tests.support.process import START_S, ServerProcess, command, environment
from tests.support.raw import Closed, JsonPeer, Peer, PlainPeer, decode, encode, eventually, hello
from tests.support.terminal import Terminal
from tests.support.tls import TlsSocket, client_context
from twocans.common.local_sockets import connect
from twocans.protocol.local_control import RUNNING_FILE, Asked, Wish, decode_running, decode_status
from twocans.protocol.local_control import encode as encode_asked

TLS = client_context()
REPORT = Document(bytes(range(256)) * 400)


@pytest.fixture(params=["async", "thread"])
def server(request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    with ServerProcess("--concurrency", request.param, "--rate-limit", "0") as server:
        yield server


class Running(Protocol):
    """A server with a process of its own."""

    @property
    def process(self) -> subprocess.Popen[bytes] | ForkedProcess: ...


def descriptors(server: Running) -> set[int]:
    return {int(path.name) for path in Path(f"/proc/{server.process.pid}/fd").iterdir()}


def connected(server: ServerProcess, number: int) -> list[Peer]:
    """Connections that have said nothing yet, once the server has accepted them."""
    before = len(descriptors(server))
    peers = [Peer(server.port) for _ in range(number)]
    eventually(lambda: len(descriptors(server)) >= before + number)
    return peers


def take_all_descriptors(server: Running) -> None:
    """Let the server open nothing more: every number below the limit is taken."""
    taken = descriptors(server)
    lowest = next(number for number in range(max(taken) + 2) if number not in taken)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (lowest, hard_limit(server)))


def give_descriptors_back(server: ServerProcess) -> None:
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (hard_limit(server), hard_limit(server)))


def hard_limit(server: Running) -> int:
    return resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]


def encrypt(peer: Peer) -> None:
    assert not isinstance(peer.socket, TlsSocket)
    peer.socket = TlsSocket(peer.socket, TLS)


def faults(server: ServerProcess) -> list[str]:
    """What has gone wrong inside, with its details."""
    return [
        repr(event) for event in server.events() if event.verb == "internal_error"
    ] + server.errors.lines()


def answered(peer: Peer, verb: str, /, **fields: str | int) -> None:
    peer.send_line(encode(verb, rid=7, **fields))
    peer.read_until(lambda line: decode(line).fields.get("rid") == 7)


def test_nothing_is_done_for_the_first_time_when_descriptors_are_gone(server: ServerProcess) -> None:
    with contextlib.ExitStack() as closing:
        peers = [closing.enter_context(peer) for peer in connected(server, 12)]
        alice, bob, carol, guest, looks, http, malformed, garbage, upload, dave, erin, frank = peers
        take_all_descriptors(server)
        alice.sendall(hello("alice"))
        alice.read_until(lambda line: line.startswith("SYNCED"))
        bob.send_line("żółw")
        assert bob.read_line().startswith("LIST: ")
        bob.send_line("MSG: alice: cześć")
        bob.send_line("MSG: Ąlice: nobody")
        bob.send_line("what now?")
        bob.read_until(lambda line: "not understood" in line)
        for line in ("Server", "аlice", "\u202e"):
            looks.send_line(line)
        looks.expect_closed()
        for verb, fields in QUERIES:
            answered(alice, verb, **fields)
        alice.send_line(encode("SEND", rid=1))
        encrypt(carol)
        carol.sendall(hello("carol", device="laptop"))
        carol.read_until(lambda line: line.startswith("SYNCED"))
        for verb, fields in QUERIES_OF_A_DEVICE:
            answered(carol, verb, **fields)
        encrypt(dave)
        dave.send_line("carol wrong-password")
        assert "not the password" in dave.read_line()
        dave.send_line("carol correct-horse")
        assert dave.read_line().startswith("LIST: ")
        http.sendall(b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n")
        assert "404" in http.read_line()
        upload.sendall(b"GET /files/none HTTP/1.1\r\nHost: here\r\n\r\n")
        assert "403" in upload.read_line()
        malformed.sendall(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
        assert "400" in malformed.read_line()
        garbage.sendall(b"\x16\x03\x01\x00\x05hello")
        with contextlib.suppress(UnicodeDecodeError):  # an alert of TLS
            garbage.expect_closed()
        guest.finish_sending()
        guest.expect_closed()
        encrypt(erin)
        erin.send_line("erin")
        erin.read_line()
        erin.send_line("MSG: alice: hello")
        frank.send_line("frank")
        frank.read_line()
        frank.reset()
        for peer in (bob, dave, erin):
            peer.close()
        left: set[str] = set()
        while not left >= {"frank", "erin", "żółw"}:
            frame = decode(alice.read_line())
            if frame.verb == "LEFT":
                left.add(frame.text("user"))
        alice.send_line(encode("MSG", to="carol", text="still here", cid="c-9"))
        carol.read_until(lambda line: "still here" in line)
        server.process.terminate()
        alice.read_until(lambda line: line.startswith("BYE"))
        assert server.wait() == 0
    assert faults(server) == []


def test_newcomers_wait_for_descriptors_and_get_in_and_the_shortage_is_logged_once_a_second(
    server: ServerProcess,
) -> None:
    with Peer(server.port) as alice:
        alice.sendall(hello("alice"))
        alice.read_until(lambda line: line.startswith("SYNCED"))
        take_all_descriptors(server)
        with Peer(server.port) as bob:
            bob.send_line("bob")
            eventually(lambda: len(shortages(server)) >= 3)
            times = shortages(server)
            assert (times[-1] - times[0]).total_seconds() >= 0.9 * (len(times) - 1)
            give_descriptors_back(server)
            assert bob.read_line() == "LIST: alice, bob"
            bob.send_line("MSG: alice: at last")
            alice.read_until(lambda line: "at last" in line)
    assert server.stop() == 0
    assert faults(server) == []


def test_operator_is_answered_when_descriptors_are_gone(tmp_path: Path) -> None:
    options = ["--host", "127.0.0.1", "--port", "0", "--data", str(tmp_path)]
    with Terminal(command(*options), environment()) as terminal:
        terminal.expect(r"Type help[^>]*>", START_S)
        terminal.enter("users")
        terminal.expect("Nobody is online")
        take_all_descriptors(terminal)
        terminal.enter("stats")
        terminal.expect("refused names")
        terminal.enter("users")
        terminal.expect("Nobody is online")
        terminal.enter("quit")
        assert terminal.wait() == 0
        assert "Traceback" not in terminal.text


def shortages(server: ServerProcess) -> list[datetime]:
    """When the server has logged that it has no descriptors."""
    events = [event for event in server.events() if event.verb == "descriptors_short"]
    return [datetime.fromisoformat(event.text("time")) for event in events]


@pytest.mark.parametrize("limit", [64, 256])
@pytest.mark.parametrize("concurrency", ["async", "thread"])
def test_more_clients_than_descriptors_are_refused_and_nothing_else_is_short_of_them(
    concurrency: str, limit: int
) -> None:
    start = ["sh", "-c", f'ulimit -n {limit} && exec "$@"', "sh", *command()]
    options = ["--concurrency", concurrency, "--rate-limit", "0", "--connection-rate", "0"]
    with ServerProcess(*options, start=start) as server, contextlib.ExitStack() as closing:
        alice = closing.enter_context(JsonPeer(server.port, "alice", tls=TLS))
        crowd = []
        for number in range(limit + 50):
            peer = closing.enter_context(Peer(server.port))
            peer.sendall(f"guest{number}\n".encode())
            crowd.append(peer)
        told = [first_line(peer) for peer in crowd]
        full = len(descriptors(server))
        assert told[0].startswith("LIST: ")
        assert "full" in told[-1]
        # Files need descriptors of their own, and this connection is one of those that are there.
        answer = alice.ask("UPLOAD", hash=REPORT.hash, size=REPORT.size)
        assert answer.verb == "TICKET"
        for peer in crowd:
            peer.close()
        eventually(lambda: len(descriptors(server)) < full - 10)
        with PlainPeer(server.port, "bob") as bob:
            bob.await_users(["alice", "bob"])
            alice.deliver("bob", "the others are gone")
            assert bob.read_message() == ("alice", "the others are gone")
        bring(alice, lambda: Peer(server.port, tls=TLS), REPORT)
        assert server.stop() == 0
        assert faults(server) == []


def first_line(peer: Peer) -> str:
    try:
        return peer.read_line()
    except Closed:  # what it had said was not read, so the system resets it
        return "full"


QUERIES: Sequence[tuple[str, dict[str, str | int]]] = [
    ("HISTORY", {"peer": "żółw"}),
    ("SEARCH", {"query": "cześć nothing"}),
    ("CHATS", {}),
    ("FIND", {"prefix": "Ż"}),
    ("DEVICES", {}),
    ("UPLOAD", {"hash": "0" * 64, "size": 5}),
    ("DOWNLOAD", {"id": 1}),
]
QUERIES_OF_A_DEVICE: Sequence[tuple[str, dict[str, str | int]]] = [
    ("DEVICES", {}),
    ("CODE", {}),
    ("PASSWORD", {"password": "correct-horse"}),
    ("REVOKE", {"device": 99}),
]


@pytest.mark.parametrize("concurrency", ["async", "thread"])
def test_owner_is_answered_at_the_control_socket_once_descriptors_are_free_again(
    tmp_path: Path, concurrency: str
) -> None:
    with ServerProcess("--concurrency", concurrency, data=tmp_path) as server:
        running = decode_running((tmp_path / RUNNING_FILE).read_bytes())
        ask = encode_asked(Asked(secret=running.secret, wish=Wish.STATUS))
        take_all_descriptors(server)
        waiting = [connect(tmp_path, running.control, timeout_s=DEADLINE_S) for _ in range(3)]
        for asking in waiting:
            asking.sendall(ask)
        server.event("descriptors_short")
        give_descriptors_back(server)
        for asking in waiting:
            with asking, asking.makefile("rb") as answer:
                assert decode_status(answer.readline()).online == 0
        assert faults(server) == []
