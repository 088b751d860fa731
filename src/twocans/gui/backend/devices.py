"""Asks the server about one's devices, and makes of each answer what the window is told."""

from __future__ import annotations

from typing import Protocol

import structlog

from twocans.client import DeviceCode, DeviceList, RequestFailed
from twocans.gui.viewmodel.effects import (
    ChangePassword,
    CutOff,
    LoadDevices,
    SignOut,
)
from twocans.gui.viewmodel.inputs import (
    CodeMade,
    DevicesLoaded,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Owner(Protocol):
    """Whoever has a name; the client is one."""

    async def devices(self) -> DeviceList:
        """The devices that have one's name."""
        ...

    async def new_code(self) -> DeviceCode:
        """A code for a further one."""
        ...

    async def revoke(self, device: int) -> DeviceList:
        """Cut one off."""
        ...

    async def sign_out(self) -> None:
        """Take the name from this device."""
        ...

    async def set_password(self, password: str | None) -> DeviceList:
        """Set the password, or take it away."""
        ...


async def devices(
    owner: Owner, session: int, asked: LoadDevices | CutOff | SignOut | ChangePassword
) -> DevicesLoaded:
    """The list, after what was asked for has been done; or why that failed."""
    try:
        match asked:
            case LoadDevices():
                found = await owner.devices()
            case CutOff(device):
                found = await owner.revoke(device)
            case SignOut():
                await owner.sign_out()
                return DevicesLoaded(session, asked, ())
            case ChangePassword(password):
                found = await owner.set_password(password)
    except RequestFailed as error:
        log.info("devices_unavailable", code=error.code)
        return DevicesLoaded(session, asked, None, problem=error.text)
    return DevicesLoaded(session, asked, found.devices, found.password, sessions=found.sessions)


async def code(owner: Owner, session: int) -> CodeMade:
    """A code for a further device, or why there is none."""
    try:
        made = await owner.new_code()
    except RequestFailed as error:
        log.info("code_unavailable", code=error.code)
        return CodeMade(session, "", problem=error.text)
    return CodeMade(session, made.code, made.valid_s)
