"""Who may be here, asked again for as long as somebody is: at registration, with every request for a file, after a ban.

`Bans` and `Owners` keep what decides; this puts it together, and tells those who hold connections that it has changed.
"""

from __future__ import annotations

from collections.abc import Callable

from twocans.hub.bans import Bans
from twocans.hub.session import Session
from twocans.protocol.names import UserKey
from twocans.storage.identities import Ban


class Access:
    """Decides for sessions and requests.

    Args:
        bans: the bans in force.
    """

    def __init__(self, bans: Bans) -> None:
        self._bans = bans
        self._observers: list[Callable[[], None]] = []

    def ban_of(self, name: UserKey, token: bytes | None, host: str) -> Ban | None:
        """Return a ban of a name, of a device or of an address.

        Args:
            name: the key of the name.
            token: the digest of the device's token, if there is a device.
            host: the peer's address without its port.
        """
        ban = self._bans.of_name(name)
        if ban is None and token is not None:
            ban = self._bans.of_token(token)
        return self._bans.of_host(host) if ban is None else ban

    def ban_of_session(self, session: Session) -> Ban | None:
        """Return a ban that concerns a registered session."""
        if session.account is None:
            return None
        token = None if session.device is None else session.device.token
        return self.ban_of(session.account.key, token, session.host)

    def on_change(self, observer: Callable[[], None]) -> None:
        """Call `observer` whenever somebody who was let in before may have to go."""
        self._observers.append(observer)

    def changed(self) -> None:
        """Tell the observers; sessions of the hub have been ended by then."""
        for observer in self._observers:
            observer()
