"""A page may hold a message before the hub has been told that it is stored: reading and writing are two threads."""

from __future__ import annotations

from collections.abc import Mapping

from tests.unit.hub.fakes import World
from twocans.hub.session import Reason
from twocans.protocol.messages import Message
from twocans.storage.base import Batch, OnStored, Unstored
from twocans.storage.memory import MemoryStorage


class Late(MemoryStorage):
    """Stores at once and tells when it is asked to."""

    def __init__(self) -> None:
        super().__init__(log="log-1", max_messages=100)
        self.late = False
        self._untold: list[tuple[OnStored, Batch, Mapping[int, Unstored]]] = []

    def append(self, batch: Batch, on_stored: OnStored) -> None:
        """See `Storage.append`."""

        def keep(given: Batch, unstored: Mapping[int, Unstored]) -> None:
            self._untold.append((on_stored, given, unstored))

        super().append(batch, keep if self.late else on_stored)

    def tell(self) -> None:
        """Tell what has been kept back."""
        for on_stored, batch, unstored in self._untold:
            on_stored(batch, unstored)
        self._untold.clear()


def test_message_that_the_backlog_has_shown_already_is_not_delivered_again() -> None:
    storage = Late()
    world = World(storage=storage)
    alice, bob = world.json("alice"), world.json("bob")
    phone = world.json("alice", token=alice.welcome().token)
    world.post(alice, "bob", "first", "c1")
    world.hub.leave(bob, Reason.LEFT)
    world.hub.leave(phone, Reason.LEFT)
    storage.late = True
    world.post(alice, "bob", "second", "c2")
    bob = world.json("bob", after=0, log="log-1")
    phone = world.json("alice", token=alice.welcome().token, after=0, log="log-1")
    assert bob.texts() == phone.texts() == ["first", "second"]
    storage.tell()
    for session in (bob, phone):
        assert [message.id for message in session.of(Message)] == [1, 2]
        assert session.synced()
