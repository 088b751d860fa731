"""What the operator can do about names, devices and bans; `console` carries these commands out."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from msgspec import Struct

from twocans.hub.account import Account
from twocans.hub.bans import name_key, network
from twocans.hub.hub import EventLog, Hub
from twocans.hub.owners import CODE_S, Device, device_key
from twocans.protocol.keys import as_typed
from twocans.protocol.names import UserKey
from twocans.server.moments import moment
from twocans.storage.identities import Ban, BanKind, OnKept

_USE_BAN: Final = (
    "Whom? Use it like this: ban NAME, ADDRESS or KEY [why]. The command devices NAME shows keys."
)
_USE_UNBAN: Final = "Whom? Use it like this: unban NAME, ADDRESS or KEY. The command bans shows all bans."


class Target(Struct, frozen=True):
    """What a ban is about: as `Ban` has it, and as people call it."""

    kind: BanKind
    value: str
    shown: str


class Moderation:
    """Answers commands.

    Args:
        hub: the running server's.
        log: is told what was done, and what could not be kept.
    """

    def __init__(self, hub: Hub, log: EventLog) -> None:
        self._hub = hub
        self._log = log

    def ban(self, rest: str) -> Iterator[str]:
        """Ban a name, an address or network, or the key of a device."""
        what, _, why = rest.partition(" ")
        target = self._target(what)
        if target is None:
            yield f"{what} is no name, address or key." if what else _USE_BAN
            return
        try:
            ended = self._hub.ban(target.kind, target.value, why.strip(), self._kept("ban"))
        except ValueError as error:
            yield str(error)
            return
        self._log("banned", kind=target.kind.value, what=target.shown, why=why.strip())
        sessions = {0: "", 1: " One session has ended."}.get(ended, f" {ended} sessions have ended.")
        yield f"{target.shown} is banned.{sessions}"
        if target.kind is BanKind.NAME:
            yield "They can come back under another name; ban their key or address too if they do."

    def unban(self, rest: str) -> Iterator[str]:
        """Lift a ban."""
        if not rest:
            yield _USE_UNBAN
            return
        target = self._banned(rest)
        if target is None or not self._hub.bans.remove(target.kind, target.value, self._kept("unban")):
            yield f"{rest} is not banned. The command bans shows all bans."
            return
        self._log("unbanned", kind=target.kind.value, what=target.shown)
        yield f"{target.shown} may come in again."

    def bans(self, _rest: str) -> Iterator[str]:
        """Show all bans."""
        bans = self._hub.bans.all()
        if not bans:
            yield "Nobody is banned."
            return
        shown = [_shown(ban) for ban in bans]
        width = max(map(len, shown))
        for ban, what in zip(bans, shown, strict=True):
            yield f"{ban.kind.value:<7}  {what:<{width}}  since {moment(ban.at)}{f': {ban.why}' if ban.why else ''}"

    def devices(self, rest: str) -> Iterator[str]:
        """Show the devices of a name, and their keys."""
        account = self._account(rest)
        if account is None:
            yield f"There is nobody called {rest} here." if rest else "Whose? Use it like this: devices NAME"
            return
        owner = account.owner
        if owner is None:
            yield f"{account.name} is not bound to any device: anybody may take the name while it is free."
            return
        here = {session.device for session in account.sessions}
        for device in owner.devices.values():
            seen = "online" if device in here else f"last here {moment(device.seen)}"
            yield f"{device_key(device.token)}  {device.name}  since {moment(device.created)}, {seen}"
        if owner.password is not None:
            yield "and a password"

    def free(self, rest: str) -> Iterator[str]:
        """Let whoever comes first have a name that was bound."""
        account = self._bound(rest)
        if account is None:
            yield from self._not_bound(rest, "free NAME")
            return
        self._hub.owners.free(account, self._kept("free"))
        self._log("name_freed", user=account.name)
        yield f"{account.name} is free. Whoever registers it next has it, with all its messages."
        yield "To let its owner back in and nobody else, use code NAME instead."

    def code(self, rest: str) -> Iterator[str]:
        """Give a code with which the owner of a name gets in on another device."""
        account = self._bound(rest)
        if account is None:
            yield from self._not_bound(rest, "code NAME")
            return
        code = self._hub.owners.new_code(account)
        self._log("code_given", user=account.name)
        yield f"{code} lets one device in as {account.name}, once, within {CODE_S // 60} minutes."

    # --- inside ------------------------------------------------------------------------------------------

    def _kept(self, command: str) -> OnKept:
        def kept(is_kept: bool) -> None:
            if not is_kept:
                self._log("unkept", command=command)

        return kept

    def _account(self, name: str) -> Account | None:
        key = name_key(name)
        return None if key is None else self._hub.roster.get(key)

    def _bound(self, name: str) -> Account | None:
        account = self._account(name)
        return account if account is not None and account.owner is not None else None

    def _not_bound(self, name: str, usage: str) -> Iterator[str]:
        account = self._account(name)
        if not name:
            yield f"Whose? Use it like this: {usage}"
        elif account is None:
            yield f"There is nobody called {name} here."
        else:
            yield f"{account.name} is free already: no device has it."

    def _target(self, text: str) -> Target | None:
        """What somebody means; a name, where it could be a key as well."""
        addresses = network(text)
        if addresses is not None:
            return Target(BanKind.ADDRESS, str(addresses), _spelled(addresses))
        key = name_key(text)
        account = None if key is None else self._hub.roster.get(key)
        device = None if account is not None else self._device(text)
        if device is not None:
            return Target(BanKind.KEY, device.token.hex(), device_key(device.token))
        if key is None:
            return None
        return Target(BanKind.NAME, key, text if account is None else account.name)

    def _device(self, text: str) -> Device | None:
        typed = as_typed(text)
        for account in self._hub.roster.known.values():
            if account.owner is not None:
                for device in account.owner.devices.values():
                    if as_typed(device_key(device.token)) == typed:
                        return device
        return None

    def _banned(self, text: str) -> Target | None:
        """The ban that somebody means."""
        addresses, key, typed = network(text), name_key(text), as_typed(text)
        for ban in self._hub.bans.all():
            same = {
                BanKind.ADDRESS: addresses is not None and ban.value == str(addresses),
                BanKind.NAME: key is not None and ban.value == UserKey(key),
                BanKind.KEY: as_typed(_shown(ban)) == typed,
            }[ban.kind]
            if same:
                return Target(ban.kind, ban.value, _shown(ban))
        return None


def _shown(ban: Ban) -> str:
    match ban.kind:
        case BanKind.NAME:
            return ban.value
        case BanKind.KEY:
            return device_key(bytes.fromhex(ban.value))
        case BanKind.ADDRESS:
            return _spelled(IPv4Network(ban.value))


def _spelled(addresses: IPv4Network) -> str:
    return str(addresses.network_address) if addresses.num_addresses == 1 else str(addresses)
