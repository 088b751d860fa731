"""A message's text on its way to the eye: in the window, in a saved conversation, in the server's log."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from json import loads
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.grammar import JSON_WORDS, WORDS, frames, pretending_messages, streams, text, texts
from tests.fuzz.target import Target, option, text_of
from tests.unit.common.test_transcripts import Page
from twocans.common.transcripts import Conversation, Form, render
from twocans.gui.theme import single_line
from twocans.gui.transcript import arabic, bidi, dates
from twocans.gui.transcript.found import spans, words_of
from twocans.gui.transcript.glyphs import shown
from twocans.gui.transcript.layout import TextLayout, lay_out
from twocans.gui.transcript.links import MAX_LINK_CHARS, find_links
from twocans.gui.transcript.ruler import Ruler
from twocans.gui.viewmodel.people import folded, one_line, rank
from twocans.protocol import json
from twocans.protocol.errors import ProtocolError
from twocans.protocol.messages import Message
from twocans.protocol.text import spelled_out_line
from twocans.server.operator.log import sentence

_CHAR: Final = 10
_MAY_ACT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]"
)
_NOT_TO_BE_DRAWN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OUTSIDE_UNICODE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})


def _measure(piece: str) -> int:
    return sum(0 if unicodedata.category(char) in {"Mn", "Cf"} else _CHAR for char in piece)


def check_links(data: bytes) -> None:
    """Links stand in the text in order, without anything invisible, and what is opened is what is seen."""
    text = text_of(data)
    end = 0
    for link in find_links(text):
        assert end <= link.start < link.end <= len(text)
        end = link.end
        seen = text[link.start : link.end]
        assert link.target.lower().removeprefix("http://") == seen.lower().removeprefix("http://")
        assert link.target.lower().startswith(("http://", "https://", "mailto:"))
        assert not _OUTSIDE_UNICODE_CATEGORIES & {unicodedata.category(char) for char in seen}
        assert len(seen) <= MAX_LINK_CHARS


def check_layout(data: bytes) -> None:
    """A text of any kind is broken into lines that hold all of it, and every place in them can be pointed at."""
    variant, data = option(data)
    text = text_of(data)[:500]
    emoji = _measure if variant & 4 else None
    ruler = Ruler(_measure, reorders=bool(variant & 1), measure_emoji=emoji)
    what = shown(text, astral=bool(variant & 2))
    assert _NOT_TO_BE_DRAWN.search(what.text) is None
    layout = lay_out(what, find_links(text), 10 + variant, ruler)
    assert "".join(what.text[line.start : line.end] for line in layout.lines) == what.text.replace("\n", "")
    for number, line in enumerate(layout.lines):
        _check_line(layout, number)
        assert layout.line_of(line.start) == number or line.start == line.end or number
    for index in range(len(what.text) + 1):
        assert 0 <= what.to_message(index) <= len(text)
        assert what.from_message(what.to_message(index)) <= index


def _check_line(layout: TextLayout, number: int) -> None:
    line = layout.lines[number]
    runs = layout.runs(number)
    x = 0
    for run in runs:
        assert run.x == x
        assert line.start <= run.start < run.end <= line.end
        x += run.width
    for x in (-1, 0, line.width // 2, line.width, line.width + 5):
        assert line.start <= layout.index_at(number, x) <= line.end
        layout.link_at(number, x)
    covered = [index for run in runs for index in range(run.start, run.end)]
    assert len(covered) == len(set(covered))
    for x, width in layout.spans(number, line.start, line.end):
        assert width >= 0 <= x


def check_one_line(data: bytes) -> None:
    """Names and beginnings of messages in the list, and what a search marks in them."""
    variant, data = option(data)
    text = text_of(data)
    for reorders in (False, True):
        line = single_line.drawn(text, reorders=reorders, astral=bool(variant & 1))
        assert text.isascii() or _NOT_TO_BE_DRAWN.search(line) is None
    assert "\n" not in one_line(text)
    query, _, rest = text.partition("\n")
    rank(folded(rest), folded(query))
    end = 0
    for start, stop in spans(rest, words_of(query)):
        assert end <= start < stop <= len(rest)
        end = stop
    for piece in text.split("\n"):
        base = bidi.base_level(piece)
        levels = bidi.levels(piece, base)
        assert len(levels) == len(piece)
        runs = bidi.visual_runs(piece, levels, 0, len(piece), base)
        assert sorted(index for first, last, _ in runs for index in range(first, last)) == list(
            range(len(piece))
        )
        assert len(arabic.shape(piece)) == len(piece)


def check_transcripts(data: bytes) -> None:
    """A saved conversation holds all of it, and nothing that acts in a terminal or a browser."""
    messages = list(_messages(data))
    for message in messages:
        dates.clock_time(message.at)
        dates.day_label(dates.local_day(message.at), dates.local_day(0))
    peer = messages[0].sender if messages else "bob"
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    documents = {
        form: "".join(render([Conversation(peer, messages)], user="alice", form=form, now=now, zone=UTC))
        for form in Form
    }
    for document in documents.values():
        assert _MAY_ACT.search(document) is None
    told = loads(documents[Form.JSON])["conversations"]
    assert [one["text"] for each in told for one in each["messages"]] == [
        message.text for message in messages
    ]
    page = Page(documents[Form.HTML])
    assert len(page.said) == len(messages)
    assert not page.tags & {"script", "img", "a", "iframe", "object", "link", "form"}
    assert not {name for name in page.attributes if name.startswith("on")}
    starts = [line for line in documents[Form.TEXT].split("\n") if re.match(r"\d{4}-\d\d-\d\dT", line)]
    assert len(starts) == len(messages)


def _messages(data: bytes) -> list[Message]:
    found = []
    for line in data.split(b"\n"):
        try:
            frame = json.decode_server(line)
        except ProtocolError:
            continue
        if isinstance(frame, Message):
            found.append(frame)
    return found


def check_log(data: bytes) -> None:
    """What a peer is called reads as one line in the server's console."""
    name = text_of(data)
    assert spelled_out_line(name).isprintable()
    line, _ = sentence(
        "user_registered", {"user": name, "address": "10.0.0.7:1234", "dialect": "json", "encrypted": True}
    )
    assert line.isprintable()


def _with_option(inputs: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(lambda variant, rest: bytes([variant]) + rest, st.integers(0, 255), inputs)


_two_lines = st.builds(lambda query, rest: f"{query}\n{rest}".encode("utf-8", "surrogateescape"), text, text)

TARGETS: Final = (
    Target(
        "links", check_links, texts, (*WORDS, b"http://", b"https://", b"www.", b"mailto:", b"@", b"(", b")")
    ),
    Target("layout", check_layout, _with_option(texts), WORDS),
    Target("one-line", check_one_line, _with_option(_two_lines), WORDS),
    Target(
        "transcripts",
        check_transcripts,
        streams(pretending_messages, frames(Message)),
        (*JSON_WORDS, b"<script>", b"&amp;", b"<!--"),
    ),
    Target("log", check_log, texts, WORDS),
)
