"""Addresses as people type them."""

from __future__ import annotations

import pytest

from twocans.client import Address, AddressInvalid, parse_address


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
