"""Conversations as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from twocans.common.transcripts.heading import Conversation, Heading, not_empty
from twocans.common.transcripts.times import moment
from twocans.protocol.text import spelled_out

# The further lines of a message stand under its first, so that none can pass for another message.
_INDENT: Final = " " * 27


def render(conversations: Iterable[Conversation], heading: Heading) -> Iterator[str]:
    """The lines, each with its end."""
    now = heading.now.astimezone(heading.zone).isoformat(timespec="seconds")
    yield f"Messages of {spelled_out(heading.user)}\n"
    yield f"Exported {now}. All times are in the time zone {spelled_out(heading.zone_name)}.\n"
    empty = True
    for peer, messages in not_empty(conversations):
        empty = False
        yield f"\n== {spelled_out(peer)} ==\n\n"
        for message in messages:
            time = moment(message.at, heading.zone).isoformat()
            text = spelled_out(message.text).replace("\n", f"\n{_INDENT}")
            yield f"{time}  {spelled_out(message.sender)}: {text}\n"
    if empty:
        yield "\nThere are no messages.\n"
