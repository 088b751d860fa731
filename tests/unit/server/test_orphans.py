"""When files that nobody has sent are deleted: every hour, and not after the end."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.hub.fakes import ManualClock, RecordedLog
from twocans.server.maintenance.orphans import EVERY_S, Sweeping


class Files:
    """Files of which so many are to go at each sweep; the answer comes when the test wants it."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.waiting: list[Callable[[], None]] = []

    def sweep(self, on_swept: Callable[[int], None]) -> None:
        number = self.numbers.pop(0)
        self.waiting.append(lambda: on_swept(number))

    def answer(self) -> None:
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


def test_files_are_swept_every_hour_and_only_what_went_is_told() -> None:
    clock, log, files = ManualClock(), RecordedLog(), Files(2, 0, 1)
    Sweeping(files, call_later=clock.call_later, log=log)
    for _ in range(3):
        assert files.waiting == []
        clock.advance(EVERY_S)
        files.answer()
    assert log.named("files_removed") == [{"number": 2}, {"number": 1}]


def test_nothing_is_begun_after_the_end() -> None:
    clock, log, files = ManualClock(), RecordedLog(), Files(1)
    sweeping = Sweeping(files, call_later=clock.call_later, log=log)
    clock.advance(EVERY_S)
    sweeping.stop()
    files.answer()
    clock.advance(EVERY_S * 3)
    assert files.waiting == []
    assert clock.waiting() == []
