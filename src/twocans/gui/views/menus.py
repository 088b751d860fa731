"""The menus: the window's, and that of the open chat."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twocans.gui.backend.settings import Look, Settings
from twocans.gui.platform.screens import Box
from twocans.gui.theme.theme import Theme
from twocans.gui.views.keys import COMMAND_SHOWN
from twocans.gui.views.popup import PopupMenu

Menu = PopupMenu | tk.Menu

_LOOKS: Final = ((Look.SYSTEM, "Look: like the system"), (Look.LIGHT, "Light"), (Look.DARK, "Dark"))


@dataclass(frozen=True, slots=True)
class MenuActions:
    """What the window's menu can do."""

    set_look: Callable[[Look], None]
    set_sound: Callable[[bool], None]
    find: Callable[[], object]
    devices: Callable[[], object]
    security: Callable[[], object]
    hosting: Callable[[], object]
    settings: Callable[[], object]
    keys: Callable[[], object]
    leave: Callable[[], object]
    quit: Callable[[], object]


def main_menu(
    root: tk.Tk,
    theme: Theme,
    settings: Settings,
    actions: MenuActions,
    under: tk.Widget,
    *,
    connected: bool,
    hosts: bool,
) -> None:
    """Show the window's menu below a button; some of it is for when the user is `connected`, or `hosts` a server."""
    menu = new_menu(root, theme)
    menu.add_command(label="Search messages …", accelerator=f"{COMMAND_SHOWN}Shift+F", command=actions.find)
    menu.add_separator()
    menu.add_command(
        label="My devices …",
        accelerator=f"{COMMAND_SHOWN}D",
        command=actions.devices,
        state="normal" if connected else "disabled",
    )
    menu.add_command(label="Security …", accelerator=f"{COMMAND_SHOWN}I", command=actions.security)
    menu.add_command(
        label="Your server …",
        accelerator=f"{COMMAND_SHOWN}H",
        command=actions.hosting,
        state="normal" if hosts else "disabled",
    )
    menu.add_separator()
    look = tk.StringVar(root, settings.look.value)
    for value, text in _LOOKS:
        menu.add_radiobutton(
            label=text,
            value=value.value,
            variable=look,
            command=lambda: actions.set_look(Look(look.get())),
        )
    menu.add_separator()
    sound = tk.BooleanVar(root, settings.sound)
    menu.add_checkbutton(label="Sound", variable=sound, command=lambda: actions.set_sound(sound.get()))
    menu.add_command(label="Settings …", accelerator=f"{COMMAND_SHOWN},", command=actions.settings)
    menu.add_command(label="Keys …", accelerator="F1", command=actions.keys)
    menu.add_separator()
    menu.add_command(label="Log out", accelerator=f"{COMMAND_SHOWN}L", command=actions.leave)
    menu.add_command(label="Quit", accelerator=f"{COMMAND_SHOWN}Q", command=actions.quit)
    show_under(menu, under)


def chat_menu(
    root: tk.Tk,
    theme: Theme,
    *,
    find: Callable[[], object],
    save: Callable[[], object],
    mute: Callable[[Menu], object],
    under: tk.Widget,
) -> None:
    """Show the open chat's menu below a button; `mute` adds what can be done about its noise."""
    menu = new_menu(root, theme)
    menu.add_command(label="Search this chat …", accelerator=f"{COMMAND_SHOWN}F", command=find)
    menu.add_command(label="Save this chat …", accelerator=f"{COMMAND_SHOWN}S", command=save)
    menu.add_separator()
    mute(menu)
    show_under(menu, under)


def new_menu(parent: tk.Misc, theme: Theme) -> Menu:
    """A menu without entries, to be shown once: of the system, or our own where Tk draws the system's."""
    if parent.tk.call("tk", "windowingsystem") == "x11":
        return PopupMenu(parent, theme)
    c = theme.colours
    return tk.Menu(
        parent,
        tearoff=False,
        font="TwocansBody",
        background=c.base,
        foreground=c.text,
        activebackground=c.selected,
        activeforeground=c.text,
        disabledforeground=c.disabled,
        selectcolor=c.text,
        relief="flat",
    )


def add_submenu(menu: Menu, label: str, below: Menu) -> None:
    """Add a row that leads to another menu; both are from `new_menu`, and the one is the parent of the other."""
    if isinstance(menu, PopupMenu) and isinstance(below, PopupMenu):
        menu.add_cascade(label=label, menu=below)
    if isinstance(menu, tk.Menu) and isinstance(below, tk.Menu):
        menu.add_cascade(label=label, menu=below)


def show_under(menu: Menu, under: tk.Widget) -> None:
    """Show a menu below a button, both ending at the right."""
    at = Box(under.winfo_rootx(), under.winfo_rooty(), under.winfo_width(), under.winfo_height())
    if isinstance(menu, PopupMenu):
        menu.open_at(at, right_aligned=True)
    else:
        menu.update_idletasks()  # only then it knows its width
        menu.tk_popup(max(0, at.right - menu.winfo_reqwidth()), at.bottom)
