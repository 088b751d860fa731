"""Looks whether a database is whole and agrees with itself, while a server uses it or not; it repairs nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from msgspec import Struct

from twocans.protocol.names import SERVER_NAME
from twocans.protocol.plurals import counted
from twocans.storage.sqlite.file_backup import look
from twocans.storage.sqlite.schema import DATABASE_FILE, MIGRATIONS, explain, open_to_read

MAX_DAMAGES: Final = 10
"""How much of SQLite's own findings is told."""

# How conversations end, worked out anew from what is in the index.
_ENDS: Final = """
    CREATE TEMP VIEW ends AS SELECT user, peer, max(id) AS last, max(inbound) AS inbound FROM (
        SELECT sender AS user, recipient AS peer, id, iif(sender = recipient, id, 0) AS inbound FROM main.message
        WHERE id <= (SELECT indexed FROM main.log)
        UNION ALL SELECT recipient, sender, id, id FROM main.message
        WHERE id <= (SELECT indexed FROM main.log) AND sender <> recipient)
    GROUP BY user, peer"""
# Every statement counts what is wrong, and is true of one moment by itself: the server may write in between.
_RULES: Final[tuple[tuple[str, str], ...]] = (
    (
        "the log has one name",
        "SELECT abs(count(*) - 1) FROM log",
    ),
    (
        "messages have ids above 0",
        "SELECT count(*) FROM message WHERE id <= 0",
    ),
    (
        "senders and recipients are known",
        """SELECT count(*) FROM message
           WHERE sender NOT IN (SELECT id FROM account) OR recipient NOT IN (SELECT id FROM account)""",
    ),
    (
        "both sides of a conversation are known",
        """SELECT count(*) FROM chat
           WHERE user NOT IN (SELECT id FROM account) OR peer NOT IN (SELECT id FROM account)""",
    ),
    (
        "devices belong to somebody who is known",
        "SELECT count(*) FROM device WHERE account NOT IN (SELECT id FROM account)",
    ),
    (
        "files belong to messages with a text, and to those whose messages they are",
        """SELECT count(*) FROM file f LEFT JOIN message m ON m.id = f.message
           WHERE m.text IS NULL OR m.sender <> f.sender OR m.recipient <> f.recipient""",
    ),
    (
        "files have been brought by somebody who is known",
        "SELECT count(*) FROM upload WHERE account NOT IN (SELECT id FROM account)",
    ),
    (
        "a conversation ends with its newest message, and knows that of the other side",
        """SELECT count(*) FROM (
             SELECT user, peer, last, inbound FROM chat WHERE last <> 0 OR inbound <> 0
             EXCEPT SELECT user, peer, last, inbound FROM ends)""",
    ),
    (
        "messages belong to a conversation of both sides",
        """SELECT count(*) FROM (
             SELECT user, peer FROM ends EXCEPT SELECT user, peer FROM chat WHERE last <> 0)""",
    ),
    (
        "what has been sent once is known again",
        """SELECT count(*) FROM message m WHERE m.id <= (SELECT indexed FROM log) AND m.cid <> ''
           AND m.id IS NOT (SELECT s.id FROM sent s WHERE s.sender = m.sender AND s.cid = m.cid)""",
    ),
    (
        "what is known to have been sent is a message",
        """SELECT count(*) FROM sent s LEFT JOIN message m ON m.id = s.id
           WHERE m.sender IS NOT s.sender OR m.cid IS NOT s.cid""",
    ),
    (
        "marks lie within the log",
        """SELECT (SELECT count(*) FROM account WHERE max(delivered, handed) > newest)
           + (SELECT count(*) FROM chat WHERE read > newest) + (cleared > newest)
           FROM log, (SELECT coalesce(max(id), 0) AS newest FROM message)""",
    ),
    (
        "messages whose time is over have lost their text",
        "SELECT count(*) FROM message WHERE id <= (SELECT cleared FROM log) AND text IS NOT NULL",
    ),
    (
        "messages with a text can be searched",
        """SELECT count(*) FROM message WHERE id <= (SELECT indexed FROM log) AND text IS NOT NULL
           AND id NOT IN (SELECT id FROM message_text_docsize)""",
    ),
    (
        "what can be searched is a message with a text",
        """SELECT count(*) FROM message_text_docsize WHERE id NOT IN (SELECT id FROM message
           WHERE id <= (SELECT indexed FROM log) AND text IS NOT NULL)""",
    ),
    (
        # This reads the whole full-text index, so that damage within it shows too.
        "words that can be found belong to a message",
        "SELECT count(*) FROM temp.found_word WHERE doc NOT IN (SELECT id FROM message_text_docsize)",
    ),
    (
        "messages are found in the conversation to which they belong",
        """SELECT count(*) FROM (
             SELECT id, 'f' || sender || 't' || recipient FROM message
             WHERE id IN (SELECT id FROM message_text_docsize)
             EXCEPT SELECT doc, term FROM temp.found_word WHERE col = 'who')""",
    ),
)


class Report(Struct, frozen=True):
    """What a check has found; all is well if there are no problems. `unindexed` is no problem: it is work to do.

    `files` are those that messages carry.
    """

    problems: tuple[str, ...]
    messages: int = 0
    cleared: int = 0
    people: int = 0
    unindexed: int = 0
    files: int = 0


def check(folder: Path, *, thorough: bool = False) -> Report:
    """Check the database of a folder, and whether the files are there that it refers to.

    Args:
        folder: the server's.
        thorough: whether to read all files, too.

    Raises:
        StorageError: there is none, or it cannot be opened.
    """
    path = folder / DATABASE_FILE
    with contextlib.closing(open_to_read(path)) as database:
        try:
            damages = [
                str(line)
                for (line,) in database.execute(f"PRAGMA integrity_check({MAX_DAMAGES})")
                if line != "ok"
            ]
            if damages:
                return Report(tuple(f"SQLite reports: {' '.join(damage.split())}" for damage in damages))
            database.execute(
                "CREATE VIRTUAL TABLE temp.found_word USING fts5vocab(main, message_text, instance)"
            )
            database.execute(_ENDS)
            problems = [f"Missing, or not as it was made: {name}" for name in _missing(database)]
            for rule, count in _RULES:
                (exceptions,) = database.execute(count).fetchone()
                if exceptions:
                    problems.append(f"Not so: {rule} ({counted(exceptions, 'exception')})")
            found = look(folder, database, thorough=thorough)
            problems += [f"Missing: the file {hash_}" for hash_ in found.missing[:MAX_DAMAGES]]
            problems += [f"Damaged: the file {hash_}" for hash_ in found.damaged[:MAX_DAMAGES]]
            more = sum(max(0, len(those) - MAX_DAMAGES) for those in (found.missing, found.damaged))
            if more:
                problems.append(f"Missing or damaged: {counted(more, 'more file')}")
            return Report(tuple(problems), *_counts(database), found.number)
        except sqlite3.Error as error:
            return Report((explain(path, error),))


def _missing(database: sqlite3.Connection) -> list[str]:
    """Tables and indexes that a new database has and this one has not."""
    made = "SELECT name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL"
    with contextlib.closing(sqlite3.connect(":memory:")) as new:
        for statements in MIGRATIONS:
            for statement in statements:
                new.execute(statement)
        wanted = set(new.execute(made))
    return sorted(name for name, _ in wanted - set(database.execute(made)))


def _counts(database: sqlite3.Connection) -> tuple[int, int, int, int]:
    row = database.execute(
        """SELECT count(*), count(*) - count(text), (SELECT count(*) FROM account WHERE key <> ?),
           count(*) FILTER (WHERE id > (SELECT indexed FROM log) AND text IS NOT NULL) FROM message""",
        (SERVER_NAME.casefold(),),
    ).fetchone()
    messages, cleared, people, unindexed = row
    return int(messages), int(cleared), int(people), int(unindexed)
