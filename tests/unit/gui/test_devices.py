"""What the window is told of the server's answers about devices."""

from __future__ import annotations

import asyncio

from twocans.client import Device, DeviceCode, DeviceList, RequestFailed
from twocans.gui.backend.devices import code, devices
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
from twocans.protocol.messages import LoggedIn

PHONE = Device(2, "phone", 1, 2, online=False, this=False)
TERMINAL = LoggedIn("10.0.0.7", 3, "password", encrypted=True, plain=True, this=False)


class Owner:
    """Has a phone, and remembers what it was asked; refuses everything if told to."""

    def __init__(self, refusal: RequestFailed | None = None) -> None:
        self.refusal = refusal
        self.asked: list[object] = []

    async def devices(self) -> DeviceList:
        return self._answer("devices")

    async def revoke(self, device: int) -> DeviceList:
        return self._answer(device)

    async def sign_out(self) -> None:
        self._answer("sign out")

    async def set_password(self, password: str | None) -> DeviceList:
        return self._answer(password)

    async def new_code(self) -> DeviceCode:
        self._answer("code")
        return DeviceCode("ABCD-1234", 600)

    def _answer(self, asked: object) -> DeviceList:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        return DeviceList((PHONE,), password=True, sessions=(TERMINAL,), session_count=1)


def test_each_answer_carries_the_list_and_what_was_asked() -> None:
    owner = Owner()
    for asked in (LoadDevices(), CutOff(7), ChangePassword("correct horse"), ChangePassword(None)):
        told = asyncio.run(devices(owner, 3, asked))
        assert told == DevicesLoaded(3, asked, (PHONE,), password=True, sessions=(TERMINAL,))
    assert owner.asked == ["devices", 7, "correct horse", None]


def test_signing_out_is_asked_for_and_a_refusal_told() -> None:
    owner = Owner()
    assert asyncio.run(devices(owner, 3, SignOut())) == DevicesLoaded(3, SignOut(), ())
    assert owner.asked == ["sign out"]
    refused = asyncio.run(devices(Owner(RequestFailed("last_device", "The only one.")), 3, SignOut()))
    assert refused == DevicesLoaded(3, SignOut(), None, problem="The only one.")


def test_a_code_is_told_with_its_time() -> None:
    assert asyncio.run(code(Owner(), 3)) == CodeMade(3, "ABCD-1234", 600)


def test_a_refusal_is_told_in_the_servers_words() -> None:
    owner = Owner(RequestFailed("rate_limited", "You have 50 devices."))
    assert asyncio.run(code(owner, 3)) == CodeMade(3, "", problem="You have 50 devices.")
    told = asyncio.run(devices(owner, 3, CutOff(7)))
    assert told == DevicesLoaded(3, CutOff(7), None, problem="You have 50 devices.")
