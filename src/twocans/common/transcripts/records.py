"""Conversations as one JSON object, a message a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from twocans.common.transcripts.heading import Conversation, Heading, not_empty
from twocans.common.transcripts.times import moment
from twocans.protocol.text import spelled_out

FORMAT: Final = "twocans-export"
VERSION: Final = 1
"""Grows when a field changes its meaning or goes; new fields may come without it."""


def render(conversations: Iterable[Conversation], heading: Heading) -> Iterator[str]:
    """The pieces of the object."""
    above = {
        "format": FORMAT,
        "version": VERSION,
        "user": heading.user,
        "exported_at": heading.now.astimezone(heading.zone).isoformat(timespec="seconds"),
        "time_zone": heading.zone_name,
    }
    yield f'{_json(above)[:-1]}, "conversations": ['
    comma = ""
    for peer, messages in not_empty(conversations):
        yield f'{comma}\n{{"with": {_json(peer)}, "messages": ['
        comma = ""
        for message in messages:
            fields = {
                "id": message.id,
                "at": message.at,
                "time": moment(message.at, heading.zone).isoformat(),
                "from": message.sender,
                "to": message.to,
                "text": message.text,
            }
            yield f"{comma}\n  {_json(fields)}"
            comma = ","
        yield "\n]}"
        comma = ","
    yield "\n]}\n"


def _json(value: object) -> str:
    # These characters stand within strings only, where JSON's own way to spell them means the same as before.
    return spelled_out(json.dumps(value, ensure_ascii=False), spell=_spell)


def _spell(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"
