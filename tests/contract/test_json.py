"""The JSON dialect's frame by frame manners; what messages do is in `test_messages`."""

from __future__ import annotations

import json
import re

import pytest

from tests.contract.conftest import Start
from tests.support.raw import Frame, JsonPeer, Value, decode, encode, hello
from tests.support.serving import Serving
from twocans.hub.limits import Limits


def test_welcome_holds_what_the_contract_says(start: Start) -> None:
    limits = Limits(max_line_bytes=9000, max_text_bytes=700, rate_per_s=20.0, burst_s=3.0)
    server = start(limits)
    server.plain("bob")
    alice = server.json("Alice")
    welcome = alice.welcome
    always = {"user", "server", "log", "last", "after", "users", "token", "limits"}
    assert set(welcome.fields) - {"device", "unencrypted"} == always
    assert ("device" in welcome.fields) == (server.tls is not None)
    assert welcome["user"] == "Alice"
    assert welcome["users"] == ["bob", "Alice"]
    assert (welcome["last"], welcome["after"]) == (0, 0)
    assert welcome.text("server")
    assert welcome.text("log")
    in_force = welcome.part("limits")
    assert in_force["line_bytes"] == 9000
    assert in_force["text_bytes"] == 700
    assert in_force["rate"] == 20
    assert in_force["burst"] == 60


def test_welcome_comes_first_and_synced_follows_it(server: Serving) -> None:
    peer = server.peer()
    peer.sendall(hello("alice"))
    assert decode(peer.read_line()).verb == "WELCOME"
    assert decode(peer.read_line()) == Frame("SYNCED", {"last": 0})


def test_tokens_are_fresh_and_256_bits_long(server: Serving) -> None:
    tokens = [server.json(name).token for name in ("alice", "bob", "carol")]
    assert len(set(tokens)) == 3
    # 256 bits are 64 digits in hexadecimal, and 43 characters in base 64.
    assert all(re.fullmatch(r"[0-9a-f]{64,}|[\w+/=-]{43,}", token) for token in tokens)


def test_fields_nobody_knows_are_ignored(server: Serving) -> None:
    peer = server.peer()
    peer.sendall(hello("alice", colour="red", nested={"a": [1, {"b": None}]}))
    assert decode(peer.read_line()).verb == "WELCOME"
    alice, bob = server.json("carol"), server.json("bob")
    alice.send("MSG", to="bob", text="hi", cid="c1", colour="red")
    assert alice.expect("ACK")["cid"] == "c1"
    assert bob.expect("MSG")["text"] == "hi"


@pytest.mark.parametrize(
    ("verb", "fields", "missing"),
    [
        ("MSG", {"text": "hi", "cid": "c1"}, "to"),
        ("MSG", {"to": "bob", "cid": "c1"}, "text"),
        ("MSG", {"to": "bob", "text": "hi"}, "cid"),
        ("GOT", {}, "id"),
        ("READ", {"id": 1}, "peer"),
        ("TYPING", {}, "to"),
        ("HISTORY", {"rid": 7}, "peer"),
        ("HISTORY", {"peer": "bob"}, "rid"),
        ("SEARCH", {"rid": 7}, "query"),
        ("FIND", {"rid": 7}, "prefix"),
        ("CHATS", {}, "rid"),
        ("PING", {}, "n"),
    ],
)
def test_missing_field_gets_an_error_that_names_it(
    server: Serving, verb: str, fields: dict[str, Value], missing: str
) -> None:
    alice = server.json("alice")
    alice.send(verb, **fields)
    error = alice.expect("ERROR")
    assert error["code"] == "bad_request"
    assert missing in error.text("text")
    assert error.fields.get("cid") == fields.get("cid")
    assert error.fields.get("rid") == fields.get("rid")
    assert alice.drain() == []


@pytest.mark.parametrize("missing", ["user", "agent"])
def test_incomplete_hello_is_refused_and_may_be_repeated(server: Serving, missing: str) -> None:
    fields: dict[str, Value] = {"user": "alice", "agent": "test"}
    del fields[missing]
    peer = server.peer()
    peer.send_line(encode("HELLO", **fields))
    error = decode(peer.read_line())
    assert error["code"] == "bad_request"
    assert missing in error.text("text")
    peer.sendall(hello("alice"))
    assert decode(peer.read_line()).verb == "WELCOME"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('MSG: {"to": 5, "text": "hi", "cid": "c"}', "to"),
        ('MSG: {"to": "bob", "text": null, "cid": "c"}', "text"),
        ('MSG: {"to": "bob", "text": "hi", "cid": 7}', "cid"),
        ('GOT: {"id": "7"}', "id"),
        ('GOT: {"id": -1}', "id"),
        ('GOT: {"id": 1.5}', "id"),
        ('GOT: {"id": 99999999999999999999999}', "id"),
        ('HISTORY: {"peer": "bob", "limit": 0, "rid": 1}', "limit"),
        ('HISTORY: {"peer": "bob", "before": "x", "rid": 1}', "before"),
    ],
)
def test_wrong_field_gets_an_error_that_names_it(server: Serving, line: str, field: str) -> None:
    alice = server.json("alice")
    alice.send_line(line)
    error = alice.expect("ERROR")
    assert error["code"] == "bad_request"
    assert field in error.text("text")


@pytest.mark.parametrize("payload", ["", "[]", "7", "null", '"text"', "{", "{} {}", "hello", "{'to': 'bob'}"])
def test_payload_that_is_no_object_gets_an_error_and_the_connection_stays(
    server: Serving, payload: str
) -> None:
    alice = server.json("alice")
    alice.send_line(f"MSG: {payload}")
    assert alice.expect("ERROR")["code"] == "bad_request"
    assert alice.drain() == []


@pytest.mark.parametrize("line", ["NOPE: {}", "WELCOME: {}", "ACK: {}", "LIST: {}", "X" * 300 + ": {}"])
def test_unknown_verb_gets_an_error_and_the_connection_stays(server: Serving, line: str) -> None:
    alice = server.json("alice")
    alice.send_line(line)
    assert alice.expect("ERROR")["code"] == "unknown_verb"
    assert alice.drain() == []


@pytest.mark.parametrize("line", ["", "hello", "msg: {}", ": {}", "MSG {}", "MSG: bob: hi"])
def test_line_that_is_no_frame_gets_an_error_and_the_connection_stays(server: Serving, line: str) -> None:
    alice = server.json("alice")
    alice.send_line(line)
    assert alice.expect("ERROR")["code"] in ("bad_request", "unknown_verb")
    assert alice.drain() == []


def test_space_after_the_colon_is_not_required(server: Serving) -> None:
    peer = server.peer()
    peer.send_line('HELLO:{"user":"alice","agent":"test"}')
    assert decode(peer.read_line()).verb == "WELCOME"
    assert decode(peer.read_line()).verb == "SYNCED"
    peer.send_line('PING:{"n":5}')
    assert peer.read_line() == 'PONG: {"n":5}'


def test_ping_is_answered_with_its_number(server: Serving) -> None:
    alice = server.json("alice")
    for number in (0, 7, 2**63 - 1):
        alice.send("PING", n=number)
        assert alice.expect("PONG")["n"] == number


def test_pong_that_nobody_asked_for_is_ignored(server: Serving) -> None:
    alice = server.json("alice")
    alice.send("PONG", n=99)
    assert alice.drain() == []


def test_bye_leaves_at_once(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    alice.expect("JOINED", user="bob")
    bob.send("BYE")
    bob.expect_closed()
    assert alice.expect("LEFT")["user"] == "bob"


def test_bye_may_come_before_hello(server: Serving) -> None:
    peer = server.peer()
    peer.sendall(hello("two words"))
    assert decode(peer.read_line())["code"] == "name_invalid"
    peer.send_line("BYE: {}")
    peer.expect_closed()


def test_second_hello_gets_an_error_and_changes_nothing(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    alice.send("HELLO", user="eve", agent="test")
    assert alice.expect("ERROR")["code"] == "bad_request"
    alice.say("bob", "who am I?")
    assert bob.expect("MSG")["from"] == "alice"


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("MSG", {"to": "bob", "text": "hi", "cid": "c1"}),
        ("HISTORY", {"peer": "bob", "rid": 3}),
        ("CHATS", {"rid": 3}),
        ("GOT", {"id": 1}),
    ],
)
def test_nothing_may_be_said_before_a_hello_was_accepted(
    server: Serving, verb: str, fields: dict[str, Value]
) -> None:
    bob = server.json("bob")
    peer = server.peer()
    peer.sendall(hello("Server"))
    assert decode(peer.read_line())["code"] == "name_reserved"
    peer.send_line(encode(verb, **fields))
    error = decode(peer.read_line())
    assert error["code"] == "not_registered"
    assert error.fields.get("cid") == fields.get("cid")
    assert error.fields.get("rid") == fields.get("rid")
    assert bob.drain() == []


def test_frame_without_a_hello_is_taken_for_a_name_and_refused(server: Serving) -> None:
    peer = server.peer()
    peer.send_line('MSG: {"to": "bob", "text": "hi", "cid": "c"}')
    assert peer.read_line().startswith("MSG: Server: ")


def test_three_refusals_close_the_connection(server: Serving) -> None:
    peer = server.peer()
    for name in ("two words", "Server", ""):
        peer.sendall(hello(name))
    frames = [decode(line) for line in peer.expect_closed()]
    errors = [frame["code"] for frame in frames if frame.verb == "ERROR"]
    assert errors == ["name_invalid", "name_reserved", "name_invalid"]
    assert frames[-1].verb == "BYE"
    assert frames[-1].text("text")


def test_every_error_has_a_sentence_for_a_person(server: Serving) -> None:
    alice = server.json("alice")
    for line in ("NOPE: {}", "MSG: {}", "MSG: 5", "x", 'MSG: {"to": "nobody", "text": "hi", "cid": "c"}'):
        alice.send_line(line)
        text = alice.expect("ERROR").text("text")
        assert text.endswith((".", "}"))
        assert "Traceback" not in text
        assert text[0].isupper()


def test_every_frame_is_one_line_with_a_space_after_the_colon(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    bob.say("alice", 'line\nbreak: "quoted"\ttab')
    line = alice.read_until(lambda line: line.startswith("MSG: "))[-1]
    assert json.loads(line.removeprefix("MSG: "))["text"] == 'line\nbreak: "quoted"\ttab'


def test_server_says_goodbye_when_it_stops(server: Serving) -> None:
    alice: JsonPeer = server.json("alice")
    server.stop()
    *_, last = [decode(line) for line in alice.expect_closed()]
    assert last.verb == "BYE"
    assert last["reason"] == "server_stopping"
    assert last.text("text")
