"""Bytes to lines, and lines to messages, in both dialects and both directions."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from tests.fuzz.grammar import JSON_WORDS, VERBS, WORDS, damaged, frames, ordinary_sends, streams, texts
from tests.fuzz.target import Target, arriving, option, pieces
from twocans.protocol import json, plain
from twocans.protocol.errors import ProtocolError
from twocans.protocol.framing import LineReader
from twocans.protocol.messages import FROM_CLIENT, FROM_SERVER, Frame, Message, Send
from twocans.protocol.text import spelled_out

_LIMITS: Final = (1, 8, 200)


def check_framing(data: bytes) -> None:
    """Any chunking gives the lines of the whole, in both ways of asking, and no more than a line is held."""
    variant, data = option(data)
    limit = _LIMITS[variant % len(_LIMITS)]
    chunks = [chunk for _, chunk in pieces(data)]
    expected = _lines(b"".join(chunks), limit)
    one, many = LineReader(limit), LineReader(limit)
    lines: list[bytes] = []
    blocks = b""
    for chunk in chunks:
        found, error = one.feed(chunk)
        block, same = many.feed_block(chunk)
        lines += found
        blocks += block
        assert (error is None) == (same is None)
        assert one.pending_bytes == many.pending_bytes <= limit + 1
        if error is not None:
            break
    assert (lines, error is not None) == expected if chunks else not lines
    assert blocks == b"".join(line + b"\n" for line in lines)


def _lines(stream: bytes, limit: int) -> tuple[list[bytes], bool]:
    """The lines of a stream before one that is too long, and whether there is one."""
    *whole, rest = stream.split(b"\n")
    lines: list[bytes] = []
    for line in whole:
        if len(line.removesuffix(b"\r")) > limit:
            return lines, True
        lines.append(line.removesuffix(b"\r"))
    return lines, len(rest.removesuffix(b"\r")) > limit


def check_json_client(data: bytes) -> None:
    """A line is a frame that can be said again, or gets an error that can be told."""
    line = data.removesuffix(b"\n")
    json.is_hello(line)
    try:
        frame = json.decode_client(line)
    except ProtocolError as error:
        tellable(error)
    else:
        assert json.decode_client(json.encode(frame)) == frame


def check_json_server(data: bytes) -> None:
    """The same for what a server says."""
    try:
        frame = json.decode_server(data.removesuffix(b"\n"))
    except ProtocolError as error:
        tellable(error)
    else:
        assert json.decode_server(json.encode(frame)) == frame


def tellable(error: ProtocolError) -> None:
    """What is wrong can be told in both dialects: a sentence that can't act in a terminal, or the help that was asked for."""
    frame = error.frame()
    assert json.decode_server(json.encode(frame)) == frame
    lines = error.text.split("\n") if error.text == plain.HELP else [error.text]
    assert all(line.replace("\t", "").isprintable() for line in lines)
    assert plain.encode(frame).count(b"\n") == len(lines)


def check_json_sends(data: bytes) -> None:
    """Lines taken together are what they are one by one."""
    block = data + b"\n"
    lines = block.split(b"\n")[:-1]
    sends = json.decode_sends(block, len(lines))
    if sends is not None:
        assert sends == [json.decode_client(line) for line in lines]


def check_plain(data: bytes) -> None:
    """A line of the plain dialect, and the same lines taken together."""
    block = data + b"\n"
    lines = block.split(b"\n")[:-1]
    for line in lines:
        for decode in (plain.decode_client, plain.decode_login):
            try:
                decode(line)
            except ProtocolError as error:
                tellable(error)
    sends = plain.decode_sends(block, len(lines))
    if sends is not None:
        assert sends == [plain.decode_client(line) for line in lines]
        for send in sends:
            said = plain.encode(Message(1, 1, "bob", send.to, send.text, ""))
            assert said == f"MSG: bob: {spelled_out(send.text)}\n".encode()


def check_encoding_together(data: bytes) -> None:
    """Messages that are encoded together are read as those that they were."""
    messages: list[Frame] = []
    for line in data.split(b"\n"):
        try:
            frame = json.decode_server(line)
        except ProtocolError:
            continue
        if isinstance(frame, Message):
            messages.append(frame)
    if messages:
        said = json.encode_messages([one for one in messages if isinstance(one, Message)])
        assert [json.decode_server(line) for line in said.splitlines()] == messages


_to = st.sampled_from([b"bob", b"alice", "Ａ".encode()])
ordinary_lines = st.builds(
    lambda to, text: b"MSG: " + to + b": " + text.encode() + b"\n",
    _to,
    st.sampled_from(["hi", "", "a: b", "Grüße", "今日は 😀", " ", "a\tb", "\u202e", ":", "c1 \x85"]),
)
plain_lines = st.one_of(
    ordinary_lines,
    damaged(ordinary_lines),
    st.sampled_from([b"MSG: bob\n", b"MSG: \t hi\n", b"MSG: : hi\n", b"MSG:bob:hi\n", b"QUIT\n", b"\n"]),
    st.builds(lambda to, text: b"MSG: " + to + b": " + text + b"\n", _to, texts),
    texts.map(lambda line: line + b"\n"),
)
_ends = st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"abcdefg", b"\xc3\xa9"]), max_size=30).map(
    b"".join
)
_streams = st.builds(lambda variant, rest: bytes([variant]) + rest, st.integers(0, 2), arriving(_ends))

TARGETS: Final = (
    Target("framing", check_framing, _streams, (b"\n", b"\r\n", b"\r")),
    Target("json-client", check_json_client, frames(*FROM_CLIENT), JSON_WORDS),
    Target("json-server", check_json_server, frames(*FROM_SERVER), JSON_WORDS),
    Target(
        "json-sends",
        check_json_sends,
        st.one_of(
            streams(ordinary_sends), damaged(streams(ordinary_sends)), streams(ordinary_sends, frames(Send))
        ).map(lambda block: block.removesuffix(b"\n")),
        JSON_WORDS,
    ),
    Target("json-messages", check_encoding_together, streams(frames(Message)), JSON_WORDS),
    Target(
        "plain",
        check_plain,
        st.one_of(
            streams(ordinary_lines), damaged(streams(ordinary_lines)), streams(ordinary_lines, plain_lines)
        ).map(lambda block: block.removesuffix(b"\n")),
        (*WORDS, *VERBS),
    ),
)
