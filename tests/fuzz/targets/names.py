"""User names, and addresses as somebody types or is sent them."""

from __future__ import annotations

import contextlib
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.grammar import WORDS, damaged, texts
from tests.fuzz.target import Target, text_of
from tests.fuzz.targets.lines import tellable
from twocans.client.address import parse_address
from twocans.client.errors import AddressInvalid
from twocans.protocol.names import (
    NameInvalid,
    NameReserved,
    key_of,
    new_user_key,
    skeletons,
    user_key,
)
from twocans.protocol.user_names import MAX_NAME_CHARS


def check_name(data: bytes) -> None:
    """A name has a key that is a name with that key, or is refused with a sentence; so is one that looks like another."""
    name = text_of(data)
    key_of(name)
    try:
        key = user_key(name)
    except NameInvalid as error:
        tellable(error)
        return
    assert user_key(key) == key
    assert len(key) <= MAX_NAME_CHARS
    assert key.isprintable()
    assert skeletons(name)
    with contextlib.suppress(NameReserved):
        assert new_user_key(name) == key


def check_address(data: bytes) -> None:
    """An address is one that reads the same when it is shown, or is refused with a sentence."""
    try:
        address = parse_address(text_of(data))
    except AddressInvalid as error:
        shown = str(error)
    else:
        shown = str(address)
        assert parse_address(shown) == address
    assert shown.isprintable()


_names = st.one_of(
    st.sampled_from(
        [b"alice", b"Server", "\u0405erver".encode(), "Ａl.i-c_e".encode(), b"a" * 32, "İ".encode() * 32]
    ),
    texts,
)
_addresses = st.one_of(
    st.sampled_from(
        [
            b"192.168.1.5",
            b"den.local:5050",
            b"a:65535",
            b"1.2.3.256",
            b"[::1]:1",
            b"http://x",
            "a:²".encode(),
            b"a:" + b"9" * 5000,
        ]
    ),
    texts,
)

TARGETS: Final = (
    Target("name", check_name, st.one_of(_names, damaged(_names)), WORDS),
    Target(
        "address",
        check_address,
        st.one_of(_addresses, damaged(_addresses)),
        (*WORDS, b"192.", b"255", b".", b":5050"),
    ),
)
