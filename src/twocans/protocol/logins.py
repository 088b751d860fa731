"""How sessions log in, by the words of the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class LoginMethod(StrEnum):
    """What a session was let in by."""

    DEVICE = "device"
    """The token of a device, also a new one that has just taken a free name."""
    CODE = "code"
    """A pairing code; the device has a token from then on."""
    PASSWORD = "password"  # noqa: S105 - the word of the wire
    """The password; a device has a token from then on, a plain client has not."""
    NAME = "name"
    """The name alone, which belonged to no device then."""


_TEXTS: Final = {
    LoginMethod.DEVICE.value: "by its device",
    LoginMethod.CODE.value: "with a code",
    LoginMethod.PASSWORD.value: "with the password",
    LoginMethod.NAME.value: "by the name alone",
}


def describe_login(method: str) -> str:
    """Return how a session logged in, as the end of a phrase; "" for a word that is not known."""
    return _TEXTS.get(method, "")
