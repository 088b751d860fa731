"""Receipts, read marks, and looking back: HISTORY, SEARCH and CHATS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.limits import Limits
from twocans.hub.resumed_marks import MAX_MARKS_RESUMED
from twocans.hub.session import Reason
from twocans.protocol import json
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Chats,
    ChatsQuery,
    History,
    HistoryQuery,
    Read,
    ReadMark,
    Receipt,
    Results,
    SearchQuery,
    Synced,
)


def _pair(number: int = 3) -> tuple[World, FakeSession, FakeSession]:
    """Alice has sent bob so many messages, with the ids from 1."""
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    for index in range(number):
        world.post(alice, "bob", f"word {index}", f"c{index}")
    alice.take()
    bob.take()
    return world, alice, bob


def test_writing_to_a_socket_is_no_delivery() -> None:
    _, alice, _ = _pair()
    assert alice.of(Receipt) == []


def test_got_tells_the_sender_how_far_the_messages_are_safe() -> None:
    world, alice, bob = _pair()
    world.hub.got(bob, 2)
    assert alice.take() == [Receipt(peer="bob", delivered=2, read=0)]
    world.hub.got(bob, 3)
    assert alice.take() == [Receipt(peer="bob", delivered=3, read=0)]


def test_got_that_says_nothing_new_is_told_to_nobody() -> None:
    world, alice, bob = _pair()
    world.hub.got(bob, 3)
    alice.take()
    for again in (3, 2, 0):
        world.hub.got(bob, again)
    assert alice.take() == []


def test_got_never_goes_back() -> None:
    world, alice, bob = _pair()
    world.hub.got(bob, 3)
    world.hub.got(bob, 1)
    world.post(alice, "bob", "later", "later")
    alice.take()
    world.hub.got(bob, 2)
    assert alice.take() == []
    world.hub.queries.history(alice, HistoryQuery(peer="bob", rid=1))
    assert alice.of(Receipt) == [Receipt(peer="bob", delivered=3, read=0)]


def test_got_beyond_the_end_counts_up_to_the_end() -> None:
    world, alice, bob = _pair()
    world.hub.got(bob, 2**63 - 1)
    assert alice.take() == [Receipt(peer="bob", delivered=3, read=0)]
    world.post(alice, "bob", "later", "later")
    world.hub.leave(bob, Reason.LEFT)
    assert world.json("bob").texts() == ["later"]


def test_sender_whose_messages_are_all_confirmed_hears_no_more() -> None:
    world, alice, bob = _pair()
    carol = world.json("carol")
    world.hub.got(bob, 3)
    alice.take()
    world.post(carol, "bob", "hi", "c1")
    world.hub.got(bob, 4)
    assert alice.of(Receipt) == []
    assert carol.of(Receipt) == [Receipt(peer="bob", delivered=4, read=0)]


def test_read_implies_got_and_is_told_to_every_device_of_the_sender() -> None:
    world = World()
    phone, bob = world.json("alice"), world.json("bob")
    desk = world.json("alice", token=phone.welcome().token)
    for index in range(3):
        world.post(phone, "bob", "hi", f"c{index}")
    world.hub.read(bob, Read(peer="alice", id=2))
    for session in (phone, desk):
        assert session.of(Receipt)[-1] == Receipt(peer="bob", delivered=2, read=2)


def test_read_marks_only_grow() -> None:
    world, alice, bob = _pair()
    world.hub.read(bob, Read(peer="alice", id=3))
    alice.take()
    world.hub.read(bob, Read(peer="alice", id=1))
    assert alice.take() == []
    world.hub.read(bob, Read(peer="alice", id=10**12))
    assert alice.take() == []


def test_read_of_nobody_known_is_an_error_and_of_the_server_is_not() -> None:
    world, _, bob = _pair()
    with pytest.raises(ProtocolError) as refusal:
        world.hub.read(bob, Read(peer="nobody", id=1))
    assert refusal.value.code is Code.NO_SUCH_USER
    world.hub.posting.announce("tea")
    world.hub.read(bob, Read(peer="Server", id=5))
    world.hub.queries.chats(bob, ChatsQuery(rid=1))
    (chats,) = bob.of(Chats)
    assert {chat.peer: chat.unread for chat in chats.chats} == {"Server": 0, "alice": 3}


def test_plain_sender_is_told_no_receipts() -> None:
    world = World()
    alice, bob = world.plain("alice"), world.json("bob")
    world.post(alice, "bob", "hi", None)
    alice.take()
    world.hub.read(bob, Read(peer="alice", id=1))
    assert alice.take() == []


def test_receipt_is_told_again_with_the_history_to_who_was_away_for_it() -> None:
    world, alice, bob = _pair()
    world.hub.leave(alice, Reason.LEFT)
    world.hub.read(bob, Read(peer="alice", id=2))
    world.hub.got(bob, 3)
    alice = world.json("alice")
    world.hub.queries.history(alice, HistoryQuery(peer="bob", rid=7))
    assert alice.of(Receipt) == [Receipt(peer="bob", delivered=3, read=2)]


# --- history ---------------------------------------------------------------------------------------------


def test_history_walks_back_page_by_page_to_both_of_them() -> None:
    world, alice, bob = _pair(5)
    for session, peer in ((alice, "bob"), (bob, "ALICE")):
        world.hub.queries.history(session, HistoryQuery(peer=peer, rid="r", limit=2))
        (page,) = session.of(History)
        assert (page.rid, [message.id for message in page.messages], page.more) == ("r", [4, 5], True)
        session.take()
        world.hub.queries.history(session, HistoryQuery(peer=peer, rid=2, before=4, limit=3))
        (page,) = session.of(History)
        assert ([message.id for message in page.messages], page.more) == ([1, 2, 3], False)


def test_nobody_sees_the_conversations_of_others() -> None:
    world, _, _ = _pair()
    carol = world.json("carol")
    for peer in ("alice", "bob"):
        world.hub.queries.history(carol, HistoryQuery(peer=peer, rid=1))
        world.hub.queries.search(carol, SearchQuery(query="word", rid=1, peer=peer))
    world.hub.queries.search(carol, SearchQuery(query="word", rid=1))
    assert [page.messages for page in carol.of(History)] == [[], []]
    assert [page.messages for page in carol.of(Results)] == [[], [], []]


def test_search_finds_newest_first_within_all_or_one_conversation() -> None:
    world, alice, bob = _pair()
    carol = world.json("carol")
    world.post(carol, "bob", "a Wordy one", "c1")
    world.hub.queries.search(bob, SearchQuery(query="WORD", rid=1))
    world.hub.queries.search(bob, SearchQuery(query="word", rid=2, peer="alice", limit=2))
    everywhere, one = bob.of(Results)
    assert [message.id for message in everywhere.messages] == [4, 3, 2, 1]
    assert ([message.id for message in one.messages], one.more) == ([3, 2], True)
    assert alice.of(Results) == []


def test_chats_come_latest_first_with_what_is_unread() -> None:
    world, alice, bob = _pair()
    world.hub.read(bob, Read(peer="alice", id=2))
    world.json("carol")
    world.post(bob, "carol", "hello", "c9")
    world.hub.queries.chats(bob, ChatsQuery(rid=1))
    (chats,) = bob.of(Chats)
    assert [(chat.peer, chat.last.id, chat.unread) for chat in chats.chats] == [
        ("carol", 4, 0),
        ("alice", 3, 1),
    ]
    world.hub.queries.chats(alice, ChatsQuery(rid=1))
    (chats,) = alice.of(Chats)
    assert [(chat.peer, chat.unread) for chat in chats.chats] == [("bob", 0)]


def test_answer_to_chats_fits_into_the_send_queue() -> None:
    """A client must not be cut off as too slow by the answer to its own request."""
    world = World()
    bob = world.json("bob")
    for number in range(100):
        sender = world.json(f"p{number}")
        world.post(sender, "bob", "x" * world.limits.max_text_bytes, "c1")
    bob.take()
    world.hub.queries.chats(bob, ChatsQuery(rid=1))
    assert sum(len(json.encode(frame)) for frame in bob.take()) < world.limits.send_queue_bytes


def test_pages_keep_to_the_limit_of_bytes() -> None:
    world = World(Limits(page_bytes=1000))
    alice, bob = world.json("alice"), world.json("bob")
    for index in range(10):
        world.post(alice, "bob", "word " + "x" * 300, f"c{index}")
    world.hub.queries.history(bob, HistoryQuery(peer="alice", rid=1))
    world.hub.queries.search(bob, SearchQuery(query="word", rid=1))
    (history,), (results,) = bob.of(History), bob.of(Results)
    assert (len(history.messages), history.more) == (3, True)
    assert (len(results.messages), results.more) == (3, True)


_REQUESTS: list[Callable[[World, FakeSession], None]] = [
    lambda world, session: world.hub.queries.history(session, HistoryQuery(peer="nobody", rid=5)),
    lambda world, session: world.hub.queries.history(session, HistoryQuery(peer="two words", rid=5)),
    lambda world, session: world.hub.queries.search(session, SearchQuery(query="x", peer="nobody", rid=5)),
]


@pytest.mark.parametrize("ask", _REQUESTS)
def test_request_about_nobody_known_gets_an_error_with_its_rid(
    ask: Callable[[World, FakeSession], None],
) -> None:
    world, alice, _ = _pair()
    with pytest.raises(ProtocolError) as refusal:
        ask(world, alice)
    assert (refusal.value.code, refusal.value.rid) == (Code.NO_SUCH_USER, 5)


def test_without_history_there_is_nothing_to_look_back_at() -> None:
    world = World(keeps_history=False)
    alice, bob = world.json("alice"), world.json("bob")
    world.post(alice, "bob", "word", "c1")
    world.hub.queries.history(bob, HistoryQuery(peer="alice", rid=1))
    world.hub.queries.search(bob, SearchQuery(query="word", rid=1))
    world.hub.queries.chats(bob, ChatsQuery(rid=1))
    assert [page.messages for page in bob.of(History)] == [[]]
    assert [page.messages for page in bob.of(Results)] == [[]]
    assert [chats.chats for chats in bob.of(Chats)] == [[]]
    assert bob.texts() == ["word"]


def test_marks_of_a_resume_are_bounded_and_those_that_moved_last() -> None:
    world = World()
    alice = world.json("alice")
    log = alice.welcome().log
    number = MAX_MARKS_RESUMED + 5
    for place in range(number):
        peer = world.json(f"peer{place}")
        world.post(alice, f"peer{place}", "hi", f"c{place}")
        world.post(peer, "alice", "hi", "c")
        world.hub.read(peer, Read(peer="alice", id=2 * place + 1))
        world.hub.read(alice, Read(peer=f"peer{place}", id=2 * place + 2))
    back = world.json("alice", token=alice.welcome().token, after=2 * number, log=log)
    moved = {f"peer{place}" for place in range(5, number)}
    assert {told.peer for told in back.of(Receipt)} == moved
    assert {told.peer for told in back.of(ReadMark)} == moved
    assert isinstance(back.take()[-1], Synced)
