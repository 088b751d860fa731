"""The sessions of a name, as its owner is shown them."""

from __future__ import annotations

from itertools import islice
from typing import Final

from twocans.hub.account import Account
from twocans.hub.session import Session
from twocans.protocol.messages import LoggedIn

MAX_LISTED: Final = 100
"""Sessions in one answer; the newest are listed, and all are counted."""


def sessions_of(account: Account, asking: Session) -> list[LoggedIn]:
    """Return the newest sessions of a name, the newest first."""
    return [
        LoggedIn(
            address=session.host,
            since=session.since_ms,
            by=session.method.value,
            encrypted=session.encrypted,
            plain=session.plain,
            this=session is asking,
            device=None if session.device is None else session.device.id,
        )
        for session in islice(reversed(account.sessions), MAX_LISTED)
    ]
