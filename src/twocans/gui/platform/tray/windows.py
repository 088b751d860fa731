"""The icon in the notification area of Windows, by pystray, which has a thread of its own for it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from pystray import Icon, Menu, MenuItem

from twocans.gui import errors
from twocans.gui.platform.tray import NO_TRAY, Answers, Entry, Sight
from twocans.gui.platform.tray.picture import picture

_SIZE: Final = 64
_POLL_MS: Final = 80


class WindowsTray:
    """The icon; a click on it opens, and the system shows its menu.

    Args:
        root: the window, in whose thread the answers are given.
        answers: what the program does about it.
    """

    def __init__(self, root: tk.Tk, answers: Answers) -> None:
        self._root, self._answers = root, answers
        self._wanted: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._icon: Icon | None = None
        self._closed = False
        self._poll()

    @property
    def problem(self) -> str:
        """Why nobody can see an icon."""
        return "" if self._icon is not None else NO_TRAY

    def show(self, sight: Sight) -> None:
        """Show the icon so."""
        image = picture(_SIZE, sight.unread, dimmed=sight.dimmed)
        menu = self._menu(sight.menu, default=True)
        if self._icon is None:
            self._icon = Icon("twocans", image, sight.tip, menu)
            self._icon.run_detached()
            self._root.after_idle(self._answers.moved)
            return
        self._icon.icon, self._icon.title, self._icon.menu = image, sight.tip, menu
        self._icon.update_menu()

    def close(self) -> None:
        """Take it away for good."""
        self._closed = True
        if self._icon is not None:
            self._icon.stop()

    def _menu(self, entries: tuple[Entry, ...], *, default: bool = False) -> Menu:
        items = []
        for number, entry in enumerate(entries):
            if not entry.text:
                items.append(Menu.SEPARATOR)
            elif entry.below:
                items.append(MenuItem(entry.text, self._menu(entry.below)))
            else:
                items.append(
                    MenuItem(
                        entry.text,
                        self._want(entry.do),
                        checked=(lambda _: True) if entry.chosen else None,
                        default=default and number == 0,
                    )
                )
        return Menu(*items)

    def _want(self, do: Callable[[], object] | None) -> Callable[[], None]:
        def choose() -> None:
            if do is not None:
                self._wanted.put(do)

        return choose

    def _poll(self) -> None:
        try:
            while not self._closed:
                errors.guard(self._root, self._wanted.get_nowait())()
        except Empty:
            pass
        if not self._closed:
            self._root.after(_POLL_MS, self._poll)
