"""What peers cause is told one by one up to an allowance for each source and for all; the rest is counted."""

from __future__ import annotations

import io
import math

import pytest

from tests.support.deadline import DEADLINE_S
from tests.unit.hub.fakes import ManualClock, RecordedLog, World
from twocans.hub.limits import Limits
from twocans.protocol.errors import Code
from twocans.protocol.messages import CodeQuery, DeviceCode
from twocans.server.operator.log import SECURITY, Log, LogFormat
from twocans.server.operator.log_throttle import (
    ALLOWANCES,
    DAY_S,
    FIRST_COUNT_S,
    HOUR_S,
    LAST_COUNT_S,
    QUIET_S,
    ThrottledLog,
)
from twocans.server.operator.output import LOG_FILE_BYTES, LOG_FILES, Output

NAME = "\U00010400" * 32
"""As long as can be, of letters that take the most bytes in the log."""
DEVICE = "\U00010400" * 64
ADDRESS = "192.168.100.100:50505"
WORST: dict[str, dict[str, object]] = {
    "name_refused": {
        "name": NAME,
        "kind": "name",
        "length": 32,
        "code": "name_taken",
        "text": f"That name looks just like {NAME}, who is known here. Please choose another.",
        "address": ADDRESS,
    },
    "connection_refused": {"address": ADDRESS, "why": "address_full"},
    "device_added": {"user": NAME, "device": DEVICE, "key": "2222-3333", "address": ADDRESS},
    "device_cut_off": {"user": NAME, "device": DEVICE, "key": "2222-3333", "address": ADDRESS},
    "password_changed": {"user": NAME, "set": True, "address": ADDRESS},
}
"""The longest lines that peers can cause in the security log."""
MAX_COUNTS_A_WEEK = round(7 * DAY_S / LAST_COUNT_S + math.log2(LAST_COUNT_S / FIRST_COUNT_S))
"""The most counts of one event in a week: one an hour, and some more in the first hour."""


class Desk:
    """A log with a clock."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.events = RecordedLog()
        self.log = ThrottledLog(self.events, timers=self.clock)

    def told(self, event: str, host: str) -> int:
        """How many events of an address were told one by one."""
        return sum(fields["address"] == f"{host}:{99}" for fields in self.events.named(event))

    def cause(self, event: str, number: int, host: str = "10.0.0.7", **fields: object) -> None:
        """Cause events from an address."""
        for _ in range(number):
            self.log(event, address=f"{host}:99", **fields)


@pytest.mark.parametrize("event", sorted(ALLOWANCES))
def test_flood_of_an_address_is_some_lines_and_a_count_with_the_address(event: str) -> None:
    desk = Desk()
    most = ALLOWANCES[event].per_source
    desk.cause(event, most + 312)
    assert desk.told(event, "10.0.0.7") == most
    assert desk.events.named("more_of_them") == []
    desk.clock.advance(60.0)
    assert desk.events.named("more_of_them") == [
        {"what": event, "number": 312, "source": "10.0.0.7", "sources": 1, "seconds": 60}
    ]


@pytest.mark.parametrize("event", sorted(ALLOWANCES))
def test_flood_of_many_addresses_is_bounded_too(event: str) -> None:
    desk = Desk()
    allowance = ALLOWANCES[event]
    addresses = allowance.overall // allowance.per_source + 3
    for number in range(addresses):
        desk.cause(event, allowance.per_source, f"10.0.0.{number}")
    assert len(desk.events.named(event)) == allowance.overall
    desk.clock.advance(60.0)
    (count,) = desk.events.named("more_of_them")
    assert (count["number"], count["sources"]) == (3 * allowance.per_source, 3)


def test_flood_of_one_address_hides_no_other() -> None:
    desk = Desk()
    desk.cause("name_refused", 10_000, "10.0.0.7", code="name_invalid")
    desk.cause("name_refused", 1, "10.0.0.8", code="name_invalid")
    assert desk.told("name_refused", "10.0.0.8") == 1


def test_flood_for_one_reason_hides_no_other_reason_and_no_other_event() -> None:
    desk = Desk()
    desk.cause("name_refused", 1000, code="name_invalid")
    desk.cause("name_refused", 1, code="auth_failed")
    desk.cause("connection_refused", 1, why="banned")
    assert desk.events.named("name_refused")[-1]["code"] == "auth_failed"
    assert len(desk.events.named("connection_refused")) == 1


def test_new_names_of_one_address_hide_no_device_that_somebody_adds_from_another() -> None:
    world = World(limits=Limits(new_names_per_address=0))
    for number in range(1000):
        world.program(f"guest{number}", address="10.0.0.7:99")
    owner = world.program("alice", address="10.0.0.8:99")
    world.hub.owners.give_code(owner, CodeQuery(rid=1))
    world.program("alice", secret=owner.of(DeviceCode)[-1].code, address="10.0.0.9:99")
    desk = Desk()
    for event, fields in world.log.events:
        desk.log(event, **fields)
    assert [desk.told("device_added", f"10.0.0.{host}") for host in (7, 8, 9)] == [20, 1, 1]


def test_flood_of_one_address_for_all_reasons_hides_no_other_address_for_a_week() -> None:
    desk = Desk()
    for hour in range(7 * 24):
        for code in Code:
            desk.cause("name_refused", 100, "10.0.0.7", code=code.value)
        if hour % 24 == 0:
            desk.cause("name_refused", 1, f"10.0.1.{hour}", code="auth_failed")
            assert desk.told("name_refused", f"10.0.1.{hour}") == 1
        desk.clock.advance(HOUR_S)


def test_counts_of_a_flood_that_goes_on_become_rarer() -> None:
    desk = Desk()
    for _ in range(24 * 60):
        desk.cause("name_refused", 100)
        desk.clock.advance(60.0)
    counts = desk.events.named("more_of_them")
    assert len(counts) < 40
    told = desk.told("name_refused", "10.0.0.7")
    desk.log.tell_rest()
    counts = desk.events.named("more_of_them")
    assert told + sum(int(str(count["number"])) for count in counts) == 24 * 60 * 100


@pytest.mark.parametrize("pause_s", [FIRST_COUNT_S, 3 * FIRST_COUNT_S, LAST_COUNT_S, QUIET_S])
@pytest.mark.parametrize("pulses", [1, 7])
def test_counts_of_a_flood_that_pauses_are_bounded(pulses: int, pause_s: float) -> None:
    desk = Desk()
    until = desk.clock.now + 7 * DAY_S
    desk.cause("name_refused", 1000)
    pause_at = pulses
    while desk.clock.now < until:
        desk.cause("name_refused", 10)
        desk.clock.advance(FIRST_COUNT_S)
        if len(desk.events.named("more_of_them")) >= pause_at:
            desk.clock.advance(pause_s)
            pause_at += pulses
    assert len(desk.events.named("more_of_them")) <= MAX_COUNTS_A_WEEK


def test_after_a_pause_events_are_told_again_and_no_timer_is_left() -> None:
    desk = Desk()
    desk.cause("name_refused", 100)
    desk.clock.advance(2 * DAY_S)
    assert desk.clock.waiting() == []
    before = desk.told("name_refused", "10.0.0.7")
    desk.cause("name_refused", 1)
    assert desk.told("name_refused", "10.0.0.7") == before + 1
    desk.cause("name_refused", 1000)
    desk.clock.advance(60.0)
    assert desk.events.named("more_of_them")[-1]["seconds"] == 60


def test_what_the_operator_does_is_told_each_time() -> None:
    desk = Desk()
    for number in range(10_000):
        desk.log("banned", kind="name", what=str(number), why="")
    assert len(desk.events.named("banned")) == 10_000
    assert desk.clock.waiting() == []


def test_thousand_people_of_one_address_come_and_go_as_ever() -> None:
    desk = Desk()
    for number in range(1000):
        for event in ("user_registered", "user_joined", "session_closed", "user_left"):
            desk.cause(event, 1, user=f"guest{number}")
    assert len(desk.events.events) == 4 * 1000


def test_rest_is_told_at_the_end_at_the_latest() -> None:
    desk = Desk()
    desk.cause("never_registered", ALLOWANCES["never_registered"].per_source + 2)
    desk.log.tell_rest()
    (count,) = desk.events.named("more_of_them")
    assert (count["what"], count["number"]) == ("never_registered", 2)
    assert desk.clock.waiting() == []


def line_bytes(event: str, fields: dict[str, object]) -> int:
    """How long the line of an event is."""
    stream = io.StringIO()
    output = Output(stream=stream, styled=False, log_file=None)
    Log(output, LogFormat.JSON)(event, **fields)
    output.close(timeout_s=DEADLINE_S)
    return len(stream.getvalue())


def test_security_log_outlasts_a_week_of_everything_from_everywhere() -> None:
    caused = SECURITY & ALLOWANCES.keys()
    assert caused == WORST.keys()
    week_bytes = 0.0
    for event in caused:
        allowance = ALLOWANCES[event]
        lines = allowance.overall + 7 * DAY_S * allowance.overall_per_s
        count = {"what": event, "number": 10**9, "source": ADDRESS, "sources": 10_000, "seconds": 3600}
        week_bytes += lines * line_bytes(event, WORST[event]) + MAX_COUNTS_A_WEEK * line_bytes(
            "more_of_them", count
        )
    assert week_bytes < LOG_FILES * LOG_FILE_BYTES
