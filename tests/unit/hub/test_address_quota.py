"""The quota of an address, whatever the names are that it sends under."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub import address_quota
from twocans.hub.address_quota import CREDIT_BYTES, DISK_PER_BYTE, RESERVED_BYTES
from twocans.hub.limits import Limits
from twocans.hub.posting import FULL, TOO_MUCH_FROM_ADDRESS
from twocans.protocol.errors import Code
from twocans.protocol.messages import Send
from twocans.storage.base import ALL_STORED, Batch, OnStored
from twocans.storage.disk_space import Room
from twocans.storage.memory import MemoryStorage

KIB = 1024
TEXT = "x" * 10 * KIB
HERE, ELSEWHERE = "192.168.1.5:40000", "192.168.1.6:40000"


class SmallDisk(MemoryStorage):
    """A storage with as much room as the test says, which stores when the test wants it to."""

    def __init__(self, beyond_reserve: int, reserve: int = 0) -> None:
        super().__init__(log="log-1", max_messages=100_000)
        self.left = Room(beyond_reserve, reserve)
        self.processed = 0
        self.stalls = False
        self.waiting: list[tuple[Batch, OnStored]] = []

    @property
    def room(self) -> Room:
        return self.left._replace(processed=self.processed)

    def append(self, batch: Batch, on_stored: OnStored) -> None:
        if self.stalls:
            self.waiting.append((batch, on_stored))
        else:
            self._store(batch, on_stored)

    def go_on(self) -> None:
        """Store what waits, and whatever comes from now on."""
        self.stalls = False
        waiting, self.waiting = self.waiting, []
        for batch, on_stored in waiting:
            self._store(batch, on_stored)

    def _store(self, batch: Batch, on_stored: OnStored) -> None:
        self.processed += batch.text_bytes
        on_stored(batch, ALL_STORED)


def accepted(world: World, session: FakeSession, number: int) -> int:
    """Return how many of so many messages of 10 KiB to oneself are accepted."""
    assert session.account is not None
    before = len(session.acks())
    for _ in range(number):
        world.hub.posting.post(session, [Send(session.account.name, TEXT, "")])
    return len(session.acks()) - before


def test_names_of_one_address_share_what_it_may_have_stored_and_others_do_not() -> None:
    world = World(Limits(stored_bytes_per_address=105 * KIB))
    one, other = world.program("one", address=HERE), world.program("other", address=HERE)
    assert accepted(world, one, 6) == 6
    assert accepted(world, other, 6) == 4
    assert [error.text for error in other.errors()] == [TOO_MUCH_FROM_ADDRESS] * 2
    assert accepted(world, one, 1) == 0
    assert accepted(world, world.program("third", address=HERE), 1) == 0
    assert accepted(world, world.program("carol", address=ELSEWHERE), 6) == 6


def test_address_may_send_again_an_hour_later() -> None:
    world = World(Limits(stored_bytes_per_address=105 * KIB))
    alice = world.program("alice")
    assert accepted(world, alice, 12) == 10
    world.clock.advance(3599)
    assert accepted(world, alice, 1) == 0
    world.clock.advance(1)
    assert accepted(world, alice, 12) == 10


def test_refused_messages_are_told_with_their_cid_and_those_before_them_are_stored() -> None:
    world = World(Limits(stored_bytes_per_address=25 * KIB))
    alice = world.program("alice")
    world.hub.posting.post(alice, [Send("alice", TEXT, f"c{n}") for n in range(4)])
    assert [ack.cid for ack in alice.acks()] == ["c0", "c1"]
    assert [(error.code, error.cid) for error in alice.errors()] == [
        (Code.RATE_LIMITED, "c2"),
        (Code.RATE_LIMITED, "c3"),
    ]


def test_plain_client_reads_why_its_message_is_refused() -> None:
    world = World(Limits(stored_bytes_per_address=25 * KIB))
    alice = world.plain("alice")
    world.hub.posting.post(alice, [Send("alice", TEXT, "") for _ in range(4)])
    assert [(error.text, error.cid) for error in alice.errors()] == [(TOO_MUCH_FROM_ADDRESS, None)] * 2


def test_one_address_gets_half_of_what_the_disk_has_left() -> None:
    disk = SmallDisk(100_000 * KIB)
    world = World(storage=disk)
    alice = world.program("alice", address=HERE)
    used = 0
    for _ in range(2000):
        # Letters of three bytes, which the write-ahead log and the index have once more.
        used += accepted(world, alice, 1) * 10 * KIB * DISK_PER_BYTE
        disk.left = Room(100_000 * KIB - used, 0)
    assert 40_000 * KIB < used <= 50_000 * KIB
    # The other half is for others, and half of that for each.
    bob = world.program("bob", address=ELSEWHERE)
    assert accepted(world, bob, 200) == 200


def test_full_disk_keeps_a_little_for_every_address_and_is_told() -> None:
    disk = SmallDisk(0, 200_000 * KIB)
    world = World(storage=disk)
    taken = []
    for number in range(12):
        session = world.program(f"user{number}", address=f"192.168.1.{number}:40000")
        taken.append(accepted(world, session, 2 * RESERVED_BYTES // len(TEXT)))
        assert {error.text for error in session.errors()} == {FULL}
        disk.left = Room(0, 200_000 * KIB - sum(taken) * (len(TEXT) + 49) * DISK_PER_BYTE)
    assert taken[0] == RESERVED_BYTES // (len(TEXT) + 49)
    assert taken == sorted(taken, reverse=True)
    assert taken[-1] > 0
    assert disk.left.reserve > 0


def test_what_is_not_stored_yet_counts_as_taken_from_the_disk() -> None:
    disk = SmallDisk(0, 3_000 * KIB)
    world = World(storage=disk)
    disk.stalls = True
    for number in range(40):
        accepted(world, world.program(f"user{number}", address=f"192.168.1.{number}:40000"), 100)
    assert 2_000 * KIB < sum(batch.text_bytes for batch, _ in disk.waiting) * DISK_PER_BYTE <= 3_000 * KIB
    disk.go_on()
    # None of it has left its trace on this disk, so it counts no longer.
    assert accepted(world, world.program("carol", address="192.168.2.1:40000"), 1) == 1


def test_messages_of_one_address_that_wait_for_the_disk_leave_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 500 * KIB
    monkeypatch.setattr(address_quota, "MAX_WAITING_BYTES", most)
    disk = SmallDisk(10**9)
    world = World(storage=disk)
    alice, bob = world.program("alice", address=HERE), world.program("bob", address=ELSEWHERE)
    disk.stalls = True
    many = 2 * most // len(TEXT)
    accepted(world, alice, many)
    refused = len(alice.errors())
    assert most - CREDIT_BYTES < (many - refused) * len(TEXT) <= most + CREDIT_BYTES
    assert refused
    accepted(world, bob, 1)
    assert bob.errors() == []
    disk.go_on()
    assert len(alice.acks()) == many - refused
    assert accepted(world, alice, many) == many


def test_message_that_is_sent_again_takes_nothing_of_what_its_address_may_have_stored() -> None:
    world = World(Limits(stored_bytes_per_address=25 * KIB))
    alice = world.program("alice")
    for _ in range(5):
        world.hub.posting.post(alice, [Send("alice", TEXT, "c1")])
    world.hub.posting.post(alice, [Send("alice", TEXT, "c2")])
    assert [ack.cid for ack in alice.acks()] == ["c1"] * 5 + ["c2"]


def test_message_that_is_stored_is_acknowledged_again_though_there_is_no_room_for_another() -> None:
    """A client whose connection was lost before the ACK would otherwise take it for not sent."""
    world = World(Limits(stored_bytes_per_address=25 * KIB))
    alice = world.program("alice")
    world.hub.posting.post(alice, [Send("alice", TEXT, cid) for cid in ("c0", "c1", "c2")])
    world.hub.posting.post(alice, [Send("alice", TEXT, cid) for cid in ("c0", "c2", "c1")])
    world.hub.posting.post(alice, [Send("alice", f"not {TEXT}", "c1")])
    assert [ack.cid for ack in alice.acks()] == ["c0", "c1", "c0", "c1"]
    assert [(error.code, error.cid) for error in alice.errors()] == [
        (Code.RATE_LIMITED, "c2"),
        (Code.RATE_LIMITED, "c2"),
        (Code.CONFLICT, "c1"),
    ]
