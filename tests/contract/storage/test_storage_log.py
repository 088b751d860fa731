"""What every storage promises of its log: ids, cids, inboxes, and the order of its answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.storage.kinds import (
    ALICE,
    BOB,
    CAROL,
    KINDS,
    NAMES,
    Asked,
    Draft,
    draft,
    ids,
    involves,
    known,
    said,
)
from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Conflict, Known, NoRoom

every_storage = pytest.mark.parametrize("kind", KINDS)
users = st.sampled_from([ALICE, BOB, CAROL])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)


@st.composite
def traffic(draw: st.DrawFn, max_size: int = 30) -> list[Draft]:
    """Messages among three people, themselves included, each with a cid of its own."""
    given = draw(st.lists(st.tuples(users, users, texts), max_size=max_size))
    return [draft(*one, cid=f"c{n}", at=1000 + n) for n, one in enumerate(given)]


def stored(asked: Asked, drafts: list[Draft]) -> list[Message]:
    """Store new messages; how they stand in the log."""
    return [said(outcome) for outcome in asked.append_all(drafts)]


@every_storage
def test_message_is_stored_as_it_was_said(kind: str) -> None:
    with KINDS[kind]() as asked:
        message = said(asked.append(ALICE, BOB, "a: b\n\tc “d” 👩‍👩‍👧 \u202e", "c-1", at=1_700_000_000_123))
        assert (message.sender, message.to, message.cid) == ("Alice", "bob", "c-1")
        assert (message.text, message.at) == ("a: b\n\tc “d” 👩‍👩‍👧 \u202e", 1_700_000_000_123)
        assert message.id > 0
        assert asked.inbox(BOB).messages == [message]


@every_storage
@given(drafts=traffic())
@settings(deadline=None)
def test_ids_only_grow_in_the_order_of_the_calls(kind: str, drafts: list[Draft]) -> None:
    with KINDS[kind]() as asked:
        log = stored(asked, drafts)
        numbers = [message.id for message in log]
        assert numbers == sorted(set(numbers))
        assert [message.text for message in log] == [one.text for one in drafts]


@every_storage
@given(drafts=traffic(), data=st.data())
@settings(deadline=None)
def test_inbox_after_an_id_holds_exactly_those_later(
    kind: str, drafts: list[Draft], data: st.DataObject
) -> None:
    with KINDS[kind]() as asked:
        log = stored(asked, drafts)
        after = data.draw(st.sampled_from([0, *(message.id for message in log)]))
        for user, name in NAMES.items():
            everything = [message for message in log if message.id > after and involves(message, user)]
            assert list(asked.inbox(user, after=after, own=True).messages) == everything
            received = [message for message in everything if message.to == name]
            assert list(asked.inbox(user, after=after, own=False).messages) == received


@every_storage
@given(drafts=traffic(), limit=st.integers(1, 6), max_bytes=st.integers(1, 60), own=st.booleans())
@settings(deadline=None)
def test_walk_through_an_inbox_gives_every_message_once_in_order(
    kind: str, drafts: list[Draft], limit: int, max_bytes: int, own: bool
) -> None:
    with KINDS[kind]() as asked:
        stored(asked, drafts)
        whole = ids(asked.inbox(ALICE, own=own))
        walked: list[int] = []
        more = True
        while more:
            after = walked[-1] if walked else 0
            page = asked.inbox(ALICE, after=after, own=own, limit=limit, max_bytes=max_bytes)
            size = sum(len(message.text.encode()) for message in page.messages)
            assert len(page.messages) <= limit
            assert size <= max_bytes or len(page.messages) == 1
            assert page.messages or not page.more
            walked += ids(page)
            more = page.more
        assert walked == whole


@every_storage
def test_page_tells_of_more_only_if_there_is_more(kind: str) -> None:
    with KINDS[kind]() as asked:
        for n in range(4):
            asked.append(ALICE, BOB, f"word {n}", f"c{n}")
        asked.append(BOB, BOB, "word", "self")  # later, but in no conversation with Alice
        assert not asked.conversation(BOB, ALICE, limit=4).more
        assert asked.conversation(BOB, ALICE, limit=3).more
        assert asked.inbox(BOB, limit=4).more
        assert not asked.inbox(BOB, limit=5).more
        assert not asked.search(BOB, "word", limit=5).more
        assert asked.search(BOB, "word", limit=4).more
        assert not asked.search(BOB, "word", peer=ALICE, limit=4).more


@every_storage
def test_same_cid_with_the_same_content_gives_the_first_message_again(kind: str) -> None:
    with KINDS[kind]() as asked:
        first = asked.append(ALICE, BOB, "hi", "c1", at=1000)
        again = asked.append(ALICE, BOB, "hi", "c1", at=2000)
        assert isinstance(first, Message)
        assert again == known(first)
        assert ids(asked.inbox(BOB)) == ids(asked.inbox(ALICE)) == [first.id]


@every_storage
@pytest.mark.parametrize(("recipient", "text"), [(BOB, "other"), (CAROL, "hi"), (ALICE, "hi"), (BOB, "hi ")])
def test_same_cid_with_other_content_is_a_conflict_and_stored_nowhere(
    kind: str, recipient: UserKey, text: str
) -> None:
    with KINDS[kind]() as asked:
        asked.append(ALICE, BOB, "hi", "c1")
        assert asked.append(ALICE, recipient, text, "c1") == Conflict()
        assert [message.text for message in asked.inbox(ALICE).messages] == ["hi"]
        assert asked.inbox(CAROL).messages in ([], ())
        assert isinstance(asked.append(ALICE, recipient, text, "c2"), Message)


@every_storage
def test_same_cid_of_two_senders_is_two_messages(kind: str) -> None:
    with KINDS[kind]() as asked:
        one, other = asked.append(ALICE, BOB, "hi", "c1"), asked.append(CAROL, BOB, "hi", "c1")
        assert isinstance(one, Message)
        assert isinstance(other, Message)
        assert ids(asked.inbox(BOB)) == [one.id, other.id]


@every_storage
def test_same_cid_twice_before_the_first_is_answered_is_one_message(kind: str) -> None:
    """As with a client that resends at once: both may end up in one batch."""
    with KINDS[kind]() as asked:
        outcomes = asked.append_all(
            [
                draft(ALICE, BOB, "hi", "c1"),
                draft(ALICE, BOB, "hi", "c1"),
                draft(ALICE, BOB, "other", "c1"),
                draft(ALICE, BOB, "next", "c2"),
            ]
        )
        first, again, other, following = outcomes
        assert isinstance(first, Message)
        assert again == known(first)
        assert other == Conflict()
        assert isinstance(following, Message)
        assert following.id > first.id
        assert [message.text for message in asked.inbox(BOB).messages] == ["hi", "next"]


@every_storage
def test_message_without_a_cid_is_never_known_again(kind: str) -> None:
    with KINDS[kind]() as asked:
        log = stored(asked, [draft(ALICE, BOB, "hi", "") for _ in range(3)])
        log += stored(asked, [draft(ALICE, BOB, "hi", cid) for cid in ("c1", "", "c2", "")])
        assert asked.inbox(BOB).messages == log
        assert asked.append(ALICE, BOB, "hi", "c2") == known(log[5])
        assert len(asked.search(ALICE, "hi").messages) == 7


@every_storage
def test_ids_are_given_once_and_those_that_are_not_used_leave_a_gap(kind: str) -> None:
    with KINDS[kind]() as asked:
        storage = asked.storage
        assert [storage.new_ids(1), storage.new_ids(5), storage.new_ids(2)] == [1, 2, 7]
        assert said(asked.append(ALICE, BOB, "hi", "c1")).id == 9


@every_storage
@given(
    given=st.lists(
        st.builds(
            Draft,
            users,
            users,
            st.sampled_from(["hi", "ho"]),
            st.sampled_from(["c1", "c2", "c3"]),
            st.just(1000),
            st.booleans(),
        ),
        max_size=40,
    )
)
@settings(deadline=None)
def test_cid_is_unique_for_each_sender_and_batches_of_repeats_store_nothing(
    kind: str, given: list[Draft]
) -> None:
    with KINDS[kind]() as asked:
        known: dict[tuple[UserKey, str], Message] = {}
        for number, outcome in enumerate(asked.append_all(given)):
            one = given[number]
            before = known.get((one.sender, one.cid))
            if before is None and one.repeats_only:
                assert outcome == NoRoom()
            elif before is None:
                assert isinstance(outcome, Message)
                known[one.sender, one.cid] = outcome
            elif (before.to, before.text) == (NAMES[one.recipient], one.text):
                assert outcome == Known(before.id, before.at)
            else:
                assert outcome == Conflict()
        assert sum(len(asked.inbox(user, own=False).messages) for user in NAMES) == len(known)


@every_storage
def test_empty_storage_answers_everything(kind: str) -> None:
    with KINDS[kind]() as asked:
        pages = [asked.inbox(ALICE), asked.conversation(ALICE, BOB), asked.search(ALICE, "x")]
        assert [(list(page.messages), page.more) for page in pages] == [([], False)] * 3
        assert asked.chats(ALICE) == []
        assert asked.storage.log
