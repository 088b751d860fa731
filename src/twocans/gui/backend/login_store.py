"""What the client keeps in the user's data folder for one user at one server: outbox and drafts, and who may have them.

Where the folder cannot be used, everything is kept in memory.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from twocans.client import Address, MemoryOutbox, Outbox, OutboxUnusable, SqliteOutbox
from twocans.client.errors import OutboxDamaged
from twocans.client.sqlite_drafts import SqliteDrafts
from twocans.client.sqlite_outbox import replace_damaged_outbox
from twocans.client.store import lock_session

ALONE: Final = (
    "Another window here has this name open. What waits to be sent in this one, its drafts, and the proof that the "
    "name is yours, are kept only until you quit it."
)


class LoginStore:
    """One login's outbox, from when it begins until `close`.

    Of several clients of this computer's user under the same name only the first has it, and the token: they are
    for going on after it has ended. The others stand alone, as if they were on another computer.

    Args:
        path: the file of the outbox; the locks are beside it.
        server: where the messages go.
        user: who sends them, in any spelling that stays the same.
        memory: the outbox to use if the one on disk cannot be.
    """

    def __init__(self, path: Path, server: Address, user: str, memory: MemoryOutbox) -> None:
        self.server, self.user = server, user
        self.problem = ""
        """A sentence for the user if nothing can be kept on disk, or what was kept is damaged; "" if all is well."""
        self.outbox: Outbox = memory
        self.is_alone = False
        """Whether neither outbox nor token are those that are kept on this computer."""
        self._lock: int | None = None
        self._file: SqliteOutbox | None = None
        try:
            self._lock = lock_session(path.parent, str(server), user)
            if self._lock is None:
                self.is_alone, self.problem = True, ALONE
        except OSError as error:
            self.problem = _sentence(f"{path.parent} cannot be used: {os.strerror(error.errno or 0)}.")
        if self._lock is not None:
            try:
                self.outbox = self._file = self._open(path)
            except OutboxUnusable as error:
                self.problem = _sentence(error.text)
        if self._file is not None:
            for message in memory.pending():
                with contextlib.suppress(OutboxUnusable):  # it goes on waiting in memory
                    if self._file.get(message.cid) is None:
                        self._file.add(message)
                    memory.remove(message.cid)

    def _open(self, path: Path) -> SqliteOutbox:
        try:
            return SqliteOutbox(path, self.server, self.user)
        except OutboxDamaged:
            outbox, aside = replace_damaged_outbox(path, self.server, self.user)
        if aside is not None:
            self.problem = (
                f"The file with drafts and messages that wait to be sent was damaged. It was renamed to {aside}, and a new "
                "one is in use. Send again what others have not received."
            )
        return outbox

    @property
    def drafts(self) -> SqliteDrafts | None:
        """The drafts on disk; None if they are kept only in memory."""
        return None if self._file is None else self._file.drafts

    def close(self) -> None:
        """Let another client have them; what waits stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _sentence(why: str) -> str:
    return f"{why} What waits to be sent and what you draft are kept only until you quit."
