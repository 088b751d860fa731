"""The screens of the computer, and the places on them for windows and menus. Never fails: without an answer it is Tk's own."""

from __future__ import annotations

import re
import sys
import tkinter as tk
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

_GEOMETRY: Final = re.compile(r"(\d+)x(\d+)\+(-?\d+)\+(-?\d+)")
_BAR_SHARE: Final = 16
"""However large the text is, no title bar takes more than this part of the screen."""
_ALL_FOUR: Final = 4
_CARDINAL: Final = 6
"""The number of the type in X11."""


class Box(NamedTuple):
    """A rectangle on the desktop, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beside it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first line below it."""
        return self.top + self.height

    @classmethod
    def parse(cls, geometry: str) -> Self | None:
        """Read Tk's geometry, e.g. `900x640+100+-80`; None if it has no place."""
        found = _GEOMETRY.fullmatch(geometry)
        if found is None:
            return None
        width, height, left, top = (int(part) for part in found.groups())
        return cls(left, top, width, height)

    @property
    def geometry(self) -> str:
        """The same for Tk."""
        return f"{self.width}x{self.height}+{self.left}+{self.top}"

    def overlap(self, other: Box) -> int:
        """How many pixels are in both."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, width) * max(0, height)

    def distance(self, x: int, y: int) -> int:
        """How far a point is from it; 0 within."""
        return max(self.left - x, 0, x - self.right + 1) + max(self.top - y, 0, y - self.bottom + 1)


def work_areas(root: tk.Misc) -> list[Box]:
    """The monitors without the panels of the desktop, the first one first."""
    areas: list[Box] = []
    if sys.platform == "win32":
        areas = _windows()
    elif root.tk.call("tk", "windowingsystem") == "x11":
        areas = _x11(root.winfo_screen().rpartition(".")[0])
    return areas or [Box(0, 0, root.winfo_screenwidth(), root.winfo_screenheight())]


def work_area_at(root: tk.Misc, x: int, y: int) -> Box:
    """The work area that a point is in, or else the nearest one."""
    return min(work_areas(root), key=lambda area: area.distance(x, y))


def fit(window: Box, areas: Sequence[Box], *, frame: tuple[int, int]) -> Box:
    """Move a window into the work area that holds most of it, or else the first one, and make it no larger than that.

    Args:
        window: its place, that of its frame, and its size without it.
        areas: see `work_areas`.
        frame: how much wider and higher the window is with its borders and its title bar.
    """
    area = max(areas, key=window.overlap)
    width, height = min(window.width, area.width - frame[0]), min(window.height, area.height - frame[1])
    left = max(area.left, min(window.left, area.right - width - frame[0]))
    top = max(area.top, min(window.top, area.bottom - height - frame[1]))
    return Box(left, top, width, height)


def frame_size(window: tk.Misc, em: int) -> tuple[int, int]:
    """How much wider and higher windows are with their frames: as the main one is, or what is usual before it is shown.

    Args:
        em: the size of text.
    """
    root = window.nametowidget(".")
    bar = min(2 * em, int(root.winfo_screenheight()) // _BAR_SHARE)
    place = Box.parse(str(root.geometry())) if root.winfo_viewable() else None
    if place is None:
        return em // 4, bar
    border = max(0, int(root.winfo_rootx()) - place.left)
    # Some desktops leave the title bar out while the window is maximised; those of dialogs stay.
    return 2 * border, max(bar, int(root.winfo_rooty()) - place.top + border)


def beside(at: Box, size: tuple[int, int], area: Box) -> tuple[int, int]:
    """Return the top left corner for a menu of that size: below a button or a pointer, or above, or else at its side.

    Args:
        at: the button; a pointer has no width and no height.
        size: that of the menu.
        area: where it has to be.
    """
    width, height = size
    left = at.left if at.left + width <= area.right else at.right - width
    if at.bottom + height <= area.bottom:
        top = at.bottom
    elif at.top - height >= area.top:
        top = at.top - height
    else:
        top = area.bottom - height
        left = at.right if at.right + width <= area.right else at.left - width
    return (
        max(area.left, min(left, area.right - width)),
        max(area.top, min(top, area.bottom - height)),
    )


def _x11(display_name: str) -> list[Box]:
    try:
        from Xlib.display import Display
        from Xlib.error import ConnectionClosedError, DisplayError, XError
    except ImportError:
        return []  # there is such a package on Linux only
    try:
        display = Display(display_name or None)
        try:
            root = display.screen().root
            monitors = [
                Box(one.x, one.y, one.width_in_pixels, one.height_in_pixels)
                for one in sorted(root.xrandr_get_monitors().monitors, key=lambda one: not one.primary)
            ]
            desktop = root.get_full_property(display.intern_atom("_NET_CURRENT_DESKTOP"), _CARDINAL)
            panels = root.get_full_property(display.intern_atom("_NET_WORKAREA"), _CARDINAL)
        finally:
            display.close()
    except (ConnectionClosedError, DisplayError, XError, OSError, AttributeError):
        return []  # the extension's methods are missing where the display has none of it
    if panels is None:
        return monitors
    start = _ALL_FOUR * int(desktop.value[0]) if desktop is not None else 0
    values = [int(value) for value in panels.value[start : start + _ALL_FOUR]]
    # One rectangle around all monitors: panels between two of them are not known.
    return [_within(one, Box(*values)) for one in monitors] if len(values) == _ALL_FOUR else monitors


def _within(monitor: Box, area: Box) -> Box:
    if not monitor.overlap(area):
        return monitor
    left, top = max(monitor.left, area.left), max(monitor.top, area.top)
    return Box(left, top, min(monitor.right, area.right) - left, min(monitor.bottom, area.bottom) - top)


def _windows() -> list[Box]:
    if sys.platform != "win32":
        return []
    import ctypes
    from ctypes import wintypes

    class MonitorInfo(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.DWORD),
            ("monitor", wintypes.RECT),
            ("work", wintypes.RECT),
            ("flags", wintypes.DWORD),
        )

    found: list[tuple[bool, Box]] = []
    callback = ctypes.WINFUNCTYPE(
        wintypes.BOOL, wintypes.HMONITOR, wintypes.HDC, ctypes.POINTER(wintypes.RECT), wintypes.LPARAM
    )

    @callback
    def note(monitor: int, _context: int, _box: object, _data: int) -> bool:
        info = MonitorInfo(size=ctypes.sizeof(MonitorInfo))
        if ctypes.windll.user32.GetMonitorInfoW(monitor, ctypes.byref(info)):
            area = info.work
            box = Box(area.left, area.top, area.right - area.left, area.bottom - area.top)
            found.append((not info.flags & 1, box))
        return True

    ctypes.windll.user32.EnumDisplayMonitors(None, None, note, 0)
    return [box for _, box in sorted(found, key=lambda one: one[0])]
