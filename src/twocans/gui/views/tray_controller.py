"""Keeps the program within reach: in the tray when its window is closed, and from the start of the system."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import structlog

from twocans.gui.backend.settings import Settings
from twocans.gui.platform import autostart
from twocans.gui.platform.tray import Answers, Entry, Sight, make_tray
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.do_not_disturb import DISTURB_SPANS
from twocans.gui.views.common import Act
from twocans.gui.views.menus import Menu, add_submenu, new_menu

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TrayController:
    """The tray and the start with the system.

    Args:
        root: the window.
        theme: the look.
        vm: what the icon tells of.
        act: carries intents.
        settings: what the user wants; `save` keeps it.
        come: brings the window to the front.
        leave: quits.
        on_change: called when the icon comes or goes.
    """

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        vm: ViewModel,
        act: Act,
        settings: Settings,
        *,
        save: Callable[[], None],
        come: Callable[[], None],
        leave: Callable[[], None],
        on_change: Callable[[], None],
    ) -> None:
        self._root, self._theme, self._vm, self._act, self._settings = root, theme, vm, act, settings
        self._save, self._come, self._leave, self._on_change = save, come, leave, on_change
        self._waits_for_tray = False
        self._menu: Menu | None = None
        self._entry = autostart.entry()
        self._start_problem = ""
        self._tray = make_tray(root, Answers(open=come, popup=self._popup, moved=self._moved))

    # --- the tray -----------------------------------------------------------------------------------------

    @property
    def tray_problem(self) -> str:
        """Why the program cannot go on in the tray."""
        return self._tray.problem

    def set_keep_in_tray(self, on: bool) -> None:
        """Whether closing the window leaves the program in the tray."""
        self._settings.keep_in_tray = on
        self._save()

    def show(self) -> None:
        """Show in the tray what is so now."""
        vm = self._vm
        tip = vm.title
        if vm.quiet.is_on:
            tip = f"{tip} – do not disturb until {vm.quiet.until}"
        self._tray.show(Sight(vm.unread, vm.quiet.is_on or not vm.connected, tip, self._entries()))

    def window_closed(self) -> None:
        """The user has closed the window."""
        if self._settings.keep_in_tray and not self._tray.problem:
            self._root.withdraw()
        else:
            self._leave()

    def start_hidden(self) -> bool:
        """Keep the window out of sight at the start, if the user wants the program in the tray.

        A tray may come later than the program when the system starts, and until then the window is an icon, not gone.
        """
        if not self._settings.keep_in_tray:
            return False
        if self._tray.problem:
            self._waits_for_tray = True
            self._root.iconify()
        else:
            self._root.withdraw()
        return True

    def close(self) -> None:
        """Take the icon away for good."""
        self._tray.close()

    def _moved(self) -> None:
        """The icon has come or gone; without one, the window must be within reach."""
        if self._tray.problem and self._root.state() == "withdrawn":
            self._waits_for_tray = True
            self._root.iconify()
        elif not self._tray.problem and self._waits_for_tray:
            self._waits_for_tray = False
            if self._root.state() == "iconic":
                self._root.withdraw()
        self._on_change()

    def _entries(self) -> tuple[Entry, ...]:
        vm, act = self._vm, self._act
        quiet = tuple(
            Entry(span.value.capitalize(), lambda span=span: act(vm.quiet.begin, span))  # type: ignore[misc]  # a default binds early
            for span in DISTURB_SPANS
        )
        until = f" (until {vm.quiet.until})" if vm.quiet.is_on else ""
        says_away = vm.absence.says_away
        toggle = vm.absence.come_back if says_away else vm.absence.go_away
        off = Entry("Off", lambda: act(vm.quiet.end), chosen=not vm.quiet.is_on)
        return (
            Entry("Open Twocans", self._come),
            Entry(),
            Entry(f"Do not disturb{until}", below=(*quiet, Entry(), off)),
            Entry("Show me as away", lambda: act(toggle), chosen=says_away),
            Entry(),
            Entry("Quit", self._leave),
        )

    def _popup(self, x: int, y: int) -> None:
        if self._menu is not None:
            self._menu.destroy()
        self._menu = self._fill(new_menu(self._root, self._theme), self._entries())
        self._menu.tk_popup(x, y)

    def _fill(self, menu: Menu, entries: tuple[Entry, ...]) -> Menu:
        for entry in entries:
            if not entry.text:
                menu.add_separator()
            elif entry.below:
                add_submenu(menu, entry.text, self._fill(new_menu(menu, self._theme), entry.below))
            elif entry.do is not None and entry.chosen:
                chosen = tk.BooleanVar(self._root, True)
                menu.add_checkbutton(label=entry.text, variable=chosen, command=entry.do)
            elif entry.do is not None:
                menu.add_command(label=entry.text, command=entry.do)
        return menu

    # --- the start with the system ------------------------------------------------------------------------

    @property
    def start_problem(self) -> str:
        """Why it could not be changed whether the program starts with the system."""
        return self._start_problem

    @property
    def starts_with_system(self) -> bool:
        """Whether it does, as the system says."""
        try:
            return self._entry.is_on()
        except OSError as error:
            self._cannot(error)
            return False

    def set_starts_with_system(self, on: bool) -> None:
        """Whether the program starts with the system; it stays as it was if that fails."""
        self._start_problem = ""
        try:
            if on:
                self._entry.turn_on()
            else:
                self._entry.turn_off()
        except OSError as error:
            self._cannot(error)

    def _cannot(self, error: OSError) -> None:
        log.warning("autostart_failed", reason=str(error))
        self._start_problem = f"The system does not let this be changed ({error.strerror})."
