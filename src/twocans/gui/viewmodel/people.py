"""Who is shown in the list of people, in which order, and what a search finds first."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from twocans.gui.viewmodel.state import Heading, Item, Presence, Row
from twocans.protocol.text import spelled_out

PREVIEW_CHARS: Final = 120
_SEPARATORS: Final = "-_."

_Order = tuple[int, int, str, str]


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """Text as a search sees it: without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def rank(name: str, query: str) -> int | None:
    """How well `query` finds `name`: 0 is best, None is not at all. Both are folded."""
    if not query or name == query:
        return 0
    if name.startswith(query):
        return 1
    if any(word.startswith(query) for word in _words(name)):
        return 2
    if query in name:
        return 3
    letters = iter(name)
    if all(char in letters for char in query):
        return 4
    return None


def one_line(text: str) -> str:
    """A message's text, or a name, as it fits into a list, with what would not be seen in it spelled out."""
    return " ".join(spelled_out(text[: PREVIEW_CHARS * 2]).split())[:PREVIEW_CHARS]


def when(at_ms: int, now_ms: int, local: Callable[[int], datetime]) -> str:
    """A time for the list: today's as hours and minutes, then days, then dates."""
    then, now = local(at_ms), local(now_ms)
    if then.date() == now.date():
        return f"{then:%H:%M}"
    if then.date() == now.date() - timedelta(days=1):
        return "Yesterday"
    if timedelta(0) < now - then < timedelta(days=6):
        return f"{then:%a}"
    if then.year == now.year:
        return f"{then.day} {then:%b}"
    return f"{then:%Y-%m-%d}"


def arrange(rows: Iterable[tuple[Row, int]], query: str, *, connected: bool) -> tuple[Item, ...]:
    """The list: who is online first, then the others, each group with those latest in touch on top.

    Args:
        rows: everybody, with the time of the last message in Unix milliseconds, 0 for none.
        query: what was typed into the search field.
        connected: whether it is known who is online.
    """
    wanted = folded(query.strip())
    here: list[tuple[_Order, Row]] = []
    offline: list[tuple[_Order, Row]] = []
    top: list[Item] = []
    for row, last_ms in rows:
        name = folded(row.name)
        found = rank(name, wanted)
        if found is None:
            continue
        if row.presence is Presence.SERVER:
            top.append(row)
            continue
        (here if row.presence.is_online else offline).append(((found, -last_ms, name, row.key), row))
    groups = [
        (f"Online — {len(here)}", sorted(here, key=_order)),
        (f"Offline — {len(offline)}" if connected else "Not connected", sorted(offline, key=_order)),
    ]
    if wanted:  # whoever is found best is first, here or not
        groups.sort(key=lambda group: group[1][0][0][0] if group[1] else 0)
    items: list[Item] = [*top]
    for title, found_rows in groups:
        if found_rows:
            items += [Heading(title), *(row for _, row in found_rows)]
    return tuple(items)


def _order(one: tuple[_Order, Row]) -> _Order:
    return one[0]


def _words(name: str) -> list[str]:
    for separator in _SEPARATORS:
        name = name.replace(separator, " ")
    return name.split()
