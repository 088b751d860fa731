"""The events that a program has not taken: in order, and never more than one of a transfer that does not change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.unit.client.scripted import run
from tests.unit.client.sessions import message
from twocans.client import Event, MessageReceived, PeerTyping, Transfer, TransferMoved, TransferState
from twocans.client.stream import MAX_MOVES_APART, EventStream


def moved(id_: str, done: int, state: TransferState = TransferState.RUNNING) -> TransferMoved:
    return TransferMoved(Transfer(id_, True, "bob", "a", 100, done, state, "/a"))


def taken(stream: EventStream, count: int) -> list[object]:
    async def take() -> list[object]:
        return [await stream.take() for _ in range(count)]

    return run(take())


def test_only_the_newest_event_of_a_transfer_in_one_state_waits() -> None:
    stream = EventStream(lambda: None)
    for done in range(1000):
        stream.put_moved(moved("a", done))
    stream.put([PeerTyping("bob")])
    stream.put_moved(moved("b", 1))
    stream.put_moved(moved("a", 1000))
    assert len(stream) == 3
    assert taken(stream, 3) == [moved("a", 1000), PeerTyping("bob"), moved("b", 1)]
    stream.put_moved(moved("a", 1001))
    assert taken(stream, 1) == [moved("a", 1001)]


def test_all_changes_of_state_wait_as_long_as_they_are_few() -> None:
    stream = EventStream(lambda: None)
    events = [moved("a", 1, state) for state in (TransferState.WAITING, TransferState.RUNNING) * 3]
    for event in events:
        stream.put_moved(event)
    assert taken(stream, 6) == events


def test_many_changes_of_state_that_nobody_takes_become_one() -> None:
    stream = EventStream(lambda: None)
    for _ in range(1000):
        stream.put_moved(moved("a", 1, TransferState.WAITING))
        stream.put_moved(moved("a", 2))
    assert len(stream) == MAX_MOVES_APART
    assert taken(stream, MAX_MOVES_APART)[-1] == moved("a", 2)
    assert len(stream) == 0


def test_nothing_is_added_after_the_end() -> None:
    stream = EventStream(lambda: None)
    stream.end()
    stream.put_moved(moved("a", 1))
    assert taken(stream, 1) == [None]


def test_whoever_waits_for_an_event_is_woken_by_whatever_comes_and_by_the_end() -> None:
    async def scenario() -> None:
        stream = EventStream(lambda: None)
        wakes: list[tuple[Callable[[], None], object]] = [
            (lambda: stream.put([PeerTyping("bob")]), PeerTyping("bob")),
            (lambda: stream.put_moved(moved("a", 1)), moved("a", 1)),
            (stream.end, None),
        ]
        for come, event in wakes:
            taking = asyncio.create_task(stream.take())
            await asyncio.sleep(0)
            assert not taking.done()
            come()
            assert await taking == event

    run(scenario())


def test_all_who_wait_for_an_event_hear_of_the_end() -> None:
    async def scenario() -> None:
        stream = EventStream(lambda: None)
        taking = [asyncio.create_task(stream.take()) for _ in range(3)]
        await asyncio.sleep(0)
        stream.put([PeerTyping("bob")])
        await asyncio.sleep(0)
        stream.end()
        assert await asyncio.gather(*taking) == [PeerTyping("bob"), None, None]

    run(scenario())


def test_messages_with_long_texts_count_as_several_events() -> None:
    stream = EventStream(lambda: None)
    events: list[Event] = [
        MessageReceived(message(1)),
        MessageReceived(message(2, text="x" * 25_000)),
        PeerTyping("bob"),
    ]
    stream.put(events)
    stream.put_moved(moved("a", 1))
    assert stream.load == 1 + 26 + 1 + 1
    assert taken(stream, 4) == [*events, moved("a", 1)]
    assert stream.load == 0
