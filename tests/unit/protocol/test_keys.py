"""Keys of servers as people read, say and type them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.protocol.keys import ServerKey, is_same_key, readable, readable_key, server_key

# The SHA-256 of b"abc" is that of FIPS 180-2, appendix B.1.
ABC = ServerKey("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def test_key_is_the_digest_of_the_public_key() -> None:
    assert server_key(b"abc") == ABC


def test_key_is_read_in_five_groups_without_signs_that_are_mistaken_for_others() -> None:
    assert readable_key(ABC) == "Q9W1-DFWF-077Y-MGA1-83F5"
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){4}", readable_key(ABC))


@pytest.mark.parametrize(
    "change", [str.lower, lambda text: text.replace("-", " "), lambda text: text.replace("-", "")]
)
def test_typed_key_may_be_written_in_any_way(change: object) -> None:
    assert callable(change)
    assert is_same_key(str(change(readable_key(ABC))), ABC)


def test_what_is_mistaken_for_a_digit_counts_as_it() -> None:
    key = next(
        key for key in (server_key(bytes([n])) for n in range(256)) if {"0", "1"} <= set(readable_key(key))
    )
    assert is_same_key(readable_key(key).replace("0", "O").replace("1", "l"), key)


def test_beginning_of_a_key_is_not_the_key() -> None:
    assert not is_same_key(readable_key(ABC)[:-1], ABC)
    assert not is_same_key("", ABC)


@given(data=st.binary(min_size=1, max_size=40), other=st.binary(min_size=1, max_size=40))
def test_different_bytes_of_a_length_read_differently(data: bytes, other: bytes) -> None:
    if len(data) == len(other) and data != other:
        assert readable(data) != readable(other)
