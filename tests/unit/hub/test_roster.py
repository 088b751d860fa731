"""Who is known, who is online, who is told, and who is forgotten."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.limits import Limits
from twocans.hub.roster import FIND_LIMIT
from twocans.hub.session import Reason
from twocans.protocol import plain
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import FindQuery, Found, Joined, Left, Message, TypingFrom, UserList
from twocans.protocol.user_names import UserNames


def test_everybody_stands_in_registration_order() -> None:
    world = World()
    for name in ("zoe", "adam", "mia"):
        last = world.json(name)
    assert last.welcome().users == ["zoe", "adam", "mia"]


def test_whoever_comes_back_stands_last() -> None:
    world = World()
    zoe = world.json("zoe")
    world.json("adam")
    world.hub.leave(zoe, Reason.LEFT)
    assert world.json("zoe").welcome().users == ["adam", "zoe"]


def test_json_sessions_hear_of_each_change_once_and_in_order_after_they_were_gathered() -> None:
    world = World(Limits(list_delay_s=0.05))
    alice = world.json("alice")
    alice.take()
    bob = world.plain("bob")
    world.hub.leave(bob, Reason.LEFT)
    assert alice.take() == []
    world.clock.advance(0.05)
    assert alice.take() == [Joined("bob", encrypted=False), Left("bob")]
    world.clock.advance(1.0)
    assert alice.take() == []


def test_json_session_that_comes_between_two_changes_hears_only_of_the_second() -> None:
    world = World()
    alice = world.json("alice")
    world.json("bob")
    carol = world.json("carol")
    world.json("dave")
    world.clock.advance(1.0)
    assert alice.of(Joined) == [
        Joined("bob", encrypted=False),
        Joined("carol", encrypted=False),
        Joined("dave", encrypted=False),
    ]
    assert carol.of(Joined) == [Joined("dave", encrypted=False)]


def test_json_reader_hears_of_whoever_writes_to_it_before_the_message_and_once() -> None:
    world = World()
    alice = world.json("alice")
    bob = world.json("bob")
    world.json("carol")
    alice.take()
    world.post(bob, "alice", "hi", "c1")
    told = alice.take()
    assert told[:2] == [Joined("bob", encrypted=False), Joined("carol", encrypted=False)]
    assert [frame.text for frame in told[2:] if isinstance(frame, Message)] == ["hi"]
    world.clock.advance(1.0)
    assert alice.take() == []


def test_json_reader_hears_of_whoever_is_writing_before_that() -> None:
    world = World()
    alice = world.json("alice")
    bob = world.json("bob")
    alice.take()
    world.hub.typing(bob, "alice")
    assert alice.take() == [Joined("bob", encrypted=False), TypingFrom("bob")]


def test_nobody_hears_of_their_own_coming() -> None:
    world = World()
    assert world.json("alice").of(Joined) == []


def test_second_session_of_a_user_changes_nobodys_list() -> None:
    world = World()
    watcher = world.json("watcher")
    first = world.json("alice")
    world.clock.advance(1.0)
    watcher.take()
    second = world.json("alice", token=first.welcome().token)
    assert second.welcome().users == ["watcher", "alice"]
    world.hub.leave(first, Reason.LEFT)
    world.clock.advance(1.0)
    assert watcher.take() == []
    world.hub.leave(second, Reason.LEFT)
    world.clock.advance(1.0)
    assert watcher.take() == [Left("alice")]


def test_plain_reader_gets_the_list_with_itself_first_of_all() -> None:
    world = World()
    world.plain("alice")
    assert world.plain("bob").take() == [UserList(UserNames.of("alice", "bob"))]


def test_burst_of_changes_becomes_one_list_with_the_last_state() -> None:
    world = World(Limits(list_delay_s=0.05))
    alice = world.plain("alice")
    alice.take()
    people = [world.plain(f"p{number}") for number in range(20)]
    for session in people[:10]:
        world.hub.leave(session, Reason.LEFT)
    assert alice.take() == []
    world.clock.advance(0.05)
    assert alice.take() == [UserList(UserNames.of("alice", *(f"p{number}" for number in range(10, 20))))]


def test_change_during_a_change_is_not_missed() -> None:
    world = World(Limits(list_delay_s=0.05))
    alice = world.plain("alice")
    world.plain("bob")
    world.clock.advance(0.05)
    alice.take()
    world.plain("carol")
    world.clock.advance(0.05)
    assert alice.take() == [UserList(UserNames.of("alice", "bob", "carol"))]


def test_reader_who_has_the_list_already_is_not_sent_it_again() -> None:
    world = World()
    world.plain("alice")
    bob = world.plain("bob")
    bob.take()
    world.clock.advance(1.0)
    assert bob.take() == []


def test_list_stays_the_same_when_somebody_leaves_and_is_back_in_time_but_order_is_told() -> None:
    world = World()
    alice = world.plain("alice")
    bob = world.plain("bob")
    watcher = world.plain("watcher")
    world.clock.advance(1.0)
    watcher.take()
    world.hub.leave(alice, Reason.LEFT)
    world.plain("alice")
    world.clock.advance(1.0)
    assert watcher.take() == [UserList(UserNames.of("bob", "watcher", "alice"))]
    assert bob.of(UserList)[-1] == UserList(UserNames.of("bob", "watcher", "alice"))


def test_no_timer_runs_when_there_is_nobody_to_be_told() -> None:
    world = World()
    world.hub.leave(world.json("alice"), Reason.LEFT)
    world.plain("bob")
    assert world.clock.waiting() == []


# --- the budget of lists ---------------------------------------------------------------------------------

_LIST_BYTES = len(b"LIST: ") + 20 * len(b", p00") - len(b", ") + len(b"\n")


def _crowd(world: World) -> list[FakeSession]:
    """Twenty plain readers that have the last list; the budget has recovered."""
    crowd = [world.plain(f"p{number:02}") for number in range(20)]
    world.clock.advance(3600.0)
    for session in crowd:
        session.take()
    return crowd


def test_lists_above_the_budget_come_later_and_to_everybody_in_turn() -> None:
    world = World(Limits(list_delay_s=0.05, list_bytes_per_s=10.0 * _LIST_BYTES))
    crowd = _crowd(world)
    last = crowd.pop()
    world.hub.leave(last, Reason.LEFT)
    world.clock.advance(0.05)
    served = [session for session in crowd if session.told]
    assert 0 < len(served) < len(crowd)
    world.clock.advance(1.1)
    assert [len(session.told) for session in crowd] == [1] * len(crowd)


def test_traffic_of_lists_stays_within_the_budget_whatever_the_churn() -> None:
    budget = 10.0 * _LIST_BYTES
    world = World(Limits(list_delay_s=0.05, list_bytes_per_s=budget))
    crowd = _crowd(world)
    for turn in range(200):
        world.hub.leave(world.json(f"x{turn:02}"), Reason.LEFT)
        world.clock.advance(0.05)
    lists = [frame for session in crowd for frame in session.of(UserList)]
    sent = sum(len(plain.encode(frame)) for frame in lists)
    assert 0.5 * budget * 10 < sent <= budget * (10 + 1)
    counts = [len(session.of(UserList)) for session in crowd]
    assert max(counts) - min(counts) <= 2, "some were served more often than others"
    world.clock.advance(3.0)
    assert all(session.of(UserList)[-1].users == world.hub.roster.names() for session in crowd)


def test_newcomers_take_nothing_of_the_budget_from_those_who_are_there() -> None:
    world = World(Limits(list_delay_s=0.05, list_bytes_per_s=30.0 * _LIST_BYTES))
    crowd = _crowd(world)
    for number in range(100):
        world.plain(f"y{number}")
    world.clock.advance(5.0)
    assert all(session.of(UserList)[-1].users == world.hub.roster.names() for session in crowd)


def test_first_list_of_a_newcomer_does_not_wait_for_the_budget() -> None:
    world = World(Limits(list_bytes_per_s=1.0))
    for number in range(30):
        assert world.plain(f"p{number}").of(UserList)[-1].users[-1] == f"p{number}"


def test_silent_roster_tells_nobody_that_everybody_leaves() -> None:
    world = World()
    alice, bob = world.json("alice"), world.plain("bob")
    world.clock.advance(1.0)
    alice.take()
    world.hub.roster.fall_silent()
    world.hub.leave(bob, Reason.SERVER_STOPPING)
    world.clock.advance(1.0)
    assert alice.take() == []


def test_spelling_of_the_first_registration_is_shown() -> None:
    world = World()
    first = world.json("Alice")
    world.hub.leave(first, Reason.LEFT)
    assert world.json("ALICE").welcome().user == "Alice"


def test_name_that_looks_like_a_known_one_is_refused_even_if_that_one_is_away() -> None:
    world = World()
    world.hub.leave(world.json("alice"), Reason.LEFT)
    with pytest.raises(ProtocolError) as refusal:
        world.json("аlice")  # with a Cyrillic а
    assert refusal.value.code is Code.NAME_TAKEN
    assert "alice" in refusal.value.text


# --- finding ---------------------------------------------------------------------------------------------


def _find(world: World, prefix: str) -> list[str]:
    seeker = world.hub.roster.online()[0].sessions[0]
    assert isinstance(seeker, FakeSession)
    seeker.take()
    world.hub.queries.find(seeker, FindQuery(prefix=prefix, rid=1))
    (found,) = seeker.of(Found)
    assert found.rid == 1
    return found.users


def test_people_are_found_by_the_beginning_of_their_name_online_or_not() -> None:
    world = World()
    world.json("seeker")
    for name in ("Bob", "bobby", "Boris", "alice"):
        world.hub.leave(world.json(name), Reason.LEFT)
    assert _find(world, "bo") == ["Bob", "bobby", "Boris"]
    assert _find(world, "BOB") == ["Bob", "bobby"]
    assert _find(world, "ob") == []


def test_empty_prefix_finds_everybody_and_hostile_ones_nobody() -> None:
    world = World()
    world.json("seeker")
    world.json("bob")
    assert _find(world, "") == ["bob", "seeker"]
    for prefix in ("two words", "\x00", "x" * 64, "\U0010ffff", "-"):
        assert _find(world, prefix) == []


def test_no_more_people_are_found_than_the_limit() -> None:
    world = World()
    for number in range(FIND_LIMIT + 20):
        world.json(f"p{number:03}")
    assert _find(world, "p") == [f"p{number:03}" for number in range(FIND_LIMIT)]


# --- forgetting ------------------------------------------------------------------------------------------


def test_full_server_forgets_who_has_been_away_longest_and_has_no_messages() -> None:
    world = World(Limits(max_accounts=3))
    first, second = world.json("first"), world.json("second")
    world.json("third")
    world.hub.leave(second, Reason.LEFT)
    world.hub.leave(first, Reason.LEFT)
    world.json("fourth")
    assert world.account_names() == ["third", "first", "fourth"]
    world.json("fifth")
    assert world.account_names() == ["third", "fourth", "fifth"]


def test_nobody_with_messages_is_forgotten() -> None:
    world = World(Limits(max_accounts=2))
    alice, bob = world.json("alice"), world.json("bob")
    world.post(alice, "bob", "hi", "c1")
    world.hub.leave(alice, Reason.LEFT)
    world.hub.leave(bob, Reason.LEFT)
    with pytest.raises(ProtocolError) as refusal:
        world.json("carol")
    assert refusal.value.code is Code.SERVER_FULL
    assert world.account_names() == ["alice", "bob"]


def test_full_server_still_lets_known_people_in() -> None:
    world = World(Limits(max_accounts=1))
    alice = world.json("alice")
    world.hub.leave(alice, Reason.LEFT)
    assert world.json("alice").welcome().user == "alice"


def test_forgotten_name_can_be_taken_found_and_resembled_again() -> None:
    world = World(Limits(max_accounts=2))
    world.json("seeker")
    world.hub.leave(world.json("Аnna"), Reason.LEFT)  # with a Cyrillic А
    world.hub.leave(world.json("bob"), Reason.LEFT)
    assert _find(world, "аnna") == []
    anna = world.json("Anna")
    assert anna.welcome().user == "Anna"
    assert _find(world, "anna") == ["Anna"]
