"""What strangers cause is a few lines a second and a number; what people do is told each time."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import ManualClock, RecordedLog
from twocans.server.sparing import BY_STRANGERS, TOLD_PER_S, SparingLog


class Desk:
    """A log with a clock."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.events = RecordedLog()
        self.log = SparingLog(self.events, timers=self.clock)


@pytest.mark.parametrize("event", sorted(BY_STRANGERS))
def test_flood_is_a_few_lines_a_second_and_a_number(event: str) -> None:
    desk = Desk()
    for number in range(1000):
        desk.log(event, address=number)
    assert desk.events.named(event) == [{"address": number} for number in range(TOLD_PER_S)]
    desk.clock.advance(1.0)
    assert desk.events.named("more_of_them") == [{"what": event, "number": 1000 - TOLD_PER_S}]
    desk.clock.advance(10.0)
    desk.log(event, address=1)
    assert len(desk.events.named(event)) == TOLD_PER_S + 1
    desk.clock.advance(1.0)
    assert len(desk.events.named("more_of_them")) == 1
    assert desk.clock.waiting() == []


def test_flood_of_one_kind_hides_no_other() -> None:
    desk = Desk()
    for _ in range(1000):
        desk.log("connection_refused", address="a")
    desk.log("name_refused", name="two words")
    assert desk.events.named("name_refused") == [{"name": "two words"}]


def test_what_people_do_is_told_each_time() -> None:
    desk = Desk()
    for number in range(1000):
        desk.log("user_joined", user=str(number))
    assert len(desk.events.named("user_joined")) == 1000
    assert desk.clock.waiting() == []


def test_rest_is_told_at_the_end_at_the_latest() -> None:
    desk = Desk()
    for _ in range(TOLD_PER_S + 2):
        desk.log("never_registered", address="a")
    desk.log.tell_rest()
    assert desk.events.named("more_of_them") == [{"what": "never_registered", "number": 2}]
