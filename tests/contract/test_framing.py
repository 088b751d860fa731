"""TCP cuts anywhere: frames in pieces, frames in heaps, and lines without an end."""

from __future__ import annotations

import itertools

import pytest

from tests.contract.conftest import Start
from tests.support.raw import decode, encode, hello
from tests.support.serving import Serving
from twocans.hub.limits import Limits

PLAIN = "alice\r\nMSG: bob: Grüße 👋\nMSG:bob:two\r\nMSG: bob: three\n".encode()
JSON = (
    hello("alice")
    + encode("MSG", to="bob", text="Grüße 👋", cid="c1").encode()
    + b"\r\n"
    + b'MSG:{"to":"bob","text":"two","cid":"c2"}\n'
    + encode("MSG", to="bob", text="three", cid="c3").encode()
    + b"\n"
)
TEXTS = ["Grüße 👋", "two", "three"]


@pytest.mark.parametrize("stream", [PLAIN, JSON], ids=["plain", "json"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_any_cutting_of_the_bytes_says_the_same(server: Serving, stream: bytes, size: int) -> None:
    bob = server.plain("bob")
    server.peer().send_cut(stream, size)
    assert bob.read_messages(3) == [("alice", text) for text in TEXTS]


@pytest.mark.parametrize("stream", [PLAIN, JSON], ids=["plain", "json"])
def test_piece_of_a_character_waits_for_the_rest(server: Serving, stream: bytes) -> None:
    bob, carol = server.plain("bob"), server.plain("carol")
    alice = server.peer()
    middle = stream.index("👋".encode()) + 2
    alice.sendall(stream[:middle])
    carol.say("bob", "meanwhile")
    assert bob.read_message() == ("carol", "meanwhile")
    alice.sendall(stream[middle:])
    assert bob.read_messages(3) == [("alice", text) for text in TEXTS]


def test_carriage_return_may_come_without_its_line_feed_at_first(server: Serving) -> None:
    peer = server.peer()
    peer.sendall(b"alice\r")
    bob = server.plain("bob")
    assert bob.users == ["bob"]
    peer.sendall(b"\n")
    assert peer.read_line() == "LIST: bob, alice"


def test_many_frames_at_once_are_all_read(start: Start) -> None:
    server = start(Limits(rate_per_s=0))
    bob = server.plain("bob")
    peer = server.peer()
    peer.sendall(hello("alice") + b"".join(message(number) for number in range(2000)))
    assert bob.read_messages(2000) == [("alice", str(number)) for number in range(2000)]
    acknowledged: list[str] = []
    while len(acknowledged) < 2000:
        frame = decode(peer.read_line())
        if frame.verb == "ACK":
            acknowledged.append(frame.text("cid"))
    assert acknowledged == [f"c{number}" for number in range(2000)]


def test_uneven_cuts_of_many_frames_lose_nothing(start: Start) -> None:
    server = start(Limits(rate_per_s=0))
    bob = server.json("bob")
    stream = hello("alice") + b"".join(message(number) for number in range(500))
    peer = server.peer()
    for size in itertools.cycle([1, 2, 10, 100, 1000, 3, 30]):
        if not stream:
            break
        peer.sendall(stream[:size])
        stream = stream[size:]
    assert [frame["text"] for frame in bob.expect_messages(500)] == [str(number) for number in range(500)]


@pytest.mark.parametrize("size", [1, 1000, 4097])
def test_long_line_in_pieces_is_put_together(server: Serving, size: int) -> None:
    bob, alice = server.plain("bob"), server.plain("alice")
    text = "".join(map(str, range(2500)))
    alice.send_cut(f"MSG: bob: {text}\n".encode(), size)
    assert bob.read_message() == ("alice", text)


def test_plain_line_of_exactly_the_limit_is_read(start: Start) -> None:
    server = start(Limits(max_line_bytes=200))
    alice, bob = server.plain("alice"), server.plain("bob")
    text = "x" * (200 - len("MSG: bob: "))
    alice.sendall(f"MSG: bob: {text}\r\n".encode())
    assert bob.read_message() == ("alice", text)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""], ids=["ended", "crlf", "endless"])
def test_plain_line_over_the_limit_ends_the_connection_with_an_error_that_says_so(
    start: Start, end: bytes
) -> None:
    server = start(Limits(max_line_bytes=200))
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.sendall(b"MSG: bob: before\n" + b"x" * 202 + end)
    lines = alice.expect_closed()
    assert lines[-1].startswith("MSG: Server: ")
    assert "200" in lines[-1]
    assert bob.read_message() == ("alice", "before")
    bob.await_users(["bob"])


@pytest.mark.parametrize("end", [b"\n", b""], ids=["ended", "endless"])
def test_json_line_over_the_limit_ends_the_connection_with_an_error_that_says_so(
    start: Start, end: bytes
) -> None:
    server = start(Limits(max_line_bytes=200))
    alice, bob = server.json("alice"), server.json("bob")
    alice.sendall(b"MSG: " + b" " * 202 + end)
    frames = [decode(line) for line in alice.expect_closed()]
    assert any(frame.verb in ("ERROR", "BYE") and "200" in frame.text("text") for frame in frames)
    assert bob.expect("LEFT")["user"] == "alice"


def test_first_line_over_the_limit_ends_the_connection(start: Start) -> None:
    server = start(Limits(max_line_bytes=200))
    peer = server.peer()
    peer.sendall(b"a" * 500)
    assert "200" in peer.expect_closed()[-1]


def test_default_limit_lets_a_long_text_through(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    text = "é" * 8000
    alice.deliver("bob", text)
    assert bob.expect("MSG")["text"] == text


def message(number: int) -> bytes:
    return encode("MSG", to="bob", text=str(number), cid=f"c{number}").encode() + b"\n"
