"""The login form: what was typed, what is wrong with it, and whether an attempt is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twocans.client.address import parse_link
from twocans.client.codes import ErrorCode
from twocans.client.errors import AddressInvalid
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import (
    Connect,
    Disconnect,
    Focus,
    Place,
)
from twocans.gui.viewmodel.state import Login, Need, Part
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.keys import ServerKey
from twocans.protocol.names import new_user_key

MAX_SECRET_CHARS: Final = {Need.INVITE: 64, Need.SECRET: 256}
"""What HELLO has room for."""

_ABOUT_THE_NAME: Final = frozenset(
    {
        Code.NAME_INVALID,
        Code.NAME_RESERVED,
        Code.NAME_TAKEN,
        Code.AUTH_REQUIRED,
        Code.AUTH_FAILED,
        Code.BANNED,
        Code.RATE_LIMITED,
        ErrorCode.TOKEN_UNREADABLE,
    }
)

_WHAT_SECRET: Final = "A code from a device that has the name, or its password."  # noqa: S105 - a sentence

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
        self._expected: ServerKey | None = None
        self._vouched = False

    def set_server(self, text: str) -> None:
        """The server field was edited; what was said about it no longer holds."""
        if text != self.state.server:
            self.state.server = text
            self._expected, self._vouched = None, False
            self.state.server_error = self.state.message = ""
            self._need(None)
            self._changes.draw(Part.LOGIN)

    def set_user(self, text: str) -> None:
        """The name field was edited; what was said about it no longer holds."""
        if text != self.state.user:
            self.state.user = text
            self.state.user_error = self.state.message = ""
            self._need(None)
            self._changes.draw(Part.LOGIN)

    def set_secret(self, text: str) -> None:
        """The field for what the server asks for was edited."""
        if text != self.state.secret:
            self.state.secret = text
            self.state.secret_error = ""
            self._changes.draw(Part.LOGIN)

    def choose(self, server: str, expected: ServerKey | None, *, user: str, vouched: bool = False) -> None:
        """Connect to a server that was chosen, or ask as whom.

        Args:
            server: its address.
            expected: the key that was announced for it, which counts until the field is edited.
            user: as whom; as it stands in the form if "".
            vouched: whether that key is known for certain, and counts more than one that was known before.
        """
        if self.state.connecting:
            return
        self.set_server(server)
        self._expected, self._vouched = expected, vouched
        if user:
            self.set_user(user)
        if self.state.user.strip():
            self.connect()
        else:
            self._changes.do(Focus(Place.USER))

    def connect(self, *, accept: ServerKey | None = None) -> bool:
        """Connect, if the fields allow; says whether an attempt has begun.

        Args:
            accept: a key that the user has brought from the server's console.
        """
        state = self.state
        if state.connecting:
            return False
        self._take_link()
        server, user = state.server.strip(), state.user.strip()
        state.message = ""
        state.server_error = (
            self._check_server(server) or ""
            if server
            else ("Type the address that the server shows, for example 192.168.1.5 or localhost.")
        )
        state.user_error = _wrong_name(user)
        secret = state.secret.strip("\r\n") or None
        state.secret_error = _wrong_secret(state.needs, secret)
        self._changes.draw(Part.LOGIN)
        if state.server_error or state.user_error or state.secret_error:
            self.focus()
            return False
        state.connecting = True
        self.session += 1
        self._changes.do(
            Connect(
                self.session,
                server,
                user,
                secret=secret if state.needs is Need.SECRET else None,
                invite=secret if state.needs is Need.INVITE else None,
                accept=self._expected if accept is None and self._vouched else accept,
                expected=self._expected,
            )
        )
        return True

    def cancel(self) -> None:
        """Give the attempt up."""
        if self.state.connecting:
            self.state.connecting = False
            self.session += 1
            self._changes.do(Disconnect())
            self._changes.draw(Part.LOGIN)
            self.focus()

    def refused(self, text: str, code: str | None, needs: str | None = None) -> None:
        """The attempt failed; the reason goes beside the field that can mend it."""
        state = self.state
        state.connecting = False
        need = next((one for one in Need if one.value == needs), None)
        tried = bool(state.secret)
        if need is not None and (need is not state.needs or not tried):
            self._need(need)
            if need is Need.SECRET:
                state.user_error = text
                state.secret_hint = _WHAT_SECRET
            else:
                state.secret_hint = text
        elif state.needs is not None and (need is not None or (code == Code.RATE_LIMITED and tried)):
            state.secret_error = text
        elif code in _ABOUT_THE_NAME:
            self._need(None)
            state.user_error = text
        else:
            state.server_error = text
        self._changes.draw(Part.LOGIN)
        self.focus()

    def key_changed(self) -> None:
        """The server has another key than before, so nothing was sent to it."""
        self.state.connecting = False
        self.state.message = ""
        self.state.server_error = "Not connected: this server's key is not the one that it had before."
        self._changes.draw(Part.LOGIN)

    def welcomed(self, user: str) -> None:
        """The attempt worked: what was typed for it is not needed any more."""
        self.state.connecting = False
        self.state.user = user
        self._need(None)

    def focus(self) -> None:
        """Send the focus to the field that needs attention."""
        if self.state.server_error or not self.state.server.strip():
            self._changes.do(Focus(Place.SERVER))
        elif self.state.needs is not None:
            self._changes.do(Focus(Place.SECRET))
        elif self.state.user_error or not self.state.user.strip():
            self._changes.do(Focus(Place.USER))
        else:
            self._changes.do(Focus(Place.CONNECT))

    def _take_link(self) -> None:
        """Where a whole link was pasted, its address stays in the field, and its key is expected."""
        try:
            link = parse_link(self.state.server)
        except AddressInvalid:
            return
        if link is not None:
            self.state.server, self._expected = str(link.address), link.key

    def _need(self, need: Need | None) -> None:
        """Show the field for this, empty, or none."""
        state = self.state
        state.needs = need
        state.secret = state.secret_hint = state.secret_error = ""


def _wrong_secret(need: Need | None, secret: str | None) -> str:
    if need is None or secret is None or len(secret) <= MAX_SECRET_CHARS[need]:
        return ""
    return f"That is too long: at most {MAX_SECRET_CHARS[need]} letters, digits or other signs."


def _wrong_name(user: str) -> str:
    if not user:
        return "Type the name that the others will see."
    try:
        new_user_key(user)
    except ProtocolError as error:
        return error.text
    return ""
