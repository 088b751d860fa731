"""Which characters a line and a message's text may hold."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.text import decode_line, has_control


def read(line: bytes) -> str | ProtocolError:
    try:
        return decode_line(line)
    except ProtocolError as error:
        return error


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_text_without_control_characters_is_read_as_it_is(text: str) -> None:
    assert decode_line(text.encode()) == text
    assert not has_control(text)


@given(line=st.binary(max_size=100))
def test_no_bytes_raise_anything_but_a_protocol_error(line: bytes) -> None:
    outcome = read(line)
    if isinstance(outcome, str):
        assert all(char == "\t" or unicodedata.category(char) != "Cc" for char in outcome)
    else:
        assert outcome.code is Code.BAD_REQUEST


@given(char=st.characters(categories=["Cc"]), before=st.text("aé \U0001f600"), after=st.text("aé "))
def test_every_control_character_but_tab_is_refused_in_a_line(char: str, before: str, after: str) -> None:
    line = (before + char + after).encode()
    if char == "\t":
        assert decode_line(line) == before + char + after
        return
    with pytest.raises(ProtocolError) as caught:
        decode_line(line)
    assert "control characters" in caught.value.text


@given(char=st.characters(categories=["Cc"]))
def test_only_tab_and_line_feed_are_meant_in_a_message(char: str) -> None:
    assert has_control(f"a{char}b") is (char not in "\t\n")


def test_bytes_that_are_not_utf8_say_so() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_line(b"\xff\xfe")
    assert "UTF-8" in caught.value.text
