"""The order in which Tab goes through a window: as the eye does, from the top left, whatever was made first."""

from __future__ import annotations

import tkinter as tk
from typing import Final, NamedTuple

_SAME_LINE: Final = 0.5
"""Widgets are beside each other if they share so much of the lower one's height."""


class _Place(NamedTuple):
    top: int
    left: int
    bottom: int
    path: str


def install(root: tk.Tk) -> None:
    """Replace Tk's own order, which is that in which widgets were made."""
    tcl = root.tk
    tcl.call("auto_load", "tk_focusNext")  # with what else is in that file, which would come later and win
    for name, step in (("tk_focusNext", 1), ("tk_focusPrev", -1)):
        root.createcommand(name, lambda path, step=step: _beside(root, str(path), step))


def _beside(root: tk.Tk, path: str, step: int) -> str:
    order = _order(root, str(root.tk.call("winfo", "toplevel", path)))
    usable = [one for one in order if one == path or root.tk.getboolean(root.tk.call("tk::FocusOK", one))]
    if path not in usable:
        return usable[0] if usable else path
    return usable[(usable.index(path) + step) % len(usable)]


def _order(root: tk.Tk, parent: str) -> list[str]:
    """Everything within a widget, and the widget itself before it."""
    found = [parent]
    for child in _sorted(root, parent):
        found += _order(root, child)
    return found


def _sorted(root: tk.Tk, parent: str) -> list[str]:
    """The children that are in view, line by line."""
    places = sorted(
        _place(root, child)
        for child in map(str, root.tk.splitlist(root.tk.call("winfo", "children", parent)))
        if root.tk.call("winfo", "toplevel", child) != child and root.tk.call("winfo", "ismapped", child)
    )
    lines: list[list[_Place]] = []
    for one in places:
        line = lines[-1] if lines else []
        if line and max(other.bottom for other in line) - one.top > _SAME_LINE * (one.bottom - one.top):
            line.append(one)
        else:
            lines.append([one])
    return [one.path for line in lines for one in sorted(line, key=lambda one: (one.left, one.top))]


def _place(root: tk.Tk, path: str) -> _Place:
    top = int(root.tk.call("winfo", "rooty", path))
    height = int(root.tk.call("winfo", "height", path))
    return _Place(top, int(root.tk.call("winfo", "rootx", path)), top + height, path)
