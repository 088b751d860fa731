"""Moderation: kicks, bans, codes and freed names, for the console and the control socket alike.

Parsing a typed line is left to `moderation_commands`, the control socket's messages to `operator`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Final

from msgspec import Struct

from twocans.hub.account import Account
from twocans.hub.bans import name_key, network
from twocans.hub.hub import EventLog, Hub
from twocans.hub.owners import device_key
from twocans.hub.ownership import Device
from twocans.protocol.keys import as_typed
from twocans.protocol.names import UserKey, is_confusable_with_address_or_key
from twocans.protocol.operator import BanTarget
from twocans.protocol.plurals import counted
from twocans.storage.identities import Ban, BanKind, OnKept

KIND: Final = {
    BanTarget.NAME: BanKind.NAME,
    BanTarget.ADDRESS: BanKind.ADDRESS,
    BanTarget.DEVICE: BanKind.KEY,
}
TARGET: Final = {kind: target for target, kind in KIND.items()}
_CALLED: Final = {
    BanTarget.NAME: "a name",
    BanTarget.ADDRESS: "an address",
    BanTarget.DEVICE: "the key of a device",
}
_LIKE_ADDRESS: Final = re.compile(r"[0-9]+\.[0-9./*:-]*")
"""What may be meant as an address or a network, whether or not it is one."""


class NotDone(Exception):
    """A command was not carried out; the sentence says why."""


class _Target(Struct, frozen=True):
    """A thing to ban: `values` as `Ban` has them, more than one for devices whose keys look the same."""

    target: BanTarget
    values: tuple[str, ...]
    shown: str


class Moderation:
    """Carries out the operator's commands on a hub.

    Args:
        hub: the running server's.
        log: is told what was done, and what could not be kept.
    """

    def __init__(self, hub: Hub, log: EventLog) -> None:
        self._hub = hub
        self._log = log

    def online(self) -> list[Account]:
        """Everybody online, in the order of registration."""
        return self._hub.roster.online()

    def kick(self, name: str, reason: str) -> str:
        """End all sessions of a name.

        Returns:
            A sentence that says so.

        Raises:
            NotDone: nobody by that name is online.
        """
        if not self._hub.kick(name, reason):
            raise NotDone(f"{name} is not online.")
        self._log("kicked", user=name, why=reason)
        return f"{name} was kicked."

    def say(self, text: str) -> str:
        """Send a message from `Server` to everybody online; returns a sentence about that."""
        people = self._hub.posting.announce(text)
        return "Nobody is online." if people == 0 else f"Sent to {counted(people, 'person', 'people')}."

    # --- bans ---------------------------------------------------------------------------------------------

    def ban(self, target: BanTarget | None, text: str, reason: str) -> tuple[BanTarget, str]:
        """Ban a name, an address or network, or a device, and end the sessions that this concerns.

        Args:
            target: what `text` is; None to guess, where only one thing can be meant.
            text: the name, the address or network, or the device's key.
            reason: what those concerned are told, or nothing.

        Returns:
            What it was, and sentences about what was done.

        Raises:
            NotDone: there is no such thing, there are several, or there are too many bans.
        """
        what = self._named(target, text) if target is not None else self._guessed(text)
        ended = 0
        try:
            for value in what.values:
                ended += self._hub.ban(KIND[what.target], value, reason, self._kept("ban"))
        except ValueError as error:
            raise NotDone(str(error)) from None
        self._log("banned", kind=KIND[what.target].value, what=what.shown, why=reason)
        sessions = {0: "", 1: " One session has ended."}.get(ended, f" {ended} sessions have ended.")
        return what.target, f"{what.shown} is banned.{sessions}"

    def unban(self, target: BanTarget | None, text: str) -> str:
        """Lift a ban; see `ban` for the arguments.

        Raises:
            NotDone: it is not banned, or several things of that name are.
        """
        found = [ban for ban in self._hub.bans.all() if _is_meant(ban, target, text)]
        kinds = {ban.kind for ban in found}
        if not found:
            raise NotDone(f"{text} is not banned.")
        if len(kinds) > 1:
            raise NotDone(_ambiguous(text, "unban", [TARGET[kind] for kind in BanKind if kind in kinds]))
        for ban in found:
            self._hub.bans.remove(ban.kind, ban.value, self._kept("unban"))
        shown = shown_ban(found[0])
        self._log("unbanned", kind=found[0].kind.value, what=shown)
        return f"{shown} is no longer banned."

    def bans(self) -> list[Ban]:
        """All bans, the oldest first."""
        return self._hub.bans.all()

    # --- names --------------------------------------------------------------------------------------------

    def account(self, name: str) -> Account:
        """Return the account of a name.

        Raises:
            NotDone: nobody here has it.
        """
        account = self._account(name)
        if account is None:
            raise NotDone(f"There is nobody called {name} here.")
        return account

    def free(self, name: str) -> str:
        """Let anybody register a name that belongs to devices; its sessions end.

        Raises:
            NotDone: the name belongs to nobody.
        """
        account = self._owned(name)
        self._hub.owners.free(account, self._kept("free"))
        self._log("name_freed", user=account.name)
        return f"{account.name} is free. The next person who registers it gets it, with all its messages."

    def code(self, name: str) -> tuple[Account, str]:
        """Make a code that lets the owner of a name in on one more device, within `CODE_S` seconds.

        Raises:
            NotDone: the name belongs to nobody.
        """
        account = self._owned(name)
        code = self._hub.owners.new_code(account)
        self._log("code_given", user=account.name)
        return account, code

    # --- inside -------------------------------------------------------------------------------------------

    def _kept(self, command: str) -> OnKept:
        def kept(is_kept: bool) -> None:
            if not is_kept:
                self._log("unkept", command=command)

        return kept

    def _account(self, name: str) -> Account | None:
        key = name_key(name)
        return None if key is None else self._hub.roster.get(key)

    def _owned(self, name: str) -> Account:
        account = self.account(name)
        if account.owner is None:
            raise NotDone(f"{account.name} is free already: no device has it.")
        return account

    def _named(self, target: BanTarget, text: str) -> _Target:
        """Return the thing of this kind.

        Raises:
            NotDone: there is none.
        """
        match target:
            case BanTarget.NAME:
                found = self._name(text)
                problem = f"{text} is not a name."
            case BanTarget.ADDRESS:
                found = _address(text)
                problem = _no_address(text)
            case BanTarget.DEVICE:
                found = self._device(text)
                problem = f"No device here has the key {text}."
        if found is None:
            raise NotDone(problem)
        return found

    def _guessed(self, text: str) -> _Target:
        """Return the one thing that is known by this text, or else the name.

        Raises:
            NotDone: several things can be meant, or none.
        """
        name = self._name(text)
        known = name if self._account(text) is not None else None
        candidates = [one for one in (known, _address(text), self._device(text)) if one is not None]
        if len(candidates) > 1:
            raise NotDone(_ambiguous(text, "ban", [one.target for one in candidates]))
        if candidates:
            return candidates[0]
        as_name = "" if name is None else f" To ban it as a name, write ban name {text}."
        if _LIKE_ADDRESS.fullmatch(text):
            raise NotDone(_no_address(text) + as_name)
        if name is None:
            raise NotDone(f"{text} is not a name, an address or the key of a device.")
        if is_confusable_with_address_or_key(UserKey(name.values[0])):
            raise NotDone(f"{text} looks like the key of a device, but there is none like it.{as_name}")
        return name

    def _name(self, text: str) -> _Target | None:
        key, account = name_key(text), self._account(text)
        if key is None:
            return None
        return _Target(BanTarget.NAME, (key,), text if account is None else account.name)

    def _device(self, text: str) -> _Target | None:
        """The device with a key; anybody can make two devices whose keys look the same, so both are meant."""
        typed = as_typed(text)
        found: list[Device] = [
            device
            for account in self._hub.roster.known.values()
            if account.owner is not None
            for device in account.owner.devices.values()
            if as_typed(device_key(device.token)) == typed
        ]
        if not found:
            return None
        values = tuple(device.token.hex() for device in found)
        return _Target(BanTarget.DEVICE, values, device_key(found[0].token))


def shown_ban(ban: Ban) -> str:
    """Format what a ban is about."""
    match ban.kind:
        case BanKind.NAME:
            return ban.value
        case BanKind.KEY:
            return device_key(bytes.fromhex(ban.value))
        case BanKind.ADDRESS:
            return _spelled(IPv4Network(ban.value))


def _is_meant(ban: Ban, target: BanTarget | None, text: str) -> bool:
    if target is not None and ban.kind is not KIND[target]:
        return False
    match ban.kind:
        case BanKind.NAME:
            return ban.value == name_key(text)
        case BanKind.KEY:
            return as_typed(shown_ban(ban)) == as_typed(text)
        case BanKind.ADDRESS:
            addresses = network(text)
            return addresses is not None and ban.value == str(addresses)


def _address(text: str) -> _Target | None:
    addresses = network(text)
    return None if addresses is None else _Target(BanTarget.ADDRESS, (str(addresses),), _spelled(addresses))


def _no_address(text: str) -> str:
    return f"{text} is not an IPv4 address, or a network such as 192.168.7.0/24."


def _ambiguous(text: str, command: str, targets: list[BanTarget]) -> str:
    meanings = " and ".join(_CALLED[target] for target in targets)
    choices = " or ".join(f"{command} {target.value} {text}" for target in targets)
    return f"{text} is {meanings}. Say which you mean: {choices}."


def _spelled(addresses: IPv4Network) -> str:
    return str(addresses.network_address) if addresses.num_addresses == 1 else str(addresses)
