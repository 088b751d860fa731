"""When messages are a flood, and that the index waits for its end."""

from __future__ import annotations

from tests.unit.hub.fakes import ManualClock
from twocans.storage.sqlite.index import FLOOD_PER_S
from twocans.storage.sqlite.writer import Pace


def test_many_in_one_second_are_a_flood_as_soon_as_there_are_so_many() -> None:
    pace = Pace(ManualClock().time)
    pace.stored(FLOOD_PER_S - 1)
    assert not pace.is_flood()
    pace.stored(1)
    assert pace.is_flood()


def test_as_many_over_a_longer_time_are_none() -> None:
    clock = ManualClock()
    pace = Pace(clock.time)
    for _ in range(20):
        clock.advance(0.5)
        pace.stored(FLOOD_PER_S // 3)
        assert not pace.is_flood()


def test_flood_is_over_a_second_after_it_has_ebbed() -> None:
    clock = ManualClock()
    pace = Pace(clock.time)
    clock.advance(1.0)
    pace.stored(2 * FLOOD_PER_S)
    assert pace.is_flood()
    clock.advance(1.0)
    pace.stored(10)
    assert not pace.is_flood()
