"""A first line decides what a peer speaks, however it is cut, and reaches whoever speaks it byte for byte."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hub.fakes import World
from tests.unit.server.fakes import Wire
from twocans.hub.limits import Limits
from twocans.hub.session import Reason
from twocans.server.connection.connection import Connection
from twocans.server.connection.sniffing import Input, ProtocolSniffer
from twocans.server.connection.transport import Transport

REQUESTS = [b"GET / HTTP/1.1\r\n", b"PUT /files/x HTTP/1.0\n", b"any words HTTP/1.1\r\n", b" HTTP/1.1\n"]
CHATS = [
    b"alice\n",
    b"alice\r\n",
    b'HELLO: {"user": "alice"}\r\n',
    b"\n",
    b"GET / HTTP/2\r\n",
    b"HTTP/1.1\r\n",
    b"GET / HTTP/1.1 \r\n",
    b"x\nGET / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\r\n",
]


class Served:
    """A connection of a peer, and whether it has turned out to speak HTTP."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.wire = Wire(World(limits or Limits()))
        self.asked: list[Transport] = []
        self.opening = ProtocolSniffer(self.wire.connection, self.wire.transport, self._serve)

    def _serve(self, connection: Connection, transport: Transport) -> Input:
        self.asked.append(transport)
        return Wire(World()).connection


@given(
    line=st.sampled_from(REQUESTS + CHATS),
    rest=st.binary(max_size=20),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_first_line_decides_however_it_is_cut(line: bytes, rest: bytes, cuts: list[int]) -> None:
    served = Served()
    data = line + rest
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    taken = None
    came = b""
    for start, end in itertools.pairwise(places):
        came += data[start:end]
        assert served.opening.begun == (start > 0)
        taken = served.opening.feed(data[start:end])
        if taken is not None:
            break
    assert taken is not None
    taker, passed_on = taken
    assert passed_on == came
    assert came.startswith(line.partition(b"\n")[0])
    is_request = line in REQUESTS
    assert (taker is served.wire.connection) is not is_request
    assert served.asked == ([served.wire.transport] if is_request else [])


def test_nothing_is_decided_before_the_line_ends() -> None:
    served = Served()
    for byte in b"GET / HTTP/1.1\r":
        assert served.opening.feed(bytes([byte])) is None


def test_line_without_an_end_is_the_chats_to_refuse() -> None:
    served = Served(Limits(max_line_bytes=100))
    assert served.opening.feed(b"x" * 100) is None
    taken = served.opening.feed(b"x")
    assert taken is not None
    assert taken == (served.wire.connection, b"x" * 101)
    taken[0].receive(taken[1])
    assert "longer than 100 bytes" in served.wire.said()[0]


@pytest.mark.parametrize("said", [b"", b"GET / HT"])
def test_peer_that_says_no_more_is_sent_away_in_time(said: bytes) -> None:
    served = Served()
    if said:
        served.opening.feed(said)
    served.wire.advance(Limits().registration_s)
    assert "No user name came" in served.wire.said()[0]
    assert served.wire.transport.closed


def test_peer_that_speaks_http_is_none_of_the_chats() -> None:
    served = Served()
    served.opening.feed(b"GET / HTTP/1.1\r\n")
    served.wire.advance(Limits().registration_s * 2)
    assert served.wire.said() == []
    assert not served.wire.transport.closed
    assert served.wire.world.log.events == []


def test_request_that_comes_when_the_connection_has_just_been_ended_does_not_keep_it_open() -> None:
    served = Served()
    served.wire.connection.end(Reason.SERVER_STOPPING, "The server stops.")
    taken = served.opening.feed(b"GET / HTTP/1.1\r\n\r\n")
    assert taken is not None
    taken[0].receive(taken[1])
    assert served.wire.said() == ["MSG: Server: The server stops."]
    assert served.wire.transport.closed
    assert served.asked == []
