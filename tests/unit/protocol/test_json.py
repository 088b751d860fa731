"""The JSON dialect: decode after encode is the identity, and no bytes raise anything but a protocol error."""

from __future__ import annotations

import json as plain_json
from collections.abc import Callable
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocol.frames import any_of
from twocans.protocol import json
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    FROM_CLIENT,
    FROM_SERVER,
    Ack,
    Changes,
    Frame,
    Joined,
    Left,
    Message,
    Notice,
    Ping,
    Send,
    UserList,
)
from twocans.protocol.text import has_control

VERBS = sorted({kind.verb for kind in (*FROM_CLIENT, *FROM_SERVER)})
# The two that only plain clients are told have no JSON form.
JSON_FROM_SERVER = tuple(kind for kind in FROM_SERVER if kind not in (Notice, UserList))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    [
        "user",
        "agent",
        "after",
        "log",
        "token",
        "to",
        "text",
        "cid",
        "id",
        "peer",
        "before",
        "limit",
        "rid",
        "n",
        "prefix",
    ]
)
payloads = st.one_of(
    st.binary(max_size=80),
    json_values.map(lambda value: plain_json.dumps(value).encode()),
    st.dictionaries(field_names, json_values, max_size=6).map(lambda value: plain_json.dumps(value).encode()),
)
hostile_lines = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda verb, payload: verb.encode() + b": " + payload, st.sampled_from(VERBS), payloads),
)


def allowed(message: Frame) -> Frame:
    """The same without the characters that a message that is sent may not have."""
    if not isinstance(message, Send):
        return message
    text = "".join(char for char in message.text if not has_control(char))
    return Send(message.to, text, "".join(filter(str.isprintable, message.cid)) or "c")


@given(message=any_of(FROM_CLIENT).map(allowed))
def test_client_frames_are_read_back_as_they_were_written(message: Frame) -> None:
    assert json.decode_client(json.encode(message).removesuffix(b"\n")) == message


@given(message=any_of(JSON_FROM_SERVER))
def test_server_frames_are_read_back_as_they_were_written(message: Frame) -> None:
    assert json.decode_server(json.encode(message).removesuffix(b"\n")) == message


@given(message=any_of((*FROM_CLIENT, *JSON_FROM_SERVER)))
def test_every_frame_is_one_line_with_a_verb_and_one_object(message: Frame) -> None:
    encoded = json.encode(message)
    assert encoded.endswith(b"\n")
    assert encoded.count(b"\n") == 1
    verb, _, payload = encoded.partition(b": ")
    assert verb.decode() == type(message).verb
    assert isinstance(plain_json.loads(payload), dict)


def refusal(decode: Callable[[bytes], Frame], line: bytes) -> ProtocolError | None:
    """The error that a line gets; what can be read can be said again, and breaks no encoder later."""
    try:
        json.encode(decode(line))
    except ProtocolError as error:
        return error
    return None


@given(line=hostile_lines, decode=st.sampled_from([json.decode_client, json.decode_server]))
def test_no_bytes_raise_anything_but_a_protocol_error(decode: Callable[[bytes], Frame], line: bytes) -> None:
    error = refusal(decode, line)
    if error is not None:
        assert error.code in (Code.BAD_REQUEST, Code.UNKNOWN_VERB)
        assert error.text.isprintable()
        assert len(error.text) < 500


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\rb", "a\x9bb", "\x7f", "a\x00"])
def test_text_with_control_characters_is_refused_with_its_cid(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        json.decode_client(b"MSG: " + plain_json.dumps({"to": "bob", "text": text, "cid": "c1"}).encode())
    assert (caught.value.code, caught.value.cid) == (Code.BAD_REQUEST, "c1")


@pytest.mark.parametrize("cid", ["x\0", "\u202e", "a\nb"])
def test_cid_with_control_characters_is_refused_and_given_back(cid: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        json.decode_client(b"MSG: " + plain_json.dumps({"to": "bob", "text": "hi", "cid": cid}).encode())
    assert (caught.value.code, caught.value.cid) == (Code.BAD_REQUEST, cid)


sends = st.builds(Send, st.text(max_size=5), st.text(max_size=20), st.text(min_size=1, max_size=5))
tricky_lines = st.sampled_from(
    [
        b'MSG: {"to":"bob","text":"hi","cid":"c"}',
        b'MSG:{"to":"bob","text":"hi","cid":"c"}',
        b'MSG: {"to":"bob","text":"{}","cid":"c"}',
        b'MSG: {"to":"bob","text":"a","cid":"c"} {"to":"bob","text":"b","cid":"d"}',
        b"MSG:",
        b'MSG: {"to":"bob","text":"}',
        b',"x":"{","cid":"c"}',
        b'MSG: {"to":"bob","text":"\\u0007","cid":"c"}',
        b'MSG: {"to":"bob","text":"\\n","cid":"c"}',
        b'MSG: {"to":"bob","text":"\x7f","cid":"c"}',
        b'MSG: {"to":"bob","text":"\xc2\x9b","cid":"c"}',
        b'MSG: {"to":"bob","text":"\xff","cid":"c"}',
        b'MSG: {"to":"bob","text":"x","cid":"\xe2\x80\xae"}',
        b'MSG: {"to":"bob","text":"x","cid":""}',
        b'GOT: {"to":"bob","text":"x","cid":"c","id":5}',
        b'READ: {"peer":"bob","id":5}',
        b'MSG: {"to":"bob","text":"x"}',
        b'MSG: {"to":[[]],"text":"x","cid":"c"}',
        b"",
    ]
)


@given(st.lists(tricky_lines | sends.map(lambda send: json.encode(send)[:-1]), min_size=1, max_size=5))
def test_lines_read_together_say_what_each_says_by_itself(lines: list[bytes]) -> None:
    together = json.decode_sends(b"".join(line + b"\n" for line in lines), len(lines))
    assert together is None or together == [json.decode_client(line) for line in lines]


def test_ordinary_messages_of_any_script_are_read_together() -> None:
    texts = ("hi", "", "a: b", "Grüße", "שלום", "今日は 😀")
    lines = [json.encode(Send("bob", text, str(uuid4())))[:-1] for text in texts]
    assert json.decode_sends(b"".join(line + b"\n" for line in lines), len(lines)) == [
        json.decode_client(line) for line in lines
    ]


@given(st.lists(any_of([Message]), min_size=1, max_size=4))
def test_messages_and_acks_written_together_are_what_each_is_by_itself(messages: list[Frame]) -> None:
    typed = [message for message in messages if isinstance(message, Message)]
    assert json.encode_messages(typed) == b"".join(map(json.encode, typed))
    acks = [Ack(message.cid, message.id, message.at) for message in typed]
    assert json.encode_acks(typed) == b"".join(map(json.encode, acks))


def test_several_changes_are_a_line_each() -> None:
    assert json.encode(Changes([Joined("a"), Left("b")])) == b'JOINED: {"user":"a"}\nLEFT: {"user":"b"}\n'


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"to":[{"x":'])
def test_deep_nesting_is_refused(opening: bytes) -> None:
    line = b"MSG: " + opening * (65_000 // len(opening))
    with pytest.raises(ProtocolError) as caught:
        json.decode_client(line)
    assert caught.value.code is Code.BAD_REQUEST


def test_deeply_nested_unknown_field_is_refused_or_ignored() -> None:
    nested = b"[" * 30_000 + b"]" * 30_000
    line = b'MSG: {"to": "bob", "text": "hi", "cid": "c", "extra": ' + nested + b"}"
    error = refusal(json.decode_client, line)
    assert error is None or error.code is Code.BAD_REQUEST


@pytest.mark.parametrize(
    "payload",
    [
        rb'{"to": "bob", "text": "\ud800", "cid": "c1"}',
        rb'{"cid" : "c1", "to": "bob", "text": "\ud800"}',
        b'{"to": "bob", "text": "\xff", "cid": "c1"}',
        b'{"to": "bob", "text": "\xed\xa0\x80", "cid": "c1"}',
        b'{"cid": "c1", "to": "bob", "text": "cut o',
        b'{"x": {"cid": "nested"}, "y": [{"cid": "nested"}], "cid": "c1", "text": "\xff"}',
        rb'{"text": "\"cid\": \"said\" \ud800", "cid": "c1"}',
        b'{"x": "{[", "cid": "c1", "text": "\xff"}',
        b'{"cid": "c1", "x": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    ],
)
def test_payload_that_cannot_be_decoded_is_refused_with_its_cid(payload: bytes) -> None:
    error = refusal(json.decode_client, b"MSG: " + payload)
    assert error is not None
    assert (error.code, error.cid) == (Code.BAD_REQUEST, "c1")


@pytest.mark.parametrize(("value", "rid"), [("7", 7), ('"seven"', "seven")])
def test_request_that_cannot_be_decoded_is_refused_with_its_rid(value: str, rid: int | str) -> None:
    error = refusal(json.decode_client, f'SEARCH: {{"query": "\\ud800", "rid": {value}}}'.encode())
    assert error is not None
    assert (error.code, error.rid) == (Code.BAD_REQUEST, rid)


def test_verb_that_nobody_knows_is_refused_with_its_rid() -> None:
    error = refusal(json.decode_client, b'NONSENSE: {"rid": 7}')
    assert error is not None
    assert (error.code, error.rid) == (Code.UNKNOWN_VERB, 7)


@pytest.mark.parametrize("payload", [b'{"x": {"cid": "c"}', b'{"text": "\\"cid\\": \\"c\\"', b'{"cid": "c'])
def test_cid_that_is_not_the_payloads_own_is_not_given_back(payload: bytes) -> None:
    error = refusal(json.decode_client, b"MSG: " + payload)
    assert error is not None
    assert error.cid is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b'GOT: {"id": "x"}', "GOT was not understood: the field `id` has to be an integer."),
        (b'GOT: {"id": -1}', "GOT was not understood: the field `id` has to be an integer of at least 0."),
        (
            b'CHATS: {"rid": []}',
            "CHATS was not understood: the field `rid` has to be an integer or a string.",
        ),
        (
            b'MSG: {"to": "bob", "text": "a", "cid": ""}',
            "MSG was not understood: the field `cid` has to be a string of at least 1 character.",
        ),
        (
            b'MSG: {"to": "bob", "text": "a", "cid": "c", "file": {"size": 1}}',
            "MSG was not understood: the field `file.hash` is missing.",
        ),
        (
            b'UPLOAD: {"hash": "z", "size": 1, "rid": 1}',
            "UPLOAD was not understood: the field `hash` has a value that is not allowed.",
        ),
        (b"MSG: []", "MSG was not understood: its payload is not a JSON object in UTF-8."),
    ],
)
def test_wrong_field_is_described_in_plain_words(line: bytes, sentence: str) -> None:
    error = refusal(json.decode_client, line)
    assert error is not None
    assert error.text == sentence


@pytest.mark.parametrize("key", ["to", "text", "cid"])
def test_missing_field_is_named(key: str) -> None:
    fields = {"to": "bob", "text": "hi", "cid": "c1"}
    del fields[key]
    with pytest.raises(ProtocolError) as caught:
        json.decode_client(b"MSG: " + plain_json.dumps(fields).encode())
    assert caught.value.code is Code.BAD_REQUEST
    assert f"`{key}`" in caught.value.text
    assert caught.value.cid == fields.get("cid")


def test_wrong_field_is_named_and_the_request_with_it() -> None:
    with pytest.raises(ProtocolError) as caught:
        json.decode_client(b'HISTORY: {"peer": "bob", "limit": "many", "rid": 7}')
    assert "limit" in caught.value.text
    assert caught.value.rid == 7


@pytest.mark.parametrize("value", ["true", "1.5", "[]", "{}", '"' + "x" * 65 + '"', "1e400"])
def test_reference_that_is_none_is_not_given_back(value: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        json.decode_client(f'HISTORY: {{"peer": "bob", "rid": {value}}}'.encode())
    assert caught.value.rid is None


def test_unknown_fields_are_ignored() -> None:
    line = b'MSG: {"to": "bob", "text": "hi", "cid": "c", "colour": "red", "more": {"x": [1]}}'
    assert json.decode_client(line) == Send(to="bob", text="hi", cid="c")


def test_space_after_the_verb_is_not_required() -> None:
    assert json.decode_client(b'MSG:{"to":"bob","text":"hi","cid":"c"}') == Send(to="bob", text="hi", cid="c")


@pytest.mark.parametrize("line", [b"NOPE: {}", b"msg: {}", b"WELCOME: {}", b"LIST: {}", b": {}"])
def test_unknown_verb_is_told_as_such(line: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        json.decode_client(line)
    assert caught.value.code in (Code.UNKNOWN_VERB, Code.BAD_REQUEST)


@pytest.mark.parametrize("number", [-1, 2**63, 2**70, 1.5])
def test_ids_outside_the_log_are_refused(number: float) -> None:
    with pytest.raises(ProtocolError):
        json.decode_client(f'GOT: {{"id": {number}}}'.encode())


def test_fields_on_the_wire_have_the_names_of_the_contract() -> None:
    message = Message(id=7, at=1_700_000_000_000, sender="alice", to="bob", text="hi", cid="c")
    assert plain_json.loads(json.encode(message).partition(b": ")[2]) == {
        "id": 7, "at": 1_700_000_000_000, "from": "alice", "to": "bob", "text": "hi", "cid": "c",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "picked"),
    [
        (b'HELLO: {"user": "alice"}', True),
        (b"HELLO:{", True),
        (b"HELLO:   {", True),
        (b"HELLO", False),
        (b"HELLO: alice", False),
        (b"hello: {", False),
        (b"alice", False),
        (b"", False),
    ],
)
def test_first_line_picks_the_dialect(line: bytes, picked: bool) -> None:
    assert json.is_hello(line) is picked


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_that_no_program_needs_is_an_error_and_not_a_crash(opening: str) -> None:
    line = f'PING: {{"n": 1, "more": {opening * 15_000}'
    with pytest.raises(ProtocolError, match="nested too deeply"):
        json.decode_client(line.encode())


def test_brackets_in_a_text_nest_nothing() -> None:
    text = '[{"\\' * 3000
    message = Send(to="bob", text=text, cid="c")
    assert json.decode_client(json.encode(message)) == message


def test_many_brackets_beside_each_other_are_not_deep() -> None:
    line = f'PING: {{"n": 1, "more": [{"[{}]," * 3000}1]}}'
    assert json.decode_client(line.encode()) == Ping(1)


@given(
    depth=st.integers(json.MAX_DEPTH - 3, json.MAX_DEPTH + 3),
    around=st.lists(
        st.sampled_from(["[{}]", '{{"a": {}}}', '[{{}}, {}, "]["]', '{{"\\\\\\"[{{": [[]], "b": {}}}']),
        min_size=json.MAX_DEPTH + 3,
        max_size=json.MAX_DEPTH + 3,
    ),
)
def test_what_is_nested_as_deep_as_may_be_is_read_and_no_deeper(depth: int, around: list[str]) -> None:
    value = "1"
    for one in around[: depth - 1]:  # the payload itself is a level
        value = one.format(value)
    error = refusal(json.decode_client, f'PING: {{"n": 1, "more": {value}}}'.encode())
    assert (error is None) is (_depth(plain_json.loads(value)) < json.MAX_DEPTH)


def _depth(value: object) -> int:
    match value:
        case dict():
            return 1 + max(map(_depth, value.values()), default=0)
        case list():
            return 1 + max(map(_depth, value), default=0)
        case _:
            return 0
