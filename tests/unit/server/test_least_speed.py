"""The least speed of a transfer, by a clock of the test's."""

from __future__ import annotations

from tests.unit.hub.fakes import ManualClock
from twocans.server.http.least_speed import MIN_BYTES, WINDOW_S, LeastSpeed


class Transfer:
    """A transfer that has ended once it was too slow."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ended = False
        self.speed = LeastSpeed(self.clock, self._end)

    def _end(self) -> None:
        self.ended = True

    def wait(self, seconds: float, then: int) -> None:
        """Wait for the peer until bytes come."""
        self.speed.start_waiting()
        self.clock.advance(seconds)
        self.speed.stop_waiting(then)


def test_nothing_within_a_window_is_too_slow() -> None:
    transfer = Transfer()
    transfer.wait(WINDOW_S - 1, 0)
    assert not transfer.ended
    transfer.wait(1, 0)
    assert transfer.ended


def test_byte_now_and_then_is_too_slow() -> None:
    transfer = Transfer()
    for _ in range(6):
        transfer.wait(10.5, 1)
    assert transfer.ended


def test_speed_is_an_average_over_the_window() -> None:
    transfer = Transfer()
    for _ in range(10):
        transfer.wait(WINDOW_S * 0.75, MIN_BYTES)
        transfer.wait(WINDOW_S * 0.1, 1)
    assert not transfer.ended


def test_time_that_the_server_takes_does_not_count() -> None:
    transfer = Transfer()
    for _ in range(10):
        transfer.wait(5, 1)
        transfer.clock.advance(WINDOW_S)
    assert not transfer.ended
    transfer.wait(20, 1)
    assert transfer.ended


def test_bytes_that_move_during_one_long_wait_count_once() -> None:
    transfer = Transfer()
    moved = 0
    transfer.speed.start_waiting(lambda: moved)
    for _ in range(5):
        moved += MIN_BYTES
        transfer.clock.advance(WINDOW_S)
        assert not transfer.ended
    moved += MIN_BYTES - 1
    transfer.clock.advance(WINDOW_S)
    assert transfer.ended
