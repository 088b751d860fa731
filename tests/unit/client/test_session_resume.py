"""Nothing lost and nothing twice, over connections that end anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.client.sessions import INTRODUCTION, OLD_TOKEN, Harness, message, welcome
from twocans.client.codes import ErrorCode
from twocans.client.events import (
    CaughtUp,
    Event,
    MessageReceived,
    MessageRefused,
    MessageStored,
    Online,
    PeerTyping,
    PresenceChanged,
    ReadElsewhere,
    ReceiptMoved,
    UserJoined,
    UserLeft,
)
from twocans.client.timing import Position
from twocans.protocol import json
from twocans.protocol.errors import Code
from twocans.protocol.messages import (
    Ack,
    Error,
    Frame,
    Goodbye,
    Hello,
    Joined,
    Left,
    Ping,
    Presence,
    ReadMark,
    Receipt,
    Send,
    Synced,
    TypingFrom,
)


def test_a_lost_connection_is_resumed_from_the_last_message() -> None:
    harness = Harness()
    harness.connect()
    harness.say(message(5), message(9))
    harness.drop()
    hello, *_ = harness.connect(last=9)
    assert hello == Hello(user="alice", agent="test", after=9, log="log-1", token=OLD_TOKEN)


def test_a_lost_connection_is_resumed_after_what_the_program_has_dealt_with() -> None:
    """HELLO confirms what is before `after`: the server would not deliver it to the program's next run."""
    harness = Harness(deals=False)
    harness.connect()
    first, second, _ = harness.say(message(5), message(9), message(12))
    harness.drop()
    hello, *_ = harness.connect(message(5), message(9), message(12), last=12)
    assert isinstance(hello, Hello)
    assert hello.after == 0
    harness.deal_with(first)
    harness.deal_with(second)
    harness.drop()
    harness.session.connected(INTRODUCTION)
    assert isinstance(hello := harness.said()[0], Hello)
    assert hello.after == 9
    events = harness.say(welcome(last=13), message(12), message(13), Synced(last=13))
    assert events[1:] == [MessageReceived(message(13)), CaughtUp(13)]


def test_first_connection_is_resumed_before_its_first_message() -> None:
    """Without `after` the server would go on from where another device of the user has come meanwhile."""
    harness = Harness(deals=False)
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=50), message(41))
    harness.drop()
    harness.session.connected(INTRODUCTION)
    assert isinstance(hello := harness.said()[0], Hello)
    assert (hello.after, hello.log) == (40, "log-1")


def test_synced_moves_the_cursor_though_nothing_was_missed() -> None:
    harness = Harness()
    harness.connect(last=30)
    harness.drop()
    hello, *_ = harness.connect(last=30)
    assert isinstance(hello, Hello)
    assert hello.after == 30


def test_a_message_that_comes_again_is_given_out_once() -> None:
    harness = Harness()
    harness.connect()
    assert harness.say(message(5)) == [MessageReceived(message(5))]
    harness.drop()
    harness.session.connected(INTRODUCTION)
    events = harness.say(welcome(last=6), message(5), message(6), Synced(last=6), message(6))
    assert events[1:] == [MessageReceived(message(6)), CaughtUp(6)]


def test_an_acknowledgement_moves_the_cursor_only_when_live() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    harness.said()
    harness.say(Ack(cid="c1", id=7, at=70))
    assert harness.progress.position.after == 7
    harness.drop()
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=20), Ack(cid="other", id=20, at=1))
    assert harness.progress.position.after == 7
    assert harness.say(message(8)) == [MessageReceived(message(8))]


def test_another_log_starts_afresh() -> None:
    harness = Harness()
    harness.connect()
    harness.say(message(50))
    harness.drop()
    harness.session.connected(INTRODUCTION)
    online, *others = harness.say(welcome(log="log-2", last=3), message(3), Synced(last=3))
    assert isinstance(online, Online)
    assert online.fresh
    assert others == [MessageReceived(message(3)), CaughtUp(3)]
    assert harness.progress.position.after == 3
    assert harness.progress.position.log == "log-2"


def test_the_same_log_is_not_fresh() -> None:
    harness = Harness()
    harness.connect()
    harness.drop()
    harness.session.connected(INTRODUCTION)
    online, *_ = harness.say(welcome())
    assert isinstance(online, Online)
    assert not online.fresh


def test_ones_own_message_that_comes_back_counts_as_acknowledged() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    assert harness.said() == [Send(to="bob", text="hello", cid="c1")]
    harness.drop()
    harness.session.connected(INTRODUCTION)
    own = message(4, sender="alice", to="bob", text="hello", cid="c1")
    events = harness.say(welcome(last=4), own, Synced(last=4))
    assert events[1:] == [MessageStored("c1", "bob", "hello", 4, 4000), CaughtUp(4)]
    assert harness.session.pending == ()
    assert not [frame for frame in harness.said() if isinstance(frame, Send)]


def test_what_another_device_sent_is_received() -> None:
    harness = Harness()
    harness.connect()
    own = message(4, sender="alice", to="bob")
    assert harness.say(own) == [MessageReceived(own)]


def test_somebody_elses_message_with_a_waiting_cid_is_a_message() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    theirs = message(4, cid="c1")
    assert harness.say(theirs) == [MessageReceived(theirs)]
    assert [waiting.cid for waiting in harness.session.pending] == ["c1"]


def test_presence_is_told_once_for_each_change() -> None:
    harness = Harness()
    harness.connect()
    events = harness.say(
        Joined(user="carol"), Joined(user="carol"), Left(user="bob"), Left(user="bob"), Left(user="nobody")
    )
    assert events == [UserJoined("carol"), UserLeft("bob")]
    assert harness.session.users == ("alice", "carol")


def test_whose_messages_others_can_read_is_told_when_it_changes() -> None:
    harness = Harness()
    harness.connect()
    events = harness.say(
        Joined(user="carol", encrypted=False),
        Presence(user="bob", encrypted=False),
        Presence(user="carol", encrypted=True),
        Presence(user="nobody", encrypted=False),
    )
    assert events == [
        UserJoined("carol", encrypted=False),
        PresenceChanged("bob", encrypted=False),
        PresenceChanged("carol", encrypted=True),
    ]
    assert harness.session.unencrypted == ("bob",)
    harness.say(Left(user="bob"), Joined(user="bob"))
    assert "bob" not in harness.session.unencrypted


def test_what_is_read_on_another_device_is_passed_on() -> None:
    harness = Harness()
    harness.connect(last=7)
    assert harness.say(ReadMark(peer="bob", id=7)) == [ReadElsewhere("bob", 7)]


def test_receipts_and_typing_are_passed_on() -> None:
    harness = Harness()
    harness.connect(last=3)
    events = harness.say(Receipt(peer="bob", delivered=3, read=2), TypingFrom(sender="bob"))
    assert events == [ReceiptMoved("bob", 3, 2), PeerTyping("bob")]


_NAMES = st.sampled_from(["bob", "carol", "Дана", "o'neil"])
_FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.builds(message, st.integers(0, 50), sender=_NAMES, text=st.text(max_size=20)),
    st.builds(Joined, user=_NAMES),
    st.builds(Left, user=_NAMES),
    st.builds(Ping, n=st.integers(0, 9)),
    st.builds(Receipt, peer=_NAMES, delivered=st.integers(0, 9), read=st.integers(0, 9)),
    st.builds(Ack, cid=st.sampled_from(["c1", "c2", "c3"]), id=st.integers(0, 50), at=st.just(1)),
    st.builds(Error, code=st.just(Code.NO_SUCH_USER), text=st.just("No."), cid=st.sampled_from(["c1", "c2"])),
    st.builds(Synced, last=st.integers(0, 50)),
)


@given(
    st.lists(_FRAMES, max_size=30),
    st.sampled_from([b"", b"MSG: garbage\n", json.encode(Goodbye(reason="kicked", text="Out."))]),
    st.lists(st.integers(0, 4000), max_size=12),
)
def test_any_cutting_of_the_bytes_gives_the_same_events_and_answers(
    frames: list[Frame], last: bytes, cuts: list[int]
) -> None:
    data = b"".join(map(json.encode, [welcome(), *frames])) + last

    def hear(chunks: list[bytes]) -> tuple[list[Event], list[str], object]:
        harness = Harness()
        for cid in ("c1", "c2"):
            harness.send("hello", cid=cid)
        harness.session.connected(INTRODUCTION)
        for chunk in chunks:
            harness.session.receive(chunk)
        session = harness.session
        said = [] if session.ending else [frame.verb for frame in harness.said()]
        return session.take_events(), said, (session.ending, session.users)

    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert hear(pieces) == hear([data])


@given(st.sets(st.integers(1, 500), max_size=40), st.data())
def test_every_message_is_given_out_once_and_in_order_wherever_connections_end(
    ids: set[int], data: st.DataObject
) -> None:
    """A server that keeps to the protocol, cut off after any frame, any number of times."""
    log = [message(id_) for id_ in sorted(ids)]
    harness = Harness()
    stored = 0
    given_out: list[Event] = []
    for attempt in range(data.draw(st.integers(1, 6), label="connections"), 0, -1):
        harness.session.connected(INTRODUCTION)
        hello = harness.said()[0]
        assert isinstance(hello, Hello)
        after = hello.after or 0
        missed = [one for one in log[:stored] if one.id > after]
        live = (
            data.draw(st.integers(0, len(log) - stored), label="live") if attempt > 1 else len(log) - stored
        )
        last = log[stored - 1].id if stored else 0
        frames: list[Frame] = [welcome(last=last), *missed, Synced(last=last), *log[stored : stored + live]]
        stored += live
        cut = data.draw(st.integers(0, len(frames)), label="cut") if attempt > 1 else len(frames)
        given_out += harness.say(*frames[:cut])
        harness.drop()
    assert [event.message for event in given_out if isinstance(event, MessageReceived)] == log


def test_refusals_end_the_wait() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    harness.said()
    events = harness.say(Error(code=Code.NO_SUCH_USER, text="Nobody.", cid="c1"))
    assert events == [MessageRefused("c1", "bob", ErrorCode.NO_SUCH_USER, "Nobody.")]
    assert harness.session.pending == ()


def test_new_device_has_a_cursor_before_the_first_message() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=9, after=5))
    assert harness.progress.position == Position(after=5, log="log-1")


def test_cursor_beyond_the_servers_log_goes_back_to_what_the_server_has() -> None:
    harness = Harness(position=Position(after=10**9, log="log-1"))
    harness.session.connected(INTRODUCTION)
    events = harness.say(welcome(last=6, after=5), message(6))
    assert [event.message.id for event in events if isinstance(event, MessageReceived)] == [6]
    assert harness.progress.position.after == 6


@pytest.mark.parametrize("after", [None, 3, 7, 100])
def test_welcome_never_moves_a_cursor_past_messages(after: int | None) -> None:
    harness = Harness(position=Position(after=3, log="log-1"))
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=7, after=after))
    assert harness.progress.position.after == 3


def test_cursor_without_its_log_is_not_told() -> None:
    harness = Harness(position=Position(after=3))
    harness.session.connected(INTRODUCTION)
    assert harness.said() == [Hello(user="alice", agent="test", token=OLD_TOKEN)]
