"""The operator's commands on the control socket: `moderation` carries them out, this encodes what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, assert_never

from twocans.hub.account import Account, presence
from twocans.hub.codes import CODE_S
from twocans.hub.owners import device_key
from twocans.hub.session import Session
from twocans.protocol.operator import (
    MAX_ENTRIES,
    MAX_SESSIONS,
    MAX_SESSIONS_OF_NAME,
    AddBan,
    Answer,
    BanEntry,
    BanList,
    CodeGiven,
    Command,
    Connected,
    DeviceList,
    Done,
    FreeName,
    GiveCode,
    Kick,
    LiftBan,
    ListBans,
    ListDevices,
    ListPeople,
    OwnedDevice,
    People,
    Person,
    Refused,
    Say,
)
from twocans.protocol.text import has_control
from twocans.server.operator.moderation import TARGET, Moderation, NotDone, shown_ban
from twocans.storage.identities import Ban

_MAX_REASON_CHARS: Final = 500
"""Reasons that were typed at the console may be longer; so much of them is shown."""


class Operator:
    """Answers commands.

    Args:
        moderation: of the running server.
    """

    def __init__(self, moderation: Moderation) -> None:
        self._moderation = moderation

    def answer(self, command: Command) -> Answer:
        """Carry a command out; whatever keeps it from that is in the answer."""
        if any(has_control(text) for text in _texts(command)):
            return Refused(text="That contains control characters, so nothing was done.")
        try:
            return self._carry_out(command)
        except NotDone as error:
            return Refused(text=str(error))

    def _carry_out(self, command: Command) -> Answer:
        moderation = self._moderation
        match command:
            case ListPeople(find=find):
                return self._people(find)
            case Kick(name=name, reason=reason):
                return Done(text=moderation.kick(name.strip(), reason.strip()))
            case AddBan(target=target, value=value, reason=reason):
                return Done(text=moderation.ban(target, value.strip(), reason.strip())[1])
            case LiftBan(target=target, value=value):
                return Done(text=moderation.unban(target, value.strip()))
            case ListBans(find=find):
                return self._bans(find)
            case Say(text=text):
                if not text.strip():
                    return Refused(text="There is nothing to send.")
                return Done(text=moderation.say(text.strip()))
            case ListDevices(name=name):
                return _devices(moderation.account(name.strip()))
            case GiveCode(name=name):
                account, code = moderation.code(name.strip())
                return CodeGiven(name=account.name, code=code, valid_s=CODE_S)
            case FreeName(name=name):
                return Done(text=moderation.free(name.strip()))
            case _:
                assert_never(command)

    def _people(self, find: str) -> People:
        wanted = find.strip().casefold()
        found = self._moderation.online()
        if wanted:
            found = [account for account in found if wanted in account.name.casefold()]
        return People(people=tuple(_person(one) for one in found[:MAX_ENTRIES]), total=len(found))

    def _bans(self, find: str) -> BanList:
        wanted = find.strip().casefold()
        found = [
            (ban, shown)
            for ban in reversed(self._moderation.bans())
            if wanted in (shown := shown_ban(ban)).casefold()
        ]
        entries = tuple(_ban(ban, shown) for ban, shown in found[:MAX_ENTRIES])
        return BanList(bans=entries, total=len(found))


def _texts(command: Command) -> Iterator[str]:
    for field in command.__struct_fields__:
        value = getattr(command, field)
        if isinstance(value, str):
            yield value


def _person(account: Account) -> Person:
    return Person(
        name=account.name,
        status=presence(account).status,
        owned=account.owner is not None,
        sessions=_connected(account.sessions[:MAX_SESSIONS]),
        session_count=len(account.sessions),
    )


def _connected(sessions: Iterable[Session]) -> tuple[Connected, ...]:
    return tuple(
        Connected(
            address=session.host,
            since=session.since_ms,
            encrypted=session.encrypted,
            plain=session.plain,
            device="" if session.device is None else session.device.name,
            key="" if session.device is None else device_key(session.device.token),
            by=session.method.value,
        )
        for session in sessions
    )


def _ban(ban: Ban, shown: str) -> BanEntry:
    return BanEntry(target=TARGET[ban.kind], value=shown, reason=ban.why[:_MAX_REASON_CHARS], at=ban.at)


def _devices(account: Account) -> DeviceList:
    owner = account.owner
    here = {session.device for session in account.sessions}
    devices = () if owner is None else tuple(owner.devices.values())
    return DeviceList(
        name=account.name,
        devices=tuple(
            OwnedDevice(
                key=device_key(device.token),
                name=device.name,
                created=device.created,
                seen=device.seen,
                online=device in here,
            )
            for device in devices
        ),
        password=owner is not None and owner.password is not None,
        sessions=_connected(islice(reversed(account.sessions), MAX_SESSIONS_OF_NAME)),
        session_count=len(account.sessions),
    )
