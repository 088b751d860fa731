"""One person on several devices at once, and who is told whose connection others can read."""

from __future__ import annotations

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.session import Reason
from twocans.protocol.messages import (
    CodeQuery,
    DeviceCode,
    Hello,
    Joined,
    Message,
    Notice,
    Presence,
    Read,
    ReadMark,
    Welcome,
)


def two_devices(world: World, name: str = "alice") -> tuple[FakeSession, FakeSession]:
    """Two devices of one person."""
    laptop = world.program(name)
    world.hub.owners.give_code(laptop, CodeQuery(rid=1))
    return laptop, world.program(name, secret=laptop.of(DeviceCode)[0].code, device="phone")


def test_every_device_gets_every_message_and_what_the_others_have_sent() -> None:
    world = World()
    laptop, phone = two_devices(world)
    bob = world.program("bob")
    world.post(bob, "alice", "hi", "c1")
    world.post(laptop, "bob", "hello", "c2")
    assert laptop.texts() == ["hi"]
    assert phone.texts() == ["hi", "hello"]


def test_what_is_read_on_one_device_is_read_on_all_and_told_once() -> None:
    world = World()
    laptop, phone = two_devices(world)
    bob = world.program("bob")
    world.post(bob, "alice", "hi", "c1")
    (message,) = laptop.of(Message)
    for _ in range(2):
        world.hub.read(laptop, Read(peer="BOB", id=message.id))
    assert phone.of(ReadMark) == [ReadMark("bob", message.id)]
    assert laptop.of(ReadMark) == []


def test_device_that_was_away_hears_what_others_have_read_with_what_it_has_missed() -> None:
    world = World()
    laptop, phone = two_devices(world)
    bob, carol = world.program("bob"), world.program("carol")
    token, log = phone.welcome().token, phone.welcome().log
    world.hub.leave(phone, Reason.LEFT)
    for sender in (bob, carol):
        world.post(sender, "alice", "hi", "c1")
    first, second = laptop.of(Message)
    world.hub.read(laptop, Read(peer="bob", id=first.id))
    back = FakeSession(world.hub, encrypted=True)
    world.hub.register_json(back, Hello(user="alice", agent="test", token=token, after=0, log=log))
    assert back.of(Message) == [first, second]
    assert back.of(ReadMark) == [ReadMark("bob", first.id)]
    assert back.synced()


def test_whoever_comes_is_told_who_can_be_overheard_if_they_cannot_be_themselves() -> None:
    world = World()
    world.plain("bob")
    world.program("carol")
    assert world.program("alice").welcome().unencrypted == ("bob",)
    assert world.json("dave").welcome().unencrypted == ()


def test_others_hear_whether_somebody_who_comes_can_be_overheard() -> None:
    world = World()
    alice = world.program("alice")
    world.plain("bob")
    world.program("carol")
    world.clock.advance(1)
    assert alice.of(Joined) == [Joined("bob", encrypted=False), Joined("carol")]


def test_others_hear_when_somebody_can_be_overheard_from_now_on_and_no_more() -> None:
    world = World()
    alice = world.program("alice")
    bob = world.json("bob")
    token = bob.welcome().token
    world.clock.advance(1)
    alice.take()
    safe = FakeSession(world.hub, encrypted=True)
    world.hub.register_json(safe, Hello(user="bob", agent="test", token=token))
    assert bob.account is None
    world.clock.advance(1)
    assert alice.take() == [Presence("bob", encrypted=True)]
    assert world.program("carol").welcome().unencrypted == ()


def test_encrypted_plain_client_is_told_once_whom_it_writes_to_in_the_clear() -> None:
    world = World()
    alice, overheard = world.netcat("alice"), world.plain("bob")
    world.program("carol")
    for text in ("one", "two"):
        world.post(alice, "bob", text, None)
        world.post(alice, "carol", text, None)
    (notice,) = alice.of(Notice)
    assert notice.text.startswith("bob's connection is not encrypted")
    world.post(overheard, "alice", "hi", None)
    assert overheard.of(Notice) == []


def test_welcome_of_somebody_who_is_online_already_names_them_once() -> None:
    world = World()
    _, phone = two_devices(world)
    (welcome,) = phone.of(Welcome)
    assert welcome.users == ["alice"]
