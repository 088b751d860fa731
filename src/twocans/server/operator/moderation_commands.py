"""The operator's commands about people, names and bans as typed lines; `moderation` carries them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twocans.hub.account import Account
from twocans.hub.codes import CODE_S
from twocans.hub.owners import device_key
from twocans.hub.session import Session
from twocans.protocol.logins import describe_login
from twocans.protocol.operator import BanTarget
from twocans.server.operator.log import manner
from twocans.server.operator.moderation import TARGET, Moderation, NotDone, shown_ban
from twocans.server.operator.times import moment

BAN_USAGE: Final = "ban [name|address|device] WHAT [REASON]"
UNBAN_USAGE: Final = "unban [name|address|device] WHAT"
_SEE_DEVICES: Final = "The command devices NAME shows keys."
_SEE_BANS: Final = "The command bans shows all bans."


class ModerationCommands:
    """Answers typed commands; each takes what stands behind the command's name.

    Args:
        moderation: of the running server.
    """

    def __init__(self, moderation: Moderation) -> None:
        self._moderation = moderation

    def users(self, _rest: str) -> Iterator[str]:
        """Show who is online."""
        people = self._moderation.online()
        if not people:
            yield "Nobody is online."
            return
        width = max(len(account.name) for account in people)
        for account in people:
            places = ", ".join(map(_place, account.sessions))
            yield f"{account.name:<{width}}  {places}"

    def kick(self, rest: str) -> Iterator[str]:
        """End somebody's sessions."""
        name, _, reason = rest.partition(" ")
        if not name:
            yield "Usage: kick NAME [REASON]"
            return
        try:
            yield self._moderation.kick(name, reason.strip())
        except NotDone as error:
            yield f"{error} The command users shows who is."

    def say(self, rest: str) -> Iterator[str]:
        """Send everybody a message."""
        yield self._moderation.say(rest) if rest else "Usage: say TEXT"

    def ban(self, rest: str) -> Iterator[str]:
        """Ban a name, an address or network, or the key of a device."""
        target, what = _target(rest)
        text, _, reason = what.partition(" ")
        if not text:
            yield f"Usage: {BAN_USAGE}. {_SEE_DEVICES}"
            return
        try:
            banned, answer = self._moderation.ban(target, text, reason.strip())
        except NotDone as error:
            yield str(error)
            if target is BanTarget.DEVICE:
                yield _SEE_DEVICES
            return
        yield answer
        if banned is BanTarget.NAME:
            yield "They can come back under another name; ban their key or address too if they do."

    def unban(self, rest: str) -> Iterator[str]:
        """Lift a ban."""
        target, text = _target(rest)
        if len(text.split()) != 1:
            yield f"Usage: {UNBAN_USAGE}. {_SEE_BANS}"
            return
        try:
            yield self._moderation.unban(target, text)
        except NotDone as error:
            yield f"{error} {_SEE_BANS}"

    def bans(self, _rest: str) -> Iterator[str]:
        """Show all bans."""
        bans = self._moderation.bans()
        if not bans:
            yield "Nobody is banned."
            return
        shown = [shown_ban(ban) for ban in bans]
        width = max(map(len, shown))
        for ban, what in zip(bans, shown, strict=True):
            kind = TARGET[ban.kind].value
            yield f"{kind:<7}  {what:<{width}}  since {moment(ban.at)}{f': {ban.why}' if ban.why else ''}"

    def devices(self, rest: str) -> Iterator[str]:
        """Show the devices of a name with their keys, and who is connected under it."""
        if not rest:
            yield "Usage: devices NAME"
            return
        try:
            account = self._moderation.account(rest)
        except NotDone as error:
            yield str(error)
            return
        owner = account.owner
        if owner is None:
            yield f"{account.name} belongs to no device. Anybody can take the name while it is free."
            yield from _logins(account)
            return
        here = {session.device for session in account.sessions}
        for device in owner.devices.values():
            seen = "online" if device in here else f"last here {moment(device.seen)}"
            yield f"{device_key(device.token)}  {device.name}  since {moment(device.created)}, {seen}"
        if owner.password is not None:
            yield "and a password"
        yield from _logins(account)

    def free(self, rest: str) -> Iterator[str]:
        """Let whoever comes first have a name that was bound."""
        if not rest:
            yield "Usage: free NAME"
            return
        try:
            yield self._moderation.free(rest)
        except NotDone as error:
            yield str(error)
        else:
            yield "To let its owner back in and nobody else, use code NAME instead."

    def code(self, rest: str) -> Iterator[str]:
        """Give a code with which the owner of a name gets in on another device."""
        if not rest:
            yield "Usage: code NAME"
            return
        try:
            account, code = self._moderation.code(rest)
        except NotDone as error:
            yield str(error)
        else:
            yield f"{code} lets one device in as {account.name}, once, within {CODE_S // 60} minutes."


def _place(session: Session) -> str:
    return f"since {moment(session.since_ms)} from {session.address}" + manner(
        plain=session.plain, encrypted=session.encrypted
    )


def _logins(account: Account) -> Iterator[str]:
    for session in account.sessions:
        device = "" if session.device is None else f" {session.device.name}"
        yield f"connected {describe_login(session.method)}{device} {_place(session)}"


def _target(rest: str) -> tuple[BanTarget | None, str]:
    """The kind of thing that a line names, if it says so, and the rest of the line."""
    word, _, what = rest.partition(" ")
    if word.casefold() in {target.value for target in BanTarget}:
        return BanTarget(word.casefold()), what.strip()
    return None, rest
