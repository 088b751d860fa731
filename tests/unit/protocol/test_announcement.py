"""What a TXT record says: what a server makes is understood, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.protocol.announcement import MAX_NAME_BYTES, MAX_ONLINE, Announcement, from_txt, to_txt
from twocans.protocol.keys import ServerKey

KEY = ServerKey("0123456789abcdef" * 4)
TXT: dict[bytes, bytes | None] = {
    b"v": b"1",
    b"key": KEY.encode(),
    b"name": b"Workshop",
    b"invite": b"1",
    b"tls": b"required",
    b"online": b"12",
}


def on_the_wire(announcement: Announcement) -> dict[bytes, bytes | None]:
    return {
        key if isinstance(key, bytes) else key.encode(): value.encode() if isinstance(value, str) else value
        for key, value in to_txt(announcement).items()
    }


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=MAX_NAME_BYTES // 4),
    st.binary(min_size=32, max_size=32),
    st.booleans(),
    st.booleans(),
    st.integers(0, MAX_ONLINE),
)
def test_what_is_announced_is_understood(name: str, key: bytes, invite: bool, tls: bool, online: int) -> None:
    said = Announcement(name=name, key=ServerKey(key.hex()), invite=invite, tls_required=tls, online=online)
    assert from_txt(on_the_wire(said)) == said


def test_more_people_than_anybody_believes_are_not_announced() -> None:
    said = Announcement(name="Workshop", key=KEY, invite=False, tls_required=False, online=MAX_ONLINE + 1)
    understood = from_txt(on_the_wire(said))
    assert understood is not None
    assert understood.online == MAX_ONLINE


def test_a_name_that_is_too_long_is_cut_between_letters() -> None:
    said = Announcement(name="é" * 300, key=KEY, invite=False, tls_required=False, online=0)
    understood = from_txt(on_the_wire(said))
    assert understood is not None
    assert understood.name == "é" * (MAX_NAME_BYTES // 2)


def test_keys_of_later_versions_do_not_matter() -> None:
    understood = from_txt(TXT | {b"colour": b"blue"})
    assert understood is not None
    assert understood == from_txt(TXT)


@pytest.mark.parametrize("missing", list(TXT))
def test_every_key_is_needed(missing: bytes) -> None:
    assert from_txt({key: value for key, value in TXT.items() if key != missing}) is None
    assert from_txt(TXT | {missing: None}) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"v", b"2"),
        (b"key", KEY.upper().encode()),
        (b"key", KEY.encode() + b"\n"),
        (b"key", KEY[:-1].encode()),
        (b"name", b""),
        (b"name", b"\xff"),
        (b"invite", b"yes"),
        (b"tls", b"off"),
        (b"online", b"-1"),
        (b"online", b"\xd9\xa1"),
        (b"online", b"10000001"),
        (b"online", b"9" * 5000),
    ],
)
def test_what_no_server_says_is_no_announcement(key: bytes, value: bytes) -> None:
    assert from_txt(TXT | {key: value}) is None


@given(st.dictionaries(st.sampled_from(list(TXT)), st.none() | st.binary(max_size=80)))
def test_nothing_that_is_announced_raises(txt: dict[bytes, bytes | None]) -> None:
    from_txt(TXT | txt)
