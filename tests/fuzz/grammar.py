"""Inputs that get past the first check: real frames and lines, some of them damaged somewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hypothesis import strategies as st

from tests.unit.protocol.frames import any_of
from twocans.protocol import json
from twocans.protocol.messages import Frame, Message, Send

#: What a parser may stumble over: ends, escapes, numbers, and characters that are not what they seem.
WORDS: Final = (
    *(
        b"\n",
        b"\r\n",
        b"\r",
        b"\t",
        b" ",
        b":",
        b": ",
        b",",
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"[[[[",
        b"{}",
    ),
    *(
        rb"\u0000",
        rb"\u0085",
        rb"\u202e",
        rb"\ud800",
        rb"\ud83d\ude00",
        rb"\n",
        rb"\"",
        b"null",
        b"true",
        b"-1",
    ),
    *(b"0", b"1e999", b"1.5", b"-0", b"9223372036854775807", b"9223372036854775808", b"9" * 30),
    *(
        b"\x00",
        b"\x07",
        b"\x1b[2J",
        b"\x7f",
        b"\xc2\x85",
        b"\xc2",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ),
    *(
        "\u202e \u200d \ufe0f \u0301 \u2028 \u00ad \ufeff ß ı İ ﷺ א ا ガ 👩 🇩 \U000e0041 ⓐ Ａ ｡".encode().split(
            b" "
        )
    ),
)
VERBS: Final = tuple(
    f"{verb}: ".encode()
    for verb in (
        *(
            "HELLO",
            "MSG",
            "GOT",
            "READ",
            "TYPING",
            "STATUS",
            "HISTORY",
            "SEARCH",
            "CHATS",
            "FIND",
            "PING",
            "PONG",
            "BYE",
        ),
        *(
            "WELCOME",
            "SYNCED",
            "JOINED",
            "LEFT",
            "PRESENCE",
            "ACK",
            "RECEIPT",
            "RESULTS",
            "FOUND",
            "ERROR",
            "LIST",
        ),
    )
)
FIELDS: Final = tuple(
    f'"{name}": '.encode()
    for name in (
        *(
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
        ),
        *(
            "query",
            "prefix",
            "n",
            "at",
            "from",
            "last",
            "users",
            "limits",
            "messages",
            "more",
            "chats",
            "code",
            "status",
            "statuses",
        ),
    )
)
JSON_WORDS: Final = (*WORDS, *VERBS, *FIELDS)

edits = st.lists(
    st.tuples(
        st.integers(0, 400), st.integers(0, 8), st.one_of(st.sampled_from(JSON_WORDS), st.binary(max_size=4))
    ),
    max_size=3,
)


def damaged(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """The same with up to three places where something is left out and something else put in."""
    return st.builds(_edited, data, edits)


def _edited(data: bytes, changes: Iterable[tuple[int, int, bytes]]) -> bytes:
    for place, left_out, put_in in changes:
        at = place % (len(data) + 1)
        data = data[:at] + put_in + data[at + left_out :]
    return data


def frames(*kinds: type[Frame]) -> st.SearchStrategy[bytes]:
    """Lines of the JSON dialect, most of them right, each with its line end."""
    lines = any_of(kinds).map(json.encode)
    return st.one_of(lines, damaged(lines))


def streams(*lines: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Some lines of these kinds one after another, or anything."""
    some = st.lists(st.one_of(lines), min_size=1, max_size=6)
    many = st.lists(st.one_of(lines), min_size=4, max_size=12)
    return st.one_of(some.map(b"".join), many.map(b"".join), st.binary(max_size=80))


#: Messages as clients send them all the time, which are read together.
ordinary_sends = st.builds(
    Send,
    to=st.sampled_from(["bob", "alice", "Ａ"]),
    text=st.sampled_from(
        ["hi", "", "a: b", "Grüße", "今日は 😀", "a, b (c)", " ", "\u202e", "x" * 150, "c1 \x85"]
    ),
    cid=st.sampled_from(["c", "0190-7", "ü", "\u202e"]),
).map(json.encode)

#: Text with what is hard about writing: directions, marks, emoji, links, and what must not be drawn.
text = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                *(
                    "a",
                    "b c",
                    "-",
                    " ",
                    "\n",
                    "\t",
                    "\r",
                    "(",
                    ")",
                    "http://a.b/c?d=(e)",
                    "www.x.org.",
                    "mailto:a@b",
                    "://",
                ),
                *(
                    "אב",
                    "ابج",
                    "لا",
                    "12",
                    "\u0301",
                    "é",
                    "漢",
                    "、",
                    "「",
                    "👩\u200d🚀",
                    "🇩🇪",
                    "👍🏽",
                    "\ufe0f",
                    "\u200b",
                ),
                *(
                    "\u202e",
                    "\u2066",
                    "\u2069",
                    "\u200f",
                    "\u061c",
                    "\u2028",
                    "\x85",
                    "\x1b",
                    "\x00",
                    "\u00ad",
                    "ﬁ",
                    "\udcff",
                    "İ",
                    "ß",
                ),
            ]
        ),
        max_size=25,
    ).map("".join),
)

_encoded = text.map(lambda one: one.encode("utf-8", "surrogateescape"))
texts = st.one_of(_encoded, damaged(_encoded))

#: Messages whose text would like to be something else where it is shown.
pretending_messages = st.builds(
    Message,
    id=st.integers(0, 9),
    at=st.sampled_from([0, 1_780_000_000_000, -(10**18), 10**18]),
    sender=st.sampled_from(["bob", "alice", "<b>", "2026-01-01T00:00:00"]),
    to=st.sampled_from(["alice", "bob"]),
    text=st.lists(
        st.sampled_from(
            [
                *("a", " ", "\n", "<script>", "<b onclick=x>", "&lt;", "-->", "</article>", '"', "'", "\\"),
                *(
                    "\n2026-01-01T00:00:00+00:00  eve: hi",
                    "\n== eve ==\n",
                    "\u202e",
                    "\x1b[2J",
                    "\x85",
                    "\u2028",
                ),
            ]
        ),
        max_size=5,
    ).map("".join),
    cid=st.just("c"),
).map(json.encode)
