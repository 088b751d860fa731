"""How far a peer has got, and that somebody is writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.frames import gone, texts
from tests.support.raw import JsonPeer, Value
from tests.support.serving import Serving, serve


def test_receipts_follow_got_and_read(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    first, second = [alice.deliver("bob", text).number("id") for text in ("one", "two")]
    bob.expect_messages(2)
    assert [frame for frame in alice.drain() if frame.verb == "RECEIPT"] == []  # sending is not delivery
    bob.send("GOT", id=second)
    assert alice.expect("RECEIPT").fields == {"peer": "bob", "delivered": second, "read": 0}
    bob.send("READ", peer="alice", id=first)
    assert alice.expect("RECEIPT").fields == {"peer": "bob", "delivered": second, "read": first}
    bob.send("READ", peer="alice", id=second)
    assert alice.expect("RECEIPT").fields == {"peer": "bob", "delivered": second, "read": second}


def test_read_implies_got(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    sent = alice.deliver("bob", "hi").number("id")
    bob.send("READ", peer="alice", id=sent)
    assert alice.expect("RECEIPT", read=sent).fields == {"peer": "bob", "delivered": sent, "read": sent}
    gone(alice, bob)
    assert server.json("bob", token=bob.token).missed == []


def test_marks_only_grow(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    first, second = [alice.deliver("bob", text).number("id") for text in ("one", "two")]
    bob.send("READ", peer="alice", id=second)
    alice.expect("RECEIPT", read=second)
    for verb, fields in (("READ", {"peer": "alice"}), ("GOT", {})):
        bob.send(verb, id=first, **fields)
    bob.drain()
    receipts = [frame for frame in alice.drain() if frame.verb == "RECEIPT"]
    assert all(frame["read"] == second and frame["delivered"] == second for frame in receipts)
    chats = bob.ask("CHATS").parts("chats")
    assert (chats[0]["unread"], chats[0]["read"]) == (0, second)


def test_the_list_of_chats_tells_how_far_one_has_read_on_any_device(server: Serving) -> None:
    alice, desk = server.json("alice"), server.json("bob")
    phone = server.json("bob", token=desk.token)
    first, second = [alice.deliver("bob", text).number("id") for text in ("one", "two")]
    assert [(chat["unread"], chat["read"]) for chat in desk.ask("CHATS").parts("chats")] == [(2, 0)]
    phone.send("READ", peer="alice", id=first)
    desk.expect("READ", id=first)
    assert [(chat["unread"], chat["read"]) for chat in desk.ask("CHATS").parts("chats")] == [(1, first)]
    (chat,) = alice.ask("CHATS").parts("chats")
    assert (chat["unread"], chat["read"], chat.part("last")["id"]) == (0, 0, second)


@pytest.mark.parametrize("verb", ["GOT", "READ"])
def test_mark_beyond_the_log_claims_nothing_that_comes_later(server: Serving, verb: str) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    sent = alice.deliver("bob", "one").number("id")
    bob.expect("MSG")
    if verb == "READ":
        bob.send("READ", peer="alice", id=2**63 - 1)
    else:
        bob.send("GOT", id=2**63 - 1)
    bob.drain()
    receipts = [frame for frame in alice.drain() if frame.verb == "RECEIPT"]
    assert receipts
    assert all(frame.number("read") <= sent and frame.number("delivered") <= sent for frame in receipts)
    gone(alice, bob)
    alice.deliver("bob", "two")
    bob = server.json("bob", token=bob.token)
    assert texts(bob.missed) == ["two"]
    assert bob.ask("CHATS").parts("chats")[0]["unread"] == (1 if verb == "READ" else 2)


def test_receipts_reach_all_devices_of_the_sender(server: Serving) -> None:
    desk, bob = server.json("alice"), server.json("bob")
    phone = server.json("alice", token=desk.token)
    sent = desk.deliver("bob", "hi").number("id")
    bob.send("READ", peer="alice", id=sent)
    assert desk.expect("RECEIPT", read=sent) == phone.expect("RECEIPT", read=sent)


def test_read_of_somebody_unknown_is_harmless(server: Serving) -> None:
    alice = server.json("alice")
    for peer in ("nobody", "two words", "Server", "alice"):
        alice.send("READ", peer=peer, id=1)
    frames = alice.drain()
    assert all(frame.verb in ("ERROR", "RECEIPT") for frame in frames)
    assert all(frame["code"] in ("no_such_user", "bad_request") for frame in frames if frame.verb == "ERROR")


def test_typing_is_passed_on_to_the_one_it_is_for(server: Serving) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
    phone = server.json("bob", token=bob.token)
    alice.send("TYPING", to="BOB")
    assert bob.expect("TYPING").fields == {"from": "alice"}
    assert phone.expect("TYPING").fields == {"from": "alice"}
    alice.deliver("carol", "end")
    carol.expect("MSG", text="end")
    assert "TYPING" not in [frame.verb for frame in carol.skipped]


def test_typing_more_often_than_every_three_seconds_is_not_passed_on(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    for _ in range(20):
        alice.send("TYPING", to="bob")
    alice.deliver("bob", "end")
    bob.expect("MSG", text="end")
    assert [frame.verb for frame in bob.skipped].count("TYPING") == 1


def test_typing_to_somebody_away_or_unknown_is_harmless(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    gone(alice, bob)
    for to in ("bob", "nobody", "two words", "Server"):
        alice.send("TYPING", to=to)
    assert all(frame.verb == "ERROR" for frame in alice.drain())
    assert server.json("bob", token=bob.token).missed == []


def marks_told(server: Serving, peer: JsonPeer, *, after: int, log: str) -> list[tuple[str, str, Value]]:
    """Resume as the user of a connection that has ended; the marks that come before SYNCED."""
    name, token = peer.name, peer.token
    peer = server.json(name, token=token, after=after, log=log, sync=False)
    frames = peer.read_frames("SYNCED")
    peer.reset()
    return [
        (frame.verb, frame.text("peer"), frame["id"] if frame.verb == "READ" else frame["read"])
        for frame in frames
        if frame.verb in {"RECEIPT", "READ"}
    ]


def test_who_resumes_hears_what_others_have_got_and_read_meanwhile(server: Serving) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
    first = alice.deliver("bob", "one").number("id")
    second = alice.deliver("carol", "two").number("id")
    gone(bob, alice)
    carol.expect("LEFT", user="alice")
    assert marks_told(server, alice, after=second, log=alice.log) == []
    bob.send("READ", peer="alice", id=first)
    bob.drain()
    carol.send("GOT", id=second)
    carol.drain()
    assert marks_told(server, alice, after=second, log=alice.log) == [
        ("RECEIPT", "bob", first),
        ("RECEIPT", "carol", 0),
    ]


def test_who_resumes_hears_what_another_device_has_read_meanwhile(server: Serving) -> None:
    desk, bob = server.json("alice"), server.json("bob")
    phone = server.json("alice", token=desk.token)
    first = bob.deliver("alice", "one").number("id")
    phone.expect("MSG", text="one")
    phone.reset()
    desk.send("READ", peer="bob", id=first)
    desk.drain()
    assert marks_told(server, phone, after=first, log=desk.log) == [("READ", "bob", first)]


def test_marks_for_a_resume_survive_a_restart(tmp_path: Path) -> None:
    with serve(data=tmp_path) as server:
        alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
        for number in range(3):
            bob.send("READ", peer="alice", id=alice.deliver("bob", str(number)).number("id"))
        last = alice.deliver("carol", "hi").number("id")
        carol.send("GOT", id=last)
        alice.send("READ", peer="bob", id=bob.deliver("alice", "thanks").number("id"))
        for peer in (alice, bob, carol):
            peer.drain()
    with serve(data=tmp_path) as server:
        assert marks_told(server, alice, after=last + 1, log=alice.log) == [
            ("RECEIPT", "bob", 3),
            ("RECEIPT", "carol", 0),
            ("READ", "bob", last + 1),
        ]
