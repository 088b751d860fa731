"""What a session does by the clock: signs of life, marks, typing, and questions without an answer."""

from __future__ import annotations

import pytest

from tests.unit.client.sessions import INTRODUCTION, Harness, message, welcome
from twocans.client.events import Loss
from twocans.client.marks import MAX_READ_MARKS
from twocans.client.requests import MAX_REQUESTS, Answer
from twocans.client.session import MAX_IGNORED
from twocans.client.timing import Timers
from twocans.protocol import json
from twocans.protocol.errors import Code
from twocans.protocol.messages import (
    Ack,
    Bye,
    Error,
    FindQuery,
    Found,
    FromClient,
    Got,
    Hello,
    Joined,
    Ping,
    Pong,
    Read,
    Synced,
    Typing,
)


def _at(harness: Harness, seconds: float) -> list[FromClient]:
    """Turn the clock, let the session look at it; what it says."""
    harness.clock.turn(seconds)
    harness.session.tick()
    return harness.said()


def test_a_silent_server_is_asked_and_then_given_up() -> None:
    harness = Harness(timers=Timers(ping_after=20, dead_after=45))
    harness.connect()
    assert _at(harness, 19.9) == []
    assert _at(harness, 0.1) == [Ping(n=1)]
    assert _at(harness, 19.9) == []
    assert _at(harness, 0.1) == [Ping(n=2)]
    assert harness.session.ending is None
    _at(harness, 5)
    ending = harness.session.ending
    assert ending is not None
    assert ending.loss is Loss.TIMED_OUT
    assert ending.again
    assert "45 seconds" in ending.text


def test_an_answer_ends_the_silence() -> None:
    harness = Harness(timers=Timers(ping_after=20, dead_after=45))
    harness.connect()
    for number in range(1, 20):
        assert _at(harness, 20) == [Ping(n=number)]
        harness.say(Pong(n=number))
    assert harness.session.ending is None


def test_a_machine_that_slept_gives_the_connection_up_at_once() -> None:
    harness = Harness()
    harness.connect()
    _at(harness, 8 * 3600)
    assert harness.session.ending is not None
    assert harness.session.ending.loss is Loss.TIMED_OUT


def test_a_ping_is_answered_with_its_number() -> None:
    harness = Harness()
    harness.connect()
    harness.say(Ping(n=12), Ping(n=13))
    assert harness.said() == [Pong(n=12), Pong(n=13)]


def test_silence_that_a_slow_program_caused_is_not_held_against_the_server() -> None:
    harness = Harness(timers=Timers(ping_after=20, dead_after=45))
    harness.connect()
    harness.session.listen(again=False)
    assert _at(harness, 20) == [Ping(n=1)]
    assert _at(harness, 20) == [Ping(n=2)]
    _at(harness, 100)
    harness.session.listen(again=True)
    _at(harness, 19)
    assert harness.session.ending is None
    _at(harness, 26)
    assert harness.session.ending is not None


def test_the_next_tick_is_when_something_is_due() -> None:
    harness = Harness(timers=Timers(ping_after=20, dead_after=45))
    assert harness.session.next_tick() is None
    harness.connect()
    assert harness.session.next_tick() == harness.clock() + 20
    harness.say(message(1))
    assert harness.session.next_tick() == harness.clock() + 1
    _at(harness, 1)
    assert harness.session.next_tick() == harness.clock() + 19


def test_got_is_told_once_a_second_and_not_for_every_message() -> None:
    harness = Harness()
    harness.connect()
    harness.say(*(message(id_) for id_ in range(1, 11)))
    assert harness.said() == []
    assert _at(harness, 0.9) == []
    assert _at(harness, 0.1) == [Got(id=10)]
    assert _at(harness, 5) == []


def test_got_is_told_no_more_often_for_many_messages() -> None:
    harness = Harness()
    harness.connect()
    harness.say(*(message(id_) for id_ in range(1, 1001)))
    assert harness.said() == []
    assert _at(harness, 1.0) == [Got(id=1000)]


def test_got_is_told_after_what_was_missed() -> None:
    harness = Harness()
    _, *rest = harness.connect(message(3), message(4), last=4)
    assert rest == []
    assert _at(harness, 1.0) == [Got(id=4)]


def test_got_is_not_told_of_what_the_program_has_not_dealt_with() -> None:
    """The server would forget that it has to deliver it, and a program that is killed would never get it."""
    harness = Harness(deals=False)
    harness.connect()
    first, _ = harness.say(message(3), message(4))
    assert _at(harness, 5) == []
    harness.deal_with(first)
    assert _at(harness, 1.0) == [Got(id=3)]
    harness.session.leave()
    assert harness.said() == [Bye()]


def test_got_is_told_of_what_was_dealt_with_while_the_connection_came_about() -> None:
    harness = Harness(deals=False)
    harness.connect()
    first, second = harness.say(message(3), message(4))
    harness.drop()
    harness.session.connected(INTRODUCTION)
    harness.deal_with(first)
    harness.deal_with(second)
    harness.say(welcome(last=4), message(3), message(4), Synced(last=4))
    hello, *rest = harness.said()
    assert isinstance(hello, Hello)
    assert (hello.after, rest) == (0, [Got(id=4)])
    assert _at(harness, 5) == []


def test_got_is_told_on_leaving_of_what_was_dealt_with_just_before() -> None:
    harness = Harness()
    harness.connect()
    harness.say(message(3))
    harness.session.leave()
    assert harness.said() == [Got(id=3), Bye()]


def test_got_is_not_told_of_ones_own_messages() -> None:
    harness = Harness()
    harness.connect()
    harness.send("hello", cid="c1")
    harness.said()
    harness.say(Ack(cid="c1", id=7, at=70))
    assert _at(harness, 1.0) == []


def test_got_of_another_log_is_not_told() -> None:
    harness = Harness(deals=False)
    harness.connect()
    (old,) = harness.say(message(900))
    harness.drop()
    harness.session.connected(INTRODUCTION)
    harness.session.receive(json.encode(welcome(log="log-2")))
    harness.deal_with(old)
    harness.said()
    assert _at(harness, 1.0) == []


def test_got_stays_quiet_when_nothing_came() -> None:
    harness = Harness()
    _, *rest = harness.connect(last=4)
    assert rest == []
    assert _at(harness, 10) == []


def test_reading_is_told_at_once_and_only_forwards() -> None:
    harness = Harness()
    harness.connect()
    harness.session.read("bob", 3)
    harness.session.read("bob", 5)
    harness.session.read("bob", 4)
    harness.session.read("carol", 1)
    assert harness.said() == [Read(peer="bob", id=5), Read(peer="carol", id=1)]


def test_reading_without_a_connection_is_told_when_there_is_one() -> None:
    harness = Harness()
    harness.connect()
    harness.drop()
    harness.session.read("bob", 3)
    assert harness.said() == []
    _, *rest = harness.connect()
    assert rest == [Read(peer="bob", id=3)]


def test_read_marks_of_another_log_are_forgotten() -> None:
    harness = Harness()
    harness.connect()
    harness.drop()
    harness.session.read("bob", 3)
    _, *rest = harness.connect(log="log-2")
    assert rest == []


def test_waiting_read_marks_are_bounded() -> None:
    harness = Harness()
    for number in range(MAX_READ_MARKS + 5):
        harness.session.read(f"peer{number}", 1)
    _, *rest = harness.connect()
    assert len(rest) == MAX_READ_MARKS


def test_typing_is_told_once_in_three_seconds() -> None:
    harness = Harness()
    harness.connect()
    for _ in range(4):
        harness.session.typing("bob")
        harness.clock.turn(0.9)
    assert harness.said() == [Typing(to="bob"), Typing(to="bob")][:1]
    harness.session.typing("bob")
    assert harness.said() == [Typing(to="bob")]


def test_typing_without_a_connection_is_not_told_later() -> None:
    harness = Harness()
    harness.session.typing("bob")
    _, *rest = harness.connect()
    assert rest == []


def test_an_answer_finds_its_question() -> None:
    harness = Harness()
    harness.connect()
    first = harness.session.ask(lambda rid: FindQuery(prefix="a", rid=rid))
    second = harness.session.ask(lambda rid: FindQuery(prefix="b", rid=rid))
    assert [frame.verb for frame in harness.said()] == ["FIND", "FIND"]
    reply = Found(rid=second, users=["bob"])
    error = Error(code=Code.BAD_REQUEST, text="No.", rid=first)
    harness.say(reply, Found(rid=999, users=[]), error)
    assert harness.session.take_answers() == [Answer(second, reply), Answer(first, error)]


def test_a_question_without_an_answer_is_given_up() -> None:
    harness = Harness(timers=Timers(answer=5))
    harness.connect()
    rid = harness.session.ask(lambda rid: FindQuery(prefix="a", rid=rid))
    harness.said()
    _at(harness, 4.9)
    assert harness.session.take_answers() == []
    assert harness.session.next_tick() == pytest.approx(harness.clock() + 0.1)
    _at(harness, 0.1)
    [answer] = harness.session.take_answers()
    assert isinstance(answer.reply, Error)
    assert (answer.rid, answer.reply.code) == (rid, "timed_out")


def test_questions_are_answered_even_when_the_connection_is_lost() -> None:
    harness = Harness()
    harness.connect()
    harness.session.ask(lambda rid: FindQuery(prefix="a", rid=rid))
    harness.drop()
    harness.session.ask(lambda rid: FindQuery(prefix="b", rid=rid))
    codes = [
        answer.reply.code for answer in harness.session.take_answers() if isinstance(answer.reply, Error)
    ]
    assert codes == ["offline", "offline"]


def test_open_questions_are_bounded() -> None:
    harness = Harness()
    harness.connect()
    for _ in range(MAX_REQUESTS + 1):
        harness.session.ask(lambda rid: FindQuery(prefix="a", rid=rid))
    [answer] = harness.session.take_answers()
    assert isinstance(answer.reply, Error)
    assert answer.reply.code == "busy"


def test_a_question_that_cannot_be_encoded_is_refused() -> None:
    harness = Harness()
    harness.connect()
    harness.session.ask(lambda rid: FindQuery(prefix="\ud800", rid=rid))
    [answer] = harness.session.take_answers()
    assert isinstance(answer.reply, Error)
    assert answer.reply.code == Code.BAD_REQUEST
    harness.session.read("\ud800", 4)
    harness.session.typing("\ud800")
    assert harness.said() == []


def test_a_catch_up_of_hours_is_no_silence() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=100))
    harness.said()
    for number in range(1, 101):
        _at(harness, 44)
        harness.say(message(number))
    assert harness.session.ending is None
    harness.say(Synced(last=100))
    assert harness.session.ending is None


def test_a_catch_up_that_gets_no_further_is_given_up_though_the_server_talks() -> None:
    harness = Harness(timers=Timers(catch_up=60))
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=100), message(1))
    harness.said()
    for number in range(3):
        _at(harness, 15)
        harness.say(Joined(user=f"user{number}"), message(1))
    assert harness.session.next_tick() == pytest.approx(harness.clock() + 15)
    _at(harness, 14.9)
    assert harness.session.ending is None
    _at(harness, 0.1)
    ending = harness.session.ending
    assert ending is not None
    assert (ending.loss, ending.again) == (Loss.TIMED_OUT, True)
    assert "60 seconds" in ending.text


def test_a_slow_program_does_not_make_a_catch_up_stand_still() -> None:
    harness = Harness(timers=Timers(catch_up=60))
    harness.session.connected(INTRODUCTION)
    harness.say(welcome(last=100))
    harness.session.listen(again=False)
    _at(harness, 600)
    harness.session.listen(again=True)
    _at(harness, 44)
    assert harness.session.ending is None


@pytest.mark.parametrize(
    "said",
    [
        b" ",
        b'MSG: {"id": 5, "te',
        b'REACTION: {"id":1}\n',
        b'PONG: {"n":9}\n',
        b'FOUND: {"rid":9,"users":[]}\n',
    ],
    ids=["a byte", "half a line", "a verb of newer servers", "a pong for nothing", "an answer to nothing"],
)
def test_bytes_without_a_frame_that_means_something_are_no_sign_of_life(said: bytes) -> None:
    harness = Harness(timers=Timers(ping_after=20, dead_after=45))
    harness.connect()
    for _ in range(4):
        _at(harness, 11)
        harness.session.receive(said)
        assert harness.session.ending is None
    _at(harness, 1)
    assert harness.session.ending is not None
    assert harness.session.ending.loss is Loss.TIMED_OUT


def test_frames_without_end_that_mean_nothing_end_the_connection() -> None:
    harness = Harness()
    harness.connect()
    for nothing in (b'REACTION: {"id":1}\n', b'ACK: {"cid":"x","id":1,"at":1}\n'):
        harness.session.receive(nothing * MAX_IGNORED)
        assert harness.session.ending is None
        harness.say(Ping(n=1))
    harness.session.receive(b'REACTION: {"id":1}\n' * (MAX_IGNORED + 1))
    assert harness.session.ending is not None
    assert harness.session.ending.loss is Loss.PROTOCOL
