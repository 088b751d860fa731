"""Drafts for the backend: what is on disk, and which of the attached files can still be sent. In the asyncio thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from twocans.client import OutboxUnusable
from twocans.client.drafts import Draft
from twocans.gui.backend.login_store import LoginStore
from twocans.gui.viewmodel.attaching import added, told
from twocans.gui.viewmodel.inputs import DraftsLoaded, KeepingFailed, KeptDraft
from twocans.protocol.keys import ServerKey

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Drafting:
    """The drafts of one login, from its first connection on.

    Args:
        session: the login's number.
        keeping: where they are kept, if this client may.
        server: the server that they are for.
    """

    def __init__(self, session: int, keeping: LoginStore, server: ServerKey) -> None:
        self._session = session
        self._keeping = keeping
        self._server = server

    async def load(self, file_bytes: int) -> DraftsLoaded:
        """Return what is on disk, without files that are gone; `file_bytes` is the largest size that can be sent."""
        drafts = self._keeping.drafts
        kept = () if drafts is None else drafts.load(self._server)
        # A disk may be slow, or a network's that is gone.
        return await asyncio.to_thread(_looked_at, self._session, kept, file_bytes)

    def keep(self, draft: Draft) -> KeepingFailed | None:
        """Write a draft to disk; what to tell if that fails."""
        drafts = self._keeping.drafts
        if drafts is None:
            return None
        try:
            drafts.put(self._server, draft)
        except OutboxUnusable as error:
            log.warning("draft_unkept", problem=error.text)
            return KeepingFailed(self._session, error.text)
        return None


def _looked_at(session: int, kept: Sequence[Draft], file_bytes: int) -> DraftsLoaded:
    drafts: list[KeptDraft] = []
    problems: list[str] = []
    for draft in kept:
        attachments, gone = added((), draft.paths, file_bytes) if draft.paths else ((), ())
        drafts.append(KeptDraft(draft.name, draft.text, attachments, changed=bool(gone)))
        problems += [f"From your draft to {draft.name}: {one}" for one in gone]
    return DraftsLoaded(session, tuple(drafts), told(problems))
