"""Names, texts and lists of a server, as the client hands them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.client.sessions import message, welcome
from twocans.client import checks
from twocans.client.checks import MAX_LABEL_CHARS, MAX_SENTENCE_CHARS, FrameChecker, sentence
from twocans.protocol import json
from twocans.protocol.errors import ProtocolError
from twocans.protocol.messages import (
    MAX_USERS,
    Ack,
    Chat,
    Chats,
    Device,
    Devices,
    Error,
    FileRef,
    Found,
    Frame,
    FromServer,
    Goodbye,
    History,
    Joined,
    Message,
    Presence,
    ReadMark,
    Receipt,
    TypingFrom,
)

_BAD_NAMES = ["", "x" * 5000, "bob\n", "b ob", "\x1b[31mbob", "bob\u202e", "b\u200bob", "bob\ufe0f"]


def _decoded(frame: Frame) -> FromServer:
    return FrameChecker().decode(json.encode(frame).removesuffix(b"\n"))


@pytest.mark.parametrize("name", _BAD_NAMES)
@pytest.mark.parametrize(
    "kind",
    [
        "welcome",
        "users",
        "unencrypted",
        "joined",
        "presence",
        "from",
        "to",
        "peer",
        "typing",
        "read",
        "chat",
        "found",
    ],
)
def test_what_cannot_be_a_name_is_one_nowhere(kind: str, name: str) -> None:
    frames: dict[str, Frame] = {
        "welcome": welcome(user=name),
        "users": welcome(users=("alice", name)),
        "unencrypted": welcome(unencrypted=(name,)),
        "joined": Joined(user=name),
        "presence": Presence(user=name, encrypted=True),
        "from": message(1, sender=name),
        "to": message(1, to=name),
        "peer": Receipt(peer=name, delivered=1, read=1),
        "typing": TypingFrom(sender=name),
        "read": ReadMark(peer=name, id=1),
        "chat": Chats(rid=1, chats=[Chat(name, message(1), 0)]),
        "found": Found(rid=1, users=[name]),
    }
    with pytest.raises(ProtocolError):
        _decoded(frames[kind])


@pytest.mark.parametrize("name", ["bob", "Дана", "o'neil", "x" * 32, "किरण", "ＢＯＢ"])
def test_names_that_a_newer_server_might_allow_are_names(name: str) -> None:
    assert _decoded(Joined(user=name)) == Joined(user=name)


def test_the_names_of_one_connection_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_USERS >= 100_000
    monkeypatch.setattr(checks, "MAX_USERS", 50)
    checker = FrameChecker()
    for number in range(50):
        checker.decode(json.encode(Joined(user=f"user{number}")).rstrip())
    checker.decode(json.encode(Joined(user="user0")).rstrip())
    with pytest.raises(ProtocolError):
        checker.decode(json.encode(TypingFrom(sender="one-more")).rstrip())
    assert len(checker._names) == 50


@pytest.mark.parametrize("text", ["x" * 100_000, "one\r\n\x1b[2Jtwo\x07\u202e", "\x00" * 5000, ""])
def test_sentences_for_people_are_one_short_line_that_acts_in_no_terminal(text: str) -> None:
    for frame in (Error(code="x", text=text), Goodbye(reason="x", text=text)):
        decoded = _decoded(frame)
        assert isinstance(decoded, Error | Goodbye)
        assert decoded.text.isprintable()
        assert len(decoded.text) <= MAX_SENTENCE_CHARS


@given(st.text())
def test_a_sentence_is_printable_and_short_whatever_the_server_says(text: str) -> None:
    shown = sentence(text)
    assert shown.isprintable()
    assert len(shown) <= MAX_SENTENCE_CHARS


def test_the_names_of_servers_and_devices_are_cleaned_too() -> None:
    long = "\x1b[31m" + "x" * 100_000
    devices = _decoded(Devices(1, [Device(1, long, 1, 1, online=True, this=True)], password=False))
    assert isinstance(devices, Devices)
    assert devices.devices[0].name.isprintable()
    assert len(devices.devices[0].name) <= MAX_LABEL_CHARS


def test_control_characters_of_a_message_are_replaced_and_all_else_stays() -> None:
    text = "tab\tline\nfeed \u202e 👩\u200d👩\u200d👧"
    assert _decoded(message(1, text=text)) == message(1, text=text)
    assert _decoded(message(1, text="\x1b]0;x\x07\x9b1m\r")) == message(
        1, text="\ufffd]0;x\ufffd\ufffd1m\ufffd"
    )


def test_messages_within_answers_are_cleaned_as_others_are() -> None:
    bad, good = message(1, text="\x1b["), message(1, text="\ufffd[")
    assert _decoded(History(1, [bad], more=False)) == History(1, [good], more=False)
    assert _decoded(Chats(1, [Chat("bob", bad, 0)])) == Chats(1, [Chat("bob", good, 0)])


@pytest.mark.parametrize(
    ("name", "safe"),
    [("../../etc/passwd", "passwd"), ("a\x00b\x1b.txt", "ab.txt"), ("x" * 10_000, "x" * 200), ("", "file")],
)
def test_a_files_name_is_safe_when_the_program_hears_of_it(name: str, safe: str) -> None:
    file = FileRef("a" * 64, 5)
    received = _decoded(Message(1, 1, "bob", "alice", name, "c", file))
    assert isinstance(received, Message)
    assert received.text == safe


@pytest.mark.parametrize(
    "line",
    [
        b'MSG: {"id":1,"at":1e3,"from":"bob","to":"alice","text":"hi","cid":""}',
        b'MSG: {"id":1,"at":-1,"from":"bob","to":"alice","text":"hi","cid":""}',
        b'MSG: {"id":1,"at":99999999999999999999,"from":"bob","to":"alice","text":"hi","cid":""}',
        b'MSG: {"id":1,"at":253402300800000,"from":"bob","to":"alice","text":"hi","cid":""}',
        b'MSG: {"id":1,"at":1,"from":"bob","to":"alice","text":"x","cid":"","file":{"hash":"aa","size":1}}',
        b'ACK: {"cid":"' + b"c" * 65 + b'","id":1,"at":1}',
        b'ERROR: {"code":"no such","text":"x"}',
        b'ERROR: {"code":"' + b"c" * 65 + b'","text":"x"}',
        b'BYE: {"reason":"\\u001b","text":"x"}',
        b'CODE: {"rid":1,"code":"a\\nb","valid_s":600}',
        b'CODE: {"rid":1,"code":"ab","valid_s":-1}',
        b'CODE: {"rid":1,"code":"ab","valid_s":99999999999}',
        b'TICKET: {"rid":1,"ticket":"a","offset":-1,"valid_s":1}',
        b'CHATS: {"rid":1,"chats":[{"peer":"b","unread":-1,"last":%s}]}'
        % b'{"id":1,"at":1,"from":"b","to":"a","text":"","cid":""}',
        b'FOUND: {"rid":1,"users":[' + b",".join(b'"u%d"' % n for n in range(2000)) + b"]}",
        b'DEVICES: {"rid":1,"devices":[],"password":false,"session_count":-5}',
    ],
)
def test_numbers_and_words_out_of_bounds_are_no_frames(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameChecker().decode(line)


def test_an_id_with_control_characters_is_none() -> None:
    for frame in (
        Ack(cid="\x1b", id=1, at=1),
        Error(code="x", text="x", cid="\n"),
        welcome(log="\n"),
        welcome(token="a b"),
        message(1, cid="\u202e"),
    ):
        with pytest.raises(ProtocolError):
            _decoded(frame)
