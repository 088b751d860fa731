"""A connection of the server, with others beside it that nothing of this may reach but messages."""

from __future__ import annotations

import re
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.grammar import JSON_WORDS, frames, ordinary_sends, streams, texts
from tests.fuzz.target import Target, arriving, option, pieces
from tests.fuzz.targets.lines import plain_lines
from tests.unit.hub.fakes import World
from tests.unit.hub.late import LateStorage
from tests.unit.server.fakes import Wire, line
from twocans.hub.limits import Limits
from twocans.protocol import json
from twocans.protocol.messages import FROM_CLIENT, Ack, Hello, Send
from twocans.server.operator.log import sentence

_LIMITS: Final = Limits(
    max_line_bytes=400,
    max_text_bytes=200,
    max_accounts=8,
    max_connections=5,
    rate_per_s=4.0,
    burst_s=4.0,
    send_queue_bytes=8192,
    page_bytes=500,
    memory_messages=50,
    transient_messages=20,
)
_OPENINGS: Final = (
    b"",
    b"mallory\n",
    line(Hello(user="mallory", agent="t")),
    line(Hello(user="mallory", agent="t", after=0, log="log-1", token="x")),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_AHEAD_BYTES: Final = 64 * 1024
"""What requests of one turn may add to what is written before they are made to wait."""


def check_connection(data: bytes) -> None:
    """Whatever comes, at whatever pace: the connection answers or closes, holds little, and harms nobody else."""
    variant, data = option(data)
    late = LateStorage(max_messages=_LIMITS.memory_messages)
    world = World(_LIMITS, keeps_history=not variant & 4, storage=late if variant & 16 else None)
    bob, pat = Wire(world), Wire(world)
    bob.send(line(Hello(user="bob", agent="t")))
    pat.send(b"pat\n")
    late.answer()
    mallory = Wire(world)
    mallory.send(_OPENINGS[variant % 4])
    for what, chunk in pieces(data):
        match what:
            case 1:
                mallory.advance(0.3)
            case 2:
                mallory.advance(60.0)
            case 3:
                mallory.stall()
            case 4 if not mallory.transport.aborted:
                mallory.catch_up()
            case 5 if not bob.transport.paused:
                bob.send(line(Send(to="mallory", text="x" * 150, cid=str(world.clock.now))))
            case 6:
                late.answer()
            case _:
                pass
        if mallory.transport.paused:
            mallory.advance(1.0)
        if _is_over(mallory):
            break
        if not mallory.transport.paused:
            mallory.send(chunk)
            _holds_little(mallory, len(chunk))
    if not _is_over(mallory) and variant & 8:
        mallory.connection.eof()
        mallory.turn()
    for said in _lines_of(mallory):
        # What is its own goes back to a program as it is: a `rid` is whatever it chose.
        assert mallory.connection.json or not _CONTROL.search(said.decode())
    mallory.connection.lost()
    mallory.turn()
    late.answer()
    _go_on(world, late, bob, pat)
    for event, fields in world.log.events:
        assert sentence(event, fields)[0].isprintable()


def _is_over(wire: Wire) -> bool:
    return wire.transport.closed or wire.transport.aborted


def _lines_of(wire: Wire) -> list[bytes]:
    """All that the peer was ever told."""
    *lines, rest = bytes(wire.transport.written).split(b"\n")
    assert not rest
    return lines


def _holds_little(wire: Wire, chunk: int) -> None:
    connection = wire.connection
    assert connection._reader.pending_bytes <= _LIMITS.max_line_bytes + 1
    assert len(connection._waiting) <= _LIMITS.max_line_bytes + 2 + chunk
    assert not connection._waiting or wire.transport.paused or _is_over(wire)
    assert not connection._parts
    assert not connection._messages
    assert wire.transport.unsent <= _LIMITS.send_queue_bytes + _AHEAD_BYTES


def _go_on(world: World, late: LateStorage, bob: Wire, pat: Wire) -> None:
    """Those who were there can read all that they got, and still talk with each other."""
    for said in _lines_of(bob):
        json.decode_server(said)
    for said in (*_lines_of(bob), *_lines_of(pat)):
        assert not _CONTROL.search(said.decode())
    bob.said()
    pat.said()
    bob.advance(10.0)  # what it sent before counts towards its pace
    if _is_over(bob):
        bob = Wire(world)  # it was silent for too long
        bob.send(line(Hello(user="bob", agent="t")))
    late.answer()
    bob.said()
    bob.send(line(Send(to="pat", text="still here", cid="last")))
    late.answer()
    assert any(isinstance(frame, Ack) and frame.cid == "last" for frame in bob.frames())
    assert "MSG: bob: still here" in pat.said()


_lines = streams(frames(*FROM_CLIENT), plain_lines, ordinary_sends, texts.map(lambda name: name + b"\n"))
_named = st.sampled_from(
    [
        line(Send(to="bob", text="hi", cid="c1")),
        line(Send(to="mallory", text="hi\nthere", cid="c2")),
        b"MSG: pat: hello\r\n",
        b'HISTORY: {"peer": "bob", "rid": 1}\n',
        b'SEARCH: {"query": "x", "rid": 2, "limit": 500}\n',
        b'CHATS: {"rid": "r"}\n',
        b'FIND: {"prefix": "", "rid": 4}\n',
        b'READ: {"peer": "bob", "id": 9223372036854775807}\n',
        b'GOT: {"id": 9223372036854775807}\n',
        b'TYPING: {"to": "bob"}\n',
    ]
)
_floods = st.builds(lambda line, count: line * count, _named, st.integers(2, 40))
_inputs = st.builds(
    lambda variant, stream: bytes([variant]) + stream,
    st.integers(0, 31),
    arriving(st.one_of(_lines, streams(_named), streams(_named, _floods, frames(*FROM_CLIENT), plain_lines))),
)

TARGETS: Final = (
    Target("connection", check_connection, _inputs, (*JSON_WORDS, b'"bob"', b'"pat"', b"MSG: bob: ")),
)
