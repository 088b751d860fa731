"""The memory storage keeps the newest messages only, and forgets the others in all its indexes at once."""

from __future__ import annotations

import weakref
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.storage.kinds import ALICE, BOB, CAROL, NAMES, Asked, Person, Turns, ids, known
from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Batch, Unstored
from twocans.storage.memory import MemoryStorage

_users = st.sampled_from([ALICE, BOB, CAROL])


def _open(max_messages: int) -> Asked:
    return Asked(MemoryStorage(log="log-1", max_messages=max_messages), Turns())


def test_texts_take_no_more_room_than_they_may() -> None:
    asked = Asked(MemoryStorage(log="log-1", max_messages=1000, max_bytes=100_000), Turns())
    sent = [asked.append(ALICE, BOB, "x" * 10_000, f"c{number}") for number in range(20)]
    assert list(asked.inbox(BOB).messages) == sent[-9:]


def _fill(asked: Asked, number: int, *, sender: UserKey = ALICE, recipient: UserKey = BOB) -> list[Message]:
    log = []
    for n in range(number):
        outcome = asked.append(sender, recipient, f"word {n}", f"{sender}-{recipient}-{n}")
        assert isinstance(outcome, Message)
        log.append(outcome)
    return log


@given(
    said=st.lists(st.tuples(_users, _users, st.booleans()), max_size=60),
    max_messages=st.integers(1, 12),
)
@settings(deadline=None)
def test_every_index_holds_exactly_the_newest_messages(
    said: list[tuple[UserKey, UserKey, bool]], max_messages: int
) -> None:
    asked = _open(max_messages)
    log: list[Message] = []
    for n, (sender, recipient, reads) in enumerate(said):
        outcome = asked.append(sender, recipient, f"word {n}", f"c{n}")
        assert isinstance(outcome, Message)
        log.append(outcome)
        if reads:
            asked.storage.mark_read(recipient, sender, outcome.id)
    kept = log[-max_messages:]
    for user, name in NAMES.items():
        mine = [message for message in kept if name in {message.sender, message.to}]
        assert list(asked.inbox(user).messages) == mine
        assert list(asked.inbox(user, own=False).messages) == [one for one in mine if one.to == name]
        assert list(asked.search(user, "word").messages) == mine[::-1]
        latest: dict[str, Message] = {}
        for message in mine:
            latest[message.to if message.sender == name else message.sender] = message
        expected = sorted(latest.items(), key=lambda chat: -chat[1].id)
        assert [(chat.peer, chat.last) for chat in asked.chats(user)] == expected
        for peer, peer_name in NAMES.items():
            between = [one for one in kept if {one.sender, one.to} == {name, peer_name}]
            assert list(asked.conversation(user, peer).messages) == between
            assert list(asked.search(user, "word", peer=peer).messages) == between[::-1]


def test_cid_of_a_forgotten_message_is_forgotten_with_it() -> None:
    asked = _open(2)
    log = _fill(asked, 3)
    again = asked.append(ALICE, BOB, "word 0", log[0].cid)
    assert isinstance(again, Message)
    assert again.id > log[-1].id


def test_cid_of_a_kept_message_is_kept() -> None:
    asked = _open(2)
    log = _fill(asked, 3)
    assert asked.append(ALICE, BOB, "word 1", log[1].cid) == known(log[1])


def test_ids_go_on_after_everything_has_been_forgotten() -> None:
    asked = _open(1)
    log = _fill(asked, 50)
    assert [message.id for message in log] == list(range(1, 51))
    assert ids(asked.inbox(BOB)) == [50]


def test_unread_counts_only_what_is_kept() -> None:
    asked = _open(5)
    _fill(asked, 20)
    assert [chat.unread for chat in asked.chats(BOB)] == [5]


def test_conversation_that_was_forgotten_starts_unread_again() -> None:
    asked = _open(3)
    asked.storage.mark_read(BOB, ALICE, _fill(asked, 1)[0].id)
    _fill(asked, 3, sender=CAROL)
    assert [chat.peer for chat in asked.chats(BOB)] == ["CAROL"]
    asked.append(ALICE, BOB, "again", "again")
    assert [(chat.peer, chat.unread) for chat in asked.chats(BOB)] == [("Alice", 1), ("CAROL", 2)]


def _ignore(_batch: Batch, _unstored: Mapping[int, Unstored]) -> None:
    """The outcome does not matter here."""


class _Text(str):
    """A text that tells when it is let go."""

    __slots__ = ("__weakref__",)


def test_forgotten_messages_are_let_go_however_many_people_share_them() -> None:
    """Each inbox may lag behind a little, but all of them together must not keep a multiple of the limit."""
    people, max_messages = 50, 200
    storage = MemoryStorage(log="log-1", max_messages=max_messages)
    texts: list[weakref.ref[_Text]] = []

    for n in range(max_messages * 20):
        text = _Text(f"text {n}")
        texts.append(weakref.ref(text))
        one, other = UserKey(f"p{n % people}"), UserKey(f"p{(n * 7 + 1) % people}")
        message = Message(storage.new_ids(1), n, one, other, text, str(n))
        storage.append(Batch(Person(one), [Person(other)], [message], text_bytes=len(text)), _ignore)
        del text, message
    alive = sum(text() is not None for text in texts)
    assert max_messages <= alive <= 3 * max_messages
