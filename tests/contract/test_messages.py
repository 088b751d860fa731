"""What happens to a message: acknowledged, delivered once and in order, or refused."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.contract.conftest import Start
from tests.contract.frames import gone, ids, texts
from tests.support.serving import Serving
from twocans.hub.limits import Limits
from twocans.server.settings.config import HistoryMode


def test_message_is_acknowledged_and_delivered_with_one_id_and_time(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    before = time.time_ns() // 1_000_000
    ack = alice.deliver("bob", "hi", cid="c1")
    received = bob.expect("MSG")
    assert received.fields == {
        "id": ack["id"], "at": ack["at"], "from": "alice", "to": "bob", "text": "hi", "cid": "c1",
    }  # fmt: skip
    assert before - 1000 <= ack.number("at") <= time.time_ns() // 1_000_000 + 1000
    assert set(ack.fields) == {"cid", "id", "at"}


def test_ids_only_grow_and_every_inbox_is_in_their_order(start: Start) -> None:
    server = start(Limits(rate_per_s=0))
    bob = server.json("bob")
    senders = [server.json(f"s{number}") for number in range(4)]
    for number in range(100):
        for sender in senders:
            sender.say("bob", str(number))
    received = bob.expect_messages(400)
    assert ids(received) == sorted(set(ids(received)))
    for sender in senders:
        assert texts([frame for frame in received if frame["from"] == sender.name]) == [
            str(number) for number in range(100)
        ]
        acks = [sender.expect("ACK") for _ in range(100)]
        assert ids(acks) == ids([frame for frame in received if frame["from"] == sender.name])


def test_resent_message_gets_its_first_ack_again_and_is_delivered_once(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    first = alice.deliver("bob", "hi", cid="c1")
    assert alice.deliver("bob", "hi", cid="c1") == first
    alice.deliver("bob", "next")
    assert texts(bob.expect_messages(2)) == ["hi", "next"]


def test_resent_message_after_a_reconnect_is_delivered_once(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    first = alice.deliver("bob", "hi", cid="c1")
    alice.reset()
    bob.expect("LEFT")
    alice = server.json("alice", token=alice.token)
    assert alice.deliver("BOB", "hi", cid="c1") == first
    alice.deliver("bob", "next")
    bob.expect("MSG", text="next")
    assert texts([frame for frame in bob.skipped if frame.verb == "MSG"]) == ["hi"]


@pytest.mark.parametrize(("to", "text"), [("bob", "other"), ("carol", "hi")])
def test_same_cid_with_other_content_is_a_conflict(server: Serving, to: str, text: str) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
    alice.deliver("bob", "hi", cid="c1")
    alice.say(to, text, cid="c1")
    error = alice.expect("ERROR")
    assert (error["code"], error["cid"]) == ("conflict", "c1")
    alice.deliver("bob", "end")
    alice.deliver("carol", "end")
    assert texts(bob.expect_messages(2)) == ["hi", "end"]
    assert texts(carol.expect_messages(1)) == ["end"]


def test_cid_is_the_senders_own(server: Serving) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.json("carol")
    one = alice.deliver("carol", "from alice", cid="same")
    other = bob.deliver("carol", "from bob", cid="same")
    assert one["id"] != other["id"]
    assert texts(carol.expect_messages(2)) == ["from alice", "from bob"]


def test_refused_cid_may_be_used_again(server: Serving) -> None:
    alice = server.json("alice")
    alice.say("bob", "hi", cid="c1")
    assert alice.expect("ERROR")["code"] == "no_such_user"
    bob = server.json("bob")
    alice.deliver("bob", "hi", cid="c1")
    assert bob.expect("MSG")["cid"] == "c1"


def test_message_to_nobody_known_is_refused(server: Serving) -> None:
    alice = server.json("alice")
    for to in ("nobody", "", "two words", "x" * 100, "Server"):
        alice.say(to, "hi", cid="c1")
        error = alice.expect("ERROR")
        assert (error["code"], error["cid"]) == ("no_such_user", "c1")


def test_without_history_message_to_somebody_away_is_refused(start: Start) -> None:
    server = start(history=HistoryMode.OFF)
    alice, bob = server.json("alice"), server.json("bob")
    gone(alice, bob)
    alice.say("bob", "hi", cid="c1")
    error = alice.expect("ERROR")
    assert (error["code"], error["cid"]) == ("not_online", "c1")
    bob = server.json("bob", token=bob.token)
    assert bob.missed == []
    alice.deliver("bob", "live")
    assert bob.expect("MSG")["text"] == "live"


def test_own_messages_reach_ones_other_devices_and_not_the_one_that_sent_them(server: Serving) -> None:
    desk, bob = server.json("alice"), server.json("bob")
    phone = server.json("alice", token=desk.token)
    ack = desk.deliver("bob", "from the desk", cid="c1")
    seen = phone.expect("MSG")
    assert (seen["id"], seen["from"], seen["to"], seen["cid"]) == (ack["id"], "alice", "bob", "c1")
    bob.deliver("alice", "to both")
    assert phone.expect("MSG")["text"] == "to both"
    desk.expect("MSG", text="to both")
    assert [frame for frame in desk.skipped if frame.verb == "MSG"] == []


def test_message_to_oneself_is_acknowledged_and_reaches_ones_other_devices_once(server: Serving) -> None:
    desk = server.json("alice")
    phone = server.json("alice", token=desk.token)
    ack = desk.deliver("alice", "note")
    assert phone.expect("MSG")["id"] == ack["id"]
    assert [frame for frame in phone.drain() if frame.verb == "MSG"] == []
    own = [frame for frame in [*desk.skipped, *desk.drain()] if frame.verb == "MSG"]
    assert ids(own) in ([], [ack["id"]])
    page = desk.ask("HISTORY", peer="alice")
    assert texts(page.parts("messages")) == ["note"]


def test_cid_need_not_be_a_uuid_and_comes_back_as_it_was(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    for cid in (str(uuid.uuid4()), "x", "ünï", "a b", "x" * 64):
        alice.deliver("bob", "hi", cid=cid)
        assert bob.expect("MSG")["cid"] == cid
