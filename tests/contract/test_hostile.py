"""Garbage of any kind harms nobody but its sender, and grows no memory."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.frames import chat, memory
from tests.support.process import ServerProcess
from tests.support.raw import (
    Closed,
    JsonPeer,
    Peer,
    hello,
)
from tests.support.serving import Serving

MIB = 1024 * 1024


def flood(peer: Peer, size: int) -> None:
    """Send so many bytes without a line end."""
    for _ in range(size // MIB):
        peer.sendall(b"x" * MIB)


@pytest.mark.parametrize(
    "opening", [b"", b"alice\nMSG: bob: ", hello("alice") + b"MSG: "], ids=["new", "plain", "json"]
)
def test_endless_line_is_cut_off_with_bounded_memory(process: ServerProcess, opening: bytes) -> None:
    with JsonPeer(process.port, "watcher") as watcher:
        before = memory(process)
        for _ in range(5):
            with Peer(process.port) as endless:
                endless.sendall(opening)
                with pytest.raises(Closed):
                    flood(endless, 200 * MIB)
        assert memory(process) - before < 32 * MIB
        watcher.drain()


@pytest.mark.parametrize(
    "line",
    [
        b"MSG: bob: \xff\xfe",
        b"MSG: bob: \xc3",
        b"MSG: bob: \xed\xa0\x80",
        b"MSG: bob: bell\x07",
        b"MSG: bob: \x1b[2Jescape",
        b"MSG: bob: nul\x00",
        b"MSG: bob: del\x7f",
        b"MSG: bob: c1\xc2\x85",
        b"MSG: bob: a\rb",
        b"\x00\x01\x02",
    ],
)
def test_plain_line_with_control_characters_or_without_utf8_gets_an_error_and_the_connection_stays(
    server: Serving, line: bytes
) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.sendall(line + b"\n")
    alice.say("bob", "clean")
    assert bob.read_message() == ("alice", "clean")
    assert alice.read_message()[0] == "Server"


@pytest.mark.parametrize(
    "line",
    [
        b'MSG: {"to": "bob", "text": "\xff", "cid": "c"}',
        b'MSG: {"to": "bob", "text": "\xed\xa0\x80", "cid": "c"}',
        rb'MSG: {"to": "bob", "text": "\ud800", "cid": "c"}',
        rb'MSG: {"to": "bob", "text": "bell\u0007", "cid": "c"}',
        rb'MSG: {"to": "bob", "text": "nul\u0000", "cid": "c"}',
        rb'MSG: {"to": "bob", "text": "\u001b[2Jescape", "cid": "c"}',
        rb'MSG: {"to": "bob", "text": "return\r", "cid": "c"}',
        b'MSG: {"to": "bob", "text": "del\x7f", "cid": "c"}',
        rb'MSG: {"to": "bob", "text": "c1\u0085", "cid": "c"}',
        b'MSG: {"to": "bob", "text": "raw\x07", "cid": "c"}',
        rb'MSG: {"to": "bo\u0000b", "text": "hi", "cid": "c"}',
        b'M\xff: {"to": "bob"}',
        b"\x00",
        b'GOT: {"id": 1e999}',
        pytest.param(b"MSG: " + b"[" * 60_000, id="deep nesting"),
        pytest.param(b'GOT: {"id": ' + b"9" * 60_000 + b"}", id="huge number"),
    ],
)
def test_json_line_with_control_characters_or_without_utf8_gets_an_error_and_the_connection_stays(
    server: Serving, line: bytes
) -> None:
    bob, alice = server.plain("bob"), server.json("alice")
    alice.sendall(line + b"\n")
    frames = alice.drain()
    assert [frame.verb for frame in frames] == ["ERROR"]
    assert frames[0].text("text").isprintable()
    alice.deliver("bob", "clean")
    assert bob.read_message() == ("alice", "clean")


@pytest.mark.parametrize(
    "value",
    [
        b"1e999",
        b'"\\ud800"',
        pytest.param(b"9" * 60_000, id="huge number"),
        pytest.param(b"[" * 30_000 + b"]" * 30_000, id="deep nesting"),
    ],
)
def test_unknown_field_may_hold_anything_and_the_connection_stays(server: Serving, value: bytes) -> None:
    bob, alice = server.plain("bob"), server.json("alice")
    alice.sendall(b'MSG: {"to": "bob", "text": "odd", "cid": "c", "x": ' + value + b"}\n")
    assert alice.read().verb in ("ACK", "ERROR")
    alice.deliver("bob", "clean")
    bob.read_until(lambda line: line == "MSG: alice: clean")


@pytest.mark.parametrize(
    "opening",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"NICK alice\r\nUSER alice 0 * :Alice\r\n",
        b"\x00" * 1000,
        b"\n" * 1000,
        b"\r\n\r\n\r\n\r\n",
        b"HELLO: {\nHELLO: {\nHELLO: {\n",
        b"HELLO: " + b"{" * 60_000 + b"\n",
    ],
    ids=["http", "tls", "ssh", "irc", "zeros", "empty lines", "crlf", "broken hellos", "deep hello"],
)
def test_other_protocols_are_told_a_sentence_or_closed(server: Serving, opening: bytes) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    stranger = server.peer()
    stranger.sendall(opening)
    with contextlib.suppress(Closed):
        stranger.finish_sending()
    stranger.expect_closed()
    chat(alice, bob, messages=1)
    assert server.json("carol").welcome["users"] == ["alice", "bob", "carol"]


LINES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"", b"MSG: bob: hi", b"MSG: {}", b'PING: {"n": 1}', b"HELLO: {}", b"alice", b"LIST:", b"BYE: {}"]
    ),
    st.builds(
        lambda verb, payload: verb + b": " + payload,
        st.sampled_from(
            [b"MSG", b"GOT", b"READ", b"HISTORY", b"SEARCH", b"FIND", b"CHATS", b"TYPING", b"PONG"]
        ),
        st.sampled_from(
            [
                b"{}",
                b'{"id": 1}',
                b'{"id": 9223372036854775807}',
                b'{"peer": "bob", "rid": 1, "id": 5}',
                b'{"peer": "x y", "rid": "r", "query": "*\\"", "prefix": "\\u0301"}',
                b'{"to": "bob", "text": "x", "cid": "c"}',
                b'{"to": "BOB", "text": "\\ud83d\\ude00", "cid": "c2"}',
                b'{"rid": 1, "prefix": "%", "query": "\\u0000", "peer": "bob", "before": 0}',
            ]
        ),
    ),
)


@pytest.mark.parametrize("opening", [b"", b"mallory\n", hello("mallory")], ids=["new", "plain", "json"])
def test_no_lines_whatever_harm_anybody_else(server: Serving, opening: bytes) -> None:
    bob = server.json("bob")

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(lines=st.lists(LINES, max_size=8), end=st.sampled_from([Peer.close, Peer.reset]))
    def speak(lines: list[bytes], end: object) -> None:
        with Peer(server.port) as mallory:
            with contextlib.suppress(Closed):
                mallory.sendall(opening + b"\n".join([*lines, b""]))
            if end is Peer.reset:
                mallory.reset()
                return
            with contextlib.suppress(OSError):
                mallory.finish_sending()
            for line in mallory.expect_closed():
                assert line.isprintable()

    speak()
    bob.drain()
    assert server.json("carol").name == "carol"
