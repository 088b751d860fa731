"""A connection whose peer may speak HTTP, from its first byte on, over a transport without a socket."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.grammar import damaged, streams
from tests.fuzz.target import Target, arriving, option, pieces
from tests.unit.hub.fakes import World
from tests.unit.server.fakes import Wire
from twocans.hub.limits import Limits
from twocans.server.connection.sniffing import Input, ProtocolSniffer
from twocans.server.http.server import HttpServer
from twocans.server.operator.log import sentence
from twocans.server.settings.config import TlsMode

_TURNS: Final = 12
"""After so many turns of the loop whatever has come is done with."""
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (400|403|404|405|505|100) [^\r\n]*\r\n")
_LIMITS: Final = Limits(max_line_bytes=400)


def check_http(data: bytes) -> None:
    """Whatever comes, however cut: requests are answered or the connection is closed, and nothing goes wrong inside."""
    asyncio.run(_feed(data))


async def _feed(data: bytes) -> None:
    variant, data = option(data)
    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    world = World(_LIMITS)
    mode = TlsMode.REQUIRED if variant & 1 else TlsMode.OFFERED
    http = HttpServer(world.hub, None, tls=mode, log=world.log)
    wire = Wire(world)
    opening: ProtocolSniffer | None = ProtocolSniffer(wire.connection, wire.transport, http)
    peer: Input = wire.connection
    for what, chunk in pieces(data):
        match what:
            case 1:
                wire.stall()
            case 2 if wire.transport.stalled:
                wire.transport.stalled = False
                if wire.transport.fetch():
                    peer.drained()
            case _:
                pass
        came = chunk
        if opening is not None:
            taken = opening.feed(came)
            if taken is not None:
                opening = None
                peer, came = taken
        if opening is None and not wire.transport.paused:
            peer.receive(came)
        await _turn(wire)
        if wire.transport.closed or wire.transport.aborted:
            break
    if variant & 2 and not (wire.transport.closed or wire.transport.aborted):
        peer.eof()
        await _turn(wire)
    spoke_http = peer is not wire.connection
    peer.lost()
    await _turn(wire)
    await http.stop()
    assert failures == []
    said = bytes(wire.transport.written)
    if spoke_http:
        assert said == b"" or _STATUS.match(said)
        for word in (b"aiohttp", b"Python", b"Traceback"):
            assert word not in said
    assert wire.transport.unsent <= 1024 * 1024
    for event, fields in world.log.events:
        assert sentence(event, fields)[0].isprintable()


async def _turn(wire: Wire) -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    wire.turn()


_HEADS: Final = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"GET /files/x HTTP/1.1\r\n",
        b"PUT /files/x HTTP/1.0\r\n",
        b"HEAD /files/x/y HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n",
        b"POST http://a@[::1]:x/%ff HTTP/1.1\r\n",
        b"alice\r\n",
        b" HTTP/1.1\r\n",
    ]
)
_WORDS: Final = (
    b"Host: here\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Range: bytes 0-4/5\r\n",
    b"Range: bytes=0-\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"Content-Encoding: gzip\r\n",
    b"X: \x00\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"ffffffffffffffffff\r\n",
)
_requests = streams(_HEADS, st.sampled_from(_WORDS))
_ordinary = st.builds(
    lambda head, rest: head + b"".join(rest) + b"\r\n", _HEADS, st.lists(st.sampled_from(_WORDS))
)
_inputs = st.builds(
    lambda variant, stream: bytes([variant]) + stream,
    st.integers(0, 3),
    arriving(
        st.one_of(_requests, _ordinary, damaged(_ordinary), st.lists(_ordinary, max_size=4).map(b"".join))
    ),
)

TARGETS: Final = (Target("http", check_http, _inputs, _WORDS),)
