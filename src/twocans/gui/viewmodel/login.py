"""The login form: what was typed, what is wrong with it, and whether an attempt is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import Connect, Disconnect, Focus, Place
from twocans.gui.viewmodel.state import Login, Part
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.names import new_user_key

_ABOUT_THE_NAME: Final = frozenset(
    {
        Code.NAME_INVALID,
        Code.NAME_RESERVED,
        Code.NAME_TAKEN,
        Code.AUTH_REQUIRED,
        Code.AUTH_FAILED,
        Code.BANNED,
    }
)

CheckServer = Callable[[str], str | None]
"""Says what is wrong with a server's address, None if nothing is."""


class LoginForm:
    """The form and its intents.

    Args:
        changes: where changes are noted.
        check_server: what is wrong with an address, as a sentence.
        server, user: what the fields hold at first.
    """

    def __init__(self, changes: Changes, check_server: CheckServer, *, server: str, user: str) -> None:
        self._changes = changes
        self._check_server = check_server
        self.state = Login(server=server, user=user)
        self.session = 0

    def set_server(self, text: str) -> None:
        """The server field was edited; what was said about it no longer holds."""
        if text != self.state.server:
            self.state.server = text
            self.state.server_error = self.state.message = ""
            self._changes.draw(Part.LOGIN)

    def set_user(self, text: str) -> None:
        """The name field was edited; what was said about it no longer holds."""
        if text != self.state.user:
            self.state.user = text
            self.state.user_error = self.state.message = ""
            self._changes.draw(Part.LOGIN)

    def connect(self) -> bool:
        """Connect, if the fields allow; says whether an attempt has begun."""
        state = self.state
        if state.connecting:
            return False
        server, user = state.server.strip(), state.user.strip()
        state.message = ""
        state.server_error = (
            self._check_server(server) or ""
            if server
            else ("Type the address that the server shows, for example 192.168.1.5 or localhost.")
        )
        state.user_error = _wrong_name(user)
        self._changes.draw(Part.LOGIN)
        if state.server_error or state.user_error:
            self.focus()
            return False
        state.connecting = True
        self.session += 1
        self._changes.do(Connect(self.session, server, user))
        return True

    def cancel(self) -> None:
        """Give the attempt up."""
        if self.state.connecting:
            self.state.connecting = False
            self.session += 1
            self._changes.do(Disconnect())
            self._changes.draw(Part.LOGIN)
            self.focus()

    def refused(self, text: str, code: str | None) -> None:
        """The attempt failed; the reason goes beside the field that can mend it."""
        self.state.connecting = False
        if code in _ABOUT_THE_NAME:
            self.state.user_error = text
        else:
            self.state.server_error = text
        self._changes.draw(Part.LOGIN)
        self.focus()

    def focus(self) -> None:
        """Send the focus to the field that needs attention."""
        if self.state.server_error or not self.state.server.strip():
            self._changes.do(Focus(Place.SERVER))
        elif self.state.user_error or not self.state.user.strip():
            self._changes.do(Focus(Place.USER))
        else:
            self._changes.do(Focus(Place.CONNECT))


def _wrong_name(user: str) -> str:
    if not user:
        return "Type the name that the others will see."
    try:
        new_user_key(user)
    except ProtocolError as error:
        return error.text
    return ""
