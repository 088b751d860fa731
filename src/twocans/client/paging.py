"""Messages one by one from an answer that comes in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec import Struct

from twocans.protocol.messages import Message


class Page(Struct, frozen=True):
    """Some messages; `more` says whether older ones exist."""

    messages: tuple[Message, ...]
    more: bool


async def newest_first(
    load: Callable[[int | None], Awaitable[Page]], before: int | None
) -> AsyncIterator[Message]:
    """Yield messages, newest first, and load a page when the one before is used up.

    The client has checked that each page goes further than the one before.

    Args:
        load: gets the page of messages with ids below one; of the newest messages with None.
        before: where to begin.

    Raises:
        RequestFailed: as `load`.
    """
    while True:
        page = await load(before)
        messages = sorted(page.messages, key=lambda message: message.id, reverse=True)
        for message in messages:
            yield message
        if not page.more:
            return
        before = messages[-1].id
