"""What a target is, and how an input says the way in which it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

MAX_STEPS: Final = 7
ALL_THE_REST: Final = 31


@dataclass(frozen=True)
class Target:
    """Something that is given any bytes.

    Attributes:
        name: what it is called on the command line; also the folder in `crashes`.
        check: takes an input. Any exception that it raises is a finding, a law that does not hold among them.
        inputs: inputs that get far; atheris starts from them too.
        words: what atheris puts into inputs.
    """

    name: str
    check: Callable[[bytes], object]
    inputs: st.SearchStrategy[bytes]
    words: tuple[bytes, ...] = ()


def arriving(streams: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Streams with the way in which they arrive before them, as `pieces` reads it."""
    steps = st.lists(st.integers(0, 255), max_size=MAX_STEPS).map(bytes)
    return st.builds(lambda steps, stream: bytes([len(steps)]) + steps + stream, steps, streams)


def pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The chunks in which an input arrives, each with a number below 8 that says what happens before it.

    The first byte says how many bytes of steps follow; these are taken in turn, again and again. The low five bits of
    a step are the size of a chunk, the others are the number.
    """
    count = min(data[0] & MAX_STEPS, len(data) - 1) if data else 0
    steps, at, turn = data[1 : 1 + count] or bytes([ALL_THE_REST]), 1 + count, 0
    while at < len(data):
        step = steps[turn % len(steps)]
        size = step & ALL_THE_REST
        chunk = data[at:] if size == ALL_THE_REST else data[at : at + size + 1]
        yield step >> 5, chunk
        at += len(chunk)
        turn += 1


def option(data: bytes) -> tuple[int, bytes]:
    """The first byte, which picks a variant, and the rest."""
    return (data[0], data[1:]) if data else (0, b"")


def text_of(data: bytes) -> str:
    """Bytes as text; what is not UTF-8 becomes lone halves of characters, as some systems' input has them."""
    return data.decode("utf-8", "surrogateescape")
