"""The keys, in one table, as virtual events. Views bind the events; `F1` shows the table."""

from __future__ import annotations

import sys
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

TAG: Final = "TwocansKeys"
"""A bind tag in front of widgets that write: their class has other ideas of some of these keys."""


@dataclass(frozen=True, slots=True)
class Key:
    """One action. `sequences` are Tk's; `shown` and `does` are for the user; `event` is empty if a view binds it."""

    event: str
    sequences: tuple[str, ...]
    shown: str
    does: str


_COMMAND: Final = "Command" if sys.platform == "darwin" else "Control"
COMMAND_SHOWN: Final = "⌘" if sys.platform == "darwin" else "Ctrl+"
_WORD_SHOWN: Final = "⌥" if sys.platform == "darwin" else "Ctrl+"

SEARCH: Final = "<<TwocansSearch>>"
FIND: Final = "<<TwocansFind>>"
FIND_EVERYWHERE: Final = "<<TwocansFindEverywhere>>"
SAVE: Final = "<<TwocansSave>>"
ATTACH: Final = "<<TwocansAttach>>"
BACK: Final = "<<TwocansBack>>"
QUIT: Final = "<<TwocansQuit>>"
SETTINGS: Final = "<<TwocansSettings>>"
LARGER: Final = "<<TwocansLarger>>"
SMALLER: Final = "<<TwocansSmaller>>"
USUAL_SIZE: Final = "<<TwocansUsualSize>>"
KEYS: Final = "<<TwocansKeys>>"
NEXT_CHAT: Final = "<<TwocansNext>>"
PREVIOUS_CHAT: Final = "<<TwocansPrevious>>"
MENU: Final = "<<TwocansMenu>>"
RETRY: Final = "<<TwocansRetry>>"
LEAVE: Final = "<<TwocansLeave>>"
DEVICES: Final = "<<TwocansDevices>>"
SECURITY: Final = "<<TwocansSecurity>>"
HOSTING: Final = "<<TwocansHosting>>"

_CONTROL: Final = 0x4
_ALT: Final = 0x20000 if sys.platform == "win32" else 0x8
"""Of an event's state. On macOS it is Command; on Windows, 0x8 is Num Lock."""
_WRITING: Final = {0, _CONTROL | _ALT} if sys.platform == "win32" else {0}
"""AltGr is Control and Alt on Windows."""

TABLE: Final = (
    Key(SEARCH, (f"<{_COMMAND}-k>", f"<{_COMMAND}-K>"), f"{COMMAND_SHOWN}K", "Search people"),
    Key(
        FIND,
        (f"<{_COMMAND}-f>",),
        f"{COMMAND_SHOWN}F",
        "Search the messages of the open chat; in the list, of all chats",
    ),
    Key(
        FIND_EVERYWHERE,
        (f"<{_COMMAND}-Shift-F>", f"<{_COMMAND}-Shift-f>"),
        f"{COMMAND_SHOWN}Shift+F",
        "Search the messages of all chats",
    ),
    Key("", (), "↑  ↓  Enter", "Choose somebody in the list and open the chat"),
    Key(BACK, ("<Escape>",), "Esc", "Back: from a search, from a chat to the list"),
    Key(
        NEXT_CHAT,
        (f"<{_COMMAND}-Next>", "<Alt-Down>"),
        "Alt+↓",
        "Open the next chat",
    ),
    Key(
        PREVIOUS_CHAT,
        (f"<{_COMMAND}-Prior>", "<Alt-Up>"),
        "Alt+↑",
        "Open the previous chat",
    ),
    Key(
        "",
        (),
        "Ctrl+↑  Ctrl+↓",
        "Choose a message; ← → choose among its links or buttons, Enter presses",
    ),
    Key("", (), "Enter", "Send the message"),
    Key("", (), "Shift+Enter", "Begin a new line"),
    Key(SAVE, (f"<{_COMMAND}-s>", f"<{_COMMAND}-S>"), f"{COMMAND_SHOWN}S", "Save the open chat in a file"),
    Key(ATTACH, (f"<{_COMMAND}-o>", f"<{_COMMAND}-O>"), f"{COMMAND_SHOWN}O", "Send files"),
    Key("", (), f"{COMMAND_SHOWN}V", "Paste; copied files and pictures are sent as files"),
    Key(
        "",
        (),
        "⌘Z  ⇧⌘Z" if sys.platform == "darwin" else "Ctrl+Z  Ctrl+Y",
        "Undo, and redo, what was written",
    ),
    Key(
        "", (), f"{_WORD_SHOWN}Backspace  {_WORD_SHOWN}Delete", "Delete the word before, or after, the cursor"
    ),
    Key("", (), "PgUp  PgDn", "Scroll the messages, also while writing"),
    Key("", (), "Tab", "Go to the next part of the window"),
    Key(
        RETRY,
        (f"<{_COMMAND}-r>", f"<{_COMMAND}-R>"),
        f"{COMMAND_SHOWN}R",
        "Try to connect now, when not connected",
    ),
    Key(
        LARGER,
        (f"<{_COMMAND}-plus>", f"<{_COMMAND}-equal>", f"<{_COMMAND}-KP_Add>"),
        f"{COMMAND_SHOWN}Plus",
        "Larger text",
    ),
    Key(
        SMALLER, (f"<{_COMMAND}-minus>", f"<{_COMMAND}-KP_Subtract>"), f"{COMMAND_SHOWN}Minus", "Smaller text"
    ),
    Key(
        USUAL_SIZE,
        (f"<{_COMMAND}-Key-0>", f"<{_COMMAND}-KP_0>"),
        f"{COMMAND_SHOWN}0",
        "The usual size of text",
    ),
    Key("", (), "Shift+F10", "The menu of what has the focus: a person, a message, a field"),
    Key(MENU, ("<F10>",), "F10", "The menu"),
    Key(SETTINGS, (f"<{_COMMAND}-comma>",), f"{COMMAND_SHOWN},", "Settings"),
    Key(DEVICES, (f"<{_COMMAND}-d>", f"<{_COMMAND}-D>"), f"{COMMAND_SHOWN}D", "My devices, and the password"),
    Key(SECURITY, (f"<{_COMMAND}-i>", f"<{_COMMAND}-I>"), f"{COMMAND_SHOWN}I", "The server's key"),
    Key(
        HOSTING,
        (f"<{_COMMAND}-h>", f"<{_COMMAND}-H>"),
        f"{COMMAND_SHOWN}H",
        "Your server, if one runs on this computer",
    ),
    Key(LEAVE, (f"<{_COMMAND}-l>", f"<{_COMMAND}-L>"), f"{COMMAND_SHOWN}L", "Log out"),
    Key(KEYS, ("<F1>",), "F1", "This list"),
    Key(QUIT, (f"<{_COMMAND}-q>", f"<{_COMMAND}-Q>"), f"{COMMAND_SHOWN}Q", "Quit"),
)


def install(root: tk.Tk) -> None:
    """Make the virtual events, and let Space press the button that has the focus, as everywhere else."""
    for key in TABLE:
        if key.event:
            root.event_add(key.event, *key.sequences)
    # The field's own menu, not the window's.
    root.bind_class(TAG, "<Shift-F10>", lambda _: None)
    # The widget toolkit takes this binding away from buttons.
    root.bind_class("TButton", "<Key-space>", lambda event: _press(root, event))


def bind(root: tk.Tk, event: str, action: Callable[[], object]) -> None:
    """Do this wherever the focus is."""

    def act(_event: tk.Event[tk.Misc]) -> str:
        action()
        return "break"

    root.bind_class(TAG, event, act)
    root.bind(event, act)


def first(widget: tk.Misc) -> None:
    """Let the keys of this table win over those of the widget's class."""
    widget.bindtags((TAG, *widget.bindtags()))


def last(widget: tk.Misc) -> None:
    """Leave the keys of this table to the main window: this widget is in another one."""
    widget.bindtags(tuple(tag for tag in widget.bindtags() if tag != TAG))


def typed_text(event: tk.Event[tk.Canvas]) -> str:
    """The character that a key writes; "" for keys that do something else, and for spaces, which scroll."""
    held = int(event.state) & (_CONTROL | _ALT)
    if held not in _WRITING or not event.char.isprintable() or event.char.isspace():
        return ""
    return event.char


def _press(root: tk.Tk, event: tk.Event[tk.Misc]) -> str:
    # The buttons of Tk's own dialogs come as mere names.
    root.tk.call(str(event.widget), "invoke")
    return "break"
