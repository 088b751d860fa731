"""The keys and the context menu of all fields, as other desktop programs have them.

Tk's own keys are those of Emacs and Motif, except on macOS. Everything here is bound to the classes of the widgets, so a
new field needs to ask for nothing. Widgets are known by their Tk paths: Tk makes some itself, for its dialogs.
"""

from __future__ import annotations

import contextlib
import sys
import time
import tkinter as tk
from collections.abc import Callable
from typing import Final

from twocans.gui.platform import paste
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.glyphs import next_boundary, previous_boundary
from twocans.gui.views.edit_history import EditHistory, FieldState
from twocans.gui.views.keys import COMMAND_SHOWN
from twocans.gui.views.menus import Menu, new_menu
from twocans.gui.views.words import tk_length, word_end, word_start

PAUSE_MS: Final = 1000
"""Text typed after a pause of this length is undone on its own."""

_TEXT: Final = "Text"
_ENTRY: Final = "TEntry"
_MENU_KEYS: Final = ("<Menu>", "<App>", "<Shift-F10>")
_WORD_MODIFIER: Final = "Option" if sys.platform == "darwin" else "Control"
_EDITING_KEYS: Final = ("<Key>", "<<Cut>>", "<<Paste>>", "<<Clear>>", "<<PasteSelection>>")
_TOOLKIT_KEYS: Final = ("<Control-a>", "<Control-A>")
"""Bound by the widget toolkit to what it thinks is all of a text."""
_EMACS_KEYS: Final = {
    _TEXT: (
        *(f"<Control-{key}>" for key in ("d", "h", "i", "k", "o", "t", "space", "Shift-space")),
        *(f"<Meta-{key}>" for key in ("b", "d", "f", "less", "greater", "BackSpace", "Delete")),
        "<Insert>",
        *_TOOLKIT_KEYS,
    ),
    _ENTRY: ("<Control-d>", "<Control-h>", "<Control-k>", *_TOOLKIT_KEYS),
}
_EMACS_EVENTS: Final = {
    "<<LineStart>>": "a",
    "<<LineEnd>>": "e",
    "<<PrevChar>>": "b",
    "<<NextChar>>": "f",
    "<<PrevLine>>": "p",
    "<<NextLine>>": "n",
    "<<SelectLineStart>>": "A",
    "<<SelectLineEnd>>": "E",
    "<<SelectPrevChar>>": "B",
    "<<SelectNextChar>>": "F",
    "<<SelectPrevLine>>": "P",
    "<<SelectNextLine>>": "N",
    "<<Cut>>": "w",
    "<<Paste>>": "y",
}
_USUAL_EVENTS: Final = {
    "<<SelectAll>>": ("<Control-a>", "<Control-Lock-A>"),
    "<<Redo>>": ("<Control-y>", "<Control-Lock-Y>", "<Control-Z>", "<Control-Lock-z>"),
}

Step = Callable[[str, int], int]
"""From a position in a text to another one."""


class TextEditing:
    """Binds the keys once for the whole program.

    Args:
        root: the main window.
        theme: the look of the menu.
    """

    def __init__(self, root: tk.Tk, theme: Theme) -> None:
        self._root, self._theme = root, theme
        self._wide = int(root.tk.call("string", "length", "\U0001f600")) == 1
        self._histories: dict[str, EditHistory] = {}
        self._menu: Menu | None = None
        self._pause: str | None = None
        self._system = str(root.tk.call("tk", "windowingsystem"))
        if self._system != "aqua":
            self._drop_emacs_keys()
        self._bind_both()
        self._bind_texts()
        self._bind_entries()

    # --- bindings -----------------------------------------------------------------------------------------

    def _drop_emacs_keys(self) -> None:
        root = self._root
        for kind, sequences in _EMACS_KEYS.items():
            for sequence in sequences:
                root.unbind_class(kind, sequence)
        for event, letter in _EMACS_EVENTS.items():
            root.event_delete(event, f"<Control-{letter}>", f"<Control-Lock-{letter.swapcase()}>")
        for event, sequences in _USUAL_EVENTS.items():
            root.event_add(event, *sequences)

    def _bind_both(self) -> None:
        for kind in (_TEXT, _ENTRY):
            for sequence, step in (
                ("<BackSpace>", _before),
                ("<Delete>", _after),
                (f"<{_WORD_MODIFIER}-BackSpace>", word_start),
                (f"<{_WORD_MODIFIER}-Delete>", word_end),
            ):
                self._bind(kind, sequence, lambda path, step=step: self._erase(path, step))  # type: ignore[misc]  # a default binds early
            for name, step in (("PrevChar", _before), ("NextChar", _after)):
                self._bind(kind, f"<<{name}>>", lambda path, step=step: self._move(path, step))  # type: ignore[misc]  # a default binds early
                self._bind(kind, f"<<Select{name}>>", lambda path, step=step: self._extend(path, step))  # type: ignore[misc]  # a default binds early
            self._root.bind_class(kind, "<<ContextMenu>>", self._menu_by_mouse)
            for sequence in _MENU_KEYS:
                with contextlib.suppress(tk.TclError):  # a system may not know the key
                    self._root.bind_class(kind, sequence, self._menu_by_key)

    def _bind_texts(self) -> None:
        self._bind(_TEXT, "<<SelectAll>>", self._select_all)
        self._bind(_TEXT, "<<Paste>>", self._paste)
        self._root.bind_class(_TEXT, "<Key>", self._typed, add="+")
        self._root.bind_class(_TEXT, "<Destroy>", lambda _: self._end_pause(), add="+")

    def _bind_entries(self) -> None:
        root = self._root
        self._bind(_ENTRY, "<<Undo>>", lambda path: self._restore(path, EditHistory.undo))
        self._bind(_ENTRY, "<<Redo>>", lambda path: self._restore(path, EditHistory.redo))
        for sequence, command in (("<<Cut>>", "Cut"), ("<<Copy>>", "Copy")):
            self._bind(_ENTRY, sequence, lambda path, command=command: self._copy(path, command))  # type: ignore[misc]  # a default binds early
        for sequence in ("<FocusIn>", *_EDITING_KEYS):
            root.bind_class(_ENTRY, sequence, lambda event: self._record(str(event.widget)), add="+")
        root.bind_class(_ENTRY, "<Destroy>", lambda event: self._forget(str(event.widget)), add="+")

    def _bind(self, kind: str, sequence: str, action: Callable[[str], None]) -> None:
        """Put an action in the place of what Tk does for this class. The window still hears of the key."""
        self._root.bind_class(kind, sequence, lambda event: action(str(event.widget)))

    # --- both kinds of fields -----------------------------------------------------------------------------

    def _erase(self, path: str, step: Step) -> None:
        """Delete the selection, or else from the cursor to where `step` leads."""
        if not self._editable(path):
            return
        if not self._delete_selection(path):
            self._separate(path)
            text, cursor = self._content(path)
            target = step(text, cursor)
            first, last = min(cursor, target), max(cursor, target)
            if first < last:
                self._call(path, "delete", self._index(path, text, first), self._index(path, text, last))
        self._see_cursor(path)
        self._record(path)

    def _move(self, path: str, step: Step) -> None:
        text, cursor = self._content(path)
        index = self._index(path, text, step(text, cursor))
        if self._is_text(path):
            self._root.tk.call("tk::TextSetCursor", path, index)
        else:
            self._call(path, "icursor", index)
            self._call(path, "selection", "clear")
            self._see_cursor(path)
            self._record(path)

    def _extend(self, path: str, step: Step) -> None:
        text, cursor = self._content(path)
        index = self._index(path, text, step(text, cursor))
        if self._is_text(path):
            self._root.tk.call("tk::TextKeySelect", path, index)
        else:
            self._root.tk.call("ttk::entry::ExtendTo", path, index)
            self._see_cursor(path)
            self._record(path)

    def _content(self, path: str) -> tuple[str, int]:
        """The text, and where the cursor is in it; a hidden text as one word."""
        if self._is_text(path):
            return str(self._call(path, "get", "1.0", "end-1c")), len(
                str(self._call(path, "get", "1.0", "insert"))
            )
        text, units = str(self._call(path, "get")), self._number(path, "index", "insert")
        cursor = units
        if not self._wide and not text.isascii():
            cursor = len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore"))
        return ("x" * len(text) if self._masked(path) else text), cursor

    def _index(self, path: str, text: str, offset: int) -> str:
        """Tk's name for a position in a text."""
        if not self._is_text(path):
            return str(tk_length(text[:offset], wide=self._wide))
        line_start = text.rfind("\n", 0, offset) + 1
        column = tk_length(text[line_start:offset], wide=self._wide)
        return f"{text.count(chr(10), 0, offset) + 1}.{column}"

    def _delete_selection(self, path: str) -> bool:
        if not self._has_selection(path):
            return False
        self._call(path, "delete", "sel.first", "sel.last")
        return True

    def _see_cursor(self, path: str) -> None:
        if self._is_text(path):
            self._call(path, "see", "insert")
        else:
            self._root.tk.call("ttk::entry::See", path, "insert")

    # --- fields of several lines --------------------------------------------------------------------------

    def _select_all(self, path: str) -> None:
        """Not the line end that Tk itself adds."""
        self._call(path, "tag", "remove", "sel", "1.0", "end")
        self._call(path, "tag", "add", "sel", "1.0", "end-1c")

    def _paste(self, path: str) -> None:
        """In the place of the selection, which Tk leaves there on X11. One step for undo."""
        if not self._editable(path):
            return
        try:
            pasted = str(self._root.tk.call("tk::GetSelection", path, "CLIPBOARD"))
        except tk.TclError:
            return
        self._separate(path)
        automatic = self._call(path, "cget", "-autoseparators")
        self._call(path, "configure", "-autoseparators", False)
        self._delete_selection(path)
        self._call(path, "insert", "insert", pasted)
        self._call(path, "configure", "-autoseparators", automatic)
        self._separate(path)
        self._see_cursor(path)

    def _typed(self, event: tk.Event[tk.Misc]) -> None:
        """A word, and what stands between pauses, is undone on its own. Tk would undo all that was typed at once."""
        path = str(event.widget)
        if event.char and event.char.isspace():
            self._separate(path)
        self._end_pause()
        self._pause = self._root.after(PAUSE_MS, self._paused, path)

    def _paused(self, path: str) -> None:
        self._pause = None
        self._separate(path)

    def _end_pause(self) -> None:
        if self._pause is not None:
            self._root.after_cancel(self._pause)
            self._pause = None

    def _separate(self, path: str) -> None:
        if self._is_text(path):
            self._call(path, "edit", "separator")

    # --- fields of one line -------------------------------------------------------------------------------

    def _state(self, path: str) -> FieldState:
        return FieldState(*self._content(path))

    def _record(self, path: str) -> None:
        """Keep the text for undo, unless it is hidden: a password is kept nowhere."""
        if self._is_text(path):
            return
        if self._masked(path):
            self._forget(path)
        elif path in self._histories:
            self._histories[path].edited(self._state(path), time.monotonic())
        else:
            self._histories[path] = EditHistory(self._state(path))

    def _forget(self, path: str) -> None:
        self._histories.pop(path, None)

    def _restore(self, path: str, way: Callable[[EditHistory, FieldState], FieldState | None]) -> None:
        history = self._histories.get(path)
        if history is None or self._masked(path) or not self._editable(path):
            return
        state = way(history, self._state(path))
        if state is None:
            return
        variable = str(self._call(path, "cget", "-textvariable"))
        if variable:  # whoever watches it hears of one change, not of an empty field first
            self._root.setvar(variable, state.text)
        else:
            self._call(path, "delete", "0", "end")
            self._call(path, "insert", "0", state.text)
        self._call(path, "icursor", self._index(path, state.text, state.cursor))
        self._see_cursor(path)

    def _copy(self, path: str, command: str) -> None:
        """Of a hidden text Tk would copy the dots, and cut the text."""
        if not self._masked(path):
            self._root.tk.call(f"ttk::entry::{command}", path)
            self._record(path)

    # --- the menu -----------------------------------------------------------------------------------------

    def _menu_by_mouse(self, event: tk.Event[tk.Misc]) -> None:
        path = str(event.widget)
        self._root.tk.call("focus", path)
        place = f"@{event.x},{event.y}" if self._is_text(path) else f"@{event.x}"
        if not self._is_selected(path, place):
            if self._is_text(path):
                self._root.tk.call("tk::TextSetCursor", path, place)
            else:
                self._call(path, "icursor", place)
                self._call(path, "selection", "clear")
        self._popup(path, event.x_root, event.y_root)

    def _menu_by_key(self, event: tk.Event[tk.Misc]) -> str:
        path = str(event.widget)
        x, y = self._pixels(path, "rootx"), self._pixels(path, "rooty")
        box = self._call(path, "bbox", "insert")
        if isinstance(box, tuple) and len(box) == 4:
            x, y = x + int(box[0]), y + int(box[1]) + int(box[3])
        else:
            y += self._pixels(path, "height")
        self._popup(path, x, y)
        return "break"  # the window has a menu for F10

    def _popup(self, path: str, x: int, y: int) -> None:
        if self._menu is not None:
            self._menu.destroy()
        menu = self._menu = new_menu(self._root, self._theme)
        editable, masked = self._editable(path), self._masked(path)
        selected = self._has_selection(path)
        redo = "Y" if self._system != "aqua" else "⇧Z"
        if editable:
            self._add(menu, path, "Undo", "Z", usable=self._can_undo(path))
            self._add(menu, path, "Redo", redo, usable=self._can_redo(path))
            menu.add_separator()
            self._add(menu, path, "Cut", "X", usable=selected and not masked)
        self._add(menu, path, "Copy", "C", usable=selected and not masked)
        if editable:
            usable = paste.has_text(self._root) or (self._is_text(path) and paste.has_files(self._root))
            self._add(menu, path, "Paste", "V", usable=usable)
            menu.add_command(
                label="Delete",
                command=lambda: self._generate(path, "<<Clear>>"),
                state="normal" if selected else "disabled",
            )
        menu.add_separator()
        self._add(menu, path, "Select all", "A", usable=bool(self._content(path)[0]))
        menu.tk_popup(x, y)

    def _add(self, menu: Menu, path: str, label: str, key: str, *, usable: bool) -> None:
        event = f"<<{label.title().replace(' ', '')}>>"
        menu.add_command(
            label=label,
            accelerator=f"{COMMAND_SHOWN}{key}",
            command=lambda: self._generate(path, event),
            state="normal" if usable else "disabled",
        )

    def _generate(self, path: str, event: str) -> None:
        with contextlib.suppress(tk.TclError):  # the field has gone while its menu was open
            self._root.tk.call("event", "generate", path, event)

    # --- asking Tk ----------------------------------------------------------------------------------------

    def _call(self, path: str, *arguments: object) -> object:
        answer: object = self._root.tk.call(path, *arguments)
        return answer

    def _number(self, path: str, *arguments: str) -> int:
        return int(str(self._call(path, *arguments)))

    def _pixels(self, path: str, what: str) -> int:
        return int(str(self._root.tk.call("winfo", what, path)))

    def _is_text(self, path: str) -> bool:
        return str(self._root.tk.call("winfo", "class", path)) == _TEXT

    def _editable(self, path: str) -> bool:
        return str(self._call(path, "cget", "-state")) == "normal"

    def _masked(self, path: str) -> bool:
        return not self._is_text(path) and bool(str(self._call(path, "cget", "-show")))

    def _has_selection(self, path: str) -> bool:
        if self._is_text(path):
            return bool(self._call(path, "tag", "ranges", "sel"))
        return bool(self._call(path, "selection", "present"))

    def _is_selected(self, path: str, place: str) -> bool:
        if not self._has_selection(path):
            return False
        if self._is_text(path):
            return "sel" in self._root.tk.splitlist(self._call(path, "tag", "names", place))
        first, at, last = (self._number(path, "index", one) for one in ("sel.first", place, "sel.last"))
        return first <= at < last

    def _can_undo(self, path: str) -> bool:
        if self._is_text(path):
            return bool(self._call(path, "edit", "canundo"))
        history = self._histories.get(path)
        return history is not None and not self._masked(path) and history.can_undo(self._state(path))

    def _can_redo(self, path: str) -> bool:
        if self._is_text(path):
            return bool(self._call(path, "edit", "canredo"))
        history = self._histories.get(path)
        return history is not None and not self._masked(path) and history.can_redo(self._state(path))


def _before(text: str, index: int) -> int:
    return previous_boundary(text, index - 1) if index > 0 else 0


def _after(text: str, index: int) -> int:
    return next_boundary(text, index) if index < len(text) else index
