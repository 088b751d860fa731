"""Bytes to lines: any chunking gives the same lines, and never more than one line is held."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.protocol.framing import LineReader, LineTooLong

LIMIT = 8

# Line ends are common here, so that lines are short enough to pass the small limit, and long enough to break it.
streams = st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"\xc3\xa9", b"abcdefg"]), max_size=30).map(
    b"".join
)


def read(chunks: list[bytes], limit: int = LIMIT) -> tuple[list[bytes], bool]:
    """The lines that come out of `chunks`, and whether one of them was too long."""
    reader = LineReader(limit)
    lines: list[bytes] = []
    for chunk in chunks:
        found, error = reader.feed(chunk)
        lines += found
        if error is not None:
            return lines, True
    return lines, False


def expected(stream: bytes, limit: int = LIMIT) -> tuple[list[bytes], bool]:
    """The same, worked out from the whole stream by the words of the protocol."""
    *whole, rest = stream.split(b"\n")
    lines: list[bytes] = []
    for line in whole:
        line = line.removesuffix(b"\r")
        if len(line) > limit:
            return lines, True
        lines.append(line)
    return lines, len(rest.removesuffix(b"\r")) > limit


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces, cut at `places`."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(stream=streams, places=st.lists(st.integers(min_value=0), max_size=20))
def test_any_chunking_gives_the_same_lines(stream: bytes, places: list[int]) -> None:
    assert read(cut(stream, places)) == expected(stream)


@given(
    lines=st.lists(st.binary(max_size=3000).map(lambda line: line.replace(b"\n", b"") + b"."), max_size=5),
    places=st.lists(st.integers(min_value=0), max_size=20),
)
def test_long_lines_in_pieces_are_put_together(lines: list[bytes], places: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    assert read(cut(stream, places), limit=4000) == (lines, False)


@given(stream=streams)
def test_byte_by_byte_gives_the_same_lines(stream: bytes) -> None:
    assert read([stream[at : at + 1] for at in range(len(stream))]) == expected(stream)


@given(stream=st.binary(max_size=200), places=st.lists(st.integers(min_value=0), max_size=20))
def test_reader_never_holds_more_than_the_limit_and_a_carriage_return(
    stream: bytes, places: list[int]
) -> None:
    reader = LineReader(LIMIT)
    for chunk in cut(stream, places):
        _, error = reader.feed(chunk)
        assert reader.pending_bytes <= LIMIT + 1
        if error is not None:
            assert reader.pending_bytes == 0
            return


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_of_exactly_the_limit_is_read(end: bytes) -> None:
    assert read([b"x" * LIMIT + end]) == ([b"x" * LIMIT], False)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_line_one_byte_over_the_limit_is_refused(end: bytes) -> None:
    assert read([b"x" * (LIMIT + 1) + end]) == ([], True)


def test_lines_before_the_one_that_is_too_long_still_count() -> None:
    lines, error = LineReader(LIMIT).feed(b"one\ntwo\n" + b"x" * 100)
    assert lines == [b"one", b"two"]
    assert isinstance(error, LineTooLong)
    assert error.limit == LIMIT
    assert str(LIMIT) in str(error)


def test_only_one_carriage_return_before_the_line_feed_is_dropped() -> None:
    assert read([b"a\r\r\n", b"b\rc\r", b"\n"]) == ([b"a\r", b"b\rc"], False)


def test_unfinished_line_is_kept_back() -> None:
    reader = LineReader()
    assert reader.feed(b"ali") == ([], None)
    assert reader.pending_bytes == 3
    assert reader.feed(b"ce\n") == ([b"alice"], None)
    assert reader.pending_bytes == 0


def test_a_line_in_many_pieces_is_gathered_in_one_buffer_and_not_copied_with_each() -> None:
    reader = LineReader(10_000)
    reader.feed(b"ab")
    reader.feed(b"c")
    buffer = reader._rest
    for _ in range(1000):
        assert reader.feed(b"d") == ([], None)
    assert reader._rest is buffer
    assert reader.feed(b"e\n") == ([b"abc" + b"d" * 1000 + b"e"], None)
