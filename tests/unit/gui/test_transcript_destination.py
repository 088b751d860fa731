"""Where a link leads: what a browser would ask, however the link is written."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.gui.transcript.destination import MAX_HOST_CHARS, destination
from twocans.gui.transcript.links import find_links


@pytest.mark.parametrize(
    ("target", "scheme", "host", "rest"),
    [
        ("https://a.example/b?c=d#e", "https://", "a.example", "/b?c=d#e"),
        ("HTTPS://A.Example:8080/X", "https://", "a.example:8080", "/X"),
        ("http://192.168.1.5:5050", "http://", "192.168.1.5:5050", ""),
        ("http://[::1]:5050/", "http://", "[::1]:5050", "/"),
        ("http://a_b.example.", "http://", "a_b.example.", ""),
        ("http://xn--bcher-kva.example", "http://", "xn--bcher-kva.example", ""),
        ("https://a.example/שלום", "https://", "a.example", "/%D7%A9%D7%9C%D7%95%D7%9D"),
        ("https://a.example/x@b.example", "https://", "a.example", "/x@b.example"),
        ("mailto:ann@a.example?subject=hi", "mailto:", "ann@a.example", "?subject=hi"),
    ],
)
def test_ordinary_link_needs_no_warning(target: str, scheme: str, host: str, rest: str) -> None:
    where = destination(target)
    assert (where.scheme, where.host, where.rest, where.warnings) == (scheme, host, rest, ())


@pytest.mark.parametrize(
    ("target", "host", "warning"),
    [
        ("https://google.com@evil.example/x", "evil.example", "“google.com” stands before the @"),
        ("https://a:b@www.google.com@evil.example", "evil.example", "stands before the @"),
        ("http://аpple.com", "xn--pple-43d.com", "“аpple.com” has letters"),
        ("http://bücher.example/ä", "xn--bcher-kva.example", "has letters"),
        ("http://i❤.example".replace("❤", "ª"), "ia.example", "has letters"),
        ("mailto:ann@bücher.example", "ann@xn--bcher-kva.example", "has letters"),
        ("http://3232235777/", "192.168.1.1", "unusual way to write"),
        ("http://0x7f.1", "127.0.0.1", "unusual way to write"),
        ("http://0300.0250.1.1/", "192.168.1.1", "unusual way to write"),
        ("http://192.168.257", "192.168.1.1", "unusual way to write"),
        ("http://256.1.1.1", "256.1.1.1", "unusual way to write"),
        ("http://1.2.3.4.5", "1.2.3.4.5", "unusual way to write"),
        ("http://[::ffff:1.2.3.4]/", "[::ffff:102:304]", "unusual way to write"),
        ("http://１２７.０.０.１/", "127.0.0.1", "has letters"),
    ],
)
def test_link_that_could_be_taken_for_another_is_warned_of(target: str, host: str, warning: str) -> None:
    where = destination(target)
    assert where.host == host
    assert warning in where.warnings[0]


def test_what_opens_is_what_was_shown() -> None:
    assert destination("http://аpple.com/x").url == "http://xn--pple-43d.com/x"
    assert destination("http://0x7f.1/x").url == "http://127.0.0.1/x"
    assert destination("https://a@b.example/ä").url == "https://a@b.example/ä"


def test_of_a_host_that_is_too_long_the_end_is_shown() -> None:
    where = destination(f"http://www.google.com.{'a.' * 500}evil.example")
    assert where.host.endswith("a.evil.example")
    assert len(where.host) == MAX_HOST_CHARS + 3


@given(
    place=st.text(st.sampled_from("ab1.0x@:-_éаß漢ש９ªﬁ7"), min_size=1, max_size=30),
    rest=st.sampled_from(["", "/", "/x@y.example", "?q=@", "#@b", "/漢"]),
    scheme=st.sampled_from(["http://", "HTTPS://", "mailto:a@", "www."]),
)
def test_host_is_the_one_that_an_independent_reader_finds(place: str, rest: str, scheme: str) -> None:
    for link in find_links(f"{scheme}{place}{rest}"):
        where = destination(link.target)
        assert f"{where.scheme}{where.host}{where.rest}".isascii()
        assert f"{where.scheme}{where.host}{where.rest}".isprintable()
        if where.scheme != "mailto:":
            read = urlsplit(where.url)
            assert read.netloc.rpartition("@")[2] == where.host
            assert where.warnings or read.netloc == urlsplit(link.target).netloc.lower()
