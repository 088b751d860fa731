"""Searching: first among the newest messages, along the log, then in the index.

The index finds rare words at once. For one that is frequent, or for the beginning of many, it gathers all places
first, which takes tens of milliseconds in a million messages, and SQLite cannot stop in between. But then the newest
messages hold enough of it; or there is something rarer beside it, whose few messages are looked into one by one. So the
index is asked for few words at a time, and the texts for the others.
"""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
import unicodedata
from typing import Final

from twocans.storage.base import Page, PageBuilder
from twocans.storage.sqlite.conversation import NEVER
from twocans.storage.sqlite.index import Extent, between, extent, involving
from twocans.storage.sqlite.readers import UNFINISHED, StepSize, Unfinished
from twocans.storage.sqlite.rows import message_of
from twocans.storage.sqlite.transaction import snapshot

LOOK_IDS: Final = 50_000
"""How far along the log is looked in any case; and until the rest is in the index."""
STEP_IDS: Final = (1_000, 50_000)
"""How far along the log a step looks at first, and at most."""
STEP_MESSAGES: Final = (50, 500)
"""How many messages a step looks into at first, and at most."""
LOOK_MESSAGES: Final = 500
"""How many messages along the log are looked into, if the rest is in the index."""
LOOK_CANDIDATES: Final = 2000
"""How many messages with one of several words are looked into for the others, before the index is asked again."""
LOOK_INBOX: Final = 10_000
"""How many messages somebody may have, or two people with each other, for all of them to be looked into."""
INDEX_WORDS: Final = 2
"""How many words the index is asked for at once."""
FEW_CHARS: Final = 2
"""Up to so many characters begin too many words for the index to be asked for them beside others."""

_WORD: Final = re.compile(r"[^\W_]+")
# What has not come into the index is split into words in the same way, for one search.
_MAKE_LOOKED: Final = (
    "CREATE VIRTUAL TABLE temp.looked_into USING fts5(text, content='', tokenize='unicode61')"
)
_MOST_PLAIN_WORDS: Final = 4
_LOOK: Final = """
    INSERT INTO temp.looked_into(rowid, text) SELECT id, text FROM message
    WHERE id > :after AND id < :before AND text IS NOT NULL AND {whose} AND {plain}
    ORDER BY id DESC LIMIT :most"""
_CANDIDATES: Final = """
    SELECT json_group_array(rowid) FROM (SELECT rowid FROM message_text
    WHERE message_text MATCH :query AND rowid < :before ORDER BY rowid DESC LIMIT :most)"""
_NUMBER: Final = """
    SELECT count(*) FROM (SELECT rowid FROM message_text
    WHERE message_text MATCH :query AND rowid < :before LIMIT :most)"""
_LOOK_CANDIDATES: Final = """
    INSERT INTO temp.looked_into(rowid, text) SELECT id, text FROM message
    WHERE id IN (SELECT value FROM json_each(:ids)) AND text IS NOT NULL AND {plain}"""
_ANYBODY: Final = "(sender = :user OR recipient = :user)"
_PEER: Final = "((sender = :user AND recipient = :peer) OR (sender = :peer AND recipient = :user))"
# A text of ASCII alone holds a word of ASCII only if it holds its letters. For others, only their words tell.
_PLAIN: Final = "(length(CAST(text AS BLOB)) > length(text) OR ({words}))"
_FOUND: Final = """
    SELECT said.id, at, sender_name, recipient_name, said.text, cid, file
    FROM {table} found CROSS JOIN said ON said.id = found.rowid
    WHERE {table} MATCH :query AND found.rowid < :before
    ORDER BY found.rowid DESC LIMIT :limit"""


class SearchQuestion:
    """Messages of an account that hold words beginning with all words of `query`, newest first.

    Args:
        user: the number of the account.
        query: the words.
        peer: the number of the only account to look for messages with; None for all.
        before: the first id that is not asked for; None for the newest messages.
        limit: the most messages.
        max_bytes: the most bytes of text.
    """

    def __init__(
        self, user: int, query: str, *, peer: int | None, before: int | None, limit: int, max_bytes: int
    ) -> None:
        # The index holds letters without their accents; composed, a letter and its accent are one word here too.
        self._words = _needed(_WORD.findall(unicodedata.normalize("NFC", query)))
        self._user = user
        self._peer = peer
        self._before = NEVER if before is None else before
        self._found = PageBuilder(limit, max_bytes)
        self._said = _all_of(self._words)
        self._plain = _plain(self._words)
        self._look_upto: int | None = None
        self._looked = 0
        self._candidates: list[int] = []
        self._are_all = False
        self._asked = False
        self._ids = StepSize(*STEP_IDS)
        self._messages = StepSize(*STEP_MESSAGES)

    def __call__(self, database: sqlite3.Connection, *, late: bool) -> Page | Unfinished:
        """See `Question`."""
        if not self._words:
            return self._found.page(more=False)
        if late and self._found:
            return self._found.page(more=True)
        if not database.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = 'looked_into'").fetchone():
            database.execute(_MAKE_LOOKED)
        with snapshot(database):
            reach = extent(database)
            self._before = min(self._before, reach.newest + 1)
            if self._look_upto is None:
                self._look_upto = max(0, self._before - 1 - LOOK_IDS)
            if self._is_to_look(reach, self._look_upto):
                full = self._look_along_log(database)
            elif self._candidates or self._find_candidates(database):
                full = self._look_into_candidates(database)
            else:
                full = self._ask_index(database)
        if full:
            return self._found.page(more=True)
        return UNFINISHED if self._before > 1 else self._found.page(more=False)

    def _is_to_look(self, reach: Extent, look_upto: int) -> bool:
        """True while the log is to be looked along: for the newest messages, and where the index does not reach."""
        last = self._before - 1
        return last > reach.indexed or (last > look_upto and self._looked < LOOK_MESSAGES)

    def _look_along_log(self, database: sqlite3.Connection) -> bool:
        """Look into the next messages of the log; True if the page is full."""
        with self._ids.measured(), self._messages.measured():
            after = max(0, self._before - 1 - self._ids.messages)
            most = self._messages.messages
            statement = _LOOK.format(whose=_ANYBODY if self._peer is None else _PEER, plain=self._plain)
            values = {
                "after": after,
                "before": self._before,
                "user": self._user,
                "peer": self._peer,
                "most": most,
            }
            number = database.execute(statement, values).rowcount
            if number == most:
                (least,) = database.execute("SELECT min(id) FROM temp.looked_into_docsize").fetchone()
                after = int(least) - 1
            full = self._add(database, "looked_into", self._said)
        self._looked += number
        self._before = after + 1
        return full

    def _find_candidates(self, database: sqlite3.Connection) -> bool:
        """Ask the index for the next messages to look into; False if it is better asked for the rest at once."""
        sides = _sides(self._user, self._peer)
        is_first, self._asked = not self._asked, True
        if is_first:
            values = {"query": sides, "before": self._before, "most": LOOK_INBOX}
            (number,) = database.execute(_NUMBER, values).fetchone()
            if number < LOOK_INBOX:
                self._candidates, self._are_all = self._indexed(database, sides, LOOK_INBOX), True
                return True
        few = len(self._words) <= INDEX_WORDS
        if few and (not is_first or (self._peer is None and len(self._words) == 1)):
            return False
        longest = self._words[0]
        rare = self._peer is not None or len(longest) <= FEW_CHARS
        query = sides if rare else f"{sides} AND {_all_of([longest])}"
        self._candidates = self._indexed(database, query, LOOK_CANDIDATES)
        self._are_all = len(self._candidates) < LOOK_CANDIDATES
        return True

    def _indexed(self, database: sqlite3.Connection, query: str, most: int) -> list[int]:
        """The newest messages that the index finds, by their ids."""
        values = {"query": query, "before": self._before, "most": most}
        (found,) = database.execute(_CANDIDATES, values).fetchone()
        return list(json.loads(found))

    def _look_into_candidates(self, database: sqlite3.Connection) -> bool:
        """Look into the next candidates; True if the page is full."""
        with self._messages.measured():
            most = self._messages.messages
            ids, self._candidates = self._candidates[:most], self._candidates[most:]
            statement = _LOOK_CANDIDATES.format(plain=self._plain)
            database.execute(statement, {"ids": json.dumps(ids)})
            full = self._add(database, "looked_into", self._said)
        # What a step has not looked at is below the last one of these.
        self._before = 1 if self._are_all and not self._candidates else ids[-1]
        return full

    def _ask_index(self, database: sqlite3.Connection) -> bool:
        """Let the index find all that is left; True if the page is full."""
        full = self._add(database, "message_text", f"{_sides(self._user, self._peer)} AND {self._said}")
        self._before = 1
        return full

    def _add(self, database: sqlite3.Connection, table: str, query: str) -> bool:
        """Add what a table finds; True if the page is full."""
        values = {"query": query, "before": self._before, "limit": self._found.missing}
        rows = database.execute(_FOUND.format(table=table), values)
        return self._found.add(message_of(row) for row in rows)


def _needed(words: list[str]) -> list[str]:
    """The words that are to be looked for, longest first: whoever has one has the beginnings of it too."""
    unique = sorted({word.lower() if word.isascii() else word for word in words})
    needed = [
        word
        for word, following in itertools.pairwise([*unique, ""])
        if not (word.isascii() and following.startswith(word))
    ]
    return sorted(needed, key=len, reverse=True)


def _all_of(words: list[str]) -> str:
    # Every word is quoted, so that nothing in it is taken for the query language of FTS5.
    return " AND ".join(f'text : "{word}" *' for word in words)


def _plain(words: list[str]) -> str:
    """What to ask of a text before its words are looked at."""
    plain = [word for word in words if word.isascii()][:_MOST_PLAIN_WORDS]
    return _PLAIN.format(words=" AND ".join(f"instr(lower(text), '{word}')" for word in plain) or "true")


def _sides(user: int, peer: int | None) -> str:
    if peer is None:
        return f'who : "{involving(user)}"'
    return f'who : ("{between(user, peer)}" OR "{between(peer, user)}")'
