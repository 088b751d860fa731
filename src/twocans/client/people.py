"""Who is online, as the server has told it, and what is known about each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from twocans.client.events import PresenceChanged, UserJoined, UserLeft
from twocans.protocol.messages import Joined, Left, Presence, Status, Welcome


class People:
    """Those who are online; nobody while there is no connection."""

    def __init__(self) -> None:
        self._users: dict[str, None] = {}
        self._unencrypted: set[str] = set()
        self._statuses: dict[str, Status] = {}

    @property
    def users(self) -> tuple[str, ...]:
        """Everybody, in the order in which they came."""
        return tuple(self._users)

    @property
    def unencrypted(self) -> tuple[str, ...]:
        """Those whose messages others on the network can read."""
        return tuple(user for user in self._users if user in self._unencrypted)

    @property
    def statuses(self) -> Mapping[str, Status]:
        """The statuses of those who are not here."""
        return {user: self._statuses[user] for user in self._users if user in self._statuses}

    def welcomed(self, welcome: Welcome) -> None:
        """Begin with those whom the server has named."""
        self._users = dict.fromkeys(welcome.users)
        self._unencrypted = set(welcome.unencrypted)
        self._statuses = {user: one for user, one in welcome.statuses.items() if one is not Status.HERE}

    def forget(self) -> None:
        """The connection is gone."""
        self._users.clear()
        self._unencrypted.clear()
        self._statuses.clear()

    def take(self, frame: Joined | Left | Presence) -> UserJoined | UserLeft | PresenceChanged | None:
        """Take in what has changed.

        Returns:
            What the user is told; None if it is nothing new, or about somebody who is not online.
        """
        user = frame.user
        match frame:
            case Joined():
                if user in self._users:
                    return None
                self._users[user] = None
                self._know(user, encrypted=frame.encrypted, status=frame.status)
                return UserJoined(user, frame.encrypted, frame.status)
            case Left():
                if user not in self._users:
                    return None
                del self._users[user]
                self._know(user, encrypted=True, status=Status.HERE)
                return UserLeft(user)
            case Presence():
                if user not in self._users:
                    return None
                self._know(user, encrypted=frame.encrypted, status=frame.status)
                return PresenceChanged(user, frame.encrypted, frame.status)
            case _:
                assert_never(frame)

    def _know(self, user: str, *, encrypted: bool, status: Status) -> None:
        if encrypted:
            self._unencrypted.discard(user)
        else:
            self._unencrypted.add(user)
        if status is Status.HERE:
            self._statuses.pop(user, None)
        else:
            self._statuses[user] = status
