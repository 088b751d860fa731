"""A storage that cannot read: nobody is told that there is nothing, and nothing is passed over."""

from __future__ import annotations

from tests.unit.hub.fakes import World
from twocans.hub.session import Reason
from twocans.protocol.errors import Code
from twocans.protocol.messages import History, HistoryQuery, Results, SearchQuery
from twocans.protocol.names import UserKey
from twocans.storage.base import OnPage, Page
from twocans.storage.memory import MemoryStorage


class Unreadable(MemoryStorage):
    """A storage on a disk that fails now and then."""

    fails = False

    def inbox(
        self, user: UserKey, *, after: int, own: bool, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.inbox`."""
        if self.fails:
            on_page(Page((), more=False, failed=True))
        else:
            super().inbox(user, after=after, own=own, limit=limit, max_bytes=max_bytes, on_page=on_page)

    def conversation(
        self, user: UserKey, peer: UserKey, *, before: int | None, limit: int, max_bytes: int, on_page: OnPage
    ) -> None:
        """See `Storage.conversation`."""
        on_page(Page((), more=False, failed=True))

    def search(
        self,
        user: UserKey,
        query: str,
        *,
        peer: UserKey | None,
        before: int | None,
        limit: int,
        max_bytes: int,
        on_page: OnPage,
    ) -> None:
        """See `Storage.search`."""
        on_page(Page((), more=False, failed=True))


def test_session_whose_messages_cannot_be_read_ends_and_gets_them_the_next_time() -> None:
    storage = Unreadable(log="log-1", max_messages=100)
    world = World(storage=storage)
    alice, bob = world.json("alice"), world.json("bob")
    world.hub.leave(bob, Reason.LEFT)
    world.post(alice, "bob", "hello", "c1")
    storage.fails = True
    bob = world.json("bob")
    assert [reason for reason, _ in bob.ended] == [Reason.STORAGE_FAILED]
    assert not bob.synced()
    storage.fails = False
    bob = world.json("bob")
    assert bob.texts() == ["hello"]
    assert bob.synced()


def test_question_that_cannot_be_answered_gets_an_error_and_no_empty_page() -> None:
    world = World(storage=Unreadable(log="log-1", max_messages=100))
    alice, _ = world.json("alice"), world.json("bob")
    world.hub.queries.history(alice, HistoryQuery(peer="bob", rid=1))
    world.hub.queries.search(alice, SearchQuery(query="hello", rid=2))
    assert [(error.code, error.rid) for error in alice.errors()] == [(Code.INTERNAL, 1), (Code.INTERNAL, 2)]
    assert alice.of(History) == []
    assert alice.of(Results) == []
    assert not alice.asking
