"""Where the keyboard focus is, by name: `focus_get` fails while a window that Tk itself made has it, such as a file dialog."""

from __future__ import annotations

import tkinter as tk


def has_focus(widget: tk.Misc) -> bool:
    """Return True if this widget has the focus."""
    return _focus(widget) == str(widget)


def has_focus_within(widget: tk.Misc) -> bool:
    """Return True if a widget inside this one has the focus."""
    return _focus(widget).startswith(f"{widget}.")


def _focus(widget: tk.Misc) -> str:
    return str(widget.tk.call("focus"))
