"""Links in messages: what is underlined is what is opened, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.gui.transcript.links import MAX_LINK_CHARS, find_links


def targets(text: str) -> list[str]:
    return [link.target for link in find_links(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see http://a.example/b.", ["http://a.example/b"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("https://en.wikipedia.org/wiki/Can_(toy)!", ["https://en.wikipedia.org/wiki/Can_(toy)"]),
        ("[x](https://a.example/c_(d))", ["https://a.example/c_(d)"]),
        ("www.a.example, www.b.example/x?", ["http://www.a.example", "http://www.b.example/x"]),
        ("write to mailto:ann@a.example!", ["mailto:ann@a.example"]),
        ("HTTPS://A.Example:8080/x?y=1#z", ["HTTPS://A.Example:8080/x?y=1#z"]),
        ("http://[::1]:5050/", ["http://[::1]:5050/"]),
        ("http://192.168.1.5:5050 works", ["http://192.168.1.5:5050"]),
        ("看http://a.example/路径。好", ["http://a.example/路径"]),
        ("http://bücher.example/ä", ["http://bücher.example/ä"]),
        ('"http://a.example/x"', ["http://a.example/x"]),
        ("http://a.example,http://b.example", ["http://a.example"]),
    ],
)
def test_link_ends_where_the_sentence_goes_on(text: str, expected: list[str]) -> None:
    assert targets(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "www.",
        "www..a",
        "ftp://a.example",
        "javascript:alert(1)",
        "a@http://b.example",
        "mailto:ann",
        "12:30",
    ],
)
def test_what_is_no_link_stays_text(text: str) -> None:
    assert targets(text) == []


@pytest.mark.parametrize(
    "hidden",
    ["\u202e", "\u200b", "\u2066", "\u00ad", "\x07", "\u2028", "\ufeff", "\u3164", "\ufe0f", "\u034f"],
)
def test_link_stops_at_an_invisible_character(hidden: str) -> None:
    assert targets(f"http://a.example/{hidden}gpj.exe") == ["http://a.example/"]


def test_endless_link_stays_text() -> None:
    assert targets("http://a.example/" + "x" * MAX_LINK_CHARS) == []


@given(
    st.lists(st.sampled_from(["http://", "www.", "a.b", "(", ")", ".", " ", "\u202e", "é", "/", ":", "@"]))
)
def test_links_are_in_order_and_show_what_they_open(parts: list[str]) -> None:
    text = "".join(parts)
    end = 0
    for link in find_links(text):
        assert link.start >= end
        end = link.end
        assert link.target.removeprefix("http://") == text[link.start : link.end].removeprefix("http://")
        assert "\u202e" not in link.target
