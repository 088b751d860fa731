"""What every kind of document is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from msgspec import Struct

from twocans.protocol.messages import Message


class Conversation(Struct, frozen=True):
    """What was said with one person, oldest message first. `messages` is read once."""

    peer: str
    messages: Iterable[Message]


class Heading(Struct, frozen=True):
    """What stands above all conversations: whose they are, and when the document is made."""

    user: str
    now: datetime
    zone: tzinfo | None
    zone_name: str


def not_empty(conversations: Iterable[Conversation]) -> Iterator[tuple[str, Iterator[Message]]]:
    """The conversations that have a message: with whom, and the messages."""
    for conversation in conversations:
        messages = iter(conversation.messages)
        first = next(messages, None)
        if first is not None:
            yield conversation.peer, _and_then(first, messages)


def _and_then(first: Message, others: Iterator[Message]) -> Iterator[Message]:
    yield first
    yield from others
