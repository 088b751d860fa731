"""The menus about quiet: "do not disturb" for everything, and muting one chat."""

from __future__ import annotations

import tkinter as tk

from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.do_not_disturb import DISTURB_SPANS, MUTE_SPANS
from twocans.gui.views.common import Act
from twocans.gui.views.menus import Menu, new_menu
from twocans.protocol.names import key_of


def quiet_menu(root: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> Menu:
    """What can be done about "do not disturb" now."""
    menu = new_menu(root, theme)
    add_quiet(menu, vm, act)
    return menu


def add_quiet(menu: Menu, vm: ViewModel, act: Act) -> None:
    """The same, as entries of a menu."""
    if vm.quiet.is_on:
        menu.add_command(
            label=f"End “do not disturb” (until {vm.quiet.until})", command=lambda: act(vm.quiet.end)
        )
        menu.add_separator()
    for span in DISTURB_SPANS:
        menu.add_command(
            label=f"Do not disturb {span.value}",
            command=lambda span=span: act(vm.quiet.begin, span),  # type: ignore[misc]  # a default binds early
        )
    menu.add_separator()
    if vm.absence.says_away:
        menu.add_command(label="I am back", command=lambda: act(vm.absence.come_back))
    else:
        menu.add_command(label="Show me as away", command=lambda: act(vm.absence.go_away))


def mute_menu(root: tk.Misc, theme: Theme, vm: ViewModel, act: Act, name: str) -> Menu:
    """What can be done about the noise of the chat with somebody now."""
    menu = new_menu(root, theme)
    add_mute(menu, vm, act, name)
    return menu


def add_mute(menu: Menu, vm: ViewModel, act: Act, name: str) -> None:
    """The same, as entries of a menu."""
    key = key_of(name)
    if vm.quiet.is_muted(key):
        until = vm.quiet.muted_until(key)
        menu.add_command(
            label=f"Unmute (muted until {until})" if until else "Unmute",
            command=lambda: act(vm.quiet.unmute, key),
        )
        return
    for span in MUTE_SPANS:
        menu.add_command(
            label=f"Mute {span.value}",
            command=lambda span=span: act(vm.quiet.mute, name, span),  # type: ignore[misc]  # a default binds early
        )
