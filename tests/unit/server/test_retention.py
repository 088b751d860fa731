"""When old messages are cleared: at the start, hourly, in slices with pauses, and not after the end."""

from __future__ import annotations

from collections.abc import Callable

from twocans.server.maintenance.retention import EVERY_S, PAUSE_S, Retention
from twocans.storage.clock import DAY_MS, DOUBT_MS, ClockRecord

NOW_MS = 1_800_000_000_000


class Timers:
    """Timers that go off when the test says so."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timers:
        self.due.append((delay_s, callback))
        return self

    def cancel(self) -> None:
        self.cancelled += 1
        self.due.clear()

    def fire(self) -> float:
        """Let the only timer go off; what it was set to."""
        ((delay_s, callback),) = self.due
        self.due.clear()
        callback()
        return delay_s


class Messages:
    """A storage with so many old messages, of which a slice is `slice_`."""

    def __init__(self, number: int, slice_: int = 100) -> None:
        self.left = number
        self.slice = slice_
        self.asked: list[int] = []
        self.holding = False
        self.held: list[Callable[[], None]] = []
        self.clock = ClockRecord(NOW_MS)

    def keep_clock(self, clock: ClockRecord) -> None:
        self.clock = clock

    def clear_slice(self, before_ms: int, *, on_cleared: Callable[[int], None]) -> None:
        self.asked.append(before_ms)
        number = min(self.left, self.slice)
        self.left -= number
        if self.holding:
            self.held.append(lambda: on_cleared(number))
        else:
            on_cleared(number)


class World:
    def __init__(self, storage: Messages, keep_days: int = 30) -> None:
        self.timers = Timers()
        self.now_ms = NOW_MS
        self.events: list[tuple[str, dict[str, object]]] = []
        self.retention = Retention(
            storage,
            keep_days=keep_days,
            wall_ms=lambda: self.now_ms,
            call_later=self.timers.call_later,
            log=self._log,
        )

    def _log(self, event: str, /, **fields: object) -> None:
        self.events.append((event, fields))


def test_start_clears_what_is_older_than_the_days() -> None:
    storage = Messages(1)
    World(storage, keep_days=3).retention.start()
    assert storage.asked[0] == NOW_MS - 3 * DAY_MS


def test_many_old_messages_go_in_slices_with_a_pause_after_each() -> None:
    storage = Messages(250)
    world = World(storage)
    world.retention.start()
    assert [world.timers.fire() for _ in range(3)] == [PAUSE_S] * 3
    assert storage.left == 0
    assert world.timers.fire() == EVERY_S


def test_next_round_is_an_hour_later_and_by_the_time_of_then() -> None:
    storage = Messages(0)
    world = World(storage)
    world.retention.start()
    world.now_ms += 3_600_000
    assert world.timers.fire() == EVERY_S
    assert storage.asked == [NOW_MS - 30 * DAY_MS, NOW_MS + 3_600_000 - 30 * DAY_MS]


def test_round_is_told_once_with_how_many_and_a_round_with_nothing_is_not() -> None:
    storage = Messages(250)
    world = World(storage)
    world.retention.start()
    while world.timers.fire() == PAUSE_S:
        pass
    assert world.events == [("messages_cleared", {"number": 250, "keep_days": 30})]
    world.timers.fire()
    assert len(world.events) == 1


def test_nothing_is_begun_after_the_stop() -> None:
    storage = Messages(250)
    world = World(storage)
    world.retention.start()
    world.retention.stop()
    assert world.timers.cancelled == 1
    assert storage.asked == [NOW_MS - 30 * DAY_MS]


def test_slice_that_is_under_way_at_the_stop_leads_to_no_other() -> None:
    storage = Messages(250)
    storage.holding = True
    world = World(storage)
    world.retention.start()
    world.retention.stop()
    for answer in storage.held:
        answer()
    assert world.timers.due == []


def test_clock_that_is_far_ahead_clears_nothing_and_is_told_once() -> None:
    storage = Messages(250)
    world = World(storage)
    world.now_ms += 60 * DAY_MS
    world.retention.start()
    world.now_ms += 3_600_000
    assert world.timers.fire() == EVERY_S
    assert storage.asked == []
    clock_ms = NOW_MS + 60 * DAY_MS
    assert world.events == [
        ("clock_doubted", {"clock": clock_ms, "trusted_from": clock_ms + DOUBT_MS}),
    ]


def test_clock_that_jumps_ahead_while_the_server_runs_clears_nothing_more() -> None:
    storage = Messages(0)
    world = World(storage)
    world.retention.start()
    world.now_ms += 60 * DAY_MS
    world.timers.fire()
    assert len(storage.asked) == 1
    assert [event for event, _ in world.events] == ["clock_doubted"]


def test_clock_that_was_right_after_all_clears_a_week_later() -> None:
    storage = Messages(1)
    world = World(storage)
    world.now_ms += 60 * DAY_MS
    world.retention.start()
    for _ in range(7 * 24):
        world.now_ms += 3_600_000
        world.timers.fire()
    assert storage.asked[0] == NOW_MS + 37 * DAY_MS
    assert storage.left == 0
