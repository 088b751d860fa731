"""Who may not come in: names, devices and addresses, as the operator has said."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Final

from twocans.hub.networks import Networks
from twocans.protocol.names import NameInvalid, UserKey, user_key
from twocans.storage.identities import Ban, BanKind, Identities, OnKept

MAX_BANS: Final = 10_000


class Bans:
    """The bans in force.

    Args:
        identities: where they last.
        wall_ms: the time, in Unix milliseconds.
    """

    def __init__(self, identities: Identities, *, wall_ms: Callable[[], int]) -> None:
        self._identities = identities
        self._wall_ms = wall_ms
        self._bans: dict[tuple[BanKind, str], Ban] = {}
        self._networks = Networks()
        for ban in identities.bans():
            self._remember(ban)

    def all(self) -> list[Ban]:
        """All bans, those first that were made first."""
        return list(self._bans.values())

    def of_name(self, key: UserKey) -> Ban | None:
        """The ban of a name."""
        return self._bans.get((BanKind.NAME, key))

    def of_token(self, digest: bytes) -> Ban | None:
        """The ban of the device that has this token."""
        return self._bans.get((BanKind.KEY, digest.hex()))

    def of_address(self, address: IPv4Address) -> Ban | None:
        """The ban of an address, or of a network that it belongs to."""
        found = self._networks.of(address)
        return None if found is None else self._bans[BanKind.ADDRESS, str(found)]

    def of_host(self, host: str) -> Ban | None:
        """The ban of a peer's address; none for a peer that was gone before its address was known."""
        with contextlib.suppress(AddressValueError):
            return self.of_address(IPv4Address(host))
        return None

    def add(self, kind: BanKind, value: str, why: str, on_kept: OnKept) -> None:
        """Ban something from now on.

        Args:
            kind: what it is.
            value: as in `Ban`.
            why: what those concerned are told, or nothing.
            on_kept: told whether it will outlive this process.

        Raises:
            ValueError: there are as many bans as there may be.
        """
        if len(self._bans) >= MAX_BANS and (kind, value) not in self._bans:
            raise ValueError(f"There are {MAX_BANS} bans, which is as many as there may be. Lift some first.")
        ban = Ban(kind, value, why, self._wall_ms())
        self._remember(ban)
        self._identities.add_ban(ban, on_kept)

    def remove(self, kind: BanKind, value: str, on_kept: OnKept) -> bool:
        """Lift a ban.

        Returns:
            Whether there was one.
        """
        if self._bans.pop((kind, value), None) is None:
            return False
        if kind is BanKind.ADDRESS:
            self._networks.discard(IPv4Network(value))
        self._identities.remove_ban(kind, value, on_kept)
        return True

    def _remember(self, ban: Ban) -> None:
        self._bans[ban.kind, ban.value] = ban
        if ban.kind is BanKind.ADDRESS:
            self._networks.add(IPv4Network(ban.value))


def network(text: str) -> IPv4Network | None:
    """The addresses that somebody means: one address, or a network as in `192.168.7.0/24`; None if it is neither."""
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


def name_key(text: str) -> UserKey | None:
    """The key of the name that somebody means; None if it is none."""
    try:
        return user_key(text)
    except NameInvalid:
        return None


def sentence(ban: Ban) -> str:
    """What those are told who are banned."""
    what = {
        BanKind.NAME: "This name is banned from this server",
        BanKind.KEY: "This device is banned from this server",
        BanKind.ADDRESS: "Your address is banned from this server",
    }[ban.kind]
    return f"{what}: {ban.why}" if ban.why else f"{what}."
