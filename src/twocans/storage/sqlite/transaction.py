"""Changes that are made together or not at all, and answers that are true of one moment."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block has changed when it has ended well, and undo it when not.

    Raises:
        sqlite3.Error: it cannot be begun or committed; nothing has changed.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # A full disk ends a transaction by itself.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def snapshot(database: sqlite3.Connection) -> Iterator[None]:
    """Read as of one moment, whatever others write meanwhile; what the block writes into temporary tables is undone.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    database.execute("BEGIN")
    try:
        yield
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")
