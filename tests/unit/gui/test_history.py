"""Pages that the protocol does not have: what is around a message, and what follows one."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twocans.client import Message, Page
from twocans.gui.backend.history import PAGE, around, newer


class Server:
    """A conversation; `most` is how many messages a page holds at most, as when they are long."""

    def __init__(self, ids: list[int], most: int = 500) -> None:
        self._ids = ids
        self._most = most
        self.asked = 0

    async def history_page(self, peer: str, *, before: int | None = None, limit: int = PAGE) -> Page:
        self.asked += 1
        older = [one for one in self._ids if before is None or one < before]
        taken = older[-min(limit, self._most) :]
        return Page(
            tuple(Message(one, 0, peer, "alice", str(one), str(one)) for one in taken),
            len(taken) < len(older),
        )


def follow(server: Server, after: int) -> tuple[list[int], bool]:
    messages, ahead = asyncio.run(newer(server, "bob", after))
    return [message.id for message in messages], ahead


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=300, unique=True),
    st.integers(1, 60),
    st.integers(0, 299),
)
def test_going_forward_reaches_every_message_once_and_the_end(ids: list[int], most: int, start: int) -> None:
    ids.sort()
    server = Server(ids, most)
    at = ids[start % len(ids)]
    seen = [at]
    ahead = True
    while ahead:
        following, ahead = follow(server, seen[-1])
        assert following or not ahead
        seen += following
    assert seen == [one for one in ids if one >= at]


def test_a_page_forward_is_worth_asking_for_and_found_in_few_steps() -> None:
    server = Server(list(range(1, 10_000_000, 97)))
    following, ahead = follow(server, 98 * 97 + 1)
    assert ahead
    assert len(following) >= 12
    assert server.asked < 30


@pytest.mark.parametrize("at", [1, 500, 999, 1000])
def test_a_message_is_among_its_neighbours_without_a_hole(at: int) -> None:
    server = Server(list(range(1, 1001)))
    page, ahead = asyncio.run(around(server, "bob", at))
    ids = [message.id for message in page.messages]
    assert at in ids
    assert ids == list(range(ids[0], ids[-1] + 1))
    assert page.more == (ids[0] > 1)
    assert ahead == (ids[-1] < 1000)


def test_an_empty_conversation_has_nothing_around_anything() -> None:
    page, ahead = asyncio.run(around(Server([]), "bob", 5))
    assert (page.messages, page.more, ahead) == ((), False, False)
