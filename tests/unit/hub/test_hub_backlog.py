"""What somebody has missed: all of it, in order, once, at the reader's own pace, and live after it."""

from __future__ import annotations

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.backlog import PAGE_MESSAGES
from twocans.hub.limits import Limits
from twocans.hub.session import Reason
from twocans.protocol.messages import Message, Receipt, Synced, UserList, Welcome
from twocans.protocol.user_names import UserNames


def _world_with_waiting(number: int, *, text: str = "") -> tuple[World, FakeSession]:
    """A world in which so many messages wait for bob, and alice, who has sent them."""
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.leave(bob, Reason.LEFT)
    for index in range(number):
        world.post(alice, "bob", f"{index}{text}", f"c{index}")
    return world, alice


def test_waiting_messages_come_after_the_welcome_in_order_then_synced() -> None:
    world, _ = _world_with_waiting(3)
    told = world.json("bob").take()
    assert isinstance(told[0], Welcome)
    assert [frame.text for frame in told[1:-1] if isinstance(frame, Message)] == ["0", "1", "2"]
    assert told[-1] == Synced(last=3)
    assert told[0].last == 3


def test_plain_client_gets_them_after_its_first_list_and_no_synced() -> None:
    world, _ = _world_with_waiting(2)
    told = world.plain("bob").take()
    assert told[0] == UserList(UserNames.of("alice", "bob"))
    assert [type(frame) for frame in told[1:]] == [Message, Message]


def test_more_than_a_page_comes_whole() -> None:
    number = PAGE_MESSAGES * 2 + 7
    world, _ = _world_with_waiting(number)
    bob = world.json("bob")
    assert bob.texts() == [str(index) for index in range(number)]
    assert bob.synced()


def test_exactly_a_page_ends_too() -> None:
    world, _ = _world_with_waiting(PAGE_MESSAGES)
    bob = world.json("bob")
    assert len(bob.texts()) == PAGE_MESSAGES
    assert bob.synced()


def test_reader_that_takes_nothing_is_sent_no_second_page() -> None:
    world, _ = _world_with_waiting(PAGE_MESSAGES + 1)
    bob = world.json("bob", stalls=True)
    assert len(bob.texts()) == PAGE_MESSAGES
    assert not bob.synced()
    bob.drain()
    assert len(bob.texts()) == PAGE_MESSAGES + 1


def test_pages_keep_to_the_limit_of_bytes() -> None:
    world = World(Limits(page_bytes=1000))
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.leave(bob, Reason.LEFT)
    for index in range(10):
        world.post(alice, "bob", str(index) * 300, f"c{index}")
    bob = world.json("bob", stalls=True)
    assert len(bob.texts()) == 3
    while not bob.synced():
        bob.drain()
    assert len(bob.texts()) == 10


def test_message_that_comes_during_the_backlog_comes_once_and_in_its_place() -> None:
    world, alice = _world_with_waiting(PAGE_MESSAGES + 3)
    bob = world.json("bob", stalls=True)
    world.post(alice, "bob", "new", "new")
    while not bob.synced():
        bob.drain()
        world.post(alice, "bob", "newer", "newer")
    world.post(alice, "bob", "live", "live")
    ids = [message.id for message in bob.of(Message)]
    assert ids == sorted(set(ids))
    assert bob.texts() == [*(str(index) for index in range(PAGE_MESSAGES + 3)), "new", "newer", "live"]


def test_own_message_sent_during_the_backlog_is_acknowledged_and_not_told_again() -> None:
    world, _ = _world_with_waiting(PAGE_MESSAGES + 3)
    bob = world.json("bob", after=0, log="log-1", stalls=True)
    world.post(bob, "alice", "mine", "mine")
    while not bob.synced():
        bob.drain()
    assert "mine" not in bob.texts()
    assert [ack.cid for ack in bob.acks()] == ["mine"]


def test_resuming_client_gets_all_later_ones_its_own_from_other_devices_included() -> None:
    world = World()
    phone = world.json("bob")
    alice = world.json("alice")
    token, log = phone.welcome().token, phone.welcome().log
    desk = world.json("bob", token=token)
    world.post(alice, "bob", "one", "c1")
    world.hub.leave(phone, Reason.CONNECTION_LOST)
    world.post(alice, "bob", "two", "c2")
    world.post(desk, "alice", "three", "c3")
    world.post(alice, "bob", "four", "c4")
    back = world.json("bob", token=token, after=1, log=log)
    assert [message.id for message in back.of(Message)] == [2, 3, 4]
    assert back.take()[-1] == Synced(last=4)


def test_cursor_of_another_log_means_nothing() -> None:
    world, _ = _world_with_waiting(3)
    assert world.json("bob", after=2, log="another").texts() == ["0", "1", "2"]


def test_cursor_beyond_the_end_misses_nothing() -> None:
    world, alice = _world_with_waiting(3)
    bob = world.json("bob", after=10**9, log="log-1")
    assert bob.synced()
    world.post(alice, "bob", "later", "later")
    assert bob.texts() == ["0", "1", "2", "later"]


def test_cursor_beyond_the_end_confirms_nothing() -> None:
    world, alice = _world_with_waiting(3)
    terminal = world.plain("bob")
    terminal.handed = 2
    world.hub.leave(terminal, Reason.LEFT)
    alice.take()
    bob = world.json("bob", after=10**9, log="log-1")
    assert bob.texts() == ["0", "1", "2"]
    assert alice.of(Receipt) == []


def test_cursor_beyond_the_end_of_the_inbox_is_one_of_messages_that_a_power_cut_has_taken() -> None:
    world, alice = _world_with_waiting(3)
    world.post(alice, "alice", "a note", "note")
    bob = world.json("bob", after=4, log="log-1")
    assert bob.welcome().after == 3
    assert bob.texts() == []


def test_without_a_cursor_comes_what_no_device_has_got() -> None:
    world, _ = _world_with_waiting(5)
    bob = world.json("bob")
    world.hub.got(bob, 3)
    world.hub.leave(bob, Reason.CONNECTION_LOST)
    assert world.json("bob").texts() == ["3", "4"]


def test_plain_client_is_sent_again_what_its_machine_has_not_taken() -> None:
    world, _ = _world_with_waiting(5)
    bob = world.plain("bob")
    bob.handed = 2
    world.hub.leave(bob, Reason.CONNECTION_LOST)
    assert world.plain("bob").texts() == ["2", "3", "4"]


def test_what_a_plain_client_has_taken_never_shrinks() -> None:
    world, _ = _world_with_waiting(5)
    bob = world.plain("bob")
    bob.handed = 4
    world.hub.leave(bob, Reason.LEFT)
    bob = world.plain("bob")
    bob.handed = 0
    world.hub.leave(bob, Reason.CONNECTION_LOST)
    assert world.plain("bob").texts() == ["4"]


def test_session_that_ends_within_its_backlog_is_told_nothing_more() -> None:
    world, _ = _world_with_waiting(PAGE_MESSAGES + 3)
    bob = world.json("bob", stalls=True)
    world.hub.leave(bob, Reason.CONNECTION_LOST)
    bob.take()
    bob.drain()
    assert bob.of(Message) == []
    assert len(world.json("bob").texts()) == PAGE_MESSAGES + 3


def test_own_messages_do_not_come_back_to_a_client_without_a_cursor() -> None:
    world = World()
    alice = world.json("alice")
    world.json("bob")
    world.post(alice, "bob", "mine", "c1")
    world.hub.leave(alice, Reason.LEFT)
    assert world.json("alice").texts() == []


def test_what_another_device_sends_during_a_backlog_is_told_too() -> None:
    """A program that has seen SYNCED counts on having seen everything since its WELCOME."""
    world, _ = _world_with_waiting(PAGE_MESSAGES + 3)
    phone = world.json("bob", stalls=True)
    desk = world.json("bob", token=phone.welcome().token)
    world.post(desk, "alice", "from the desk", "c1")
    while not phone.synced():
        phone.drain()
    assert "from the desk" in phone.texts()
