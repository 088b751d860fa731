"""Conversations as documents: complete, readable, and harmless whatever they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.common.transcripts import Conversation, Form, render
from twocans.protocol.messages import Message
from twocans.protocol.text import acting

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WINTER_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SUMMER_MS = 1_782_864_000_000  # 2026-07-01T00:00:00Z
MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\x1b\x07\x85\x9b\x00\r\x7f"
every_form = pytest.mark.parametrize("form", list(Form))


class Berlin(tzinfo):
    """A zone with a summer time; the system may know no zones by name."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        return timedelta(hours=1) + self.dst(when)

    def dst(self, when: datetime | None) -> timedelta:
        return timedelta(hours=1 if when is not None and 4 <= when.month <= 10 else 0)

    def tzname(self, when: datetime | None) -> str:
        return "CEST" if self.dst(when) else "CET"


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and the texts of messages."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.said: list[str] = []
        self.own: list[bool] = []
        self._depth = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "article":
            self.own.append(("class", "own") in attrs)
        self._depth = ("class", "said") in attrs
        if self._depth:
            self.said.append("")

    def handle_endtag(self, tag: str) -> None:
        self._depth = False

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.said[-1] += data


def message(id_: int, sender: str, to: str, text: str, at: int = WINTER_MS) -> Message:
    return Message(id=id_, at=at, sender=sender, to=to, text=text, cid=f"c{id_}")


def document(form: Form, *conversations: Conversation, zone: tzinfo = UTC) -> str:
    return "".join(render(conversations, user="alice", form=form, now=NOW, zone=zone))


def one_saying(text: str) -> Conversation:
    return Conversation("bob", [message(1, "bob", "alice", text)])


def test_text_reads_like_a_conversation_with_names_and_times() -> None:
    bob = Conversation(
        "bob", [message(1, "alice", "bob", "hello"), message(2, "bob", "alice", "hi\nyou", SUMMER_MS)]
    )
    carol = Conversation("CAROL", [message(3, "CAROL", "alice", "שלום 👩‍💻")])
    assert document(Form.TEXT, bob, carol, zone=Berlin()) == (
        "Messages of alice\n"
        "Exported 2026-03-01T13:00:00+01:00. All times are in the time zone CET/CEST.\n"
        "\n== bob ==\n\n"
        "2026-01-01T01:00:00+01:00  alice: hello\n"
        "2026-07-01T02:00:00+02:00  bob: hi\n"
        "                           you\n"
        "\n== CAROL ==\n\n"
        "2026-01-01T01:00:00+01:00  CAROL: שלום 👩‍💻\n"
    )


def test_json_holds_every_field_and_the_time_zone() -> None:
    bob = Conversation("bob", [message(7, "alice", "bob", "hello", SUMMER_MS + 999)])
    assert json.loads(document(Form.JSON, bob, zone=timezone(timedelta(hours=-5), "EST"))) == {
        "format": "twocans-export",
        "version": 1,
        "user": "alice",
        "exported_at": "2026-03-01T07:00:00-05:00",
        "time_zone": "EST",
        "conversations": [
            {
                "with": "bob",
                "messages": [
                    {
                        "id": 7,
                        "at": SUMMER_MS + 999,
                        "time": "2026-06-30T19:00:00-05:00",
                        "from": "alice",
                        "to": "bob",
                        "text": "hello",
                    }
                ],
            }
        ],
    }


def test_page_tells_own_messages_from_those_of_others() -> None:
    page = Page(
        document(
            Form.HTML,
            Conversation("bob", [message(1, "alice", "bob", "mine"), message(2, "bob", "alice", "theirs")]),
        )
    )
    assert page.said == ["mine", "theirs"]
    assert page.own == [True, False]


def test_page_needs_nothing_from_elsewhere_and_knows_light_and_dark() -> None:
    text = document(Form.HTML, one_saying("https://example.org/a.js"))
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "a", "base", "form"}
    assert not page.attributes & {"src", "href", "action", "style"}
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</p></article><img src=x onerror=alert(1)>",
        "&lt;b&gt; &amp; \"'",
        "<!--",
        "]]>",
    ],
)
def test_markup_in_a_message_is_only_text_on_the_page(text: str) -> None:
    page = Page(document(Form.HTML, one_saying(text)))
    assert page.said == [text]
    assert page.tags == Page(document(Form.HTML, one_saying("plain"))).tags


def test_markup_in_a_name_is_only_text_on_the_page() -> None:
    evil = "<img src=x>"
    page = "".join(
        render(
            [Conversation(evil, [message(1, evil, evil, "hi")])], user=evil, form=Form.HTML, now=NOW, zone=UTC
        )
    )
    assert "img" not in Page(page).tags


@every_form
def test_nothing_that_acts_on_a_terminal_or_turns_the_writing_direction_is_left(form: Form) -> None:
    evil = Conversation(f"b{MARKS}", [message(1, f"b{MARKS}", "alice", f"a{MARKS}b")])
    shown = document(form, evil)
    assert not set(shown) & set(MARKS)
    assert "\\u202e" in shown


@every_form
def test_writing_systems_and_emoji_stay_readable(form: Form) -> None:
    text = "می\u200cخواهم 👩‍👩‍👧 🏴\U000e0067\U000e0062\U000e007f नमस्ते a\u00a0b"
    assert text in document(form, one_saying(text))


def test_line_break_in_a_message_cannot_forge_another_message() -> None:
    forged = "2026-01-01T00:00:00+00:00  alice: I owe you"
    shown = document(Form.TEXT, one_saying(f"well\n{forged}\n\n== carol =="))
    assert [line for line in shown.splitlines() if line.startswith(("2026", "=="))] == [
        "== bob ==",
        "2026-01-01T00:00:00+00:00  bob: well",
    ]


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_json_gives_back_every_text_as_it_was(texts: list[str]) -> None:
    messages = [message(id_, "bob", "alice", text) for id_, text in enumerate(texts, start=1)]
    made = json.loads(document(Form.JSON, Conversation("bob", messages)))
    assert [one["text"] for one in made["conversations"][0]["messages"]] == texts


def test_json_spells_what_would_act_in_its_own_way() -> None:
    text = f"a\U000e0041\x7f{MARKS}👩\u200d👧"
    shown = document(Form.JSON, one_saying(text))
    assert json.loads(shown)["conversations"][0]["messages"][0]["text"] == text
    assert "a\\udb40\\udc41\\u007f" in shown
    assert acting(shown) == []


@every_form
def test_conversation_without_messages_is_left_out(form: Form) -> None:
    shown = document(form, Conversation("nothing-from-me", []), one_saying("hi"), Conversation("nor-me", []))
    assert "nothing-from-me" not in shown
    assert "nor-me" not in shown
    assert "hi" in shown


def test_document_without_any_message_says_so() -> None:
    assert "There are no messages." in document(Form.TEXT)
    assert "There are no messages." in document(Form.HTML, Conversation("bob", []))
    assert json.loads(document(Form.JSON))["conversations"] == []


@every_form
@pytest.mark.parametrize("at", [-(2**63), -1, 2**63 - 1])
def test_clock_that_was_far_off_does_not_stop_an_export(form: Form, at: int) -> None:
    shown = document(form, Conversation("bob", [message(1, "bob", "alice", "hi", at)]), zone=Berlin())
    assert "hi" in shown


@every_form
def test_messages_are_written_as_they_come(form: Form) -> None:
    """A million messages are never held together."""
    read: list[int] = []

    def messages() -> Iterator[Message]:
        for id_ in range(1, 1_000_001):
            read.append(id_)
            yield message(id_, "bob", "alice", f"number {id_}.")

    pieces = render([Conversation("bob", messages())], user="alice", form=form, now=NOW, zone=UTC)
    for piece in pieces:
        if "number 10." in piece:
            break
    assert len(read) <= 11
