"""Which server this is, whose name it is, and who can read along: the server's key, one's devices, encryption."""

from __future__ import annotations

from dataclasses import replace

from twocans.client.events import Online, PresenceChanged, UserJoined
from twocans.gui.viewmodel.inputs import (
    CodeMade,
    DevicesLoaded,
)
from twocans.gui.viewmodel.search_and_export import SearchAndExport
from twocans.gui.viewmodel.state import KeyChange, KnownServer, Part, Screen
from twocans.protocol.keys import ServerKey
from twocans.protocol.names import key_of
from twocans.protocol.text import spelled_out


class SecurityActions(SearchAndExport):
    """The intents and inputs of these."""

    # --- the server's key ---------------------------------------------------------------------------------

    def close_first_use(self) -> None:
        """What was said about the key of a new server has been read."""
        if self.first_use:
            self.first_use = False
            self._changes.draw(Part.FIRST_USE)

    def type_key(self, text: str) -> None:
        """What stands in the field for the key that the server's console shows."""
        change = self.key_change
        if change is not None and text != change.typed:
            self.key_change = KeyChange(change.address, change.known, change.presented, text)
            self._changes.draw(Part.KEY_CHANGE)

    def accept_key(self) -> None:
        """Connect to the server under the key that was typed; nothing happens if it is not the one it has."""
        change = self.key_change
        if change is not None and change.matches:
            self._set_key_change(None)
            self.form.connect(accept=change.presented)

    def refuse_key(self) -> None:
        """Do not connect to the server whose key has changed."""
        if self.key_change is not None:
            self._set_key_change(None)
            self.form.focus()

    def _key_changed(self, known: ServerKey, presented: ServerKey) -> None:
        """A server has another key than before; the login form is shown already."""
        address = self.form.state.server.strip()
        self.form.key_changed()
        self._set_key_change(KeyChange(address, known, presented))

    def _set_key_change(self, change: KeyChange | None) -> None:
        self.key_change = change
        self._changes.draw(Part.KEY_CHANGE)

    def _met(self, event: Online) -> None:
        """The server has let this user in."""
        problem = self.server.problem if self.server is not None else ""
        self.server = KnownServer(
            self.form.state.server.strip(), spelled_out(event.server), event.key, problem
        )
        if event.first_use:
            self.first_use = True
            self._changes.draw(Part.FIRST_USE)
        before, self._unencrypted = self._unencrypted, {key_of(user) for user in event.unencrypted}
        for key in self._unencrypted - before:
            self._warn_anew(key)
        self.devices.online()

    def _keeping_failed(self, problem: str) -> None:
        """Tell it once, beside what is being told already; it goes on standing with the key."""
        if self.server is None or self.server.problem == problem:
            return
        self.server = KnownServer(self.server.address, self.server.name, self.server.key, problem)
        self._tell(problem if self.notice is None else f"{self.notice.text} {problem}")

    def _part(self) -> None:
        """There is no login any more."""
        self.server = None
        self.close_first_use()
        self.devices.no_connection()
        self.devices.close()
        self._unencrypted.clear()

    # --- one's devices ------------------------------------------------------------------------------------

    def open_devices(self) -> None:
        """Show the devices that have one's name."""
        if self.screen is Screen.MAIN:
            self.devices.open()

    def _devices_taken(self, what: DevicesLoaded | CodeMade) -> None:
        what = replace(what, problem=spelled_out(what.problem))
        if isinstance(what, DevicesLoaded):
            self.devices.taken(what)
        else:
            self.devices.made(what)

    # --- who can read along -------------------------------------------------------------------------------

    def _encrypts(self, event: UserJoined | PresenceChanged) -> None:
        """Somebody came, or has another connection now: whether others on the network can read along."""
        key = key_of(event.user)
        if event.encrypted:
            self._unencrypted.discard(key)
        elif key not in self._unencrypted:
            self._unencrypted.add(key)
            self._warn_anew(key)
        self._changes.draw(Part.PEOPLE | Part.HEADER | Part.COMPOSER)

    def _warn_anew(self, key: str) -> None:
        conversation = self.chats.all.get(key)
        if conversation is not None:
            conversation.warned = False
