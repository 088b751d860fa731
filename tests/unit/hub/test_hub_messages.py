"""Posting: what is accepted, who is acknowledged, who gets it, and what a repeated cid does."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import World
from twocans.hub.limits import MAX_TYPING, Limits
from twocans.hub.posting import MAX_TOLD_AWAY
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import Ack, Error, Message, Notice, Send, TypingFrom, UserList
from twocans.protocol.user_names import UserNames


def test_message_reaches_the_recipient_and_is_acknowledged_to_the_sender() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    alice.take()
    bob.take()
    world.post(alice, "bob", "hello: there", "c1")
    at = int(world.clock.now * 1000)
    assert alice.take() == [Ack(cid="c1", id=1, at=at)]
    assert bob.take() == [Message(id=1, at=at, sender="alice", to="bob", text="hello: there", cid="c1")]
    assert world.hub.statistics.messages == 1


def test_all_devices_of_both_get_it_once_except_the_one_that_sent_it() -> None:
    world = World()
    phone = world.json("alice")
    desk = world.json("alice", token=phone.welcome().token)
    bob_one = world.json("bob")
    bob_two = world.json("bob", token=bob_one.welcome().token)
    world.post(phone, "bob", "hi", "c1")
    assert (phone.texts(), desk.texts(), bob_one.texts(), bob_two.texts()) == ([], ["hi"], ["hi"], ["hi"])
    assert [len(one.acks()) for one in (phone, desk, bob_one, bob_two)] == [1, 0, 0, 0]


def test_message_to_oneself_reaches_the_other_devices_once() -> None:
    world = World()
    phone = world.json("alice")
    desk = world.json("alice", token=phone.welcome().token)
    world.post(phone, "alice", "note", "c1")
    assert (phone.texts(), desk.texts()) == ([], ["note"])
    assert len(phone.acks()) == 1


def test_plain_reader_gets_its_own_message_to_itself() -> None:
    world = World()
    alice = world.plain("alice")
    world.post(alice, "alice", "note", None)
    assert alice.texts() == ["note"]


def test_recipient_is_found_by_any_spelling_and_shown_by_the_first() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("Bob")
    world.post(alice, "BOB", "hi", "c1")
    assert [message.to for message in bob.of(Message)] == ["Bob"]


def test_message_waits_for_somebody_who_is_away() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.leave(bob, Reason.LEFT)
    world.post(alice, "bob", "later", "c1")
    assert len(alice.acks()) == 1
    assert world.json("bob").texts() == ["later"]


def test_plain_sender_is_told_that_the_message_waits() -> None:
    world = World()
    alice, bob = world.plain("alice"), world.plain("bob")
    world.hub.leave(bob, Reason.LEFT)
    alice.take()
    world.post(alice, "bob", "later", None)
    assert alice.take() == [Notice("bob is not online. Your message waits for them.")]


def test_plain_sender_is_told_once_in_each_absence_of_each_person() -> None:
    world = World()
    alice, bob, carol = world.plain("alice"), world.plain("bob"), world.plain("carol")
    world.hub.leave(bob, Reason.LEFT)
    world.hub.leave(carol, Reason.LEFT)
    alice.take()
    for n in range(5):
        world.post(alice, "bob", f"b{n}", None)
        world.post(alice, "carol", f"c{n}", None)
    notices = [frame.text for frame in alice.take() if isinstance(frame, Notice)]
    assert [text.partition(" ")[0] for text in notices] == ["bob", "carol"]
    world.hub.leave(world.plain("bob"), Reason.LEFT)
    world.post(alice, "bob", "again", None)
    world.post(alice, "carol", "again", None)
    notices = [frame.text for frame in alice.take() if isinstance(frame, Notice)]
    assert [text.partition(" ")[0] for text in notices] == ["bob"]


def test_each_plain_connection_of_a_person_is_told_of_an_absence() -> None:
    world = World()
    world.hub.leave(world.plain("bob"), Reason.LEFT)
    for _ in range(2):
        alice = world.plain("alice")
        world.post(alice, "bob", "hi", None)
        assert len([frame for frame in alice.take() if isinstance(frame, Notice)]) == 1
        world.hub.leave(alice, Reason.LEFT)


def test_absences_that_a_connection_remembers_are_bounded() -> None:
    world = World(Limits(new_names_per_address=0))
    for n in range(MAX_TOLD_AWAY + 1):
        world.hub.leave(world.plain(f"user{n}"), Reason.LEFT)
    alice = world.plain("alice")
    for n in range(MAX_TOLD_AWAY + 1):
        world.post(alice, f"user{n}", "hi", None)
    assert alice.told_away is not None
    assert len(alice.told_away) == MAX_TOLD_AWAY


def test_plain_sender_hears_nothing_if_all_is_well() -> None:
    world = World()
    alice = world.plain("alice")
    world.plain("bob")
    alice.take()
    world.post(alice, "bob", "hi", None)
    assert alice.take() == []


def test_without_history_a_message_to_somebody_away_is_refused() -> None:
    world = World(keeps_history=False)
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.leave(bob, Reason.LEFT)
    world.post(alice, "bob", "later", "c1")
    (error,) = alice.errors()
    assert (error.code, error.cid) == (Code.NOT_ONLINE, "c1")


def test_same_cid_with_the_same_content_gets_the_first_ack_again_and_reaches_nobody_twice() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.post(alice, "bob", "hi", "c1")
    world.clock.advance(5.0)
    world.post(alice, "bob", "hi", "c1")
    first, again = alice.acks()
    assert first == again
    assert bob.texts() == ["hi"]
    assert world.hub.statistics.messages == 1


@pytest.mark.parametrize(("to", "text"), [("bob", "other"), ("carol", "hi")])
def test_same_cid_with_other_content_is_a_conflict_and_reaches_nobody(to: str, text: str) -> None:
    world = World()
    alice, bob, carol = world.json("alice"), world.json("bob"), world.json("carol")
    world.post(alice, "bob", "hi", "c1")
    world.post(alice, to, text, "c1")
    (error,) = alice.errors()
    assert (error.code, error.cid) == (Code.CONFLICT, "c1")
    assert (bob.texts(), carol.texts(), len(alice.acks())) == (["hi"], [], 1)


def test_same_cid_of_two_senders_is_two_messages() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.post(alice, "bob", "hi", "c1")
    world.post(bob, "alice", "hi", "c1")
    assert alice.texts() == bob.texts() == ["hi"]


@pytest.mark.parametrize(
    ("to", "text", "code"),
    [
        ("bob", "", Code.EMPTY),
        ("bob", " \n\t\u3000", Code.EMPTY),
        ("bob", "x" * 101, Code.TOO_LONG),
        ("bob", "é" * 51, Code.TOO_LONG),
        ("nobody", "hi", Code.NO_SUCH_USER),
        ("two words", "hi", Code.NO_SUCH_USER),
        ("", "hi", Code.NO_SUCH_USER),
        ("Server", "hi", Code.NO_SUCH_USER),
        ("sERVER", "hi", Code.NO_SUCH_USER),
    ],
)
def test_unacceptable_message_is_refused_with_its_cid_and_stored_nowhere(
    to: str, text: str, code: Code
) -> None:
    world = World(Limits(max_text_bytes=100))
    alice, bob = world.json("alice"), world.json("bob")
    world.post(alice, to, text, "c1")
    (error,) = alice.errors()
    assert (error.code, error.cid) == (code, "c1")
    assert error.text.endswith(".")
    assert (alice.acks(), bob.texts(), world.hub.statistics.messages) == ([], [], 0)


@pytest.mark.parametrize("text", ["x" * 100, "é" * 50, "😀" * 25, "a\n\tb"])
def test_text_up_to_the_limit_with_line_breaks_and_tabs_is_accepted(text: str) -> None:
    world = World(Limits(max_text_bytes=100))
    alice, bob = world.json("alice"), world.json("bob")
    world.post(alice, "bob", text, "c1")
    assert bob.texts() == [text]


def test_session_that_is_not_registered_cannot_post() -> None:
    world = World()
    world.json("bob")
    with pytest.raises(ProtocolError) as refusal:
        world.post(world.session(), "bob", "hi", "c1")
    assert (refusal.value.code, refusal.value.cid) == (Code.NOT_REGISTERED, "c1")


def test_plain_reader_sees_whoever_writes_to_it_in_a_list_before_the_message() -> None:
    world = World()
    alice = world.plain("alice")
    alice.take()
    bob = world.plain("bob")
    world.post(bob, "alice", "hi", None)
    told = alice.take()
    assert told[0] == UserList(UserNames.of("alice", "bob"))
    assert [frame.text for frame in told[1:] if isinstance(frame, Message)] == ["hi"]
    world.clock.advance(1.0)
    assert alice.take() == [], "the list was sent twice"


# --- from the server -------------------------------------------------------------------------------------


def test_announcement_reaches_everybody_online_once_for_each_device() -> None:
    world = World()
    phone = world.json("alice")
    desk = world.json("alice", token=phone.welcome().token)
    bob = world.plain("bob")
    world.hub.leave(world.json("carol"), Reason.LEFT)
    assert world.hub.posting.announce("tea") == 2
    for session in (phone, desk, bob):
        assert [(message.sender, message.text) for message in session.of(Message)] == [("Server", "tea")]
    assert world.json("carol").texts() == []


def test_kicked_user_is_told_why_on_every_device_and_gone() -> None:
    world = World()
    phone = world.json("alice")
    desk = world.json("alice", token=phone.welcome().token)
    bob = world.json("bob")
    assert world.hub.kick("ALICE", "shouting")
    for session in (phone, desk):
        ((reason, text),) = session.ended
        assert reason is Reason.KICKED
        assert text == "The operator has ended your session: shouting"
    assert world.hub.roster.names() == ["bob"]
    assert bob.ended == []
    assert world.hub.kick("bob", "")
    assert bob.ended == [(Reason.KICKED, "The operator has ended your session.")]


@pytest.mark.parametrize("name", ["carol", "nobody", "two words", ""])
def test_nobody_is_kicked_who_is_not_there(name: str) -> None:
    world = World()
    world.hub.leave(world.json("carol"), Reason.LEFT)
    assert not world.hub.kick(name, "")


# --- typing ----------------------------------------------------------------------------------------------


def test_typing_reaches_json_devices_at_most_once_in_three_seconds() -> None:
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    for _ in range(7):
        world.hub.typing(alice, "bob")
        world.clock.advance(1.0)
    assert bob.of(TypingFrom) == [TypingFrom("alice")] * 3


def test_typing_to_several_people_in_turn_reaches_each_once_in_three_seconds() -> None:
    world = World()
    alice, bob, carol = (world.json(name) for name in ("alice", "bob", "carol"))
    for _ in range(20):
        world.hub.typing(alice, "bob")
        world.hub.typing(alice, "carol")
    assert [len(one.of(TypingFrom)) for one in (bob, carol)] == [1, 1]


def test_typing_reaches_so_many_people_at_a_time() -> None:
    world = World()
    alice, *others = (world.json(f"user{number}") for number in range(MAX_TYPING + 3))
    for number in range(1, MAX_TYPING + 3):
        world.hub.typing(alice, f"user{number}")
    assert sum(len(one.of(TypingFrom)) for one in others) == MAX_TYPING


def test_typing_to_plain_or_absent_people_is_quietly_dropped() -> None:
    world = World()
    alice, bob = world.json("alice"), world.plain("bob")
    world.hub.leave(world.json("carol"), Reason.LEFT)
    bob.take()
    alice.take()
    world.hub.typing(alice, "bob")
    world.hub.typing(alice, "carol")
    assert (alice.take(), bob.take()) == ([], [])


def test_typing_to_nobody_known_is_an_error() -> None:
    world = World()
    alice = world.json("alice")
    with pytest.raises(ProtocolError) as refusal:
        world.hub.typing(alice, "nobody")
    assert refusal.value.code is Code.NO_SUCH_USER


def test_answer_that_comes_after_the_sender_has_left_is_told_to_nobody() -> None:
    """As with a storage that answers later: the session is gone by then, and must not be written to."""
    world = World()
    alice, bob = world.json("alice"), world.json("bob")
    world.post(alice, "bob", "hi", "c1")
    world.hub.leave(alice, Reason.LEFT)
    alice.take()
    assert alice.of(Error) == []
    assert bob.texts() == ["hi"]


def test_messages_of_one_chunk_are_refused_each_for_itself_and_the_others_arrive_in_order() -> None:
    world = World()
    alice, bob, carol = world.json("alice"), world.json("bob"), world.json("carol")
    sends = [
        Send("bob", "one", "c1"),
        Send("nobody", "two", "c2"),
        Send("carol", "three", "c3"),
        Send("bob", " ", "c4"),
        Send("bob", "one", "c1"),
        Send("bob", "other", "c3"),
        Send("bob", "six", "c6"),
    ]
    world.hub.posting.post(alice, sends)
    assert (bob.texts(), carol.texts()) == (["one", "six"], ["three"])
    assert [(error.code, error.cid) for error in alice.errors()] == [
        (Code.NO_SUCH_USER, "c2"),
        (Code.EMPTY, "c4"),
        (Code.CONFLICT, "c3"),
    ]
    acks = {ack.cid: ack.id for ack in alice.acks()}
    assert set(acks) == {"c1", "c3", "c6"}
    assert len(alice.acks()) == 4, "the repeated one is acknowledged again"
    assert acks["c1"] < acks["c3"] < acks["c6"]


def test_other_device_gets_what_was_sent_to_oneself_and_to_others_in_the_order_of_the_ids() -> None:
    world = World()
    phone = world.json("alice")
    desk = world.json("alice", token=phone.welcome().token)
    world.json("bob")
    world.hub.posting.post(phone, [Send("bob", "1", "c1"), Send("alice", "2", "c2"), Send("bob", "3", "c3")])
    assert desk.texts() == ["1", "2", "3"]
    assert phone.texts() == []


def test_plain_message_has_no_cid_and_may_be_said_again() -> None:
    world = World()
    alice, bob = world.plain("alice"), world.json("bob")
    world.post(alice, "bob", "ho", None)
    world.post(alice, "bob", "ho", None)
    assert [(message.text, message.cid) for message in bob.of(Message)] == [("ho", ""), ("ho", "")]
