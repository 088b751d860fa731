"""Replays the examples of docs/protocol.md against a server.

An example is a fenced block with the info string `session plain` or `session json`, of these lines:

- `NAME> line`: the connection NAME sends a line; the first time, or after it was closed, it is opened.
- `NAME< line`: the connection NAME receives it. `client>` and `server>` are short for `client>` and `client<`.
- `NAME= METHOD /files/… body`: NAME makes a request by HTTP with the last ticket that it was given.
- `NAME= status body`: what that is answered with.
- `NAME! leaves` and `NAME! is closed`: this end, or the server, closes the connection.
- blank lines, and comments that start with `#`.

In JSON, the string "…" and the number 0 in `id`, `at`, `last` and a few more stand for anything that the server says;
a client that sends "…" sends what the server has last told it in that field, on an earlier connection too, and as a `secret` the last code that anybody
was shown. JSON is spoken over TLS, as programs do. A LIST that a newer one replaces may
be left out; everything else that the server sends has to be there, in its order.
"""

from __future__ import annotations

import contextlib
import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from tests.support.http import HttpClient
from tests.support.process import ROOT
from tests.support.raw import Closed, Peer, Silent, Value
from tests.support.serving import serve
from tests.support.tls import client_context
from twocans.hub.session import Reason
from twocans.protocol.errors import Code
from twocans.protocol.messages import FROM_CLIENT, FROM_SERVER, Frame

DOCUMENT = ROOT / "docs" / "protocol.md"
ANYTHING = "…"
NEVER_SAID = {
    *("left", "connection_lost", "timed_out", "too_slow", "protocol_error"),
    *("tls_failed", "not_encrypted", "failed"),
}
"""Reasons why a session ends that no peer is told."""
NUMBERS = ("id", "at", "last", "device", "created", "seen", "since")
_BLOCK = re.compile(r"^```session (plain|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"(\w+)([<>=]) ?(.*)")
_REQUEST = re.compile(r"([A-Z]+) (/files/)…(?: (.*))?")
_DONE = re.compile(r"(\w+)! (leaves|is closed)")


@dataclass
class Example:
    """One block: where it stands, its dialect and its lines."""

    line: int
    dialect: str
    lines: list[str]


@dataclass
class Connection:
    """One peer of an example and what the server has told it."""

    peer: Peer
    told: dict[str, Value] = field(default_factory=dict)
    answered: str = ""
    """What its last request was answered with."""


def examples() -> list[Example]:
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    return [
        Example(text.count("\n", 0, match.start()) + 1, match[1], match[2].splitlines())
        for match in _BLOCK.finditer(text)
    ] or [Example(0, "no", ["docs/protocol.md has no examples"])]


def same(shown: Value, sent: Value, name: str = "") -> bool:
    """Whether what a server has sent is what the document shows, wildcards apart."""
    if shown == ANYTHING:
        return isinstance(sent, str)
    if shown == 0 and name in NUMBERS:
        return isinstance(sent, int)
    if isinstance(shown, dict) and isinstance(sent, dict):
        return shown.keys() == sent.keys() and all(same(shown[key], sent[key], key) for key in shown)
    if isinstance(shown, list) and isinstance(sent, list):
        return len(shown) == len(sent) and all(same(*pair) for pair in zip(shown, sent, strict=True))
    return type(shown) is type(sent) and shown == sent


def payload(line: str) -> tuple[str, Value]:
    """A line's verb and its payload: parsed if it is JSON, as it is otherwise."""
    verb, _, rest = line.partition(": ")
    try:
        value: Value = json.loads(rest)
    except ValueError:
        value = rest
    return verb, value


def filled_in(line: str, told: dict[str, Value]) -> str:
    """A client's line with what the server has told it in place of the wildcards."""
    verb, fields = payload(line)
    if not isinstance(fields, dict) or ANYTHING not in fields.values():
        return line
    filled = {key: told[key] if value == ANYTHING else value for key, value in fields.items()}
    return f"{verb}: {json.dumps(filled)}"


def receive(connection: Connection, shown: str) -> Value:
    """Read the line that is shown; lists that it replaces are passed over. What it holds."""
    while True:
        try:
            line = connection.peer.read_line()
        except (Closed, Silent) as error:
            raise AssertionError(f"the server did not send {shown!r}: {error}") from None
        verb, value = payload(line)
        if isinstance(value, dict):
            connection.told |= value
        if (verb, same(payload(shown)[1], value)) == (payload(shown)[0], True):
            return value
        assert verb == "LIST", f"the server sent {line!r} where the document shows {shown!r}"


def rest(peer: Peer) -> list[str]:
    """What a JSON client has been sent besides what was read, whether it has said BYE or not."""
    with contextlib.suppress(Closed):
        peer.send_line('PING: {"n": 424242}')
    try:
        return peer.read_until(lambda line: line == 'PONG: {"n":424242}')[:-1]
    except Closed:
        return peer.expect_closed()


def replay(example: Example) -> None:
    tls = client_context() if example.dialect == "json" else None
    with TemporaryDirectory() as data, serve(data=Path(data)) as server, ExitStack() as opened:
        connections: dict[str, Connection] = {}
        secret: dict[str, Value] = {}
        before: dict[str, dict[str, Value]] = {}
        for written in example.lines:
            if not written.strip() or written.startswith("#"):
                continue
            if done := _DONE.fullmatch(written.strip()):
                connection = connections.pop(done[1])
                before[done[1]] = connection.told
                if done[2] == "leaves":
                    connection.peer.close()
                else:
                    assert connection.peer.expect_closed() == []
                continue
            said = _SAID.fullmatch(written)
            assert said, f"not a line of an example: {written!r}"
            name, direction, line = said.groups()
            if name == "server":
                name, direction = "client", "<"
            if name not in connections:
                assert direction == ">", f"{name} receives before it has said anything"
                peer = opened.enter_context(Peer(server.port, tls=tls))
                connections[name] = Connection(peer, before.pop(name, {}))
            if direction == "=":
                connection = connections[name]
                if request := _REQUEST.fullmatch(line):
                    method, folder, body = request.groups()
                    with HttpClient(Peer(server.port, tls=tls)) as http:
                        answer = http.ask(
                            method, f"{folder}{connection.told['ticket']}", body.encode() if body else None
                        )
                    connection.answered = f"{answer.status} {answer.text}".rstrip()
                else:
                    assert connection.answered == line
            elif direction == ">":
                connections[name].peer.send_line(filled_in(line, connections[name].told | secret))
            else:
                told = receive(connections[name], line)
                if line.startswith("CODE: ") and isinstance(told, dict):
                    secret["secret"] = told["code"]
        for name, connection in connections.items():
            if example.dialect == "json":
                assert rest(connection.peer) == [], f"the document leaves out what {name} receives"


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"line{example.line}-{example.dialect}")
def test_example_of_the_document_is_true(example: Example) -> None:
    replay(example)


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the first table under a heading: the cells of each, by the names in its first cell."""
    _, _, after = DOCUMENT.read_text(encoding="utf-8").partition(f"\n### {heading}\n")
    table = re.search(r"^\|.*?\n(?!\|)", after, re.MULTILINE | re.DOTALL)
    assert table, f"no table under {heading!r}"
    found: dict[str, list[str]] = {}
    for line in table[0].splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found |= dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), cells)
    return found


def fields(kind: type[Frame]) -> set[str]:
    """The fields of a frame as the document writes them: with a question mark those that may be left out."""
    description = msgspec.inspect.type_info(kind)
    assert isinstance(description, msgspec.inspect.StructType)
    return {f"{one.encode_name}{'' if one.required else '?'}" for one in description.fields}


# Older servers leave these out; this one always sends them.
ALWAYS_SENT = {"WELCOME": {"after"}, "DEVICES": {"sessions", "session_count"}, "PRESENCE": {"status"}}


def test_document_has_all_frames_of_a_client_and_their_fields() -> None:
    shown = rows("What a client sends")
    assert shown.keys() == {kind.verb for kind in FROM_CLIENT}
    for kind in FROM_CLIENT:
        names = set(re.findall(r"`(\w+\??)`", shown[kind.verb][1]))
        assert fields(kind) <= names, kind.verb


def test_document_has_all_frames_of_a_server_and_their_fields() -> None:
    shown = rows("What the server sends")
    assert shown.keys() == {kind.verb for kind in FROM_SERVER}
    for kind in FROM_SERVER:
        names = set(re.findall(r"`(\w+\??)`", shown[kind.verb][1]))
        always = ALWAYS_SENT.get(kind.verb, set())
        assert {name.rstrip("?") if name.rstrip("?") in always else name for name in fields(kind)} <= names


def test_document_has_all_error_codes_and_all_reasons_of_a_bye() -> None:
    assert rows("Errors").keys() == set(Code)
    assert rows("Byes").keys() == {reason.value for reason in Reason} - NEVER_SAID


def test_document_has_examples_of_both_dialects() -> None:
    assert {example.dialect for example in examples()} == {"plain", "json"}


@pytest.mark.parametrize(
    ("shown", "sent", "equal"),
    [
        ({"id": 0}, {"id": 7}, True),
        ({"n": 0}, {"n": 7}, False),
        ({"token": "…"}, {"token": "abc"}, True),
        ({"token": "…"}, {"token": 7}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"more": False}, {"more": 0}, False),
        ([{"last": 0}], [{"last": 3}], True),
        ("alice, bob", "alice", False),
    ],
)
def test_comparison_knows_its_wildcards(shown: Value, sent: Value, equal: bool) -> None:
    assert same(shown, sent) is equal


def test_replay_finds_what_the_document_gets_wrong() -> None:
    right = Example(1, "plain", ["client> alice", "server> LIST: alice"])
    wrong = Example(1, "plain", ["client> alice", "client> MSG: x: y", "server> MSG: Server: welcome!"])
    forgotten = Example(
        1,
        "json",
        ['a> HELLO: {"user": "a", "agent": "x"}'],
    )
    replay(right)
    for example in (wrong, forgotten):
        with pytest.raises(AssertionError):
            replay(example)
