"""Drafts on disk: what is written or attached and not sent yet, in the outbox's database."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Final

from twocans.client.drafts import Draft
from twocans.client.errors import OutboxUnusable
from twocans.protocol.keys import ServerKey

MAX_DRAFTS: Final = 500
"""How many drafts are kept in all; the oldest go first."""

MAX_DRAFT_CHARS: Final = 100_000
"""How much of a draft's text is kept. No server takes as much in one message."""

MAX_DRAFT_FILES: Final = 100

SCHEMA: Final = """
    CREATE TABLE drafts(
        place INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT NOT NULL, user TEXT NOT NULL,
        peer TEXT NOT NULL, name TEXT NOT NULL, text BLOB NOT NULL, paths BLOB NOT NULL,
        UNIQUE(server, user, peer)) STRICT"""

# A lone surrogate, which some systems' input and file names produce, is in no encoding but this one.
_ENCODING: Final = ("utf-8", "surrogatepass")


class SqliteDrafts:
    """The drafts of one user, for each server by its key.

    Args:
        database: where `SCHEMA` is in force; it stays the outbox's.
        user: whose they are.
    """

    def __init__(self, database: sqlite3.Connection, user: str) -> None:
        self._database = database
        self._user = user

    def load(self, server: ServerKey) -> tuple[Draft, ...]:
        """Return all of them, oldest first; what cannot be read is left out."""
        drafts = []
        with contextlib.suppress(sqlite3.Error):
            for peer, name, text, paths in self._database.execute(
                "SELECT peer, name, text, paths FROM drafts WHERE server = ? AND user = ? ORDER BY place",
                (server, self._user),
            ).fetchall():
                with contextlib.suppress(UnicodeDecodeError):
                    drafts.append(Draft(peer, name, text.decode(*_ENCODING), decode_paths(paths)))
        return tuple(drafts)

    def put(self, server: ServerKey, draft: Draft) -> None:
        """Keep a draft in place of an earlier one to the same person, or forget that if the draft is empty.

        Raises:
            OutboxUnusable: it could not be written.
        """
        text = draft.text[:MAX_DRAFT_CHARS].encode(*_ENCODING)
        paths = "\0".join(draft.paths[:MAX_DRAFT_FILES]).encode(*_ENCODING)
        try:
            if draft.is_empty:
                self._database.execute(
                    "DELETE FROM drafts WHERE server = ? AND user = ? AND peer = ?",
                    (server, self._user, draft.peer),
                )
                return
            self._database.execute(
                "INSERT OR REPLACE INTO drafts(server, user, peer, name, text, paths) VALUES (?, ?, ?, ?, ?, ?)",
                (server, self._user, draft.peer, draft.name, text, paths),
            )
            self._database.execute(
                "DELETE FROM drafts WHERE place <= (SELECT place FROM drafts ORDER BY place DESC LIMIT 1 OFFSET ?)",
                (MAX_DRAFTS,),
            )
        except sqlite3.Error as error:
            raise OutboxUnusable(f"Your drafts cannot be kept: {error}.") from None


def decode_paths(kept: bytes) -> tuple[str, ...]:
    """Return the files of a draft as they are on disk.

    Raises:
        UnicodeDecodeError: they are damaged.
    """
    listed = kept.decode(*_ENCODING)
    return tuple(listed.split("\0")) if listed else ()
