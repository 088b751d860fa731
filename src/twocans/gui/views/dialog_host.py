"""The windows over the main one that follow the view-model: keys, one's devices, one's own server."""

from __future__ import annotations

import tkinter as tk

from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.devices import Page
from twocans.gui.viewmodel.hosting import Question
from twocans.gui.viewmodel.state import Screen
from twocans.gui.views.common import Act
from twocans.gui.views.devices import DevicesDialog
from twocans.gui.views.host_dialog import HostDialog
from twocans.gui.views.hosting import HostQuestion
from twocans.gui.views.security import KeyChangedDialog, SecurityDialog


class DialogHost:
    """Opens and closes them.

    Args:
        root: the main window.
        theme: the look.
        vm: what is shown.
        act: carries intents.
    """

    def __init__(self, root: tk.Tk, theme: Theme, vm: ViewModel, act: Act) -> None:
        self._root, self._theme, self._vm, self._act = root, theme, vm, act
        self._key_change: KeyChangedDialog | None = None
        self._security: SecurityDialog | None = None
        self._devices: DevicesDialog | None = None
        self._host: HostDialog | None = None
        self._host_question: HostQuestion | None = None

    def open_security(self) -> None:
        """Show the server's key."""
        server = self._vm.server
        if server is not None:
            if self._security is not None:
                self._security.destroy()
            self._security = SecurityDialog(self._root, self._theme, server, connected=self._vm.connected)

    def open_devices(self) -> None:
        """Show one's devices."""
        self._act(self._vm.open_devices)

    def show_screen(self) -> None:
        """Another screen is shown, or the same one still."""
        if self._vm.screen is Screen.LOGIN and self._security is not None:
            self._security.destroy()
            self._security = None

    def show_key_change(self) -> None:
        """The question about a changed key, if there is one."""
        change = self._vm.key_change
        if change is None:
            if self._key_change is not None:
                self._key_change.destroy()
                self._key_change = None
        elif self._key_change is None:
            self._key_change = KeyChangedDialog(self._root, self._theme, change, self._vm, self._act)
        else:
            self._key_change.show(change)

    def restyle(self) -> None:
        """Sizes and colours have changed: what is open is made anew."""
        for dialog in (self._key_change, self._devices, self._host, self._host_question):
            if dialog is not None:
                dialog.destroy()
        self._key_change = self._devices = self._host = self._host_question = None
        self.show_key_change()
        self.show_devices()
        self.show_hosting()
        if self._security is not None and self._security.winfo_exists():
            self.open_security()

    def show_devices(self) -> None:
        """One's devices, as long as they are to be shown."""
        shown = self._vm.devices.page is not Page.CLOSED
        if shown and self._devices is None:
            self._devices = DevicesDialog(self._root, self._theme, self._vm, self._act)
        elif shown and self._devices is not None:
            self._devices.show()
        elif self._devices is not None:
            self._devices.destroy()
            self._devices = None

    def show_hosting(self) -> None:
        """One's own server, as long as it is to be shown, and what is asked about it."""
        hosting = self._vm.hosting
        if hosting.is_open and self._host is None:
            self._host = HostDialog(self._root, self._theme, self._vm, self._act)
        elif hosting.is_open and self._host is not None:
            self._host.show()
        elif self._host is not None:
            self._host.destroy()
            self._host = None
        asked = self._host_question
        if asked is not None and asked.question is not hosting.question:
            asked.destroy()
            asked = self._host_question = None
        if asked is not None:
            asked.show()
        elif hosting.question is not Question.NONE:
            self._host_question = HostQuestion(self._root, self._theme, hosting.question, self._vm, self._act)
