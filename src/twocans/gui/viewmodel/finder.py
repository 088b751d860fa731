"""The search in messages, over all conversations or within one: what was typed, what was found, which one is meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from twocans.gui.transcript.found import Spans, Words, spans, words_of
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import (
    SearchMessages,
)
from twocans.gui.viewmodel.people import when
from twocans.gui.viewmodel.state import Clock, Part
from twocans.protocol.messages import Message
from twocans.protocol.names import key_of

TYPING_PAUSE_S: Final = 0.2
"""How long after a key the server is asked, so that not every letter is a question."""
MAX_RESULTS: Final = 5000
_BEFORE: Final = 45
_SNIPPET: Final = 240
MAX_QUERY: Final = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was found, to show: with whom it is, whose, when, and the part around the hit."""

    id: int
    key: str
    peer: str
    own: bool
    when: str
    text: str
    marks: Spans


class Finder:
    """The search of one window.

    Args:
        changes: where changes are noted.
        clock: the time.
    """

    def __init__(self, changes: Changes, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self.active = False
        self.query = ""
        self.peer: str | None = None
        """With whom the messages are; None for everybody."""
        self.chosen: Message | None = None
        self.covered = False
        """Whether the chat is in front of the results, where there is room for one of them only."""
        self.selected = 0
        self.more = False
        self.connected = False
        self._me = ""
        self._results: list[Message] = []
        self._number = 0
        self._asking = self._anew = False
        self._problem = ""
        self._due: float | None = None

    # --- to show ------------------------------------------------------------------------------------------

    @property
    def words(self) -> Words:
        """What is looked for; nothing while there is no search."""
        return words_of(self.query) if self.active else ()

    def __len__(self) -> int:
        return len(self._results)

    def row(self, index: int) -> Found:
        """One of the results."""
        message = self._results[index]
        own = key_of(message.sender) == key_of(self._me)
        peer = message.to if own else message.sender
        text = snippet(message.text, self.words)
        return Found(
            id=message.id,
            key=key_of(peer),
            peer=peer,
            own=own,
            when=_when(message.at, self._clock.now_ms(), self._clock.local),
            text=text,
            marks=spans(text, self.words),
        )

    @property
    def title(self) -> str:
        """What stands above the field."""
        return "Search all chats" if self.peer is None else f"Search the chat with {self.peer}"

    @property
    def hint(self) -> str:
        """What is told in place of results, or below them."""
        if self._problem:
            return self._problem
        if not self.words:
            where = "all your chats" if self.peer is None else f"the chat with {self.peer}"
            return f"Type a word, or its beginning, to look for in {where}."
        if not self.connected:
            return "You are offline. The search continues when you are connected again."
        if self._asking or self._due is not None:
            return "Searching …" if not self._results else "Looking for older ones …"
        if not self._results:
            return f"Nothing found for “{self.query.strip()}”."
        return ""

    # --- intents ------------------------------------------------------------------------------------------

    def begin(self, peer: str | None) -> None:
        """Search, in one chat or in all of them; what was typed stays."""
        if not self.active or peer != self.peer:
            self.active, self.peer = True, peer
            self._forget()
            if self.words:
                self._due = self._clock.monotonic()
        self.covered = False
        self._draw()

    def end(self) -> None:
        """No search any more."""
        self.active = self.covered = False
        self.query = ""
        self._forget()
        self._draw()

    def type(self, query: str) -> None:
        """What stands in the field."""
        query = query[:MAX_QUERY]
        if query == self.query:
            return
        before = self.words
        self.query = query
        if self.words != before:
            results = self._results
            self._forget()
            if self.words:
                # Until the answer is here, what was found before is better than a list that flickers.
                self._results = results
                self._due = self._clock.monotonic() + TYPING_PAUSE_S
        self._draw()

    def move(self, by: int) -> None:
        """The cursor moves by so many results."""
        self.selected = max(0, min(len(self._results) - 1, self.selected + by))
        self._changes.draw(Part.SEARCH)

    def choose(self, index: int | None = None) -> Message | None:
        """The result with that index, or the one under the cursor, is the one that is meant."""
        self.selected = self.selected if index is None else index
        if not 0 <= self.selected < len(self._results):
            return None
        self.chosen, self.covered = self._results[self.selected], True
        self._draw()
        return self.chosen

    def uncover(self) -> None:
        """Back from the chat to the results."""
        self.covered = False
        self._draw()

    def want_older(self) -> None:
        """The end of the results is near."""
        if self.more and not self._asking and self._due is None and len(self._results) < MAX_RESULTS:
            self._ask(self._results[-1].id)

    # --- what happens -------------------------------------------------------------------------------------

    def online(self, me: str) -> None:
        """There is a connection."""
        self._me, self.connected = me, True
        if self.active and self.words and not self._results:
            self._due = self._clock.monotonic()
        self._changes.draw(Part.SEARCH)

    def offline(self) -> None:
        """There is none."""
        self.connected = self._asking = False
        self._changes.draw(Part.SEARCH)

    def results(self, number: int, messages: tuple[Message, ...] | None, more: bool, problem: str) -> None:
        """What the server has found, newest first; None if it could not."""
        if number != self._number or not self.active:
            return
        self._asking = False
        self._problem = problem
        if messages is not None:
            if self._anew:
                self._results, self.selected = [], 0
            self._results += messages
            self.more = more and bool(messages)
        self._changes.draw(Part.SEARCH)

    def tick(self) -> None:
        """Ask when typing has paused."""
        if self._due is not None and self._clock.monotonic() >= self._due:
            self._due = None
            if self.active and self.words and self.connected:
                self._ask(None)
            self._changes.draw(Part.SEARCH)

    @property
    def next_due(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        return self._due

    # --- inside -------------------------------------------------------------------------------------------

    def _ask(self, before: int | None) -> None:
        self._number += 1
        self._asking = True
        self._anew = before is None
        self._changes.do(SearchMessages(self._number, self.query.strip(), self.peer, before))
        self._changes.draw(Part.SEARCH)

    def _forget(self) -> None:
        self._number += 1
        self._results = []
        self._asking = self.more = False
        self._problem = ""
        self._due = None
        self.selected = 0
        self.chosen = None

    def _draw(self) -> None:
        self._changes.draw(Part.SEARCH | Part.CHAT)


def snippet(text: str, words: Words) -> str:
    """The part of a message around the first word that was looked for, as one line."""
    found = spans(text, words)
    start = max(0, found[0][0] - _BEFORE) if found else 0
    if start:
        gap = text.find(" ", start, found[0][0])
        start = gap + 1 if gap >= 0 else start
    part = " ".join(text[start : start + _SNIPPET].split())
    return f"{'…' if start else ''}{part}{'…' if start + _SNIPPET < len(text) else ''}"


def _when(at_ms: int, now_ms: int, local: Callable[[int], datetime]) -> str:
    """Day and time: within a search, the time alone would not say which day."""
    day = when(at_ms, now_ms, local)
    time = f"{local(at_ms):%H:%M}"
    return day if day == time else f"{day} {time}"
