"""Who is online stands in blocks, and reads like one list in the order of registration."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from twocans.hub.account import Account
from twocans.hub.online import BLOCK_NAMES, Online
from twocans.protocol import json, plain
from twocans.protocol.messages import LimitsInForce, UserList, Welcome
from twocans.protocol.names import UserKey


def account(number: int) -> Account:
    return Account(UserKey(f"p{number}"), f"P{number}")


@given(st.lists(st.integers(0, 3 * BLOCK_NAMES), max_size=4 * BLOCK_NAMES))
def test_coming_and_going_leaves_those_who_are_there_in_order(turns: list[int]) -> None:
    online = Online()
    accounts = [account(number) for number in range(3 * BLOCK_NAMES + 1)]
    for one in accounts[: 2 * BLOCK_NAMES]:
        online.add(one)
    expected = accounts[: 2 * BLOCK_NAMES]
    for number in turns:
        one = accounts[number]
        if one in expected:
            online.remove(one)
            expected.remove(one)
        else:
            online.add(one)
            expected.append(one)
        assert list(online.names()) == [one.name for one in expected]
    assert list(online) == expected
    assert len(online) == len(online.names()) == len(expected)


def test_list_that_was_taken_stays_as_it_was() -> None:
    online = Online()
    first, second = account(1), account(2)
    online.add(first)
    names = online.names()
    online.add(second)
    online.remove(first)
    assert list(names) == ["P1"]
    assert list(online.names()) == ["P2"]


def test_names_of_several_blocks_are_written_as_one_list_in_both_dialects() -> None:
    online = Online()
    names = [f"P{number}" for number in range(2 * BLOCK_NAMES + 5)]
    for number in range(len(names)):
        online.add(account(number))
    assert plain.encode(UserList(online.names())).decode() == f"LIST: {', '.join(names)}\n"
    limits = LimitsInForce(line_bytes=1, text_bytes=1, rate=1.0, burst=1.0)
    welcome = Welcome(
        user="a", server="s", log="l", last=0, users=online.names(), token=names[0], limits=limits
    )
    verb, _, payload = json.encode(welcome).partition(b": ")
    assert verb == b"WELCOME"
    assert msgspec.json.decode(payload)["users"] == names


def test_nobody_online_is_an_empty_list() -> None:
    assert plain.encode(UserList(Online().names())) == b"LIST: \n"
    assert Online().names().json() == b"[]"
