"""The outbox, and what of it goes out when."""

from __future__ import annotations

import pytest

from tests.unit.client.sessions import INTRODUCTION, LIMITS, Harness, message, welcome
from twocans.client.codes import ErrorCode
from twocans.client.events import MessageRefused, MessageStored
from twocans.client.outbox import MAX_PENDING, MemoryOutbox, Outgoing
from twocans.client.sending import MAX_IN_FLIGHT
from twocans.protocol.errors import Code
from twocans.protocol.messages import Ack, Error, FileRef, LimitsInForce, Send, Synced


def _sent(harness: Harness) -> list[str]:
    return [frame.cid for frame in harness.said() if isinstance(frame, Send)]


def test_a_message_waits_for_synced_so_that_no_acknowledgement_overtakes_older_ones() -> None:
    harness = Harness()
    harness.send("hello", cid="c1")
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=1))
    assert _sent(harness) == []
    harness.say(message(1), Synced(last=1))
    assert _sent(harness) == ["c1"]


def test_messages_go_out_in_order_and_are_kept_until_acknowledged() -> None:
    harness = Harness()
    harness.connect()
    for number in range(5):
        harness.send(f"text {number}", cid=f"c{number}")
    assert _sent(harness) == ["c0", "c1", "c2", "c3", "c4"]
    assert harness.say(Ack(cid="c1", id=2, at=20)) == [MessageStored("c1", "bob", "text 1", 2, 20)]
    assert [waiting.cid for waiting in harness.session.pending] == ["c0", "c2", "c3", "c4"]


def test_a_file_goes_out_with_its_message_and_comes_back_with_the_acknowledgement() -> None:
    harness = Harness()
    harness.connect()
    file = FileRef("a" * 64, 5)
    harness.session.send(Outgoing("c1", "bob", "a.txt", file))
    assert harness.said() == [Send(to="bob", text="a.txt", cid="c1", file=file)]
    assert harness.say(Ack(cid="c1", id=2, at=20)) == [MessageStored("c1", "bob", "a.txt", 2, 20, file)]


def test_what_is_not_acknowledged_is_sent_again_under_the_same_cid() -> None:
    harness = Harness()
    harness.connect()
    for cid in ("c0", "c1", "c2"):
        harness.send("hello", cid=cid)
    assert _sent(harness) == ["c0", "c1", "c2"]
    harness.say(Ack(cid="c0", id=1, at=1))
    harness.drop()
    harness.send("later", cid="c3")
    said = harness.connect(last=1)
    assert [frame.cid for frame in said if isinstance(frame, Send)] == ["c1", "c2", "c3"]


def test_an_acknowledgement_that_comes_twice_is_told_once() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    harness.said()
    assert len(harness.say(Ack(cid="c1", id=2, at=20), Ack(cid="c1", id=2, at=20))) == 1


def test_a_long_outbox_goes_out_a_few_at_a_time() -> None:
    harness = Harness()
    harness.connect()
    cids = [f"c{number}" for number in range(3 * MAX_IN_FLIGHT)]
    for cid in cids:
        harness.send("hello", cid=cid)
    sent = _sent(harness)
    assert sent == cids[:MAX_IN_FLIGHT]
    acked = 0
    while acked < len(cids):
        harness.say(Ack(cid=cids[acked], id=acked + 1, at=1))
        acked += 1
        sent += _sent(harness)
        assert len(sent) <= acked + MAX_IN_FLIGHT
    assert sent == cids


def test_one_piece_of_output_is_not_much_larger_than_asked_for() -> None:
    harness = Harness()
    harness.connect()
    for number in range(20):
        harness.send("x" * 10_000, cid=f"c{number}")
    pieces = []
    while piece := harness.session.take_bytes(50_000):
        pieces.append(piece)
    assert len(pieces) == 4
    assert all(len(piece) < 61_000 for piece in pieces)


def test_line_ends_of_all_systems_become_one() -> None:
    harness = Harness()
    harness.connect()
    harness.send("one\r\ntwo\rthree\nfour", cid="c1")
    assert harness.said() == [Send(to="bob", text="one\ntwo\nthree\nfour", cid="c1")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ErrorCode.EMPTY),
        (" \r\n\t", ErrorCode.EMPTY),
        ("bell \x07", ErrorCode.BAD_REQUEST),
        ("half a pair \ud83d", ErrorCode.BAD_REQUEST),
        ("x" * (LIMITS.text_bytes + 1), ErrorCode.TOO_LONG),
        ("é" * (LIMITS.text_bytes // 2 + 1), ErrorCode.TOO_LONG),
    ],
    ids=["empty", "blank", "control", "surrogate", "long", "long in bytes"],
)
def test_what_the_server_would_refuse_is_not_sent_at_all(text: str, code: ErrorCode) -> None:
    harness = Harness()
    harness.connect()
    [refused] = harness.send(text, cid="c1")
    assert isinstance(refused, MessageRefused)
    assert (refused.cid, refused.to, refused.code) == ("c1", "bob", code)
    assert refused.text.endswith(".")
    assert harness.session.pending == ()
    assert harness.said() == []


def test_a_text_of_just_the_limit_is_sent() -> None:
    harness = Harness()
    harness.connect()
    assert harness.send("x" * LIMITS.text_bytes, cid="c1") == []
    assert _sent(harness) == ["c1"]


def test_a_text_over_the_limit_leaves_the_outbox_only_when_the_server_refuses_it() -> None:
    harness = Harness()
    harness.send("x" * 500, cid="long")
    harness.session.connected(INTRODUCTION)
    tight = LimitsInForce(line_bytes=65536, text_bytes=100, rate=0, burst=0)
    harness.say(welcome(limits=tight), Synced(last=0))
    assert _sent(harness) == ["long"]
    [refused] = harness.say(Error(code=Code.TOO_LONG, text="Too long.", cid="long"))
    assert refused == MessageRefused("long", "bob", ErrorCode.TOO_LONG, "Too long.")
    assert harness.session.pending == ()


def test_a_line_over_the_servers_limit_waits_for_another_limit_and_holds_up_no_other() -> None:
    """Such a line would end every connection."""
    harness = Harness()
    harness.send("x" * 2000, cid="long")
    harness.send("short", cid="short")
    harness.session.connected(INTRODUCTION)
    tight = LimitsInForce(line_bytes=1024, text_bytes=500, rate=0, burst=0)
    harness.say(welcome(limits=tight), Synced(last=0))
    assert _sent(harness) == ["short"]
    assert [one.cid for one in harness.session.pending] == ["long", "short"]
    harness.drop()
    assert [frame.cid for frame in harness.connect() if isinstance(frame, Send)] == ["long", "short"]


def test_a_line_that_no_server_takes_by_default_is_refused_when_this_one_does_not_either() -> None:
    harness = Harness()
    harness.send("x" * 70_000, cid="long")
    harness.send("short", cid="short")
    harness.connect()
    [refused] = harness.session.take_events()
    assert isinstance(refused, MessageRefused)
    assert (refused.cid, refused.code) == ("long", ErrorCode.TOO_LONG)
    assert [one.cid for one in harness.session.pending] == ["short"]


def test_a_line_over_the_servers_limit_is_refused_when_it_is_written() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    tight = LimitsInForce(line_bytes=1024, text_bytes=1000, rate=0, burst=0)
    harness.say(welcome(limits=tight), Synced(last=0))
    harness.said()
    [refused] = harness.send("\n" * 500 + "x" * 300, cid="c1")
    assert isinstance(refused, MessageRefused)
    assert refused.code == ErrorCode.TOO_LONG


def test_a_name_that_cannot_be_encoded_is_refused() -> None:
    harness = Harness()
    harness.connect()
    [refused] = harness.send("hello", cid="c1", to="b\udc80b")
    assert isinstance(refused, MessageRefused)


def test_the_same_message_again_changes_nothing() -> None:
    harness = Harness()
    harness.connect()
    assert harness.send("hello", cid="c1") == harness.send("hello", cid="c1") == []
    assert _sent(harness) == ["c1"]


def test_one_cid_for_two_messages_is_a_mistake_of_the_program() -> None:
    harness = Harness()
    harness.send("hello", cid="c1")
    with pytest.raises(ValueError, match="c1"):
        harness.send("other", cid="c1")


def test_a_refused_message_may_be_tried_again_under_its_cid() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    harness.said()
    harness.say(Error(code=Code.NOT_ONLINE, text="Away.", cid="c1"))
    assert harness.send("hello", cid="c1") == []
    assert _sent(harness) == ["c1"]


def test_a_refusal_makes_room_for_the_next_message() -> None:
    harness = Harness()
    harness.connect()
    for number in range(MAX_IN_FLIGHT + 1):
        harness.send("hello", cid=f"c{number}")
    harness.said()
    harness.say(Error(code=Code.NO_SUCH_USER, text="Nobody.", cid="c0"))
    assert _sent(harness) == [f"c{MAX_IN_FLIGHT}"]


def test_the_outbox_is_bounded() -> None:
    outbox = MemoryOutbox()
    for number in range(MAX_PENDING):
        outbox.add(Outgoing(f"c{number}", "bob", "hello"))
    harness = Harness(outbox=outbox)
    [refused] = harness.send("one too many", cid="more")
    assert isinstance(refused, MessageRefused)
    assert refused.code == "busy"
    assert len(outbox) == MAX_PENDING


def test_an_outbox_that_was_filled_earlier_goes_out() -> None:
    outbox = MemoryOutbox()
    outbox.add(Outgoing("old", "bob", "from yesterday"))
    harness = Harness(outbox=outbox)
    said = harness.connect()
    assert Send(to="bob", text="from yesterday", cid="old") in said


def test_leaving_sends_what_there_is_and_then_goodbye() -> None:
    harness = Harness()
    harness.connect()
    harness.say(message(3))
    harness.session.read("bob", 3)
    harness.send("last words", cid="c1")
    harness.session.leave()
    assert [frame.verb for frame in harness.said()] == ["READ", "GOT", "MSG", "BYE"]
    harness.say(message(4))
    assert harness.session.take_events() == []
    assert [waiting.cid for waiting in harness.session.pending] == ["c1"]


def test_nothing_follows_goodbye_though_more_is_waiting() -> None:
    harness = Harness()
    harness.connect()
    for number in range(20):
        harness.send("x" * 10_000, cid=f"c{number}")
    harness.session.leave()
    said = harness.said()
    assert said[-1].verb == "BYE"
    assert 1 < len(said) < 20
    assert len(harness.session.pending) == 20
