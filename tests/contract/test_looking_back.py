"""History, search, conversations and people."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Start
from tests.contract.frames import gone, ids, texts
from tests.support.serving import Serving
from twocans.hub.limits import Limits


def test_history_comes_in_pages_newest_first_and_says_whether_older_ones_exist(server: Serving) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
    for number in range(10):
        (alice if number % 2 else bob).deliver("bob" if number % 2 else "alice", str(number))
        carol.deliver("alice", "another conversation")
    pages: list[list[str]] = []
    before: int | None = None
    more = True
    while more:
        page = (
            alice.ask("HISTORY", peer="Bob", limit=4)
            if before is None
            else alice.ask("HISTORY", peer="Bob", limit=4, before=before)
        )
        assert page.verb == "HISTORY"
        messages = page.parts("messages")
        assert ids(messages) == sorted(ids(messages))
        pages.append(texts(messages))
        before = messages[0].number("id")
        more = page["more"] is True
    assert pages == [["6", "7", "8", "9"], ["2", "3", "4", "5"], ["0", "1"]]


def test_full_page_that_is_the_last_says_so(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    for number in range(4):
        alice.deliver("bob", str(number))
    page = bob.ask("HISTORY", peer="alice", limit=4)
    assert (texts(page.parts("messages")), page["more"]) == (["0", "1", "2", "3"], False)
    assert bob.ask("HISTORY", peer="alice", limit=3)["more"] is True


def test_history_with_nobody_or_nothing_is_empty_or_refused(server: Serving) -> None:
    alice = server.json("alice")
    server.json("bob")
    page = alice.ask("HISTORY", peer="bob")
    assert (page.verb, page["messages"], page["more"]) == ("HISTORY", [], False)
    unknown = alice.ask("HISTORY", peer="nobody")
    assert unknown.verb in ("HISTORY", "ERROR")
    if unknown.verb == "ERROR":
        assert unknown["code"] == "no_such_user"


def test_history_of_large_messages_is_complete_over_its_pages(start: Start) -> None:
    """A page has to keep out of the way of the send queue's limit, however large its messages are."""
    server = start(Limits(rate_per_s=0))
    alice, bob = server.json("alice"), server.json("bob")
    text = "x" * 16_000
    sent = [alice.deliver("bob", text).number("id") for _ in range(150)]
    bob.expect_messages(150)
    got: list[int] = []
    page = bob.ask("HISTORY", peer="alice", limit=500)
    got = ids(page.parts("messages")) + got
    while page["more"] is True:
        page = bob.ask("HISTORY", peer="alice", limit=500, before=got[0])
        assert page.parts("messages")
        got = ids(page.parts("messages")) + got
    assert got == sent


def test_search_finds_own_messages_only_newest_first(server: Serving) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
    alice.deliver("bob", "the red fox")
    bob.deliver("carol", "a RED herring")
    carol.deliver("alice", "red again")
    carol.deliver("bob", "blue")
    found = alice.ask("SEARCH", query="red")
    assert found.verb == "RESULTS"
    assert texts(found.parts("messages")) == ["red again", "the red fox"]
    assert found["more"] is False
    assert texts(bob.ask("SEARCH", query="Red").parts("messages")) == ["a RED herring", "the red fox"]
    assert texts(alice.ask("SEARCH", query="red", peer="Bob").parts("messages")) == ["the red fox"]
    assert texts(alice.ask("SEARCH", query="red fox").parts("messages")) == ["the red fox"]
    assert alice.ask("SEARCH", query="herring")["messages"] == []


@pytest.mark.parametrize(
    "text", ["inv\u202egnp.exe", "pay\u200bpal", "s\xadafe", "a\u2066b\u2069", "go\U000e0061ogle"]
)
def test_search_finds_a_text_by_what_was_written_whatever_is_shown_of_it(server: Serving, text: str) -> None:
    alice = server.json("alice")
    server.json("bob")
    alice.deliver("bob", f"before {text} after")
    assert texts(alice.ask("SEARCH", query=text).parts("messages")) == [f"before {text} after"]


def test_search_comes_in_pages(server: Serving) -> None:
    alice = server.json("alice")
    server.json("bob")
    sent = [alice.deliver("bob", f"needle {number}").number("id") for number in range(5)]
    page = alice.ask("SEARCH", query="needle", limit=3)
    assert (ids(page.parts("messages")), page["more"]) == (sent[:1:-1], True)
    page = alice.ask("SEARCH", query="needle", limit=3, before=sent[2])
    assert (ids(page.parts("messages")), page["more"]) == (sent[1::-1], False)


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        '"',
        "'",
        "*",
        "(",
        "AND",
        "OR NOT",
        "a OR",
        "NEAR(",
        "%",
        "_",
        "\\",
        "x:y",
        "-x",
        "^",
        "😀",
        "\u0000",
    ],
)
def test_any_query_is_safe(server: Serving, query: str) -> None:
    alice = server.json("alice")
    server.json("bob")
    alice.deliver("bob", "hello")
    answer = alice.ask("SEARCH", query=query)
    assert answer.verb in ("RESULTS", "ERROR")
    if answer.verb == "ERROR":
        assert answer["code"] in ("bad_request", "empty")


def test_chats_come_latest_first_with_what_is_unread(server: Serving) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
    assert alice.ask("CHATS")["chats"] == []
    bob.deliver("alice", "one")
    carol.deliver("alice", "two")
    last = bob.deliver("alice", "three")
    alice.deliver("carol", "answer")
    chats = alice.ask("CHATS").parts("chats")
    assert [(chat["peer"], chat["unread"], chat.part("last")["text"]) for chat in chats] == [
        ("carol", 1, "answer"),
        ("bob", 2, "three"),
    ]
    alice.send("READ", peer="bob", id=last["id"])
    assert [chat["unread"] for chat in alice.ask("CHATS").parts("chats")] == [1, 0]
    assert [chat["unread"] for chat in bob.ask("CHATS").parts("chats")] == [0]


def test_find_tells_everybody_known_online_or_not(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("Bob")
    server.plain("bobby")
    gone(alice, bob)
    found = alice.ask("FIND", prefix="BO")
    assert found.verb == "FOUND"
    assert sorted(found.names("users")) == ["Bob", "bobby"]
    assert alice.ask("FIND", prefix="zzz")["users"] == []
    assert set(alice.ask("FIND", prefix="").names("users")) <= {"alice", "Bob", "bobby"}
    for odd in ("%", "_", "*", " ", "\u0301", "😀"):
        assert alice.ask("FIND", prefix=odd)["users"] == []


def test_both_dialects_share_one_log(server: Serving) -> None:
    alice, bob = server.plain("alice"), server.json("bob")
    alice.say("bob", "one")
    bob.expect("MSG")
    bob.deliver("alice", "two")
    alice.read_message()
    page = bob.ask("HISTORY", peer="alice")
    assert [(frame["from"], frame["text"]) for frame in page.parts("messages")] == [
        ("alice", "one"),
        ("bob", "two"),
    ]
