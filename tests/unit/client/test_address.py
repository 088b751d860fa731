"""Addresses as people type them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from twocans.client import (
    Address,
    AddressInvalid,
    Client,
    FileTokens,
    FileTrust,
    Link,
    Outgoing,
    SqliteOutbox,
    parse_address,
    parse_link,
)
from twocans.protocol.keys import server_key

KEY = server_key(b"the server's")


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("localhost", "localhost", 5050),
        ("  localhost ", "localhost", 5050),
        ("192.168.1.5", "192.168.1.5", 5050),
        ("192.168.1.5:6000", "192.168.1.5", 6000),
        ("office-pc.local:1", "office-pc.local", 1),
        ("büro:65535", "büro", 65535),
        ("3com.example", "3com.example", 5050),
    ],
)
def test_what_a_server_shows_is_an_address(typed: str, host: str, port: int) -> None:
    assert parse_address(typed) == Address(host, port)


def test_an_address_is_shown_as_it_can_be_typed() -> None:
    address = Address("10.0.0.7", 5051)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "missing"),
        ("   ", "missing"),
        (":5050", "no computer"),
        ("host:", "port"),
        ("host:0", "port"),
        ("host:65536", "port"),
        ("host:-1", "port"),
        ("host:abc", "port"),
        ("host:٥٠٥٠", "port"),
        ("host:" + "9" * 5000, "port"),
        ("host: 5050", "spaces"),
        ("my host", "spaces"),
        ("::1", "IPv6"),
        ("fe80::1%eth0", "IPv6"),
        ("[::1]:5050", "IPv6"),
        ("http://192.168.1.5:5050", "web address"),
        ("host/room", "web address"),
        ("192.168.1", "four numbers"),
        ("192.168.1.256", "four numbers"),
        ("300", "four numbers"),
        ("1.2.3.4.5", "four numbers"),
        ("a\x00b", "cannot be read"),
        ("x" * 254, "too long"),
    ],
)
def test_what_is_no_address_is_told_in_a_sentence(typed: str, says: str) -> None:
    with pytest.raises(AddressInvalid) as caught:
        parse_address(typed)
    assert says in caught.value.text
    assert caught.value.text.endswith(".")


def test_a_link_says_address_and_key_and_is_an_address_too() -> None:
    link = Link(Address("192.168.1.5", 6000), KEY)
    assert parse_link(str(link)) == link
    assert parse_link(f"  TWOCANS://192.168.1.5:6000/?key={KEY.upper()} ") == link
    assert parse_address(str(link)) == link.address
    assert parse_link(f"twocans://localhost?key={KEY}") == Link(Address("localhost"), KEY)


@pytest.mark.parametrize("typed", ["", "localhost", "192.168.1.5:5050", "http://192.168.1.5", "twocans"])
def test_what_is_no_link_is_left_to_be_an_address(typed: str) -> None:
    assert parse_link(typed) is None


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("twocans://192.168.1.5:5050", "not whole"),
        ("twocans://192.168.1.5:5050?key=", "not whole"),
        (f"twocans://192.168.1.5:5050?key={KEY[:-1]}", "not whole"),
        (f"twocans://192.168.1.5:5050?key={KEY}0", "not whole"),
        (f"twocans://192.168.1.5:5050?key={KEY}&key={KEY}", "not whole"),
        (f"twocans://?key={KEY}", "missing"),
        (f"twocans://192.168.1.5:x?key={KEY}", "port"),
        ("twocans://" * 10_000, "not whole"),
        (f"twocans://twocans://localhost?key={KEY}", "not whole"),
    ],
)
def test_a_link_that_is_not_whole_is_told_in_a_sentence(typed: str, says: str) -> None:
    for parse in (parse_link, parse_address):
        with pytest.raises(AddressInvalid) as caught:
            parse(typed)
        assert says in caught.value.text


def test_address_that_is_none_fails_where_it_is_made() -> None:
    for wrong in (None, 5050, b"localhost", ("localhost", 5050)):
        with pytest.raises(TypeError, match="an address is a"):
            Client(cast("str", wrong), "alice")
    for host, port in ((None, 5050), ("localhost", "5050"), (b"localhost", 5050)):
        with pytest.raises(TypeError, match="an address is a"):
            Address(cast("str", host), cast("int", port))
    for name, number in (("", 5050), ("localhost", 0), ("localhost", 65536), ("localhost", -1)):
        with pytest.raises(ValueError, match="is no address"):
            Address(name, number)


def test_text_that_is_no_address_is_a_value_error_where_the_client_is_made() -> None:
    for text in ("", "no spaces here", "localhost:x", "http://localhost"):
        with pytest.raises(ValueError, match=r"\w"):
            Client(text, "alice")


def test_user_that_is_no_text_fails_where_the_client_is_made() -> None:
    with pytest.raises(TypeError, match="a user name is a str"):
        Client("localhost", cast("str", None))


def test_paths_may_be_text_and_addresses_too(tmp_path: Path) -> None:
    box = SqliteOutbox(str(tmp_path / "o.db"), "localhost:5050", "alice")
    box.add(Outgoing("c1", "bob", "hi"))
    box.close()
    again = SqliteOutbox(tmp_path / "o.db", Address("localhost"), "alice")
    assert len(again) == 1
    again.close()
    key = server_key(b"key")
    FileTrust(str(tmp_path / "trust.json")).meet(Address("localhost"), key)
    assert FileTrust(tmp_path / "trust.json").key(Address("localhost")) == key
    FileTokens(str(tmp_path / "tokens")).put(key, "alice", "a" * 64)
    assert FileTokens(tmp_path / "tokens").get(key, "alice") == "a" * 64
    for wrong in (None, 5, b"bytes"):
        with pytest.raises(TypeError):
            SqliteOutbox(cast("str", wrong), "localhost", "alice")
        with pytest.raises(TypeError):
            FileTrust(cast("str", wrong))
        with pytest.raises(TypeError):
            FileTokens(cast("str", wrong))
