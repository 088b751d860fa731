"""The files on this computer that are still to be sent: those of drafts and of uploads that are not done."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from twocans.client.sqlite_drafts import decode_paths
from twocans.client.transfers.model import TransferState
from twocans.client.transfers.records import Record

_BUSY_S: Final = 1.0
_ENDED: Final = frozenset({TransferState.DONE, TransferState.CANCELLED})


def files_in_use(outbox: Path) -> frozenset[str] | None:
    """Return the files that an outbox on disk names, of all its users and servers.

    Returns:
        None if it cannot be read: then any file may be in use.
    """
    if not outbox.exists():
        return frozenset()
    uri = f"{outbox.absolute().as_uri()}?mode=ro"
    found: set[str] = set()
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as database:
            for (paths,) in database.execute("SELECT paths FROM drafts"):
                found.update(decode_paths(paths))
            for (kept,) in database.execute("SELECT record FROM transfers"):
                record = msgspec.json.decode(kept, type=Record)
                if record.outgoing and record.state not in _ENDED:
                    found.add(record.path)
    except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return frozenset(found)
