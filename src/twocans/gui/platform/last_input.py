"""The last input, a key or the pointer: it decides where the focus is shown, and it takes tips away."""

from __future__ import annotations

import contextlib
import tkinter as tk
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from twocans.gui.views.focus import has_focus

TAG: Final = "TwocansInput"
"""A bind tag in front of all others of a widget, so that nothing keeps its events away."""
INPUT_CHANGED: Final = "<<TwocansInputChanged>>"
"""Sent to the widget that has the focus when a key follows the pointer, or the pointer a key."""
SHOWN_STATE: Final = "user1"
"""The state of a ttk button whose focus is to be shown."""

_MODIFIERS: Final = frozenset(
    (
        *(f"{key}_{side}" for key in ("Shift", "Control", "Alt", "Meta", "Super") for side in "LR"),
        *("Caps_Lock", "Num_Lock", "ISO_Level3_Shift"),
    )
)
_BUTTON_CLASSES: Final = ("TButton", "TCheckbutton", "TRadiobutton")


class LastInput:
    """Watches all windows of the program.

    The focus of buttons and lists is shown after keys only, as browsers do with `:focus-visible`.

    Args:
        root: the main window.
    """

    def __init__(self, root: tk.Misc) -> None:
        self._tk = root.tk
        self.by_key = True
        """The last input was a key; so it is before the first one."""
        self._dismiss: Callable[[], None] | None = None
        # Whatever gets the focus or the pointer is watched from then on.
        for sequence in ("<FocusIn>", "<Enter>"):
            root.bind_all(sequence, self._watch, add="+")
        root.bind_class(TAG, "<Key>", self._key)
        for sequence in ("<Button>", "<MouseWheel>"):
            root.bind_class(TAG, sequence, self._pointer)
        for sequence in ("<FocusOut>", "<Unmap>"):
            root.bind_class(TAG, sequence, lambda _: self.dismiss())
        for name in _BUTTON_CLASSES:
            for sequence in ("<FocusIn>", INPUT_CHANGED):
                root.bind_class(name, sequence, self._show)
            root.bind_class(name, "<FocusOut>", self._hide)

    def until_next(self, dismiss: Callable[[], None]) -> None:
        """Call this at the next input of any kind, or when the focus goes or a window opens; only the last one is called."""
        self.dismiss()
        self._dismiss = dismiss

    def dismiss(self) -> None:
        """Take away what is there until the next input."""
        dismiss, self._dismiss = self._dismiss, None
        if dismiss is not None:
            dismiss()

    def is_in_front(self, widget: tk.Misc) -> bool:
        """True if the keys go to the window that the widget is in."""
        focus = str(self._tk.call("focus"))
        if not focus:
            return False
        return str(self._tk.call("winfo", "toplevel", focus)) == str(widget.winfo_toplevel())

    def shows_focus(self, widget: tk.Misc) -> bool:
        """True if the widget has the focus, and that is to be seen."""
        return self.by_key and has_focus(widget)

    def _watch(self, event: tk.Event[tk.Misc]) -> None:
        path = str(event.widget)
        with contextlib.suppress(tk.TclError):  # gone since
            tags = self._tk.splitlist(self._tk.call("bindtags", path))
            if TAG not in tags:
                self._tk.call("bindtags", path, (TAG, *tags))

    def _key(self, event: tk.Event[tk.Misc]) -> None:
        if event.keysym not in _MODIFIERS:
            self._input(by_key=True)

    def _pointer(self, _event: tk.Event[tk.Misc]) -> None:
        self._input(by_key=False)

    def _input(self, *, by_key: bool) -> None:
        self.dismiss()
        if by_key is not self.by_key:
            self.by_key = by_key
            focus = self._tk.call("focus")
            if focus:
                self._tk.call("event", "generate", focus, INPUT_CHANGED)

    def _show(self, event: tk.Event[tk.Misc]) -> None:
        self._set_state(event, SHOWN_STATE if self.by_key else f"!{SHOWN_STATE}")

    def _hide(self, event: tk.Event[tk.Misc]) -> None:
        self._set_state(event, f"!{SHOWN_STATE}")

    def _set_state(self, event: tk.Event[tk.Misc], state: str) -> None:
        # The buttons of Tk's own dialogs come as mere names.
        self._tk.call(str(event.widget), "state", state)


_of_roots: WeakKeyDictionary[tk.Misc, LastInput] = WeakKeyDictionary()


def last_input(widget: tk.Misc) -> LastInput:
    """Return that of the program that the widget is in."""
    root = widget.nametowidget(".")
    found = _of_roots.get(root)
    if found is None:
        found = _of_roots[root] = LastInput(root)
    return found
