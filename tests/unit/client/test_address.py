"""Addresses as people type them."""

from __future__ import annotations

import pytest

from twocans.client import Address, AddressInvalid, Link, parse_address, parse_link
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
