"""Conversations as a document to keep: text for reading, a page for the browser, JSON for programs.

It is given the messages and gives out text; where they come from and where it goes is left to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import assert_never

from twocans.common.transcripts import page, plain, records
from twocans.common.transcripts.heading import Conversation, Heading
from twocans.common.transcripts.times import zone_name

__all__ = ["Conversation", "Form", "render"]


class Form(StrEnum):
    """What the document is."""

    TEXT = "text"
    """Lines for people."""
    HTML = "html"
    """One page that needs no other file and no network."""
    JSON = "json"
    """One object; its fields are described in docs/operating.md."""


def render(
    conversations: Iterable[Conversation],
    *,
    user: str,
    form: Form,
    now: datetime,
    zone: tzinfo | None = None,
) -> Iterator[str]:
    """The document, in pieces that together are all of it; only a few messages are held at a time.

    Conversations without a message are left out. Nothing in a message or a name can act in a terminal or a
    browser: markup is escaped, control and direction characters are spelled out as in `\\u202e`.

    Args:
        conversations: what to write, in this order.
        user: whose they are; their own messages are told apart.
        form: which document.
        now: when it is made.
        zone: the time zone of all times; None for the one of this computer.
    """
    heading = Heading(user=user, now=now, zone=zone, zone_name=zone_name(now, zone))
    match form:
        case Form.TEXT:
            return plain.render(conversations, heading)
        case Form.HTML:
            return page.render(conversations, heading)
        case Form.JSON:
            return records.render(conversations, heading)
        case _:
            assert_never(form)
