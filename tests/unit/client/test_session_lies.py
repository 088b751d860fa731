"""What a session keeps of a server that lies: never the outbox, never another name, no place that it was not at."""

from __future__ import annotations

import pytest

from tests.unit.client.sessions import INTRODUCTION, Harness, message, welcome
from twocans.client.events import Loss, MessageReceived, MessageStored, Online, ReadElsewhere, ReceiptMoved
from twocans.client.requests import Answer
from twocans.client.session import MAX_EARLY_PINGS, State
from twocans.client.timing import Position
from twocans.protocol.errors import Code
from twocans.protocol.messages import (
    MAX_ID,
    Ack,
    Chats,
    Error,
    Frame,
    FromClient,
    Hello,
    History,
    HistoryQuery,
    Message,
    Ping,
    ReadMark,
    Receipt,
    Results,
    SearchQuery,
    Send,
    Synced,
)


def _is_broken(harness: Harness) -> bool:
    ending = harness.session.ending
    return ending is not None and ending.loss is Loss.PROTOCOL and ending.again and ending.text.endswith(".")


def _hello(harness: Harness) -> Hello:
    """What the client says first on the next connection."""
    harness.drop()
    harness.session.connected(INTRODUCTION)
    [hello] = harness.said()
    assert isinstance(hello, Hello)
    return hello


def _sent(frames: list[FromClient]) -> list[str]:
    return [frame.cid for frame in frames if isinstance(frame, Send)]


def _waiting(harness: Harness) -> list[str]:
    return [one.cid for one in harness.session.pending]


# --- the name and the outbox ------------------------------------------------------------------------------


def test_nothing_is_sent_under_another_name_nor_on_the_right_server_later() -> None:
    harness = Harness()
    harness.send("hello", cid="c1")
    harness.session.connected(INTRODUCTION)
    harness.said()
    assert harness.say(welcome(user="mallory"), Synced(last=0)) == []
    assert _is_broken(harness)
    assert harness.said() == []
    assert _hello(harness).user == "alice"
    harness.say(welcome(), Synced(last=0))
    assert _sent(harness.said()) == ["c1"]


def test_another_spelling_of_the_name_is_the_same_user() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    [online] = harness.say(welcome(user="ＡLICE"))
    assert isinstance(online, Online)
    assert online.user == "ＡLICE"


@pytest.mark.parametrize("field", ["line_bytes", "text_bytes"])
@pytest.mark.parametrize("value", [-(2**31), -1, 0, 1, 2**53])
def test_limits_that_no_server_can_have_are_no_welcome_and_leave_the_outbox(field: str, value: int) -> None:
    limits = {"line_bytes": 65536, "text_bytes": 16384} | {field: value}
    harness = Harness()
    harness.send("hello", cid="c1")
    harness.session.connected(INTRODUCTION)
    harness.said()
    line = f'"line_bytes":{limits["line_bytes"]},"text_bytes":{limits["text_bytes"]},"rate":1,"burst":1'
    harness.session.receive(
        b'WELCOME: {"user":"alice","server":"s","log":"log-1","last":0,"users":[],"token":"t","limits":{%s}}\n'
        b'SYNCED: {"last":0}\n' % line.encode()
    )
    assert harness.session.take_events() == []
    assert _is_broken(harness)
    assert harness.said() == []
    assert _waiting(harness) == ["c1"]


@pytest.mark.parametrize(
    "claim",
    [
        Ack(cid="c2", id=5, at=5),
        Error(code=Code.EMPTY, text="No.", cid="c2"),
        message(5, sender="alice", to="bob", text="another text", cid="c2"),
        message(5, sender="alice", to="carol", text="second", cid="c2"),
    ],
    ids=["acknowledged", "refused", "another text", "to somebody else"],
)
def test_a_message_that_is_not_under_way_stays_whatever_the_server_claims(claim: Frame) -> None:
    harness = Harness()
    harness.send("second", cid="c2")
    harness.session.connected(INTRODUCTION)
    harness.said()
    harness.say(welcome(last=5), claim)
    assert _waiting(harness) == ["c2"]
    harness.say(Synced(last=5))
    assert _sent(harness.said()) == ["c2"]


# --- the cursor -------------------------------------------------------------------------------------------


def test_an_acknowledgement_of_what_was_never_sent_moves_nothing() -> None:
    harness = Harness()
    harness.connect(message(3), last=3)
    assert harness.say(Ack(cid="nobody's", id=MAX_ID, at=1)) == []
    assert harness.progress.position.after == 3


@pytest.mark.parametrize("id_", [MAX_ID + 1, 2**63, -1])
@pytest.mark.parametrize(
    "line", ['MSG: {"id":%d,"at":1,"from":"bob","to":"alice","text":"hi","cid":""}', 'SYNCED: {"last":%d}']
)
def test_an_id_that_is_none_is_kept_by_nobody(line: str, id_: int) -> None:
    harness = Harness(position=Position(after=3, log="log-1"))
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=3))
    harness.session.receive((line % id_).encode() + b"\n")
    assert harness.session.take_events() == []
    assert _is_broken(harness)
    assert harness.progress.position.after == 3


def test_pings_before_welcome_are_answered_in_a_bounded_number() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.said()
    harness.say(*(Ping(n=number) for number in range(MAX_EARLY_PINGS)))
    assert harness.session.ending is None
    assert len(harness.said()) == MAX_EARLY_PINGS
    harness.say(Ping(n=1))
    assert _is_broken(harness)


def test_synced_tells_of_nothing_that_was_not_handed_out() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=5), Synced(last=MAX_ID))
    assert harness.session.state is State.LIVE
    assert harness.progress.position.after == 5


def test_a_welcome_with_a_far_last_does_not_move_a_cursor_that_there_is() -> None:
    harness = Harness(position=Position(after=3, log="log-1"))
    harness.connect(last=MAX_ID)
    assert harness.session.state is State.LIVE
    assert _hello(harness).after == 3


def _last_of(harness: Harness) -> list[int]:
    """Go on with an honest server that has the messages 4, 5 and 6, of which the client has got 4; what comes."""
    given: list[int] = []
    for _ in range(3):
        hello = _hello(harness)
        after = min(hello.after or 0, 6) if hello.log == "log-1" else 0
        missed = [message(id_) for id_ in (4, 5, 6) if id_ > after]
        events = harness.say(welcome(last=6), *missed, Synced(last=6), message(7))
        given += [event.message.id for event in events if isinstance(event, MessageReceived)]
        if harness.session.state is State.LIVE:
            return given
    raise AssertionError("it never came online")


@pytest.mark.parametrize("how", ["acknowledgement", "message", "synced"])
def test_a_far_id_in_any_frame_loses_no_message_of_the_time_after(how: str) -> None:
    harness = Harness()
    if how == "synced":
        harness.connect(last=MAX_ID)
        assert _last_of(harness) == [4, 5, 6, 7]
        return
    harness.connect(message(4), last=4)
    if how == "acknowledgement":
        harness.send("hello", cid="c1")
        harness.said()
        harness.say(Ack(cid="c1", id=MAX_ID, at=1))
    else:
        harness.say(message_of(MAX_ID))
    assert _last_of(harness) == [5, 6, 7]


def message_of(id_: int) -> Message:
    """A message whose time does not follow from its id."""
    return Message(id=id_, at=1, sender="bob", to="alice", text="hi", cid="c")


def _far(harness: Harness) -> None:
    """Have the client go beyond all messages, and connect again."""
    harness.connect(message(4), last=4)
    harness.send("hello", cid="c1")
    harness.said()
    harness.say(Ack(cid="c1", id=MAX_ID, at=1))
    harness.drop()
    harness.session.connected(INTRODUCTION)
    harness.said()


def test_a_far_cursor_falls_back_where_the_server_goes_on_before_what_was_given_out() -> None:
    harness = Harness()
    _far(harness)
    harness.say(welcome(last=6, after=2), message(3), message(4))
    assert harness.say(message(5), message(6), Synced(last=6))[:2] == [
        MessageReceived(message(5)),
        MessageReceived(message(6)),
    ]
    assert harness.session.state is State.LIVE


def test_a_far_cursor_is_said_again_where_the_server_goes_on_behind_what_was_given_out() -> None:
    harness = Harness()
    _far(harness)
    assert harness.say(welcome(last=6, after=5)) == []
    assert _is_broken(harness)
    assert _hello(harness).after == 4


def test_a_far_place_of_an_earlier_program_is_given_up_for_the_servers_newest() -> None:
    harness = Harness(position=Position(after=MAX_ID, log="log-1"))
    harness.connect(last=6)
    assert harness.session.state is State.LIVE
    assert harness.say(message(7)) == [MessageReceived(message(7))]


def test_a_message_that_contradicts_the_cursor_is_asked_for_again() -> None:
    harness = Harness()
    harness.connect(message(4), last=4)
    harness.send("hello", cid="c1")
    harness.said()
    harness.say(Ack(cid="c1", id=1000, at=1))
    assert harness.say(message(5)) == []
    assert _is_broken(harness)
    assert _hello(harness).after == 4


def test_a_message_of_ones_own_before_the_cursor_contradicts_nothing() -> None:
    harness = Harness()
    harness.connect(message(4), last=4)
    harness.say(message(8))
    assert harness.say(message(7, sender="alice", to="bob")) == []
    assert harness.session.ending is None
    assert harness.progress.position.after == 8


def test_an_old_message_again_takes_the_cursor_nowhere() -> None:
    harness = Harness(position=Position(after=100, log="log-1"))
    harness.connect(last=100)
    assert harness.say(message(1), message(100)) == []
    assert harness.session.ending is None
    assert harness.progress.position.after == 100


def test_a_message_between_two_others_is_nothing_for_this_user() -> None:
    harness = Harness()
    harness.connect()
    assert harness.say(message(1, sender="bob", to="carol")) == []
    assert _is_broken(harness)
    assert harness.progress.position.after == 0


def test_marks_of_others_go_no_further_than_what_there_is() -> None:
    harness = Harness()
    harness.connect(message(4), last=4)
    assert harness.say(
        Receipt(peer="bob", delivered=MAX_ID, read=MAX_ID), ReadMark(peer="bob", id=MAX_ID)
    ) == [
        ReceiptMoved("bob", 4, 4),
        ReadElsewhere("bob", 4),
    ]


# --- answers ----------------------------------------------------------------------------------------------

_PAGE = [message(3), message(4)]


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        ([], True),
        ([message(5)], True),
        ([message(4), message(5)], False),
        ([message(4), message(3)], False),
        ([message(3), message(3)], False),
        ([message(1), message(2), message(3)], False),
    ],
    ids=["more and nothing", "the same again", "too far", "out of order", "twice", "more than asked for"],
)
@pytest.mark.parametrize("kind", ["history", "search"])
def test_a_page_that_goes_no_further_breaks_the_protocol(
    kind: str, messages: list[Message], more: bool
) -> None:
    harness = Harness()
    harness.connect(last=9)
    if kind == "history":
        rid = harness.session.ask(lambda rid: HistoryQuery(peer="bob", rid=rid, before=5, limit=2))
        harness.say(History(rid=rid, messages=messages, more=more))
    else:
        rid = harness.session.ask(lambda rid: SearchQuery(query="hi", rid=rid, before=5, limit=2))
        harness.say(Results(rid=rid, messages=messages[::-1], more=more))
    [answer] = harness.session.take_answers()
    assert isinstance(answer.reply, Error)
    assert answer.reply.text.endswith("?")
    assert _is_broken(harness)


def test_a_page_that_goes_further_is_an_answer() -> None:
    harness = Harness()
    harness.connect(last=9)
    rid = harness.session.ask(lambda rid: HistoryQuery(peer="bob", rid=rid, before=5, limit=2))
    reply = History(rid=rid, messages=_PAGE, more=True)
    harness.say(reply)
    assert harness.session.take_answers() == [Answer(rid, reply)]
    assert harness.session.ending is None


def test_an_answer_to_another_question_breaks_the_protocol() -> None:
    harness = Harness()
    harness.connect(last=9)
    rid = harness.session.ask(lambda rid: HistoryQuery(peer="bob", rid=rid))
    harness.say(Chats(rid=rid, chats=[]))
    assert _is_broken(harness)


def test_a_message_of_ones_own_that_comes_back_is_told_as_stored_once() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    harness.said()
    own = message(4, sender="alice", to="bob", text="hello", cid="c1")
    assert harness.say(own, Ack(cid="c1", id=4, at=4000)) == [MessageStored("c1", "bob", "hello", 4, 4000)]
