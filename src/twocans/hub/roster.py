"""Accounts and their sessions: who is known, who is online, and telling everybody when that changes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from twocans.hub.session import Session
from twocans.protocol.messages import Joined, Left, UserList
from twocans.protocol.names import UserKey, skeletons

FIND_LIMIT: Final = 50
FORGET_SCAN: Final = 1000

CallLater = Callable[[float, Callable[[], None]], object]


class Account:
    """A person known to this server, online or not.

    Args:
        key: what all spellings of the name have in common.
        name: the spelling of the first registration.
    """

    __slots__ = (
        "delivered",
        "handed",
        "joined_version",
        "key",
        "last",
        "name",
        "read",
        "sessions",
        "tokens",
        "unconfirmed",
    )

    def __init__(self, key: UserKey, name: str) -> None:
        self.key = key
        self.name = name
        self.sessions: list[Session] = []
        self.tokens: set[bytes] = set()
        """Hashes of the tokens that prove the same person."""
        self.last = 0
        """The newest id in the inbox."""
        self.delivered = 0
        """Up to where a device has said that messages are safe on it."""
        self.handed = 0
        """Up to where messages need not be sent again to a client that has no cursor; at least `delivered`."""
        self.read: dict[UserKey, int] = {}
        """Up to where this person has read each peer's messages."""
        self.unconfirmed: dict[UserKey, int] = {}
        """Who has sent messages beyond `delivered`, and the newest id of each."""
        self.joined_version = 0


class Roster:
    """Who is known and who is online.

    JSON sessions are told every change at once. Plain sessions are sent the whole list, at most once in
    `list_delay_s` however many changes there are.

    Args:
        call_later: runs a callback after so many seconds.
        list_delay_s: how long changes are gathered.
    """

    def __init__(self, *, call_later: CallLater, list_delay_s: float) -> None:
        self._call_later = call_later
        self._list_delay_s = list_delay_s
        self.known: dict[UserKey, Account] = {}
        """Everybody who has ever registered, those first who have been away longest."""
        self._sorted: list[UserKey] = []
        self._skeletons: dict[str, UserKey] = {}
        self._online: dict[UserKey, Account] = {}
        self._plain: dict[Session, None] = {}
        self._json: dict[Session, None] = {}
        self._version = 0
        self._list_due = False
        self._quiet = False

    def get(self, key: UserKey) -> Account | None:
        """The account of a name, if it has ever been registered here."""
        return self.known.get(key)

    def lookalike(self, name: str) -> Account | None:
        """An account whose name the eye cannot tell from this one, which nobody has yet."""
        for one in skeletons(name):
            other = self._skeletons.get(one)
            if other is not None:
                return self.known[other]
        return None

    def create(self, key: UserKey, name: str) -> Account:
        """Make an account known, or known again."""
        account = self.known[key] = Account(key, name)
        for one in skeletons(name):
            self._skeletons.setdefault(one, key)
        insort(self._sorted, key)
        return account

    def forget_one(self) -> bool:
        """Make room: forget the one who has been away longest and has no messages.

        Returns:
            Whether there was such a one among the first of them.
        """
        for account in islice(self.known.values(), FORGET_SCAN):
            if not account.sessions and not account.last:
                del self.known[account.key]
                del self._sorted[bisect_left(self._sorted, account.key)]
                for one in skeletons(account.name):
                    if self._skeletons.get(one) == account.key:
                        del self._skeletons[one]
                return True
        return False

    def names(self) -> list[str]:
        """Everybody online, in registration order."""
        return [account.name for account in self._online.values()]

    def online(self) -> Iterator[Account]:
        """Everybody online, in registration order; a copy, so that it may change meanwhile."""
        return iter(list(self._online.values()))

    @property
    def session_count(self) -> int:
        """How many sessions are registered."""
        return len(self._plain) + len(self._json)

    def __len__(self) -> int:
        return len(self._online)

    def find(self, prefix: str) -> list[str]:
        """Names of known people whose key starts with `prefix`, at most `FIND_LIMIT`, in alphabetical order."""
        start = bisect_left(self._sorted, prefix)
        found: list[str] = []
        for key in self._sorted[start : start + FIND_LIMIT]:
            if not key.startswith(prefix):
                break
            found.append(self.known[key].name)
        return found

    def join(self, account: Account, session: Session) -> bool:
        """Count a session in.

        Returns:
            Whether the person has come online by it.
        """
        first = not account.sessions
        if first:
            self._version += 1
            account.joined_version = self._version
            self._online[account.key] = account
            self._tell(Joined(account.name))
        account.sessions.append(session)
        (self._plain if session.plain else self._json)[session] = None
        return first

    def leave(self, account: Account, session: Session) -> bool:
        """Count a session out.

        Returns:
            Whether the person is gone by it.
        """
        account.sessions.remove(session)
        (self._plain if session.plain else self._json).pop(session)
        if account.sessions:
            return False
        self._version += 1
        del self._online[account.key]
        self.known[account.key] = self.known.pop(account.key)
        self._tell(Left(account.name))
        return True

    def send_list(self, session: Session) -> None:
        """Send the list to one plain session now, if it has not got this one already."""
        if session.seen_version != self._version:
            session.seen_version = self._version
            session.deliver_list(UserList(self.names()))

    def fall_silent(self) -> None:
        """Tell nobody about changes any more: everybody is about to leave."""
        self._quiet = True

    def _tell(self, change: Joined | Left) -> None:
        if self._quiet:
            return
        for session in self._json:
            session.deliver(change)
        if self._plain and not self._list_due:
            self._list_due = True
            self._call_later(self._list_delay_s, self._send_lists)

    def _send_lists(self) -> None:
        self._list_due = False
        users = UserList(self.names())
        for session in self._plain:
            if session.seen_version != self._version:
                session.seen_version = self._version
                session.deliver_list(users)
