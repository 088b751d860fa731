"""Who may be here, asked again for as long as somebody is: at registration, with every request for a file, after a ban.

`Bans` and `Owners` keep what decides; this puts it together, and tells those who hold connections that it has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from twocans.hub.bans import Bans, sentence
from twocans.hub.passwords import password_print
from twocans.hub.roster import Roster
from twocans.hub.session import Session
from twocans.protocol.names import UserKey
from twocans.storage.identities import Ban

if TYPE_CHECKING:
    from twocans.hub.ownership import Device

ENDED: Final = "This link is from a login that has ended. Please log in again and ask for a new one."


class Access:
    """Decides for sessions and requests.

    Args:
        bans: the bans in force.
        roster: who is known.
        generations: those of the names that have been freed.
    """

    def __init__(self, bans: Bans, roster: Roster, generations: Mapping[UserKey, int]) -> None:
        self._bans = bans
        self._roster = roster
        self._generations = dict(generations)
        self._observers: list[Callable[[], None]] = []
        self._ban_observers: list[Callable[[], None]] = []

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

    def refusal(self, name: UserKey, credential: int | None, generation: int, host: str) -> str | None:
        """Return why what a session was given counts no more, as a sentence; None if it still counts.

        Args:
            name: the key of the session's name.
            credential: see `Session.credential`.
            generation: that of the name at the time.
            host: the address of the session, or of whoever uses what it was given.
        """
        if generation != self.generation(name) or self.has_ended(name, credential):
            return ENDED
        device = self._device(name, credential)
        ban = self.ban_of(name, None if device is None else device.token, host)
        return None if ban is None else sentence(ban)

    def has_ended(self, name: UserKey, credential: int | None) -> bool:
        """True if a credential of a name, see `Session.credential`, no longer counts.

        A session without one was let in by the name alone, which counts until a device has the name.
        """
        account = self._roster.get(name)
        owner = None if account is None else account.owner
        if credential is None or owner is None:
            return (credential is None) is not (owner is None)
        if owner.password is not None and password_print(owner.password) == credential:
            return False
        return self._device(name, credential) is None

    def generation(self, name: UserKey) -> int:
        """Return how many times a name has been freed; what its sessions were given before counts no more."""
        return self._generations.get(name, 0)

    def next_generation(self, name: UserKey) -> int:
        """Void what sessions of a name were given so far, and return the generation that begins."""
        generation = self._generations[name] = self.generation(name) + 1
        return generation

    def _device(self, name: UserKey, credential: int | None) -> Device | None:
        account = self._roster.get(name)
        if account is None or account.owner is None:
            return None
        return next((one for one in account.owner.devices.values() if one.id == credential), None)

    def on_change(self, observer: Callable[[], None]) -> None:
        """Call `observer` whenever somebody who was let in before may have to go."""
        self._observers.append(observer)

    def on_ban(self, observer: Callable[[], None]) -> None:
        """Call `observer` whenever that is because of a ban, which may concern an address."""
        self._ban_observers.append(observer)

    def changed(self) -> None:
        """Tell the observers that a credential has ended; sessions of the hub have been ended by then."""
        for observer in self._observers:
            observer()

    def banned(self) -> None:
        """Tell the observers of a new ban; sessions of the hub have been ended by then."""
        for observer in self._ban_observers:
            observer()
        self.changed()
