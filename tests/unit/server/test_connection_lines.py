"""From bytes to the hub: the dialect, the cutting of the bytes, refused names, and what a connection may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hub.fakes import World
from tests.unit.server.fakes import Wire, json_wire, line, plain_wire
from twocans.hub.limits import Limits
from twocans.protocol.messages import (
    Ack,
    Bye,
    ChatsQuery,
    Error,
    FindQuery,
    FromServer,
    Goodbye,
    Got,
    Hello,
    HistoryQuery,
    Ping,
    Pong,
    Read,
    SearchQuery,
    Send,
    Synced,
    Typing,
    Welcome,
)


def _errors(frames: list[FromServer]) -> list[Error]:
    return [frame for frame in frames if isinstance(frame, Error)]


@pytest.mark.parametrize(
    "first", [b"alice\n", b"alice\r\n", b"  alice \n", b"\talice\n", "ａｌｉｃｅ\n".encode()]
)
def test_bare_name_picks_the_plain_dialect(first: bytes) -> None:
    wire = Wire(World())
    wire.send(first)
    (said,) = wire.said()
    assert said.startswith("LIST: ")
    assert wire.connection.plain


@pytest.mark.parametrize(
    "first",
    [
        b'HELLO: {"user":"alice","agent":"t"}\n',
        b'HELLO:{"user":"alice","agent":"t"}\r\n',
        b'HELLO:  \t{ "agent" : "t" , "user" : "alice" , "new" : [1] }\n',
    ],
)
def test_hello_with_an_object_picks_the_json_dialect(first: bytes) -> None:
    wire = Wire(World())
    wire.send(first)
    assert [type(frame) for frame in wire.frames()] == [Welcome, Synced]
    assert not wire.connection.plain


def test_hello_without_an_object_is_taken_for_a_name_in_the_plain_dialect() -> None:
    wire = Wire(World())
    wire.send(b"HELLO\n")
    (answer,) = wire.said()
    assert answer.startswith("MSG: Server: HELLO is a command here")


@given(cuts=st.lists(st.integers(1, 30), max_size=40))
def test_any_cutting_of_the_bytes_means_the_same(cuts: list[int]) -> None:
    world = World()
    bob = plain_wire(world, "bob")
    data = "alice\nMSG: bob: héllo: 👋\r\nMSG:bob:two\nMSG: nobody: x\n".encode()
    pieces = []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    alice = Wire(world)
    alice.send(*pieces, data)
    assert [said for said in bob.said() if said.startswith("MSG")] == [
        "MSG: alice: héllo: 👋",
        "MSG: alice: two",
    ]
    assert alice.said() == ["LIST: bob, alice", "MSG: Server: There is nobody called nobody here."]


def test_name_and_messages_may_come_in_one_chunk() -> None:
    world = World()
    bob = json_wire(world, "bob")
    alice = Wire(world)
    alice.send(line(Hello(user="alice", agent="t")) + line(Send(to="bob", text="hi", cid="c1")))
    assert [type(frame) for frame in alice.frames()] == [Welcome, Synced, Ack]
    assert len(bob.frames()) == 2  # JOINED, MSG


def test_everything_of_one_turn_is_written_at_once() -> None:
    wire = plain_wire(World(), "alice")
    before = wire.transport.writes
    wire.send(b"MSG: alice: one\nMSG: alice: two\nMSG: alice: three\n")
    assert wire.said() == ["MSG: alice: one", "MSG: alice: two", "MSG: alice: three"]
    assert wire.transport.writes == before + 1


# --- names -----------------------------------------------------------------------------------------------


def test_plain_client_may_try_two_more_names_then_it_is_closed() -> None:
    world = World()
    wire = Wire(world)
    wire.send(b"two words\n", b"Server\n")
    assert len(wire.said()) == 2
    assert not wire.transport.closed
    wire.send(b"-\n")
    why, goodbye = wire.said()
    assert why.startswith("MSG: Server: A name starts with")
    assert goodbye == "MSG: Server: No name was accepted. Please connect again."
    assert wire.transport.closed
    assert [fields["reason"] for fields in world.log.named("never_registered")] == ["refused"]
    assert len(world.log.named("name_refused")) == 3


def test_name_after_two_refusals_is_let_in_even_in_the_other_dialect() -> None:
    wire = Wire(World())
    wire.send(b"two words\n", b"Server\n", line(Hello(user="alice", agent="t")))
    said = wire.said()
    assert said[2].startswith("WELCOME: ")


def test_json_client_is_told_codes_and_closed_with_bye_after_three() -> None:
    wire = Wire(World())
    wire.send(*[line(Hello(user=name, agent="t")) for name in ("two words", "Server", "x" * 40)])
    *errors, goodbye = wire.frames()
    assert [error.code for error in errors if isinstance(error, Error)] == [
        "name_invalid",
        "name_reserved",
        "name_invalid",
    ]
    assert isinstance(goodbye, Goodbye)
    assert goodbye.reason == "refused"


def test_lines_behind_the_last_refusal_are_not_read() -> None:
    world = World()
    wire = Wire(world)
    wire.send(b"a b\na b\na b\nalice\n")
    assert world.account_names() == []
    assert len(wire.said()) == 4


def test_first_line_that_is_no_text_counts_as_a_refusal() -> None:
    world = World()
    wire = Wire(world)
    wire.send(b"\xff\xfe\n", b"al\x00ice\n", b"\x1b[31m\n")
    assert wire.transport.closed
    assert world.hub.statistics.refusals == 3


def test_json_before_hello_is_answered_with_not_registered_and_the_clients_own_id() -> None:
    world = World(Limits(max_refusals=20))
    wire = Wire(world)
    wire.send(b"HELLO: {}\n")
    wire.said()
    requests = [
        Send(to="bob", text="x", cid="c1"),
        HistoryQuery(peer="bob", rid=1),
        SearchQuery(query="x", rid="r2"),
        ChatsQuery(rid=3),
        FindQuery(prefix="b", rid=4),
        Got(id=1),
        Read(peer="bob", id=1),
        Typing(to="bob"),
    ]
    wire.send(*map(line, requests))
    errors = _errors(wire.frames())
    assert {error.code for error in errors} == {"not_registered"}
    assert [(error.cid, error.rid) for error in errors] == [
        ("c1", None),
        (None, 1),
        (None, "r2"),
        (None, 3),
        (None, 4),
        (None, None),
        (None, None),
        (None, None),
    ]
    wire.send(line(Ping(7)))
    assert wire.frames() == [Pong(7)]


def test_bye_before_hello_leaves() -> None:
    world = World()
    wire = Wire(world)
    wire.send(b"HELLO: {}\n", line(Bye()))
    assert wire.transport.closed
    assert [fields["reason"] for fields in world.log.named("never_registered")] == ["left"]


# --- after registration ----------------------------------------------------------------------------------


def test_second_hello_is_an_error_and_changes_nothing() -> None:
    world = World()
    wire = json_wire(world, "alice")
    wire.send(line(Hello(user="bob", agent="t")))
    (error,) = wire.frames()
    assert isinstance(error, Error)
    assert error.code == "bad_request"
    assert world.hub.roster.names() == ["alice"]


def test_ping_is_answered_with_its_number_and_pong_with_nothing() -> None:
    wire = json_wire(World(), "alice")
    wire.send(line(Ping(5)) + line(Pong(9)) + line(Ping(6)))
    assert wire.frames() == [Pong(5), Pong(6)]


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe",
        b"MSG: bob: \x1b[2J",
        b"MSG: bob: a\x07",
        b"",
        b"hello",
        b"LIST: bob",
        b"MSG: bob",
        b"MSG: : x",
    ],
)
def test_bad_plain_line_gets_a_sentence_and_the_connection_stays(bad: bytes) -> None:
    world = World()
    bob, alice = plain_wire(world, "bob"), plain_wire(world, "alice")
    bob.advance(1.0)
    bob.said()
    alice.send(bad + b"\n")
    (said,) = alice.said()
    assert said.startswith("MSG: Server: ")
    assert said.isprintable()
    alice.send(b"MSG: bob: still here\n")
    assert bob.said() == ["MSG: alice: still here"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"MSG: \xff", "bad_request"),
        (b"MSG: {\x00}", "bad_request"),
        (b"", "bad_request"),
        (b"hello", "bad_request"),
        (b"NOPE: {}", "unknown_verb"),
        (b"msg: {}", "unknown_verb"),
        (b"MSG: []", "bad_request"),
        (b'MSG: {"to":"bob"}', "bad_request"),
        (b"MSG: " + b"[" * 5000, "bad_request"),
        (b'WELCOME: {"user":"x"}', "unknown_verb"),
    ],
)
def test_bad_json_line_gets_a_code_and_the_connection_stays(bad: bytes, code: str) -> None:
    wire = json_wire(World(), "alice")
    wire.send(bad + b"\n", line(Ping(1)))
    error, pong = wire.frames()
    assert isinstance(error, Error)
    assert error.code == code
    assert pong == Pong(1)


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_line_over_the_limit_ends_the_connection_with_a_sentence(end: bytes, registered: bool) -> None:
    world = World(Limits(max_line_bytes=100))
    wire = plain_wire(world, "alice") if registered else Wire(world)
    wire.send(b"x" * 102 + end)
    assert wire.said() == ["MSG: Server: That line was longer than 100 bytes, which is the limit. Goodbye."]
    assert wire.transport.closed
    ended = world.log.named("session_closed", "never_registered")
    assert [fields["reason"] for fields in ended] == ["protocol_error"]


@pytest.mark.parametrize(
    "chunks",
    [
        (b'MSG: {"cid": "c1", "to"', b': "bob", "text": "' + b"x" * 102),
        (b'MSG: {"to": "bob", "text": "', b"x" * 102 + b'", "cid": "c1"}\n'),
    ],
    ids=["in the beginning", "in what has come"],
)
def test_json_client_is_told_of_the_line_over_the_limit_too(chunks: tuple[bytes, ...]) -> None:
    wire = json_wire(World(Limits(max_line_bytes=100)), "alice")
    wire.send(*chunks)
    (error,) = wire.frames()
    assert isinstance(error, Error)
    assert (error.code, error.cid) == ("too_long", "c1")
    assert wire.transport.closed


@pytest.mark.parametrize(
    "frame",
    [b'READ: {"peer": "nobody", "id": 1, "rid": 7}', b'TYPING: {"to": "nobody", "rid": 7}'],
)
def test_refusal_carries_the_rid_of_a_frame_that_needs_none(frame: bytes) -> None:
    wire = json_wire(World(), "alice")
    wire.send(frame + b"\n")
    (error,) = wire.frames()
    assert isinstance(error, Error)
    assert (error.code, error.rid) == ("no_such_user", 7)


def test_whole_lines_before_the_endless_one_still_count() -> None:
    world = World(Limits(max_line_bytes=100))
    bob, alice = plain_wire(world, "bob"), plain_wire(world, "alice")
    alice.send(b"MSG: bob: first\n" + b"x" * 102)
    assert [said for said in bob.said() if said.startswith("MSG")] == ["MSG: alice: first"]
    assert alice.transport.closed


def test_nothing_is_heard_after_the_end() -> None:
    world = World()
    bob, alice = json_wire(world, "bob"), json_wire(world, "alice")
    alice.send(line(Bye()) + line(Send(to="bob", text="too late", cid="c1")))
    alice.send(line(Send(to="bob", text="too late", cid="c2")))
    assert world.hub.statistics.messages == 0
    assert alice.frames() == []
    bob.advance(1.0)
    assert [type(frame).__name__ for frame in bob.frames()] == ["Joined", "Left"]
