"""Who is known and who is online, and telling everybody when that changes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final

from twocans.hub.account import Account, presence
from twocans.hub.limits import TokenBucket
from twocans.hub.online import Online
from twocans.hub.presence_cache import Presences
from twocans.hub.session import Session
from twocans.protocol.messages import Changes, Joined, Left, Presence, Status, UserList
from twocans.protocol.names import SERVER_NAME, UserKey, skeletons
from twocans.protocol.user_names import UserNames

FIND_LIMIT: Final = 50
FORGET_SCAN: Final = 1000
MAX_SPELLINGS: Final = 100_000
LIST_FRAME_BYTES: Final = len(b"LIST: \n")
SESSIONS_PER_S: Final = 20_000
"""How many JSON sessions are told of changes in a second: with very many, changes are gathered for longer."""
STATUSES_PER_S: Final = 0.5
"""How many changes of one person's status others are told in a second in the long run; the last word counts."""
STATUS_BURST: Final = 5
"""How many of them are told without any delay after a pause."""

CallLater = Callable[[float, Callable[[], None]], object]


class Roster:
    """Who is known and who is online.

    Changes of who is online are gathered for `delay_s`. Then JSON sessions are told the changes, and plain
    sessions the whole list, as many of them as the budget of bytes allows, the others in their turn. What
    somebody has to be told at once, as a newcomer has, does not count.

    Args:
        monotonic_s: a clock that does not go back, in seconds.
        call_later: runs a callback after so many seconds.
        delay_s: how long changes are gathered.
        list_bytes_per_s: how many bytes of lists are sent in the long run; in one second's time at once.
    """

    def __init__(
        self,
        *,
        monotonic_s: Callable[[], float],
        call_later: CallLater,
        delay_s: float,
        list_bytes_per_s: float,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._call_later = call_later
        self._delay_s = delay_s
        self._list_bytes = TokenBucket(rate=list_bytes_per_s, burst=list_bytes_per_s, now=monotonic_s())
        self.known: dict[UserKey, Account] = {}
        """Everybody who has ever registered, those first who have been away longest."""
        self.spelled: dict[str, Account] = {}
        """Accounts by spellings of their names that have been used; only some of them."""
        self._sorted: list[UserKey] = []
        self._skeletons: dict[str, UserKey] = {}
        self._online = Online()
        self._plain: dict[Session, None] = {}
        self._json: dict[Session, None] = {}
        self._version = 0
        self._list_version = 0
        self._presences = Presences()
        self._restless: dict[Account, None] = {}
        self._changes: list[Joined | Left | Presence] = []
        self._changes_after = 0
        self._missed: tuple[int, int, Changes] | None = None
        self._list: tuple[int, UserList] | None = None
        self._round_due = False
        self._quiet = False

    def get(self, key: UserKey) -> Account | None:
        """The account of a name, if it has ever been registered here."""
        return self.known.get(key)

    def remember_spelling(self, spelling: str, account: Account) -> None:
        """Let an account be found in `spelled`."""
        if len(self.spelled) >= MAX_SPELLINGS:
            self.spelled.clear()
        self.spelled[spelling] = account

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
            if not account.sessions and not account.last and account.owner is None:
                del self.known[account.key]
                self.spelled.clear()
                del self._sorted[bisect_left(self._sorted, account.key)]
                for one in skeletons(account.name):
                    if self._skeletons.get(one) == account.key:
                        del self._skeletons[one]
                return True
        return False

    def names(self) -> UserNames:
        """Everybody online, in registration order."""
        return self._online.names()

    def exposed(self) -> tuple[str, ...]:
        """Those online whose messages others on the network can read."""
        return self._presences.exposed()

    def statuses(self) -> Mapping[str, Status]:
        """The statuses of those online who are not here."""
        return self._presences.statuses()

    def online(self) -> list[Account]:
        """Everybody online, in registration order."""
        return list(self._online)

    @property
    def session_count(self) -> int:
        """How many sessions are registered."""
        return len(self._plain) + len(self._json)

    def __len__(self) -> int:
        return len(self._online)

    def name_of(self, key: UserKey) -> str:
        """Return the name of somebody known here, or else the server's own."""
        account = self.known.get(key)
        return SERVER_NAME if account is None else account.name

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
        """Count a session in; it is to be told by others who is online.

        Returns:
            Whether the person has come online by it.
        """
        first = not account.sessions
        account.sessions.append(session)
        if first:
            now = presence(account)
            self._presences.keep(now)
            self._change(Joined(now.user, now.encrypted, now.status))
            account.joined_version = self._version
            self._online.add(account)
        else:
            self._look(account)
        if session.plain:
            self._plain[session] = None
        else:
            self._json[session] = None
            session.seen_version = self._version
        return first

    def leave(self, account: Account, session: Session) -> bool:
        """Count a session out.

        Returns:
            Whether the person is gone by it.
        """
        account.sessions.remove(session)
        (self._plain if session.plain else self._json).pop(session)
        if account.sessions:
            self._look(account)
            return False
        self._presences.forget(account.name)
        self._change(Left(account.name))
        self._online.remove(account)
        self.known[account.key] = self.known.pop(account.key)
        return True

    def set_status(self, account: Account, session: Session, status: Status) -> None:
        """A session wants something else to be known; told with the next round, so that the last word counts."""
        if session.status is not status:
            session.status = status
            self._restless[account] = None
            self._want_round()

    def catch_up(self, session: Session) -> None:
        """Tell one session now what it has not been told of who is online."""
        seen = session.seen_version
        if seen == self._version:
            return
        session.seen_version = self._version
        if session.plain:
            session.deliver_list(self._current_list())
            return
        # Most sessions have missed the same, so it is made once.
        if self._missed is None or self._missed[:2] != (seen, self._version):
            missed = Changes(self._changes[seen - self._changes_after :])
            self._missed = (seen, self._version, missed)
        session.deliver(self._missed[2])

    def fall_silent(self) -> None:
        """Tell nobody about changes any more: everybody is about to leave."""
        self._quiet = True

    def _change(self, change: Joined | Left | Presence) -> None:
        if self._quiet:
            return
        self._version += 1
        if not isinstance(change, Presence):
            self._list_version = self._version
        if self._json or self._plain:
            self._changes.append(change)
            self._want_round()
        else:
            self._forget_changes()

    def _look(self, account: Account) -> None:
        """Tell it if something about somebody who is online has changed."""
        now = presence(account)
        if now != self._presences.of(account.name):
            self._presences.keep(now)
            self._change(now)

    def _look_in_time(self, account: Account) -> None:
        """As `_look`, but later if what is told of somebody has changed too often just now; everybody is told of it."""
        now = self._monotonic_s()
        if account.statuses is None:
            account.statuses = TokenBucket(rate=STATUSES_PER_S, burst=STATUS_BURST, now=now)
        if account.statuses.available(now) > 0:
            version = self._version
            self._look(account)
            account.statuses.take(self._version - version)
        elif account.sessions:
            self._restless[account] = None
            self._want_round()

    def _want_round(self) -> None:
        if not self._round_due:
            self._round_due = True
            self._call_later(max(self._delay_s, len(self._json) / SESSIONS_PER_S), self._round)

    def _round(self) -> None:
        """Tell the changes that have been gathered."""
        self._round_due = False
        if self._quiet:
            return
        restless, self._restless = self._restless, {}
        for account in restless:
            self._look_in_time(account)
        for session in self._json:
            self.catch_up(session)
        self._forget_changes()
        self._send_lists()

    def _forget_changes(self) -> None:
        self._changes = []
        self._changes_after = self._version
        self._missed = None

    def _send_lists(self) -> None:
        waiting = [session for session in self._plain if session.seen_version < self._list_version]
        if not waiting:
            return
        size = len(self._current_list().users.plain()) + LIST_FRAME_BYTES
        affordable = min(len(waiting), max(0, self._list_bytes.available(self._monotonic_s()) // size))
        self._list_bytes.take(affordable * size)
        for session in waiting[:affordable]:
            self.catch_up(session)
        if affordable < len(waiting):
            # Whoever has just got one comes last the next time.
            for session in waiting[:affordable]:
                self._plain[session] = self._plain.pop(session)
            self._want_round()

    def _current_list(self) -> UserList:
        """Who is online now."""
        if self._list is None or self._list[0] != self._list_version:
            self._list = (self._list_version, UserList(self.names()))
        return self._list[1]
