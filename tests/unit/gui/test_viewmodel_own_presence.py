"""The user's status: away by idling or by saying so, busy while nothing is to disturb, told once each."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import Desk
from twocans.gui.viewmodel.do_not_disturb import Span
from twocans.gui.viewmodel.effects import (
    AskIdle,
    SetStatus,
)
from twocans.gui.viewmodel.inputs import (
    IdleFor,
)
from twocans.gui.viewmodel.own_presence import ANSWER_S
from twocans.protocol.messages import Status


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.preferences.away_after_s = 600
    desk.log_in("bob")
    return desk


def told(desk: Desk) -> list[Status]:
    return [effect.status for effect in desk.all(SetStatus)]


def idle(desk: Desk, seconds: float | None) -> None:
    """It is time to ask, and the computer answers."""
    desk.vm.tick()
    desk.take()
    asked = desk.all(AskIdle)
    assert asked
    desk.effects = [effect for effect in desk.effects if not isinstance(effect, AskIdle)]
    desk.vm.handle(IdleFor(seconds))
    desk.take()


def test_nobody_touching_the_computer_makes_the_user_away_and_the_next_input_brings_them_back(
    desk: Desk,
) -> None:
    idle(desk, 0)
    desk.later(600)
    idle(desk, 600)
    assert told(desk) == [Status.AWAY]
    assert desk.vm.next_tick_s <= 1
    desk.later(1)
    idle(desk, 0.2)
    assert told(desk) == [Status.AWAY, Status.HERE]


def test_it_is_asked_no_earlier_than_somebody_can_have_been_idle_for_so_long(desk: Desk) -> None:
    idle(desk, 400)
    desk.later(199)
    assert not desk.all(AskIdle)
    desk.later(1)
    assert desk.all(AskIdle)


def test_a_question_that_nobody_answers_is_asked_again(desk: Desk) -> None:
    desk.vm.tick()
    assert len(desk.all(AskIdle)) == 1
    desk.later(ANSWER_S)
    assert len(desk.all(AskIdle)) == 2


def test_where_the_computer_does_not_say_the_input_for_this_window_counts(desk: Desk) -> None:
    desk.later(300)
    desk.vm.absence.active()
    desk.later(300)
    idle(desk, None)
    assert told(desk) == []
    desk.later(300)
    idle(desk, None)
    assert told(desk) == [Status.AWAY]
    assert desk.vm.absence.active()
    assert told(desk) == [Status.AWAY, Status.HERE]
    assert not desk.vm.absence.active()


def test_whoever_says_to_be_away_stays_so_until_they_say_to_be_back(desk: Desk) -> None:
    desk.vm.absence.go_away()
    assert told(desk) == [Status.AWAY]
    idle(desk, 0)
    desk.vm.absence.active()
    assert told(desk) == [Status.AWAY]
    desk.vm.absence.come_back()
    assert told(desk) == [Status.AWAY, Status.HERE]


def test_do_not_disturb_is_busy_at_once_and_until_its_end(desk: Desk) -> None:
    desk.vm.quiet.begin(Span.HALF_AN_HOUR)
    assert told(desk) == [Status.BUSY]
    idle(desk, 700)
    assert told(desk) == [Status.BUSY]
    desk.later(1800)
    assert told(desk) == [Status.BUSY, Status.AWAY]


def test_never_away_by_idling_asks_nothing_and_ends_being_away(desk: Desk) -> None:
    idle(desk, 700)
    desk.preferences.away_after_s = 0
    desk.vm.absence.asked()
    desk.later(10_000)
    assert not desk.all(AskIdle)
    assert told(desk) == [Status.AWAY, Status.HERE]


def test_a_shorter_time_is_looked_at_at_once(desk: Desk) -> None:
    idle(desk, 400)
    desk.preferences.away_after_s = 300
    desk.vm.absence.asked()
    idle(desk, 400)
    assert told(desk) == [Status.AWAY]


def test_a_new_login_is_told_anew_and_nothing_is_told_or_asked_without_one(desk: Desk) -> None:
    desk.vm.absence.go_away()
    desk.take()
    desk.vm.back_to_login()
    desk.forget()
    desk.later(1000)
    assert not desk.all(AskIdle)
    desk.vm.connect()
    desk.event(desk.welcome("bob"))
    assert told(desk) == [Status.AWAY]
