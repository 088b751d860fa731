"""Nobody's slowness or silence delays anybody, loses a message, or grows memory."""

from __future__ import annotations

import contextlib

from tests.contract.conftest import Start
from tests.contract.frames import chat, memory
from tests.support.process import ServerProcess
from tests.support.raw import (
    Closed,
    CutOff,
    Frame,
    JsonPeer,
    Peer,
    PlainPeer,
    decode,
    encode,
    eventually,
    hello,
)
from twocans.hub.limits import Limits

MIB = 1024 * 1024


def test_300_silent_connections_beside_two_people_who_chat(process: ServerProcess) -> None:
    with contextlib.ExitStack() as peers:
        for number in range(300):
            peer = peers.enter_context(Peer(process.port))
            if number % 3 == 1:
                peer.sendall(b"half a na")
            if number % 3 == 2:
                peer.sendall(f"silent{number}\n".encode())
        alice = peers.enter_context(JsonPeer(process.port, "alice"))
        bob = peers.enter_context(JsonPeer(process.port, "bob"))
        chat(alice, bob)
        eventually(lambda: len(set(bob.welcome.names("users")) | joined(bob)) == 102)


def joined(peer: JsonPeer) -> set[str]:
    peer.skipped += peer.drain()
    return {frame.text("user") for frame in peer.skipped if frame.verb == "JOINED"}


def test_reader_that_stalls_is_cut_off_and_loses_nothing(start: Start) -> None:
    server = start(Limits(rate_per_s=0, send_queue_bytes=200_000))
    alice, bob = server.json("alice"), server.json("bob")
    stalled = server.json("stalled", receive_buffer=4096)
    alice.expect("JOINED", user="stalled")
    text = "x" * 10_000
    sent: list[int] = []
    while not any(frame.verb == "LEFT" for frame in alice.skipped):
        # The kernel's buffers come before the queue, and nobody knows how much they hold.
        assert len(sent) < 5000, "a reader that takes nothing is still not cut off"
        sent.append(alice.deliver("stalled", text).number("id"))
        chat(alice, bob, messages=1)
    got = [frame.number("id") for frame in frames_to_the_end(stalled) if frame.verb == "MSG"]
    assert got == sent[: len(got)]
    last = alice.deliver("stalled", "the last one").number("id")
    cursor = got[-1] if got else 0
    stalled = server.json("stalled", token=stalled.token, after=cursor, log=stalled.log)
    assert got + [frame.number("id") for frame in stalled.missed] == [*sent, last]
    alice.deliver("stalled", "live again")
    assert stalled.expect("MSG")["text"] == "live again"


def test_plain_reader_that_stalls_is_cut_off_and_the_rest_waits_for_it(start: Start) -> None:
    server = start(Limits(rate_per_s=0, send_queue_bytes=200_000))
    alice = server.json("alice")
    stalled = server.plain("stalled", receive_buffer=4096)
    alice.expect("JOINED", user="stalled")
    text = "x" * 10_000
    sent: list[str] = []
    while not any(frame.verb == "LEFT" for frame in alice.skipped):
        assert len(sent) < 5000, "a reader that takes nothing is still not cut off"
        alice.deliver("stalled", f"{len(sent)} {text}")
        sent.append(str(len(sent)))
    first = numbers_to_the_end(stalled)
    alice.deliver("stalled", f"{len(sent)} the last one")
    sent.append(str(len(sent)))
    stalled = server.plain("stalled")
    second: list[str] = []
    while not second or second[-1] != sent[-1]:
        second.append(stalled.read_message()[1].partition(" ")[0])
    # What was on the way when the connection was cut may come twice; nothing may be missing.
    assert set(first) | set(second) == set(sent)
    assert second == sorted(second, key=int)
    assert second == sent[-len(second) :]


def test_plain_reader_that_was_away_gets_past_messages_of_line_breaks(start: Start) -> None:
    """Each of their lines has the sender's name before it, so a page is many times what its texts are."""
    server = start(Limits(rate_per_s=0, send_queue_bytes=200_000))
    alice = server.json("alice")
    server.plain("bob").close()
    alice.expect("LEFT", user="bob")
    for _ in range(16):
        alice.deliver("bob", "x" + "\n" * 16_000 + "y")
    alice.deliver("bob", "important")
    bob = server.plain("bob", receive_buffer=4096)
    lines = bob.read_until(lambda line: line == "MSG: alice: important")
    assert sum("too long to be shown here" in line for line in lines) == 16


def test_large_backlog_reaches_a_reader_that_reads_at_its_own_pace(start: Start) -> None:
    """What waits may be far more than the send queue holds; a reader that takes it is not cut off."""
    server = start(Limits(rate_per_s=0, send_queue_bytes=200_000))
    alice, bob = server.json("alice"), server.json("bob")
    bob.reset()
    alice.expect("LEFT", user="bob")
    sent = [alice.deliver("bob", "x" * 10_000).number("id") for _ in range(300)]
    bob = server.json("bob", token=bob.token, receive_buffer=8192)
    assert [frame.number("id") for frame in bob.missed] == sent


def test_answers_to_somebody_who_reads_none_stop_and_nobody_else_notices(start: Start) -> None:
    server = start(Limits(rate_per_s=0, send_queue_bytes=200_000))
    alice, bob = server.json("alice"), server.json("bob")
    for _ in range(100):
        alice.deliver("bob", "x" * 10_000)
    bob.expect_messages(100)
    greedy = server.json("alice", token=alice.token, receive_buffer=4096)
    ask = b"".join(
        encode("HISTORY", peer="bob", limit=100, rid=number).encode() + b"\n" for number in range(50)
    )
    greedy.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionError):
        for _ in range(10_000):
            greedy.socket.send(ask)
    chat(alice, bob)
    greedy.close()
    assert len(bob.ask("HISTORY", peer="alice", limit=5).parts("messages")) == 5


def test_pings_of_somebody_who_reads_none_grow_no_memory(process: ServerProcess) -> None:
    with Peer(process.port, receive_buffer=4096) as greedy, JsonPeer(process.port, "alice") as alice:
        greedy.sendall(hello("greedy"))
        alice.expect("JOINED", user="greedy")
        before = memory(process)
        pings = b'PING: {"n": 123456789012345}\n' * 2000
        sent = 0
        greedy.socket.settimeout(1.0)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while sent < 60 * MIB:
                sent += greedy.socket.send(pings)
        assert sent < 60 * MIB, "the server took everything in"
        assert memory(process) - before < 24 * MIB
        with JsonPeer(process.port, "bob") as bob:
            chat(alice, bob)


def whole_lines_to_the_end(peer: Peer) -> list[str]:
    """Everything that a connection still holds; it may have been cut off within a line."""
    lines: list[str] = []
    try:
        while True:
            lines.append(peer.read_line())
    except (Closed, CutOff):
        return lines


def frames_to_the_end(peer: JsonPeer) -> list[Frame]:
    return [decode(line) for line in whole_lines_to_the_end(peer)]


def numbers_to_the_end(peer: PlainPeer) -> list[str]:
    messages = [line for line in whole_lines_to_the_end(peer) if line.startswith("MSG: alice: ")]
    return [line.split(" ")[2] for line in messages]
