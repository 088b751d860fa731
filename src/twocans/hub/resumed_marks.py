"""The marks that a device is told when it resumes: how far others have got, and what other devices have read.

Those that moved last are remembered with each account, so nothing has to be looked up in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from twocans.hub.account import Account, receipt
from twocans.hub.roster import Roster
from twocans.hub.session import Session
from twocans.protocol.messages import ReadMark
from twocans.protocol.names import UserKey
from twocans.storage.base import AccountRecord

MAX_MARKS_RESUMED: Final = 200
"""For how many conversations a device is told each of the two; those whose marks moved last."""


def note_read(account: Account, peer: UserKey, upto: int) -> None:
    """Note that an account has read everything from a peer up to an id."""
    account.read.pop(peer, None)
    account.read[peer] = upto


def note_reader(sender: Account, reader: Account) -> None:
    """Note that `reader` has got or read messages of `sender`."""
    readers = sender.readers
    readers.pop(reader, None)
    readers[reader] = None
    if len(readers) > MAX_MARKS_RESUMED:
        del readers[next(iter(readers))]


def restore(records: Sequence[AccountRecord], accounts: Mapping[UserKey, Account]) -> None:
    """Note what is known from an earlier run of the server, in the order of the messages."""
    marks: list[tuple[int, UserKey, UserKey]] = []
    for record in records:
        for peer, newest in record.inbound.items():
            upto = max(min(newest, record.delivered), record.read.get(peer, 0))
            if upto:
                marks.append((upto, peer, record.key))
    marks.sort()
    for _, sender, reader in marks:
        note_reader(accounts[sender], accounts[reader])


def tell(session: Session, account: Account, roster: Roster) -> None:
    """Tell a session the marks of its account that moved last."""
    for reader in account.readers:
        session.deliver(receipt(account, reader))
    for peer, upto in islice(reversed(account.read.items()), MAX_MARKS_RESUMED):
        session.deliver(ReadMark(peer=roster.name_of(peer), id=upto))
