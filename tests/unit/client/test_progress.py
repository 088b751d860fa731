"""The position of a program: it moves when the program is done with an event, and is saved as it moves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.unit.client.sessions import KEY, LIMITS, message
from twocans.client import OutboxUnusable
from twocans.client.events import (
    CaughtUp,
    Event,
    Loss,
    MessageReceived,
    MessageStored,
    Offline,
    Online,
    UserJoined,
)
from twocans.client.progress import MemoryPosition, Progress
from twocans.client.timing import Position


class Kept(MemoryPosition):
    """Remembers what was saved; fails when it is told to."""

    def __init__(self) -> None:
        self.saved: list[Position] = []
        self.fails = False

    def save_position(self, position: Position) -> None:
        if self.fails:
            raise OutboxUnusable("The disk is full.")
        self.saved.append(position)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        saved = list(self.saved)
        try:
            yield
        except BaseException:
            self.saved = saved
            raise


def online(log: str = "log-1") -> Online:
    return Online("alice", "test", ("alice",), LIMITS, False, KEY, log=log)


def stored(id_: int) -> MessageStored:
    return MessageStored(f"c{id_}", "bob", "hi", id_, 1)


def after(*events: Event, start: Position | None = None) -> Position:
    """The position of a program that is done with all events."""
    progress = Progress(start or Position(), MemoryPosition())
    for event in events:
        progress.taken(event)
        progress.commit()
    return progress.position


def test_event_counts_when_the_program_is_done_with_it() -> None:
    kept = Kept()
    progress = Progress(Position(4, "log-1"), kept)
    progress.taken(MessageReceived(message(5)))
    assert (progress.position, kept.saved) == (Position(4, "log-1"), [])
    progress.commit()
    assert (progress.position, kept.saved) == (Position(5, "log-1"), [Position(5, "log-1")])
    progress.commit()
    assert kept.saved == [Position(5, "log-1")]


def test_what_has_no_place_in_the_log_is_not_saved() -> None:
    kept = Kept()
    progress = Progress(Position(4, "log-1"), kept)
    for event in (online(), UserJoined("bob"), Offline(Loss.LOST, "Lost.", 1.0), stored(9)):
        progress.taken(event)
        progress.commit()
    assert kept.saved == []


def test_position_is_saved_before_the_first_message_is_worked_on() -> None:
    """Another device may confirm it by the next run, and the server would not deliver it again."""
    progress = Progress(Position(), MemoryPosition())
    progress.taken(online())
    progress.commit()
    progress.taken(MessageReceived(message(41)))
    assert progress.position == Position(40, "log-1")


def test_first_message_is_given_out_though_its_place_cannot_be_saved() -> None:
    kept = Kept()
    kept.fails = True
    progress = Progress(Position(None, "log-1"), kept)
    progress.taken(MessageReceived(message(41)))
    assert progress.position == Position(None, "log-1")
    with pytest.raises(OutboxUnusable):
        progress.commit()


def test_ones_own_messages_count_only_when_no_older_ones_follow() -> None:
    assert after(online(), stored(9), start=Position(4, "log-1")) == Position(4, "log-1")
    assert after(online(), CaughtUp(8), stored(9)) == Position(9, "log-1")
    assert after(online(), CaughtUp(8), online(), stored(9)) == Position(8, "log-1")


def test_another_log_starts_afresh() -> None:
    assert after(online("log-2"), start=Position(900, "log-1")) == Position(None, "log-2")
    assert after(online("log-2"), MessageReceived(message(3)), start=Position(900, "log-1")) == Position(
        3, "log-2"
    )


def test_position_that_cannot_be_saved_stays_and_is_tried_again() -> None:
    kept = Kept()
    progress = Progress(Position(4, "log-1"), kept)
    progress.taken(MessageReceived(message(5)))
    kept.fails = True
    with pytest.raises(OutboxUnusable):
        progress.commit()
    assert progress.position == Position(4, "log-1")
    kept.fails = False
    progress.commit()
    assert kept.saved == [Position(5, "log-1")]


def test_work_and_position_are_saved_together_or_not_at_all() -> None:
    kept = Kept()
    progress = Progress(Position(4, "log-1"), kept)
    progress.taken(MessageReceived(message(5)))

    def fails() -> bool:
        kept.save_position(Position(5, "log-1"))
        raise OutboxUnusable("The disk is full.")

    with pytest.raises(OutboxUnusable):
        progress.commit_with(message(5), fails)
    assert (progress.position, kept.saved) == (Position(4, "log-1"), [])
    progress.commit_with(message(5), lambda: True)
    assert (progress.position, kept.saved) == (Position(5, "log-1"), [Position(5, "log-1")])


def test_work_that_comes_to_nothing_or_is_on_another_message_moves_nothing() -> None:
    progress = Progress(Position(4, "log-1"), MemoryPosition())
    progress.taken(MessageReceived(message(5)))
    progress.commit_with(message(5), lambda: False)
    progress.commit_with(message(9), lambda: True)
    assert progress.position == Position(4, "log-1")
