"""Parts of a conversation that the protocol gives no page for: what is around a message, and what follows one.

The protocol pages backwards only. What follows a message is found by halving the ids between it and the newest
page until a page begins at or before that message, so that nothing is left out in between.
"""

from __future__ import annotations

from typing import Final, Protocol

from twocans.client import Message, Page

PAGE: Final = 50
ENOUGH: Final = 12
"""So many messages that follow are worth an answer; fewer only if no more can be had in one page."""
_MOST_STEPS: Final = 64


class Pages(Protocol):
    """What is needed of a client."""

    async def history_page(self, peer: str, *, before: int | None = None, limit: int = PAGE) -> Page:
        """One page of the conversation with somebody, oldest message first."""
        ...


async def around(client: Pages, peer: str, id_: int) -> tuple[Page, bool]:
    """Messages before and after one, without a hole; also says whether there are newer ones.

    Raises:
        RequestFailed: there is no answer, or the server refused.
    """
    older = await client.history_page(peer, before=id_ + 1, limit=PAGE // 2)
    following, ahead = await newer(client, peer, id_)
    return Page((*older.messages, *following), older.more), ahead


async def newer(client: Pages, peer: str, after: int) -> tuple[tuple[Message, ...], bool]:
    """The messages that follow an id, without a hole; also says whether there are newer ones.

    Raises:
        RequestFailed: there is no answer, or the server refused.
    """
    page = await client.history_page(peer, limit=PAGE)
    if _reaches(page, after):
        return _following(page, after), False
    low, high = after + 1, page.messages[0].id
    found: tuple[Message, ...] = ()
    for _ in range(_MOST_STEPS):
        if low >= high:
            break
        middle = (low + high + 1) // 2
        page = await client.history_page(peer, before=middle, limit=PAGE)
        if _reaches(page, after):
            found = _following(page, after) or found
            low = middle
            if len(found) >= ENOUGH:
                break
        else:
            high = middle - 1
    if not found:
        # A single message fills a page: the one with the id `low` is the next.
        found = _following(await client.history_page(peer, before=low + 1, limit=PAGE), after)
    return found, True


def _reaches(page: Page, after: int) -> bool:
    """Whether nothing between `after` and the end of the page is missing from it."""
    # A server that says there is more and gives nothing has nothing to be asked for.
    return not (page.more and page.messages) or page.messages[0].id <= after


def _following(page: Page, after: int) -> tuple[Message, ...]:
    return tuple(message for message in page.messages if message.id > after)
