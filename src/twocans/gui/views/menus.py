"""The menus: the window's, and that of the open chat."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twocans.gui.keys import COMMAND_SHOWN
from twocans.gui.settings import Look, Settings
from twocans.gui.theme import Theme

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
    colour = theme.colours.text
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
    look = tk.StringVar(menu, settings.look.value)
    for value, text in _LOOKS:
        menu.add_radiobutton(
            label=text,
            value=value.value,
            variable=look,
            selectcolor=colour,
            command=lambda value=value: actions.set_look(value),  # type: ignore[misc]  # a default binds early
        )
    menu.add_separator()
    sound = tk.BooleanVar(menu, settings.sound)
    menu.add_checkbutton(
        label="Sound", variable=sound, selectcolor=colour, command=lambda: actions.set_sound(sound.get())
    )
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
    mute: Callable[[tk.Menu], object],
    under: tk.Widget,
) -> None:
    """Show the open chat's menu below a button; `mute` adds what can be done about its noise."""
    menu = new_menu(root, theme)
    menu.add_command(label="Search this chat …", accelerator=f"{COMMAND_SHOWN}F", command=find)
    menu.add_command(label="Save this chat …", accelerator=f"{COMMAND_SHOWN}S", command=save)
    menu.add_separator()
    mute(menu)
    show_under(menu, under)


def new_menu(root: tk.Misc, theme: Theme) -> tk.Menu:
    """A menu without entries."""
    c = theme.colours
    return tk.Menu(
        root,
        tearoff=False,
        font="TwocansBody",
        background=c.base,
        foreground=c.text,
        activebackground=c.selected,
        activeforeground=c.text,
        disabledforeground=c.muted,
        borderwidth=1,
        relief="flat",
        activeborderwidth=0,
    )


def show_under(menu: tk.Menu, under: tk.Widget) -> None:
    """Show a menu below a button."""
    menu.update_idletasks()  # only then it knows its width
    x = under.winfo_rootx() + under.winfo_width() - menu.winfo_reqwidth()
    menu.tk_popup(max(0, x), under.winfo_rooty() + under.winfo_height())
