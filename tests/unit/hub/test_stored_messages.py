"""How many messages of one person a server keeps."""

from __future__ import annotations

from tests.unit.hub.fakes import World
from twocans.hub.limits import Limits
from twocans.hub.posting import TOO_MUCH_STORED
from twocans.hub.session import Reason
from twocans.protocol.errors import Code
from twocans.protocol.messages import Send
from twocans.storage.memory import MemoryStorage


def test_more_messages_than_may_be_kept_are_refused_and_others_are_not_concerned() -> None:
    world = World(Limits(stored_messages_per_sender=3))
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.posting.post(alice, [Send("bob", f"{n}", f"c{n}") for n in range(5)])
    assert [ack.cid for ack in alice.acks()] == ["c0", "c1", "c2"]
    assert [(error.code, error.cid) for error in alice.errors()] == [
        (Code.RATE_LIMITED, "c3"),
        (Code.RATE_LIMITED, "c4"),
    ]
    world.post(bob, "alice", "hi", "b1")
    assert alice.texts() == ["hi"]


def test_message_that_is_sent_again_takes_no_room() -> None:
    world = World(Limits(stored_messages_per_sender=2))
    alice = world.json("alice")
    world.plain("bob")
    for cid in ("c1", "c1", "c1", "c2"):
        world.post(alice, "bob", "hi", cid)
    assert [ack.cid for ack in alice.acks()] == ["c1", "c1", "c1", "c2"]


def test_messages_of_an_earlier_time_count_and_those_that_are_gone_do_not() -> None:
    storage = MemoryStorage(log="log", max_messages=3)
    earlier = World(storage=storage)
    alice = earlier.json("alice")
    earlier.plain("bob")
    for number in range(3):
        earlier.post(alice, "bob", "hi", f"c{number}")
    earlier.hub.leave(alice, Reason.LEFT)

    world = World(Limits(stored_messages_per_sender=3), storage=storage)
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.posting.count()
    world.post(alice, "bob", "one more", "d1")
    assert [error.code for error in alice.errors()] == [Code.RATE_LIMITED]
    # The storage forgets its oldest messages, which are alice's.
    for number in range(2):
        world.post(bob, "alice", "hi", f"b{number}")
    world.clock.advance(61)
    world.post(alice, "bob", "still full as far as known", "d2")
    world.post(alice, "bob", "room again", "d3")
    assert [ack.cid for ack in alice.acks()] == ["d3"]


def test_texts_that_take_more_room_than_those_of_one_person_may_are_refused() -> None:
    world = World(Limits(stored_bytes_per_sender=10_000))
    alice, bob = world.json("alice"), world.json("bob")
    for number in range(5):
        world.post(alice, "bob", "x" * 3000, f"c{number}")
    assert [ack.cid for ack in alice.acks()] == ["c0", "c1", "c2"]
    assert [(error.code, error.text, error.cid) for error in alice.errors()] == [
        (Code.RATE_LIMITED, TOO_MUCH_STORED, "c3"),
        (Code.RATE_LIMITED, TOO_MUCH_STORED, "c4"),
    ]
    world.post(bob, "alice", "x" * 3000, "b1")
    assert alice.texts() == ["x" * 3000]


def test_room_that_texts_of_an_earlier_time_take_counts() -> None:
    storage = MemoryStorage(log="log", max_messages=100)
    earlier = World(storage=storage)
    alice = earlier.json("alice")
    for number in range(3):
        earlier.post(alice, "alice", "x" * 3000, f"c{number}")
    earlier.hub.leave(alice, Reason.LEFT)

    world = World(Limits(stored_bytes_per_sender=10_000), storage=storage)
    alice = world.json("alice")
    world.hub.posting.count()
    world.post(alice, "alice", "x" * 3000, "d1")
    assert [error.text for error in alice.errors()] == [TOO_MUCH_STORED]


def test_without_history_nothing_is_kept_that_needs_a_bound() -> None:
    world = World(Limits(stored_messages_per_sender=1), keeps_history=False)
    alice = world.json("alice")
    world.plain("bob")
    for number in range(3):
        world.post(alice, "bob", "hi", f"c{number}")
    assert len(alice.acks()) == 3
