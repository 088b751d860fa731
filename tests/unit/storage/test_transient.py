"""What `--history off` keeps: enough to reconnect without loss, and nothing to look back at."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.contract.storage.kinds import Outcome, Person, known
from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey
from twocans.storage.base import Batch, Conflict, Page, Unstored
from twocans.storage.transient import TransientStorage

ALICE, BOB, CAROL = UserKey("alice"), UserKey("bob"), UserKey("carol")


def _storage(*, max_messages: int = 100) -> TransientStorage:
    storage = TransientStorage(log="log", max_messages=max_messages)
    for user in (ALICE, BOB, CAROL):
        storage.add_account(user, user.title())
    return storage


def _append(
    storage: TransientStorage,
    cid: str,
    *,
    text: str = "text",
    sender: UserKey = ALICE,
    recipient: UserKey = BOB,
) -> Outcome:
    message = Message(storage.new_ids(1), 1_700_000_000_000, sender.title(), recipient.title(), text, cid)
    answers: list[Mapping[int, Unstored]] = []
    batch = Batch(Person(sender), [Person(recipient)], [message], text_bytes=len(text))
    storage.append(batch, lambda _, unstored: answers.append(unstored))
    (unstored,) = answers
    return unstored.get(0, message)


def _inbox(
    storage: TransientStorage, user: UserKey, *, after: int = 0, own: bool = False, limit: int = 50
) -> Page:
    pages: list[Page] = []
    storage.inbox(user, after=after, own=own, limit=limit, max_bytes=1_000_000, on_page=pages.append)
    (page,) = pages
    return page


def test_message_sent_again_is_known_again() -> None:
    storage = _storage()
    first = _append(storage, "a")
    assert _append(storage, "a") == known(first)
    assert _append(storage, "a", text="other") == Conflict()
    assert _append(storage, "a", recipient=CAROL) == Conflict()
    assert isinstance(_append(storage, "a", sender=CAROL), Message)


def test_inbox_gives_what_came_after_to_and_if_wanted_from_the_user() -> None:
    storage = _storage()
    for number in range(6):
        sender, recipient = ((ALICE, BOB), (BOB, ALICE), (CAROL, ALICE))[number % 3]
        _append(storage, str(number), sender=sender, recipient=recipient)
    assert [message.id for message in _inbox(storage, BOB).messages] == [1, 4]
    assert [message.id for message in _inbox(storage, BOB, own=True).messages] == [1, 2, 4, 5]
    assert [message.id for message in _inbox(storage, BOB, own=True, after=2).messages] == [4, 5]
    assert _inbox(storage, BOB, after=6).messages == []


def test_page_that_is_full_says_that_there_is_more() -> None:
    storage = _storage()
    for number in range(5):
        _append(storage, str(number))
    page = _inbox(storage, BOB, limit=3)
    assert ([message.id for message in page.messages], page.more) == ([1, 2, 3], True)
    page = _inbox(storage, BOB, after=3, limit=3)
    assert ([message.id for message in page.messages], page.more) == ([4, 5], False)


@pytest.mark.parametrize("sent", range(20, 32))
def test_only_the_newest_are_kept_at_least_half_as_many_as_may_be(sent: int) -> None:
    storage = _storage(max_messages=10)
    for number in range(1, sent + 1):
        _append(storage, str(number))
    kept = [message.id for message in _inbox(storage, BOB).messages]
    assert 5 <= len(kept) <= 10
    assert kept == list(range(kept[0], sent + 1))
    assert [message.id for message in _inbox(storage, BOB, after=sent - 3).messages] == kept[-3:]
    again = _append(storage, "1")
    assert isinstance(again, Message)
    assert again.id == sent + 1


def test_there_is_nothing_to_look_back_at() -> None:
    storage = _storage()
    _append(storage, "a")
    pages: list[Page] = []
    storage.conversation(BOB, ALICE, before=None, limit=5, max_bytes=1000, on_page=pages.append)
    storage.search(BOB, "text", peer=None, before=None, limit=5, max_bytes=1000, on_page=pages.append)
    assert pages == [Page((), more=False)] * 2
    chats: list[object] = []
    storage.chats(BOB, limit=5, on_chats=chats.append)
    assert chats == [()]


def test_message_without_a_cid_is_never_known_again() -> None:
    storage = _storage()
    for _ in range(2):
        assert isinstance(_append(storage, ""), Message)
    assert len(_inbox(storage, BOB).messages) == 2
