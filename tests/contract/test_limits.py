"""What the server enforces, and that none of it loses a message."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.contract.conftest import Start
from tests.support.raw import Closed, Peer, decode, hello
from tests.support.serving import Serving, serve
from twocans.hub.limits import Limits
from twocans.server.settings.config import Concurrency


def test_going_over_the_rate_slows_reading_down_and_drops_nothing(start: Start) -> None:
    server = start(Limits(rate_per_s=100.0, burst_s=0.1))
    alice, bob = server.json("alice"), server.json("bob")
    began = time.monotonic()
    cids = [alice.say("bob", str(number)) for number in range(110)]
    acks = [alice.expect("ACK") for _ in cids]
    took = time.monotonic() - began
    assert [ack["cid"] for ack in acks] == cids
    assert [frame["text"] for frame in bob.expect_messages(110)] == [str(number) for number in range(110)]
    assert [frame for frame in alice.skipped if frame.verb == "ERROR"] == []
    # A hundred more than the burst of ten take a second at a hundred a second, on however fast a machine.
    assert took > 0.8


def test_plain_client_over_the_rate_loses_nothing_either(start: Start) -> None:
    server = start(Limits(rate_per_s=200.0, burst_s=0.05))
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.sendall(b"".join(b"MSG: bob: %d\n" % number for number in range(100)))
    assert bob.read_messages(100) == [("alice", str(number)) for number in range(100)]


def test_rate_of_one_client_slows_nobody_else(start: Start) -> None:
    server = start(Limits(rate_per_s=1.0, burst_s=5.0))
    flood, alice, bob = server.plain("flood"), server.json("alice"), server.json("bob")
    flood.sendall(b"".join(b"MSG: bob: %d\n" % number for number in range(5000)))
    alice.deliver("bob", "through")
    bob.expect("MSG", text="through")


def test_burst_goes_through_at_once(start: Start) -> None:
    """At one message in a hundred seconds, only a burst can bring twenty through in time."""
    server = start(Limits(rate_per_s=0.01, burst_s=3000.0))
    alice, bob = server.json("alice"), server.json("bob")
    for number in range(20):
        alice.say("bob", str(number))
    assert [frame["text"] for frame in bob.expect_messages(20)] == [str(number) for number in range(20)]


def test_client_that_is_gone_is_missed_although_it_was_to_wait_its_turn(start: Start) -> None:
    server = start(Limits(rate_per_s=0.01, burst_s=500.0, ping_after_s=0.2))
    alice, flood = server.json("alice"), server.json("flood")
    flood.sendall(b'PING: {"n": 1}\n' * 10_000)
    flood.expect("PONG")
    flood.reset()
    alice.expect("LEFT", user="flood")


def test_rate_of_zero_is_no_limit(start: Start) -> None:
    server = start(Limits(rate_per_s=0.0))
    alice = server.json("alice")
    assert alice.welcome.part("limits")["rate"] == 0
    bob = server.json("bob")
    for number in range(3000):
        alice.say("bob", str(number))
    assert len(bob.expect_messages(3000)) == 3000


def test_whole_lines_sent_before_leaving_count_although_they_are_over_the_rate(start: Start) -> None:
    server = start(Limits(rate_per_s=200.0, burst_s=0.05))
    bob = server.plain("bob")
    pipe = server.peer()
    pipe.sendall(b"alice\n" + b"".join(b"MSG: bob: %d\n" % number for number in range(60)))
    pipe.finish_sending()
    assert bob.read_messages(60) == [("alice", str(number)) for number in range(60)]


@pytest.mark.parametrize("text", ["", " ", "\n", " \t\n "])
def test_empty_message_is_refused(server: Serving, text: str) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    alice.say("bob", text, cid="c1")
    error = alice.expect("ERROR")
    assert (error["code"], error["cid"]) == ("empty", "c1")
    assert bob.drain() == []


def test_text_is_measured_in_bytes(start: Start) -> None:
    server = start(Limits(max_text_bytes=100))
    alice, bob = server.json("alice"), server.json("bob")
    alice.deliver("bob", "é" * 50)
    for text in ("é" * 50 + "x", "x" * 101, "👋" * 26):
        alice.say("bob", text, cid="c1")
        error = alice.expect("ERROR")
        assert (error["code"], error["cid"]) == ("too_long", "c1")
        assert "100" in error.text("text")
    alice.deliver("bob", "x" * 100)
    assert [frame["text"] for frame in bob.expect_messages(2)] == ["é" * 50, "x" * 100]


def test_plain_text_over_the_limit_is_refused(start: Start) -> None:
    server = start(Limits(max_text_bytes=100))
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.say("bob", "x" * 101)
    sender, why = alice.read_message()
    assert sender == "Server"
    assert "100" in why
    alice.say("bob", "x" * 100)
    assert bob.read_message() == ("alice", "x" * 100)


def test_connection_that_never_registers_is_closed(start: Start) -> None:
    server = start(Limits(registration_s=0.2))
    silent, half, talker = server.peer(), server.peer(), server.peer()
    half.sendall(b"ali")
    talker.sendall(b"two words\n")
    for peer in (silent, half, talker):
        peer.expect_closed()


def test_connection_that_dribbles_before_it_registers_is_closed(start: Start) -> None:
    server = start(Limits(registration_s=0.3))
    dribbler = server.peer()

    def dribble() -> None:
        for _ in range(1000):
            dribbler.sendall(b"a")
            time.sleep(0.01)

    with pytest.raises(Closed):
        dribble()


def test_registered_connection_outlives_the_time_for_registering(start: Start) -> None:
    server = start(Limits(registration_s=1.0))
    alice, bob = server.plain("alice"), server.json("bob")
    server.peer().expect_closed()  # which takes as long
    bob.say("alice", "still here?")
    assert alice.read_message() == ("bob", "still here?")


def test_full_server_says_so_and_has_room_again_when_somebody_leaves(start: Start) -> None:
    server = start(Limits(max_connections=2))
    alice, bob = server.json("alice"), server.plain("bob")
    assert "full" in " ".join(knock(server))
    bob.close()
    alice.expect("LEFT", user="bob")
    alice.deliver("alice", "fine")
    carol = server.plain("carol")
    assert carol.users == ["alice", "carol"]


def test_full_server_tells_a_program_the_code(start: Start) -> None:
    server = start(Limits(max_connections=1))
    server.json("alice")
    frames = [decode(line) for line in said_before_closing(server.peer(), hello("bob"))]
    assert [frame.verb for frame in frames] == ["ERROR", "BYE"]
    assert frames[0]["code"] == "server_full"


@pytest.mark.parametrize("length", [33, 1000, 60_000])
def test_long_name_is_refused_shortly(server: Serving, length: int) -> None:
    peer = server.peer()
    peer.sendall(b"x" * length + b"\n")
    assert len(peer.read_line()) < 300


def test_page_is_never_larger_than_asked(server: Serving) -> None:
    alice = server.json("alice")
    server.json("bob")
    for number in range(20):
        alice.deliver("bob", f"word {number}")
    assert len(alice.ask("HISTORY", peer="bob", limit=7).parts("messages")) == 7
    assert len(alice.ask("SEARCH", query="word", limit=7).parts("messages")) == 7
    assert alice.ask("HISTORY", peer="bob", limit=10**9)["code"] == "bad_request"


def test_memory_keeps_the_newest_messages_only(concurrency: Concurrency) -> None:
    with serve(concurrency=concurrency, limits=Limits(memory_messages=10)) as server:
        look_back_at_ten_of_thirty(server)


def look_back_at_ten_of_thirty(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    for number in range(30):
        alice.deliver("bob", f"word {number}")
    page = bob.ask("HISTORY", peer="alice", limit=100)
    assert [frame["text"] for frame in page.parts("messages")] == [
        f"word {number}" for number in range(20, 30)
    ]
    assert page["more"] is False
    assert len(bob.ask("SEARCH", query="word", limit=100).parts("messages")) == 10
    chat = bob.ask("CHATS").parts("chats")[0]
    assert chat.part("last")["text"] == "word 29"


def knock(server: Serving) -> list[str]:
    """What a connection is told that is one too many."""
    return said_before_closing(server.peer(), b"dave\n")


def said_before_closing(peer: Peer, line: bytes) -> list[str]:
    with contextlib.suppress(Closed):
        peer.sendall(line)
    return peer.expect_closed()
