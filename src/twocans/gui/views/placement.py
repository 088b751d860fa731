"""The place of the main window: as it was left, but always on a screen, and maximised if it was so."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from twocans.gui.backend.settings import Settings
from twocans.gui.platform.screens import Box, fit, frame_size, work_areas
from twocans.gui.theme.theme import Theme

_USUAL_EM: Final = (58, 42)
_LEAST_EM: Final = (20, 24)
_SETTLED_MS: Final = 300
"""After a change: the display tells of a new size a moment before it tells that the window is maximised."""


class Placement:
    """Moves the main window and keeps track of where it is.

    Args:
        root: the main window.
        theme: its sizes.
        settings: what is kept between two starts.
    """

    def __init__(self, root: tk.Tk, theme: Theme, settings: Settings) -> None:
        self._root, self._theme, self._settings = root, theme, settings
        self._normal = settings.geometry
        """Tk's geometry when it is not maximised."""
        self._maximised = settings.maximised
        self._timer: str | None = None
        root.bind("<Configure>", self._changed, add="+")

    def restore(self) -> None:
        """Give the window the place where it was last time, before it is shown."""
        em, areas = self._theme.em, work_areas(self._root)
        window = Box.parse(self._normal)
        if window is None:
            area = areas[0]
            width, height = min(em(_USUAL_EM[0]), area.width), min(em(_USUAL_EM[1]), area.height)
            left, top = area.left + (area.width - width) // 2, area.top + (area.height - height) // 3
            window = Box(left, top, width, height)
        self._move(window, areas)

    def show_maximised(self) -> None:
        """Maximise the window if it was so when it was last in view."""
        if not self._maximised:
            return
        if self._x11:
            self._root.attributes("-zoomed", True)
        else:
            self._root.state("zoomed")

    def fit(self) -> None:
        """Sizes have changed: keep the window on the screen and no smaller than what it needs there."""
        if self._root.state() == "normal" and not self._is_maximised():
            window = Box.parse(self._root.geometry())
            if window is not None:
                self._move(window, work_areas(self._root))

    def keep(self) -> None:
        """Put the place into the settings."""
        self._note()
        self._settings.geometry, self._settings.maximised = self._normal, self._maximised

    def close(self) -> None:
        """Keep track no longer."""
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None

    @property
    def _x11(self) -> bool:
        return str(self._root.tk.call("tk", "windowingsystem")) == "x11"

    def _is_maximised(self) -> bool:
        if self._x11:
            return bool(self._root.attributes("-zoomed"))
        return self._root.state() == "zoomed"

    def _move(self, window: Box, areas: list[Box]) -> None:
        frame = frame_size(self._root, self._theme.em(1))
        least = Box(window.left, window.top, *(self._theme.em(one) for one in _LEAST_EM))
        wanted = window._replace(
            width=max(window.width, least.width), height=max(window.height, least.height)
        )
        place, smallest = fit(wanted, areas, frame=frame), fit(least, areas, frame=frame)
        self._root.minsize(smallest.width, smallest.height)
        if place != window or window.geometry != self._root.geometry():
            self._root.geometry(place.geometry)

    def _changed(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self._root:
            self.close()
            self._timer = self._root.after(_SETTLED_MS, self._settled)

    def _settled(self) -> None:
        self._timer = None
        self._note()

    def _note(self) -> None:
        if self._root.state() not in {"normal", "zoomed"}:
            return
        self._maximised = self._is_maximised()
        if not self._maximised:
            self._normal = self._root.geometry()
