"""The table: in which ways a server misbehaves, and what of it ends the connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from tests.misbehaving.server import Mode, Said
from tests.unit.client.sessions import message
from twocans.protocol.messages import (
    MAX_ID,
    Ack,
    Chat,
    Chats,
    ChatsQuery,
    Error,
    Frame,
    FromClient,
    Goodbye,
    History,
    HistoryQuery,
    Joined,
    Left,
    Message,
    Ping,
    Presence,
    ReadMark,
    Receipt,
    Synced,
    TypingFrom,
)

ESCAPES: Final = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\n"
HUGE: Final = "x" * 20_000_000
LONG: Final = "x" * 100_000

_MSG: Final = b'MSG: {"id":%d,"at":%d,"from":"bob","to":"alice","text":"hi","cid":"far"}\n'
_WELCOME: Final = (
    b'WELCOME: {"user":"alice","server":"s","log":"log-1","last":2,"users":["alice"],"token":"t","limits":'
    b'{"line_bytes":%d,"text_bytes":%d,"rate":%d,"burst":1}}\n'
)


def _only(*said: Said) -> Callable[[Sequence[Frame]], Sequence[Said]]:
    """Say this instead of WELCOME."""
    return lambda _: said


def _welcome(**changes: object) -> Callable[[Sequence[Frame]], Sequence[Said]]:
    """Say all of it with another WELCOME."""
    return lambda honest: [structs.replace(honest[0], **changes), *honest[1:]]


def _limits(line_bytes: int, text_bytes: int, rate: int = 1) -> Callable[[Sequence[Frame]], Sequence[Said]]:
    return lambda honest: [_WELCOME % (line_bytes, text_bytes, rate), *honest[1:]]


def _to_history(
    answer: Callable[[HistoryQuery], Sequence[Said]],
) -> Callable[[FromClient], Sequence[Said] | None]:
    """Answer HISTORY so."""
    return lambda frame: answer(frame) if isinstance(frame, HistoryQuery) else None


def _to_chats(
    answer: Callable[[ChatsQuery], Sequence[Said]],
) -> Callable[[FromClient], Sequence[Said] | None]:
    """Answer CHATS so."""
    return lambda frame: answer(frame) if isinstance(frame, ChatsQuery) else None


def _silent(honest: Sequence[Frame]) -> Sequence[Said]:
    """Leave out SYNCED."""
    return honest[:-1]


GREETINGS: Final = (
    Mode("another name", greets=_welcome(user="mallory")),
    Mode("a name of 5,000 letters", greets=_welcome(user="x" * 5000)),
    Mode("no name", greets=_welcome(user="")),
    Mode("a name with escapes", greets=_welcome(user="alice", users=["alice", "bob" + ESCAPES])),
    Mode("two hundred thousand people", greets=_welcome(users=[f"u{n}" for n in range(200_000)])),
    Mode("a long name of the server", ends=False, greets=_welcome(server=ESCAPES + LONG)),
    Mode("a log with escapes", greets=_welcome(log=ESCAPES)),
    Mode("a token with escapes", greets=_welcome(token=ESCAPES)),
    Mode("a far newest id", ends=False, greets=_welcome(last=MAX_ID)),
    Mode("a newest id beyond all", greets=_welcome(last=2**63 - 1)),
    Mode("a newest id that goes back", ends=None, greets=_welcome(last=0)),
    Mode("limits of nothing", greets=_limits(0, 0)),
    Mode("limits below nothing", greets=_limits(-1, -5)),
    Mode("limits of one byte", greets=_limits(1, 1)),
    Mode("limits beyond all", greets=_limits(2**62, 2**62)),
    Mode("a rate below nothing", greets=_limits(65536, 16384, -1)),
    Mode("synced too far", ends=False, greets=lambda honest: [*honest[:-1], Synced(last=MAX_ID)]),
    Mode("synced before welcome", greets=lambda honest: honest[::-1]),
    Mode("welcome twice", greets=lambda honest: [honest[0], honest[0]]),
    Mode("pings before welcome", greets=_only(*[Ping(n=n) for n in range(101)])),
    Mode("half of welcome and the end", greets=_only(b'WELCOME: {"user":"al', Goodbye("refused", ""))),
    Mode("a web page", greets=_only(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    Mode("bytes", greets=_only(bytes(range(256)) * 10 + b"\n")),
    Mode("an empty line", greets=_only(b"\n")),
    Mode("json that is nested deeply", greets=_only(b"WELCOME: " + b"[" * 100_000 + b"\n")),
    Mode("an error of 20 MB", greets=_only(Error("internal", HUGE))),
    Mode("an error with escapes", greets=_only(Error("internal", ESCAPES))),
    Mode("an error without a word", greets=_only(Error("internal", ""))),
    Mode("a plain refusal with escapes", greets=_only(f"MSG: Server: {ESCAPES}".encode() + b"\n")),
    Mode("a goodbye of 100 kB", greets=_only(Goodbye("refused", LONG))),
)
"""What is wrong before the user is live."""

LIES: Final = (
    Mode("error of 20 MB", ends=False, says=[Error("internal", HUGE)]),
    Mode("errors about nothing", ends=False, says=[Error("internal", "x", cid="no", rid=7)] * 100),
    Mode("goodbye of 100 kB", says=[Goodbye("refused", LONG)]),
    Mode("goodbye with escapes", says=[Goodbye("too_slow", ESCAPES)]),
    Mode("a code with escapes", says=[Error(ESCAPES, "x")]),
    Mode("somebody with 5,000 letters", says=[Joined(user="x" * 5000)]),
    Mode("somebody without a name", says=[Joined(user="")]),
    Mode("somebody with escapes", says=[Joined(user=ESCAPES)]),
    Mode("presence of strangers", ends=False, says=[Presence(f"u{n}", encrypted=False) for n in range(500)]),
    Mode("typing of strangers", ends=False, says=[TypingFrom(sender=f"u{n}") for n in range(500)]),
    Mode("receipts of strangers", ends=False, says=[Receipt(f"u{n}", MAX_ID, MAX_ID) for n in range(500)]),
    Mode("far marks", ends=False, says=[Receipt("bob", MAX_ID, MAX_ID), ReadMark("bob", MAX_ID)]),
    Mode("a text of 5 MB", ends=False, text="x" * 5_000_000),
    Mode("a text of 100,000 lines", ends=False, text="x\n" * 100_000),
    Mode("a far message", says=[_MSG % (2**62, 1)]),
    Mode("a message of the year 300,000", says=[_MSG % (1000, 10**16)]),
    Mode("a message before all time", says=[_MSG % (1000, -(10**16))]),
    Mode("a message between others", says=[message(1000, sender="carol", to="bob")]),
    Mode("a message from nobody", says=[message(1000, sender="")]),
    Mode("a message without an id", says=[b'MSG: {"at":1,"from":"bob","to":"alice","text":"hi","cid":""}\n']),
    Mode("old messages again", ends=False, says=[message(1, text="one"), message(2, text="two")] * 50),
    Mode("a far acknowledgement of nothing", ends=False, says=[Ack("nobody's", MAX_ID, 1)]),
    Mode("a refusal of nothing", ends=False, says=[Error("too_long", "No.", cid="waiting-")]),
    Mode("pings", ends=False, says=[Ping(n=n) for n in range(1000)]),
    Mode("a ping beyond all", says=[b'PING: {"n":99999999999999999999}\n']),
    Mode("coming and going", ends=False, says=[Joined(user="eve"), Left(user="eve")] * 500),
    Mode("verbs of tomorrow", ends=False, says=[b'REACTION: {"id":1}\n'] * 100),
    Mode("verbs of tomorrow without end", endless=b'REACTION: {"id":1}\n'),
    Mode("pongs without end", endless=b'PONG: {"n":7}\n'),
    Mode("answers to nothing without end", endless=b'FOUND: {"rid":77,"users":[]}\n'),
    Mode("a line without end", endless=b"x" * 4096),
    Mode("bytes that are not text", says=[b"\xff\xfe\x00\n"]),
    Mode("json that is nested", says=[b"MSG: " + b'{"a":' * 100_000 + b"\n"]),
    Mode("numbers with 100,000 digits", says=[b'SYNCED: {"last":' + b"9" * 100_000 + b"}\n"]),
    Mode("another welcome", says=[b'WELCOME: {"user":"mallory"}\n']),
    Mode("a byte now and then", endless=b" ", slow=True, window=False),
    Mode(
        "half a line", says=[b'MSG: {"id":5,"at":1,"from":"bob","te'], endless=b"x", slow=True, window=False
    ),
    Mode(
        "silence before synced", greets=_silent, endless=b'JOINED: {"user":"eve"}\n', slow=True, window=False
    ),
)
"""What is wrong later."""

_TWO: Final = [message(1, text="one"), message(2, text="two")]


def _page(messages: list[Message], *, more: bool) -> Callable[[FromClient], Sequence[Said] | None]:
    return _to_history(lambda query: [History(query.rid, messages, more=more)])


PAGES: Final = (
    Mode("the same page for ever", answers=_page(_TWO, more=True)),
    Mode("an empty page and more", answers=_page([], more=True)),
    Mode("a page backwards", answers=_page(_TWO[::-1], more=False)),
    Mode("a page of a message twice", answers=_page(_TWO[:1] * 2, more=False)),
    Mode("a page with escapes in a name", answers=_page([message(1, sender=ESCAPES)], more=False)),
    Mode("a page of another kind", answers=_to_history(lambda query: [Chats(query.rid, [])])),
)
"""What is wrong with an answer to HISTORY. The first one is right once, and no further."""

CHATS: Final = (
    Mode(
        "chats with unread below nothing",
        answers=_to_chats(
            lambda query: [b'CHATS: {"rid":%d,"chats":[{"peer":"bob","unread":-1}]}\n' % int(query.rid)]
        ),
    ),
    Mode(
        "chats of 5,000 letters",
        answers=_to_chats(lambda query: [Chats(query.rid, [Chat("x" * 5000, message(1), 1)])]),
    ),
    Mode(
        "chats read far",
        ends=False,
        answers=_to_chats(
            lambda query: [Chats(query.rid, [Chat("bob", message(2, text="two"), 10**15, MAX_ID)])]
        ),
    ),
)
"""What is wrong with an answer to CHATS."""
