"""The plain dialect: what people type, and the only two verbs that they are ever sent."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.protocol.frames import any_of
from twocans.protocol import plain
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import FROM_SERVER, Error, Frame, Goodbye, Message, Notice, Send, UserList
from twocans.protocol.text import acting, spelled_out
from twocans.protocol.user_names import UserNames

one_line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
said = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\t\n"))
suspect = st.text(
    st.sampled_from(
        "ab1é漢שم☎👩🏴\n\t\xad\u034f\u061c\u1160\u200b\u200d\u202e\u2028\u2066\u3164\ufe0f\ufeff\U0001d173\U000e0061"
    )
)
names = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=32)


@given(to=names, text=one_line)
def test_message_is_read_back_as_it_was_written(to: str, text: str) -> None:
    assert plain.decode_client(f"MSG: {to}: {text}".encode()) == Send(to, text, "")


@pytest.mark.parametrize(
    ("line", "to", "text"),
    [
        ("MSG: bob: hello: there", "bob", "hello: there"),
        ("MSG:bob:hello", "bob", "hello"),
        ("MSG: bob:  two spaces", "bob", " two spaces"),
        ("MSG:  bob : hi", "bob", "hi"),
        ("MSG: bob: ", "bob", ""),
        ("MSG: bob:", "bob", ""),
        ("MSG: bob: a\tb", "bob", "a\tb"),
    ],
)
def test_space_after_a_colon_is_never_required(line: str, to: str, text: str) -> None:
    assert plain.decode_client(line.encode()) == Send(to, text, "")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"hello there", Code.BAD_REQUEST),
        (b"MSG", Code.BAD_REQUEST),
        (b"MSG: bob", Code.BAD_REQUEST),
        (b"MSG: : hi", Code.BAD_REQUEST),
        (b"msg: bob: hi", Code.BAD_REQUEST),
        (b"", Code.BAD_REQUEST),
        (b"QUIT: now", Code.UNKNOWN_VERB),
        (b"LIST:", Code.UNKNOWN_VERB),
        (b"MSG: bob: \xff", Code.BAD_REQUEST),
        (b"MSG: bob: \x07", Code.BAD_REQUEST),
    ],
)
def test_what_is_no_message_gets_an_error_with_a_sentence(line: bytes, code: Code) -> None:
    with pytest.raises(ProtocolError) as caught:
        plain.decode_client(line)
    assert caught.value.code is code
    assert caught.value.text


@given(
    st.lists(
        st.one_of(
            st.tuples(names, one_line).map(lambda said: f"MSG: {said[0]}: {said[1]}".encode()),
            st.sampled_from(
                [
                    b"MSG: bob: hi",
                    b"MSG: bob:hi",
                    b"MSG:bob: hi",
                    b"MSG: bob:hi: there",
                    b"MSG: bob: MSG: carol: hi",
                    b"MSG:  bob : hi",
                    b"MSG: : hi",
                    b"MSG: bob: \xc2\x85",
                    b"MSG: bob: \x7f",
                    b"MSG: bob: \xff",
                    b"QUIT: now: please",
                    b"",
                ]
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_lines_read_together_say_what_each_says_by_itself(lines: list[bytes]) -> None:
    together = plain.decode_sends(b"".join(line + b"\n" for line in lines), len(lines))
    assert together is None or together == [plain.decode_client(line) for line in lines]


def test_ordinary_lines_of_any_script_are_read_together() -> None:
    lines = [
        f"MSG: bob: {text}".encode() for text in ("hi", "", "a: b", "Grüße", "שלום", "今日は 😀", "a\tb")
    ]
    assert plain.decode_sends(b"".join(line + b"\n" for line in lines), len(lines)) == [
        plain.decode_client(line) for line in lines
    ]


@given(st.lists(said | suspect, min_size=1, max_size=4))
def test_messages_written_together_are_what_each_is_by_itself(texts: list[str]) -> None:
    messages = [Message(id=1, at=2, sender="alice", to="bob", text=text, cid="c") for text in texts]
    assert plain.encode_messages(messages) == b"".join(map(plain.encode, messages))


@given(text=suspect)
def test_what_could_reorder_or_hide_is_spelled_out_and_never_forges_a_line(text: str) -> None:
    message = Message(id=1, at=2, sender="alice", to="bob", text=text, cid="c")
    shown = plain.encode(message).decode()
    assert acting(shown) == []
    assert shown == "".join(f"MSG: alice: {line}\n" for line in spelled_out(text).split("\n"))
    assert shown.splitlines() == shown.split("\n")[:-1]


def refusal(decode: Callable[[bytes], object], line: bytes) -> ProtocolError | None:
    try:
        decode(line)
    except ProtocolError as error:
        return error
    return None


@given(
    line=st.one_of(st.binary(max_size=200), st.binary(max_size=50).map(lambda rest: b"MSG:" + rest)),
    decode=st.sampled_from([plain.decode_client, plain.decode_login]),
)
def test_no_bytes_raise_anything_but_a_protocol_error(decode: Callable[[bytes], object], line: bytes) -> None:
    error = refusal(decode, line)
    assert error is None or error.text.replace("\n", "").isprintable()


@given(message=any_of(FROM_SERVER), sender=names)
def test_no_other_verb_than_list_and_msg_is_ever_sent(message: Frame, sender: str) -> None:
    if isinstance(message, Message):
        message = replace(message, sender=sender)  # which is always a name
    encoded = plain.encode(message)
    assert encoded == b"" or encoded.endswith(b"\n")
    assert all(line.startswith(("MSG: ", "LIST: ")) for line in encoded.decode().split("\n")[:-1])


@given(sender=names, texts=st.lists(one_line, min_size=1, max_size=4))
def test_text_with_line_breaks_becomes_several_messages(sender: str, texts: list[str]) -> None:
    message = Message(id=1, at=2, sender=sender, to="bob", text="\n".join(texts), cid="c")
    assert plain.encode(message).decode() == "".join(
        f"MSG: {sender}: {spelled_out(text)}\n" for text in texts
    )


def test_list_names_everybody_in_the_order_given() -> None:
    assert plain.encode(UserList(UserNames.of("alice", "bob"))) == b"LIST: alice, bob\n"


@pytest.mark.parametrize(
    "said", [Notice("Hello."), Error(code="empty", text="Hello."), Goodbye(reason="kicked", text="Hello.")]
)
def test_everything_else_is_a_message_from_server(said: Frame) -> None:
    assert plain.encode(said) == b"MSG: Server: Hello.\n"


def test_name_is_the_bare_first_line() -> None:
    assert plain.decode_login("  Zoë ".encode()) == ("Zoë", None)


def test_secret_follows_the_name_after_a_space_and_may_have_more() -> None:
    assert plain.decode_login(b"alice correct horse battery ") == ("alice", "correct horse battery")


def test_recipients_that_are_no_names_take_no_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(100):
            block = b"".join(b"MSG: %d%060d: x\n" % (number, one) for one in range(100))
            plain.decode_sends(block, 100)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100, 200):
            block = b"".join(b"MSG: %d%060d: x\n" % (number, one) for one in range(100))
            plain.decode_sends(block, 100)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


# --- messages whose lines would be many times as long as their text --------------------------------------


def test_message_of_line_breaks_is_shortened_and_says_so() -> None:
    message = Message(1, 1, "alice", "bob", "x" + "\n" * 16_382 + "y", "c")
    *shown, last = plain.encode(message).decode().splitlines()
    assert shown[0] == "MSG: alice: x"
    left = 16_383 - len(shown)
    assert last == (
        f"MSG: Server: That message from alice is too long to be shown here: {left} more of 16383 lines."
    )
    assert len(plain.encode(message)) < len(message.text) + plain.MAX_ADDED_BYTES + 200
    assert plain.encode_messages([message]) == plain.encode(message)


def test_long_text_of_ordinary_lines_is_shown_whole() -> None:
    text = "\n".join(["x" * 40] * 390)
    shown = plain.encode(Message(1, 1, "alice", "bob", text, "c")).decode()
    assert shown == "".join(f"MSG: alice: {line}\n" for line in text.split("\n"))


def test_text_that_is_longer_than_what_may_be_added_is_shown_whole() -> None:
    text = "x" * 3 * plain.MAX_ADDED_BYTES + "\n\u202e"
    shown = plain.encode(Message(1, 1, "alice", "bob", text, "c")).decode()
    assert shown.endswith("\nMSG: alice: \\u202e\n")


@given(
    sender=names,
    pieces=st.lists(st.sampled_from(["\n", "\n" * 3000, "x" * 500, "\u202e" * 900, "\U000e0041" * 900])),
)
def test_no_message_gets_much_longer_than_its_text(sender: str, pieces: list[str]) -> None:
    message = Message(1, 1, sender, "bob", "".join(pieces), "c")
    data = plain.encode_messages([message])
    assert data == plain.encode(message)
    assert len(data) <= len(message.text.encode()) + plain.MAX_ADDED_BYTES + 300
    assert all(line.startswith("MSG: ") for line in data.decode().splitlines())
